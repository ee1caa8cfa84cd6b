//! Tests of what cannot be seen from outside: how login attempts are counted.

use super::*;

#[test]
fn network_of_ipv6_is_its_prefix() {
    let network = |address: &str| network(address.parse().unwrap()).to_string();
    assert_eq!(network("10.1.2.3"), "10.1.2.3");
    assert_eq!(network("::ffff:10.1.2.3"), "10.1.2.3");
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
}

/// An attacker who knew a name used to be able to lock its owner out.
#[test]
fn login_attempts_are_counted_per_network() {
    let user = User {
        id: UserId::parse("usr_1").unwrap(),
        username: "alice".into(),
        account: AccountId::parse("acc_1").unwrap(),
        access: Access::ReadWrite,
        password_argon2: String::new(),
    };

    let directory = Directory::new(
        AuthMode::Keys,
        vec![user.account.clone()],
        Vec::new(),
        vec![user],
    )
    .unwrap();
    let limits = AuthLimits {
        token_lifetime: 60,
        requests_per_minute: 0,
        logins_per_minute: 2,
    };

    let authenticator = Authenticator::new(
        directory,
        Tokens::new(b"secret", "run"),
        Clock::System,
        limits,
        None,
    );
    let from = |address: &str| Some(address.parse().unwrap());

    for _ in 0..2 {
        authenticator
            .check_login_rate("alice", from("10.0.0.1"))
            .unwrap();
    }

    assert!(
        authenticator
            .check_login_rate("alice", from("10.0.0.1"))
            .is_err()
    );
    authenticator
        .check_login_rate("alice", from("10.0.0.2"))
        .unwrap();
    authenticator
        .check_login_rate("bob", from("10.0.0.1"))
        .unwrap();
}

#[test]
fn token_splits_at_its_first_dot() {
    assert_eq!(
        split_token(b"key_1.a.b"),
        Some((&b"key_1"[..], &b"a.b"[..]))
    );
    assert_eq!(split_token(b"key_1"), None);
}
