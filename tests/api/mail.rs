//! What messages mean, whoever wrote them: in any charset, without headers, and found to be spam.

use crate::smtp::{Client, MESSAGE, alerts, integration, start, start_with};
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
