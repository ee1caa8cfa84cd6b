//! `backup` and `restore`: everything, as of one moment, while the server runs or not; what is not
//! whole is refused.

use super::moving::{exported, in_data, is_sound, object_lines, store_with_a_history};
use crate::support::{Client, Outcome, Server, Setup, integration};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

fn backup(setup: &Setup, name: &str) -> Outcome {
    setup.same_folder().args(["backup", name]).run()
}

/// Restores a backup of another folder in a new one.
#[track_caller]
fn restored(from: &Setup, name: &str) -> Setup {
    let setup = Setup::new();
    fs::copy(from.path(name), setup.path("copy.backup")).unwrap();
    let outcome = setup.same_folder().args(["restore", "copy.backup"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
    setup
}

#[track_caller]
fn succeeded(outcome: &Outcome) {
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
}

#[test]
fn a_backup_of_a_stopped_server_brings_everything_back() {
    let setup = store_with_a_history();
    let server = setup.start();
    let once = server.client("ops").with_header("idempotency-key", "once");
    let answer = once.create("remembered");
    let login = json!({ "username": "alice", "password": "x" });
    let token = server.client("").post("/public/login", &login).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mine = server.client(&token).create("mine");
    server.stop();
    succeeded(&backup(&setup, "all.backup"));
    assert_eq!(
        fs::metadata(setup.path("all.backup"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600,
        "it has secrets"
    );
    assert!(!setup.path("all.backup.partial").exists());

    let new = restored(&setup, "all.backup");
    assert_eq!(exported(&new), exported(&setup));
    let server = new.start();
    let once = server.client("ops").with_header("idempotency-key", "once");

    assert_eq!(once.create("remembered"), answer);
    assert_eq!(
        server.client(&token).get("/integration").json()["data"][0],
        mine,
        "the token is still good"
    );
    assert_eq!(server.client("nothing left").create("second")["tinyId"], 2);
    server.stop();
    is_sound(&new);
}

#[test]
fn a_backup_of_a_running_server_is_one_moment_amidst_the_writes() {
    let setup = store_with_a_history();
    let server = setup.start();
    let acknowledged = Mutex::new(Vec::new());
    let enough = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        for writer in 0..4 {
            let client = server.client(&format!("writer {}", writer % 2));
            let (acknowledged, enough) = (&acknowledged, &enough);
            scope.spawn(move || write_until(enough, &client, acknowledged));
        }

        while acknowledged.lock().unwrap().len() < 200 {
            thread::yield_now();
        }

        let rounds = ["0.backup", "1.backup", "2.backup"];
        let done = rounds.map(|name| (acknowledged.lock().unwrap().clone(), backup(&setup, name)));
        enough.store(true, Ordering::SeqCst);

        done
    });

    done.iter().for_each(|(_, outcome)| succeeded(outcome));
    let [_, _, (before, _)] = done;
    let after = acknowledged.into_inner().unwrap();

    assert!(after.len() > before.len(), "writes went on");
    server.stop();
    for round in 0..2 {
        restored(&setup, &format!("{round}.backup"));
    }

    let text = exported(&restored(&setup, "2.backup"));
    for line in before {
        assert!(
            text.contains(&line),
            "acknowledged before the backup began, and not in it: {line}"
        );
    }
}

/// Creates, changes and deletes; notes what stays.
fn write_until(enough: &AtomicBool, client: &Client, acknowledged: &Mutex<Vec<String>>) {
    while !enough.load(Ordering::SeqCst) {
        let stays = client.post("/integration", &integration("stays")).text();
        acknowledged.lock().unwrap().push(stays);
        let goes = client.create("goes");
        let path = format!("/integration/{}", goes["id"].as_str().unwrap());
        client.put(&path, &json!({ "name": "goes soon" }));
        client.delete(&path);
    }
}

#[test]
fn a_running_server_is_exported_as_a_stopped_one() {
    let setup = store_with_a_history();
    let stopped = exported(&setup);
    let server = setup.start();
    assert_eq!(exported(&setup), stopped);
    succeeded(&setup.same_folder().args(["export", "all.jsonl"]).run());
    assert_eq!(
        fs::read_to_string(setup.path("all.jsonl")).unwrap(),
        stopped
    );
    server.stop();
}

#[test]
fn a_backup_that_is_not_whole_is_refused_and_nothing_is_touched() {
    let setup = store_with_a_history();
    let before = exported(&setup);
    succeeded(&backup(&setup, "all.backup"));

    let whole = fs::read(setup.path("all.backup")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;

    let mut lengthened = whole.clone();
    lengthened.push(0);
    for (bytes, words) in [
        (&whole[..whole.len() - 1], "truncated"),
        (&whole[..whole.len() / 2], "truncated"),
        (&whole[..30], "truncated"),
        (&whole[..10], "not a backup"),
        (b"", "not a backup"),
        (&flipped, "damaged"),
        (&lengthened, "damaged"),
        (before.as_bytes(), "is an export; use `import`"),
        (b"\x1f\x8b\x08", "is compressed with gzip; unpack it first"),
    ] {
        fs::write(setup.path("broken.backup"), bytes).unwrap();
        for arguments in [
            &["restore", "--replace", "broken.backup"][..],
            &["restore", "--data", "new", "broken.backup"],
        ] {
            let outcome = setup.same_folder().args(arguments.iter().copied()).run();
            let fault = outcome.error();
            assert!(
                fault.contains("'broken.backup'") && fault.contains(words),
                "{words}: {fault}"
            );
        }
    }

    assert!(!setup.path("new/store").exists());
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
}

#[test]
fn a_store_is_replaced_only_if_that_is_said() {
    let setup = store_with_a_history();
    succeeded(&backup(&setup, "all.backup"));
    let before = exported(&setup);
    let server = setup.start();

    server.client("ops").create("later");
    let held = setup
        .same_folder()
        .args(["restore", "--replace", "all.backup"])
        .run();

    assert!(
        held.error().contains("in use by another process"),
        "{held:?}"
    );
    server.stop();
    let later = exported(&setup);
    let refused = setup.same_folder().args(["restore", "all.backup"]).run();

    assert!(refused.error().contains("--replace"), "{refused:?}");
    assert_eq!(exported(&setup), later);
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    assert_eq!(object_lines(&exported(&setup)), object_lines(&before));

    fs::write(setup.store().join("db"), b"damaged beyond repair").unwrap();
    let refused = setup.same_folder().args(["restore", "all.backup"]).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--replace"), "{refused:?}");
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
}

#[test]
fn a_number_that_the_replaced_store_gave_is_not_given_again() {
    let setup = Setup::new();
    let server = setup.start();
    let create = |server: &Server, account: &str| {
        server.client(account).create("n")["tinyId"]
            .as_u64()
            .unwrap()
    };

    let at_first: Vec<_> = ["both", "both", "with nothing later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(at_first, [1, 2, 1]);
    succeeded(&backup(&setup, "all.backup"));
    let later: Vec<_> = ["both", "both", "later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(later, [3, 4, 1]);
    server.stop();

    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    is_sound(&setup);

    let server = setup.start();
    assert_eq!(
        server.client("both").get("/integration").json()["total_count"],
        2
    );

    let after: Vec<_> = ["both", "with nothing later", "later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(after, [5, 2, 2]);
    server.stop();
    is_sound(&setup);
}

#[test]
fn a_store_that_was_never_used_is_no_reason_to_ask() {
    let setup = store_with_a_history();
    succeeded(&backup(&setup, "all.backup"));
    drop(sled::open(setup.path("new/store")).unwrap());
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--data", "new", "all.backup"])
            .run(),
    );
    succeeded(&setup.same_folder().args(["check", "--data", "new"]).run());
}

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

/// Everything that was changed while somebody read slowly stayed in memory for them.
#[test]
fn whoever_takes_a_backup_slowly_is_given_up_once_much_was_changed() {
    let setup = Setup::new().config("[store]\nsnapshot_bytes = 4194304\n");
    let server = setup.start();
    let client = server.client("ops");
    let large = |letter: &str| {
        let mut body = integration("large");
        body["meta"] = json!({ "filling": letter.repeat(1_000_000) });
        body
    };

    // More than the system takes for a connection that nobody reads.
    let made: Vec<_> = (0..24)
        .map(|_| client.post("/integration", &large("a")).json())
        .collect();

    let path = format!("/integration/{}", made[0]["id"].as_str().unwrap());
    let running: Value =
        serde_json::from_slice(&fs::read(setup.path("data/running")).unwrap()).unwrap();
    let (address, token) = (server.address, running["token"].as_str().unwrap());
    let mut slow = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /_local/backup HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    slow.write_all(request.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 100]).unwrap();
    let kept = || {
        let metrics = client.get("/metrics").text();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("pagertree_local_store_snapshot_bytes "));
        line.unwrap().parse::<u64>().unwrap()
    };

    let mut most = 0;
    for number in 0..8 {
        assert_eq!(
            client
                .put(&path, &large(if number % 2 == 0 { "b" } else { "c" }))
                .status,
            200
        );
        most = most.max(kept());
    }

    assert!(
        most > 1_000_000,
        "what the slow one would need was kept: {most}"
    );

    let line = server.log.wait_for("Could not send the whole store");

    assert!(line.contains("store.snapshot_bytes"), "{line}");
    assert!(
        most < 6_000_000 && kept() < 1_000_000,
        "{most} and now {}",
        kept()
    );
    succeeded(&backup(&setup, "all.backup"));
    server.stop();
    restored(&setup, "all.backup");
}
