//! The wall between accounts: what belongs to another is answered exactly like what does not exist.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::json;

/// Status, body and header names.
fn seen(answer: &Response) -> (u16, String, Vec<String>) {
    (
        answer.status,
        answer.text.clone(),
        answer
            .header_names()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    )
}

fn assert_wall(owner: &Caller, other: &Caller) {
    let theirs = owner.created("secret");
    let (taken, free) = (id(&theirs), "int_doesnotexist1");
    for body in [json!({}), json!({"name": "mine"}), json!({"name": ""})] {
        assert_eq!(
            seen(&other.update(taken, body.clone())),
            seen(&other.update(free, body))
        );
    }

    for query in ["", "?select=id", "?select=colour"] {
        assert_eq!(
            seen(&other.get(&format!("{taken}{query}"))),
            seen(&other.get(&format!("{free}{query}")))
        );
    }

    for method in ["HEAD", "PATCH", "OPTIONS", "DELETE"] {
        let ask = |id: &str| seen(&other.send(method, &format!("/integration/{id}"), None));
        assert_eq!(ask(taken), ask(free), "{method}");
    }

    assert_eq!(other.delete(taken).status, 404);
    assert_eq!(other.total(""), 0);
    assert_eq!(
        owner.get(taken).assert_status(200).json(),
        theirs,
        "no other client changed it"
    );
}

#[test]
fn accounts_in_open_mode_are_isolated() {
    let server = TestServer::start();
    assert_wall(&server.account("a"), &server.account("b"));
}

#[test]
fn accounts_of_different_keys_are_isolated() {
    let server = TestServer::with_people();
    assert_wall(&server.key(), &server.stranger());
    let server = TestServer::with_people();
    assert_wall(&server.stranger(), &server.user());
}

#[test]
fn account_with_a_sid_prefix_of_another_is_isolated() {
    use pagertree_local::{
        config::{AccountEntry, KeyEntry, Mode},
        domain::ids::{AccountId, KeyId},
    };

    let server = TestServer::with(|settings| {
        settings.auth.mode = Mode::Keys;
        for (number, sid) in ["acc_a", "acc_ab", "acc_a-"].into_iter().enumerate() {
            let (sid, key) = (
                AccountId::parse(sid).unwrap(),
                KeyId::parse(&format!("key_{number}")).unwrap(),
            );
            settings
                .keys
                .push(KeyEntry::new(key, sid.clone(), "s", false));
            settings.accounts.push(AccountEntry {
                sid,
                name: String::new(),
            });
        }
    });

    let callers = [0, 1, 2].map(|number| server.account(&format!("key_{number}.s")));
    for (own, caller) in callers.iter().enumerate() {
        let created = caller.created(&own.to_string());
        for (number, other) in callers
            .iter()
            .enumerate()
            .filter(|(number, _)| *number != own)
        {
            assert_eq!(
                other.get(id(&created)).status,
                404,
                "{number} looks at what is {own}'s"
            );
        }
    }

    for (own, caller) in callers.iter().enumerate() {
        assert_eq!(caller.names(""), [own.to_string()]);
    }
}
