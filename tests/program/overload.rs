//! More clients than usual: whoever asks is served, and what cannot be done is refused whole.

use super::connection::{Connection, Received, allow_many_connections, request};
use crate::support::{Server, Setup, integration};
use serde_json::{Value, json};
use std::{collections::BTreeSet, net::TcpStream, thread};

const IDLE: usize = 2_000;
const BUSY: usize = 500;

/// Creates, reads, lists and deletes on one connection.
fn work(server: &Server, name: &str) {
    let mut connection = Connection::open(server);
    let mut ask = |method: &str, path: &str, body: &str| {
        connection.send(request(method, path, body));
        connection.receive()
    };

    for _ in 0..3 {
        let created = ask("POST", "/integration", &integration(name).to_string()).json();
        let path = format!("/integration/{}", created["id"].as_str().unwrap());
        assert_eq!(ask("GET", &path, "").json(), created);
        assert!(
            ask("GET", "/integration?limit=1", "").json()["total_count"]
                .as_u64()
                .unwrap()
                >= 1
        );
        assert_eq!(ask("DELETE", &path, "").status, 204);
    }
}

#[test]
fn five_hundred_clients_work_beside_two_thousand_idle_ones() {
    allow_many_connections();
    let server = Setup::new().args(["--ephemeral"]).start();
    server.client("t").create("stays");

    let before = server.memory().now;
    let mut idle: Vec<Connection> = (0..IDLE).map(|_| Connection::open(&server)).collect();
    for connection in &mut idle {
        connection.send(request("GET", "/livez", ""));
        assert_eq!(connection.receive().status, 200);
    }

    let for_each = server.memory().now.saturating_sub(before) / u64::try_from(IDLE).unwrap();
    assert!(
        for_each < 48 << 10,
        "an idle connection costs {for_each} bytes"
    );

    thread::scope(|scope| {
        for number in 0..BUSY {
            let (server, builder) = (&server, thread::Builder::new().stack_size(256 << 10));
            builder
                .spawn_scoped(scope, move || work(server, &format!("busy {number}")))
                .unwrap();
        }
        work(&server, "somebody else");
    });

    let most = server.memory().most;
    assert!(most < 400 << 20, "{most} bytes of memory");
    for connection in &mut idle {
        connection.send(request("GET", "/livez", ""));
        assert_eq!(connection.receive().status, 200);
    }

    assert_eq!(
        server.client("t").get("/integration").json()["total_count"],
        1
    );
}

#[test]
fn connections_never_take_the_last_files_from_the_store() {
    allow_many_connections();
    let server = Setup::new().open_files(200).start();
    server.log.wait_for("The process may open only 200 files");

    let mut first = Connection::open(&server);
    first.send(request("GET", "/livez", ""));
    assert_eq!(first.receive().status, 200);

    let mut others: Vec<Connection> = (0..300).map(|_| Connection::open(&server)).collect();
    for connection in &mut others {
        connection.send(request("GET", "/livez", ""));
    }

    // The store keeps values of this size in files of their own.
    let mut large = integration("large");
    large["meta"] = json!({ "x": "x".repeat(1_000_000) });

    for _ in 0..3 {
        first.send(request("POST", "/integration", &large.to_string()));
        assert_eq!(first.receive().json()["name"], "large");
    }

    first.send(request("GET", "/readyz", ""));
    assert_eq!(first.receive().status, 200);
    // Those who waited are served as soon as others leave.
    for mut connection in others {
        assert_eq!(connection.receive().status, 200);
    }

    server.stop();
}

/// Those of mail were not counted: they took the last files, and the store took no writes until
/// they had gone.
#[test]
fn connections_for_mail_do_not_take_the_last_files_either() {
    allow_many_connections();
    let listen = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = format!("[smtp]\nlisten = '{listen}'\nconnections = 64\n");
    let setup = Setup::new().config(&config).open_files(256);
    let server = setup.start();
    server.log.wait_for("instead of 64 for mail");
    let mut first = Connection::open(&server);
    let _mail: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(listen).unwrap())
        .collect();
    let others: Vec<Connection> = (0..200).map(|_| Connection::open(&server)).collect();

    for number in 0..3 {
        first.send(request(
            "POST",
            "/integration",
            &integration(&number.to_string()).to_string(),
        ));
        assert_eq!(first.receive().json()["name"], number.to_string());
    }

    first.send(request("GET", "/readyz", ""));
    assert_eq!(first.receive().status, 200);
    drop(others);
}

/// Creates under each name, all at once.
fn create_at_once(server: &Server, names: &[String]) -> Vec<Received> {
    let mut connections: Vec<_> = names
        .iter()
        .map(|name| {
            let request = request("POST", "/integration", &integration(name).to_string());
            let (all_but_the_end, end) = request.split_at(request.len() - 1);
            let mut connection = Connection::open(server);
            connection.send(all_but_the_end);
            (connection, end.to_owned())
        })
        .collect();

    for (connection, end) in &mut connections {
        connection.send(end);
    }

    connections
        .into_iter()
        .map(|(mut connection, _)| connection.receive())
        .collect()
}

/// The ids and names of all that there is.
fn everything(server: &Server) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for page in 1.. {
        let list = server
            .client("t")
            .get(&format!(
                "/integration?limit=100&page={page}&select=id,name"
            ))
            .json();
        found.extend(list["data"].as_array().unwrap().iter().map(id_and_name));
        if list["has_more"] == false {
            assert_eq!(list["total_count"], found.len());
            break;
        }
    }

    found
}

fn id_and_name(object: &Value) -> (String, String) {
    (
        object["id"].as_str().unwrap().to_owned(),
        object["name"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn writes_beyond_the_queue_are_refused_whole_and_the_others_are_kept() {
    let server = Setup::new()
        .config("[store]\nqueue = 1\nbatch = 1\n")
        .start();
    let (mut kept, mut refused) = (BTreeSet::new(), 0);

    // Once is nearly always enough: a commit takes longer than to read the next request.
    for round in 0..100 {
        let names: Vec<String> = (0..64).map(|number| format!("{round} {number}")).collect();
        for answer in create_at_once(&server, &names) {
            if answer.status == 200 {
                assert!(kept.insert(id_and_name(&answer.json())));
                continue;
            }

            assert_eq!(
                (answer.status, answer.has_header("retry-after")),
                (503, true),
                "{answer:?}"
            );

            let body = String::from_utf8(answer.body).unwrap();
            assert!(
                body.contains("Too many writes are waiting; nothing was changed"),
                "{body}"
            );
            refused += 1;
        }

        if refused > 0 {
            break;
        }
    }

    assert!(refused > 0, "64 at once are never too many");
    assert_eq!(everything(&server), kept);
    // It was no fault: the next is taken, under the next number.
    assert_eq!(server.client("t").create("next")["tinyId"], kept.len() + 1);
}
