//! Who gets the whole store from a running server: the owner of its data folder, on this machine.

use super::moving::{backup, in_data, store_with_a_history, succeeded};
use crate::support::{Client, Setup};
use serde_json::{Value, json};
use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt,
};

#[test]
fn who_holds_the_store_and_is_no_server_is_not_asked() {
    let setup = store_with_a_history();
    let db = setup.engine();
    let outcome = backup(&setup, "all.backup");
    assert!(
        outcome.error().contains("not a running server"),
        "{outcome:?}"
    );
    assert!(!setup.path("all.backup").exists() && !setup.path("all.backup.partial").exists());
    drop(db);
}

#[test]
fn a_server_tells_where_it_is_while_it_runs_and_to_its_owner_only() {
    let setup = Setup::new();
    let server = setup.start();
    let mode = fs::metadata(setup.path("data/running"))
        .unwrap()
        .permissions()
        .mode();

    assert_eq!(mode & 0o777, 0o600);
    server.stop();
    assert_eq!(in_data(&setup), ["store"]);

    setup.start().kill();
    assert_eq!(
        in_data(&setup),
        ["running", "store"],
        "who is killed cannot clear up"
    );
    succeeded(&backup(&setup, "all.backup"));
}

const ROUTES: [&str; 2] = ["/_local/backup", "/_local/export"];

fn token(setup: &Setup) -> String {
    let running: Value =
        serde_json::from_slice(&fs::read(setup.path("data/running")).unwrap()).unwrap();
    running["token"].as_str().unwrap().to_owned()
}

#[test]
fn the_whole_store_is_given_to_nobody_without_the_token() {
    let account = "[[accounts]]\nsid = 'acc_1'\n";
    // The SHA-256 of "secret".
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    let key = format!("[[keys]]\nid = 'key_1'\naccount = 'acc_1'\nsecret_sha256 = '{hash}'\n");
    for config in [
        String::new(),
        format!("[auth]\nmode = 'keys'\n{account}{key}"),
    ] {
        let setup = Setup::new().config(&config);
        let server = setup.start();
        for route in ROUTES {
            for stranger in [
                "",
                "Bearer",
                "Bearer ",
                "Bearer wrong",
                "key_1.secret",
                &token(&setup),
            ] {
                let answer = server.client(stranger).get(route);
                assert_eq!(answer.status, 401, "{stranger}: {answer:?}");
                assert!(answer.messages()[0].contains("'running'"), "{answer:?}");
            }

            let answer = server
                .client(&format!("Bearer {}", token(&setup)))
                .get(route);

            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(
                answer.text().starts_with("pagertree-local backup")
                    || answer.text().starts_with("{\"format\"")
            );
            assert_eq!(server.client("x").post(route, &json!({})).status, 405);
        }

        server.stop();
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says what it leaves out")]
fn to_other_machines_there_is_no_such_route() {
    // An address of this machine that is not loopback, if it has one; nothing is sent.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let Ok(own) = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr())
    else {
        eprintln!("not tested: this machine has no address but its own loopback");
        return;
    };

    let setup = Setup::bare().args(["--listen", "0.0.0.0:0", "--open-to-network"]);
    let server = setup.start();
    let from_outside = Client::new(SocketAddr::new(own.ip(), server.address.port()));
    let from_outside =
        from_outside.with_header("authorization", &format!("Bearer {}", token(&setup)));

    for route in ROUTES {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let answer = from_outside.try_call(method, route, None).unwrap();
            assert_eq!(answer.status, 404, "{method} {route}: {answer:?}");
        }
        assert_eq!(
            from_outside.get(route).messages(),
            [format!("There is no route '{route}'")]
        );
    }

    succeeded(&backup(&setup, "all.backup"));
    server.stop();
}
