//! What messages mean, whoever wrote them: in any charset, without headers, and found to be spam.

use crate::{
    callers::{Caller, id},
    server::TestServer,
    smtp::{Client, MESSAGE, alerts, integration, start, start_with},
};
use pagertree_local::store::{self, archive::Progress};
use serde_json::{Value, json};

#[test]
fn a_forged_spam_verdict_is_ignored() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    for verdicts in [["FAIL", "PASS"], ["PASS", "GRAY"], ["pass", "PASS"]] {
        let [first, second] = verdicts.map(|verdict| format!("X-SES-Spam-Verdict: {verdict}\r\n"));
        assert!(
            client
                .mail(&[&id], &format!("{first}{second}{MESSAGE}"))
                .starts_with("550 5.7.1 "),
            "{verdicts:?}"
        );
    }

    let twice = "X-SES-Spam-Verdict: PASS\r\n".repeat(2);
    assert!(
        client
            .mail(&[&id], &format!("{twice}{MESSAGE}"))
            .starts_with("250 ")
    );
    me.update(&id, json!({"options": {"allow_spam": true}}))
        .assert_status(200);
    assert!(
        client
            .mail(
                &[&id],
                "X-SES-Spam-Verdict: FAIL\r\nSubject: Let in\r\n\r\n"
            )
            .starts_with("250 ")
    );
    assert_eq!(alerts(&me).len(), 2);
}

#[test]
fn a_text_without_headers_becomes_the_description() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    for text in [
        "db-1 has no room.\r\n",
        "disk full\r\n\r\nhost: db-1\r\n",
        "Error: disk full\r\nHost: db-1\r\n",
        "X-A: 1\r\n\r\nBody\r\n",
    ] {
        assert!(client.mail(&[&id], text).starts_with("250 "));
    }

    let descriptions: Vec<Value> = alerts(&me)
        .iter()
        .map(|alert| alert["description"].clone())
        .collect();
    let expected = [
        "db-1 has no room.",
        "disk full\r\n\r\nhost: db-1",
        "Error: disk full\r\nHost: db-1",
        "Body\n",
    ];
    assert_eq!(descriptions, expected);
}

#[test]
fn messages_are_decoded_in_their_charset() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    // "test" and "server" as they are written in Japan, China and Korea.
    for (charset, subject, body) in [
        ("shift_jis", "g2WDWINn", "g1SBW4NvgVs="),
        ("gb2312", "suLK1A==", "t/7O8cb3"),
        ("euc-kr", "xde9usau", "vK259g=="),
    ] {
        let message = format!(
            "Subject: =?{charset}?B?{subject}?=\r\nContent-Type: text/plain; charset={charset}\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
        );
        assert!(client.mail(&[&id], &message).starts_with("250 "));
    }

    let read: Vec<Value> = alerts(&me)
        .iter()
        .map(|alert| json!([alert["title"], alert["description"]]))
        .collect();

    assert_eq!(
        read,
        [
            json!(["テスト", "サーバー"]),
            json!(["测试", "服务器"]),
            json!(["테스트", "서버"])
        ]
    );
}

#[test]
fn a_message_may_be_as_large_over_http_as_over_smtp() {
    let server = start_with(|settings| {
        settings.limits.body_bytes = 1_000;
        settings.smtp.message_bytes = 5_000;
    });
    let me = server.account("me");
    let id = integration(&me, "email");
    let other = integration(&me, "webhook");
    let message = |length: usize| format!("Subject: x\r\n\r\n{}", "x".repeat(length));
    let send = |id: &str, length: usize| {
        let path = format!("/integration/{id}");
        server
            .anonymous()
            .send("POST", &path, Some(&message(length)))
            .status
    };

    assert_eq!(send(&id, 4_000), 200);
    assert_eq!(send(&id, 6_000), 413);
    assert_eq!(send(&other, 4_000), 413);
    assert_eq!(alerts(&me).len(), 1);
}

struct Mailbox {
    server: TestServer,
    account: Caller,
    path: String,
}

impl Mailbox {
    fn with(options: Value) -> Self {
        let server = TestServer::on_disk();
        let account = server.account("ops");
        let integration = account.created_from(
            json!({"name": "n", "type": "email", "destination_ids": [], "options": options}),
        );
        let path = format!("/integration/{}", id(&integration));
        Self {
            server,
            account,
            path,
        }
    }

