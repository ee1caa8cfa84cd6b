//! A disk that stops responding during a sync: everything that needs no disk is served, the rest is
//! refused with a reason, and the server can still be stopped.

use super::{
    faults::{Acknowledged, are_there, becomes_ready, create, is_refused, is_sound},
    shim::{Fault, Shim},
};
use crate::support::{Response, Server, Setup, integration};
use rustix::process::Signal;
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
};

/// A client that creates an integration, and gets no response if the server ends first.
fn creating(server: &Server) -> JoinHandle<Option<Response>> {
    let client = server.client("t");
    thread::spawn(move || {
        client
            .try_call("POST", "/integration", Some(&integration("waiting")))
            .ok()
    })
}

/// A server that has noticed that its disk does not respond.
struct Hung {
    shim: Shim,
    setup: Setup,
    server: Server,
    acknowledged: Acknowledged,
    waiting: JoinHandle<Option<Response>>,
}

impl Hung {
    fn with(config: &str) -> Self {
        let shim = Shim::new();
        let setup = shim.around(Setup::new().config(config));
        let server = setup.start();
        let acknowledged = (0..5)
            .map(|number| create(&server.client("t"), &format!("{number}"), 100))
            .collect();

        shim.fail(Fault::HangSync);
        let waiting = creating(&server);
        server.log.wait_for("The disk is not responding");

        Self {
            shim,
            setup,
            server,
            acknowledged,
            waiting,
        }
    }

    /// Waits for the exit, which this line of the log explains, and checks the data of a new
    /// server.
    fn has_ended(self, line: &str) {
        let Self {
            shim,
            setup,
            server,
            acknowledged,
            waiting,
        } = self;
        let (status, log) = server.end();
        assert_eq!(status.code(), Some(1), "{:#?}", log.all());
        log.wait_for(line);
        assert!(
            waiting.join().unwrap().is_none(),
            "what may not be on disk is not acknowledged"
        );
        shim.work();
        is_sound(&setup);
        let server = setup.start();
        are_there(&server.client("t"), &acknowledged);
        server.stop();
    }
}

#[test]
fn reads_are_served_and_writes_refused_while_the_disk_hangs() {
    let Hung {
        shim,
        setup,
        server,
        mut acknowledged,
        waiting,
    } = Hung::with("");
    let client = server.client("t");
    are_there(&client, &acknowledged);
    assert_eq!(client.get("/livez").status, 200);
    assert_eq!(client.get("/integration").json()["total_count"], 5);
    assert!(
        client
            .get("/metrics")
            .text()
            .contains("pagertree_local_store_writable 0")
    );

    for refused in [
        client.get("/readyz"),
        client.post("/integration", &integration("refused")),
    ] {
        is_refused(&refused);
        assert!(
            refused.text().contains("The disk has not finished a write"),
            "{}",
            refused.text()
        );
    }

    assert!(
        client
            .get("/metrics")
            .text()
            .contains(r#"store_refusals_total{reason="stuck"} 2"#)
    );

    shim.work();
    let answer = waiting.join().unwrap().unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.log.wait_for("The disk is responding again");
    becomes_ready(&client);
    acknowledged.insert(
        answer.json()["id"].as_str().unwrap().to_owned(),
        answer.text(),
    );
    acknowledged.extend([create(&client, "new", 10)]);
    are_there(&client, &acknowledged);
    assert_eq!(
        client.get("/integration").json()["total_count"],
        7,
        "nothing that was refused"
    );
    server.stop();
    is_sound(&setup);
}

#[test]
fn readyz_answers_before_the_server_has_noticed() {
    let shim = Shim::new();
    let setup = shim.around(Setup::new());
    let server = setup.start();

    shim.fail(Fault::HangSync);
    let waiting = creating(&server);
    let mut answer = server.client("t").get("/readyz");

    // The first may come before the write.
    while answer.status == 200 {
        answer = server.client("t").get("/readyz");
    }

    is_refused(&answer);
    shim.work();
    assert_eq!(waiting.join().unwrap().unwrap().status, 200);
    server.stop();
}

#[test]
fn a_signal_ends_a_hung_server_after_the_drain_time() {
    let hung = Hung::with("[shutdown]\ndrain_seconds = 0\n");
    hung.server.signal(Signal::TERM);
    hung.has_ended("Timed out waiting for the store to close");
}

#[test]
fn a_second_signal_ends_a_hung_server_at_once() {
    for drain in [0, 3_600] {
        let hung = Hung::with(&format!("[shutdown]\ndrain_seconds = {drain}\n"));
        hung.server.signal(Signal::TERM);
        hung.server.log.wait_for("Draining");
        hung.server.signal(Signal::INT);
        hung.has_ended("Stopped immediately");
    }
}

/// The connection used to be cut when the server stopped: the message was stored, but its sender
/// got no reply and sent it again.
#[test]
fn a_mail_received_before_a_signal_is_acknowledged() {
    let listen = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let shim = Shim::new();
    let setup = shim.around(Setup::new().config(&format!("[smtp]\nlisten = '{listen}'\n")));
    let server = setup.start();
    let mut mailbox = integration("mail");
    mailbox["type"] = "email".into();
    let id = server.client("t").post("/integration", &mailbox).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut stream = BufReader::new(TcpStream::connect(listen).unwrap());
    let mut reply = move |command: &str| {
        stream.get_mut().write_all(command.as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        line
    };

    assert!(reply("").starts_with("220 "));
    assert!(reply("HELO x\r\n").starts_with("250 "));
    assert!(reply("MAIL FROM:<a@x>\r\n").starts_with("250 "));
    assert!(reply(&format!("RCPT TO:<{id}@x>\r\n")).starts_with("250 "));
    assert!(reply("DATA\r\n").starts_with("354 "));
    shim.fail(Fault::HangSync);

    let waiting = thread::spawn(move || (reply("Subject: It broke\r\n\r\n.\r\n"), reply("")));
    // Nothing tells that it waits, but what is written then is held up.
    server.log.wait_for("The disk is not responding");
    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    shim.work();
    let (taken, farewell) = waiting.join().unwrap();
    assert!(taken.starts_with("250 2.0.0 "), "{taken}");
    assert!(farewell.starts_with("421 4.3.2 "), "{farewell}");

    // The end of a clean stop; the store is closed by then.
    server.log.wait_for("Stopped");
    drop(server);

    let server = setup.start();
    assert_eq!(server.client("t").get("/alert").json()["total_count"], 1);
}
