//! `GET /integration/:id`.

use crate::{callers::id, server::TestServer};
use serde_json::json;

#[test]
fn get_answers_200_and_the_object() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let answer = account.get(id(&created)).assert_status(200);
    assert_eq!(answer.json(), created);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn get_of_an_unknown_id_answers_404() {
    let server = TestServer::start();
    server
        .account("ops")
        .get("int_doesnotexist1")
        .assert_error(404, &["Integration not found"]);
}

#[test]
fn malformed_id_answers_404() {
    let server = TestServer::start();
    let account = server.account("ops");
    let expected = account.get("int_doesnotexist1");

    for malformed in [
        "1",
        "acc_x",
        "int_",
        "int_%00",
        "int_%2F",
        "%FF",
        "int_%C3%BC",
        "..%2Flivez",
        &"x".repeat(300),
    ] {
        let answer = account.get(malformed);
        assert_eq!(
            (answer.status, &answer.text),
            (404, &expected.text),
            "{malformed}"
        );
        assert_eq!(answer.header_names(), expected.header_names());
    }
}

#[test]
fn percent_encoded_id_is_decoded() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let spelled = id(&created).replace('_', "%5F").replace('i', "%69");
    assert_eq!(account.get(&spelled).assert_status(200).json(), created);
}

#[test]
fn json_is_returned_with_exact_digits_and_order() {
    let server = TestServer::start();
    let account = server.account("ops");
    let free_form =
        r#"{"z":1.50,"a":12345678901234567890123,"n":-0.0,"m":{"y":0.1,"b":[3,2,1]},"":null}"#;
    let body = format!(
        r#"{{"name":"x","type":"email","destination_ids":[],"options":{free_form},"meta":{free_form}}}"#
    );
    let created = account
        .send("POST", "/integration", Some(&body))
        .assert_status(200);
    assert!(
        created.text.contains(&format!(r#""meta":{free_form},"#)),
        "{}",
        created.text
    );
    assert!(
        created
            .text
            .ends_with(&format!(r#""options":{free_form}}}"#)),
        "{}",
        created.text
    );
    assert_eq!(account.get(id(&created.json())).text, created.text);
}

#[test]
fn exponent_of_a_number_is_preserved() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (sent, digits, exponent) in [
        ("1e5", "1", 5),
        ("1.0E-7", "1.0", -7),
        ("12.50e+400", "12.50", 400),
        ("0e0", "0", 0),
    ] {
        let body =
            format!(r#"{{"name":"x","type":"email","destination_ids":[],"meta":{{"n":{sent}}}}}"#);
        let created = account
            .send("POST", "/integration", Some(&body))
            .assert_status(200);
        let number = created
            .text
            .split_once(r#""meta":{"n":"#)
            .unwrap()
            .1
            .split_once('}')
            .unwrap()
            .0;
        let (kept, power) = number.split_once(['e', 'E']).unwrap();
        assert_eq!(
            (kept, power.parse::<i32>().unwrap()),
            (digits, exponent),
            "{number}"
        );
        let again = account.send(
            "PUT",
            &format!("/integration/{}", id(&created.json())),
            Some(&body),
        );
        assert_eq!(
            again.assert_status(200).text,
            created.text,
            "the same number again changes nothing"
        );
    }
}

#[test]
fn create_get_and_empty_update_return_equal_bytes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account
        .create(
            json!({"name": "ü\"\u{7f}🦀", "type": "email", "destination_ids": [], "meta": {"b": 1.10, "a": "\u{1}/"}}),
        )
        .assert_status(200);
    let integration = created.json();
    assert_eq!(account.get(id(&integration)).text, created.text);
    assert_eq!(
        account.update(id(&integration), json!({})).text,
        created.text
    );
    let list = account.list("");
    assert_eq!(
        list.text,
        format!(
            r#"{{"data":[{}],"has_more":false,"total_count":1}}"#,
            created.text
        )
    );
}