    /// Receives a message, and returns the ids of all alerts, oldest first.
    fn receive(&self, message_id: &str, references: &str) -> Vec<String> {
        let message =
            format!("Message-ID: <{message_id}>\r\n{references}Subject: Disk full\r\n\r\nbody\r\n");
        self.server
            .anonymous()
            .with("Content-Type", "message/rfc822")
            .send("POST", &self.path, Some(&message))
            .assert_status(200);
        let alerts = self.account.send("GET", "/alert?limit=100", None).json();
        alerts["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| id(alert).to_owned())
            .collect()
    }
}

/// Ticket systems and Alertmanager name a message as the first of a thread that they never sent.
#[test]
fn messages_that_refer_to_the_same_message_are_one_thread() {
    let mailbox = Mailbox::with(json!({}));
    assert_eq!(mailbox.receive("a@x", "References: <root@x>\r\n").len(), 1);
    assert_eq!(mailbox.receive("b@x", "References: <root@x>\r\n").len(), 1);
    assert_eq!(mailbox.receive("c@x", "In-Reply-To: <root@x>\r\n").len(), 1);
    // The first message may arrive late.
    assert_eq!(mailbox.receive("root@x", "").len(), 1);
    let alerts = mailbox.receive("other@x", "References: <another@x>\r\n");
    assert_eq!(alerts.len(), 2);

    // Once the alert is over, the next message opens another one for the thread.
    let resolve = format!("/alert/{}/resolve", alerts[0]);
    mailbox
        .account
        .send("POST", &resolve, None)
        .assert_status(200);
    let alerts = mailbox.receive("d@x", "References: <root@x> <a@x>\r\n");
    assert_eq!(alerts.len(), 3);
    assert_eq!(mailbox.receive("e@x", "References: <root@x>\r\n").len(), 3);

    // A deleted alert has no thread, and the resolved one is not in its place.
    let delete = format!("/alert/{}", alerts[2]);
    mailbox
        .account
        .send("DELETE", &delete, None)
        .assert_status(204);
    assert_eq!(mailbox.receive("f@x", "References: <root@x>\r\n").len(), 3);

    mailbox.server.restart_after(|folder| {
        let report = store::check(&folder, 1 << 20, &Progress::none()).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    });
}

#[test]
fn threads_are_ignored_without_dedup_threads() {
    let mailbox = Mailbox::with(json!({"dedup_threads": false}));
    assert_eq!(mailbox.receive("a@x", "References: <root@x>\r\n").len(), 1);
    assert_eq!(
        mailbox
            .receive("b@x", "References: <root@x> <a@x>\r\n")
            .len(),
        2
    );
}

#[test]
fn replies_and_dedup_keys_of_a_definition_group_messages() {
    let definition = "rules: [{match: {always: true}, actions: [{type: create, dedup_keys: \"{{log.subject}}\", thirdparty_id: \"{{log.from}} {{log.to}} own\"}]}]";
    for (dedup_threads, expected) in [(true, 1), (false, 1)] {
        let mailbox = Mailbox::with(json!({
            "custom_definition": definition,
            "custom_definition_enabled": true,
            "dedup_threads": dedup_threads,
        }));
        assert_eq!(mailbox.receive("a@x", "From: a@x.example\r\n").len(), 1);
        let grouped = mailbox.receive("b@x", "From: b@x.example\r\n");
        assert_eq!(grouped.len(), expected);
    }

    let definition = "rules: [{match: {always: true}, actions: [{type: create, thirdparty_id: \"{{log.from}}\"}]}]";
    let mailbox = Mailbox::with(json!({
        "custom_definition": definition, "custom_definition_enabled": true,
    }));
    assert_eq!(mailbox.receive("a@x", "From: a@x.example\r\n").len(), 1);
    let reply = "From: b@x.example\r\nIn-Reply-To: <a@x>\r\n";
    assert_eq!(mailbox.receive("b@x", reply).len(), 1);
    assert_eq!(mailbox.receive("c@x", "From: c@x.example\r\n").len(), 2);
}
