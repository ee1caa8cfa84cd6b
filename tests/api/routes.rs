//! Paths and methods.

use crate::{callers::id, server::TestServer};
use pagertree_local::http::ROUTES;
use serde_json::json;

#[test]
fn unknown_path_answers_404() {
    let server = TestServer::start();
    let account = server.account("ops");
    for path in [
        "/integrations",
        "/Integration",
        "/integration/int_x/y",
        "/public",
        "/public/login/x",
        "/_local",
        "/livez/x",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            account
                .send(method, path, None)
                .assert_error(404, &[&format!("There is no route '{path}'")]);
        }
    }
}

#[test]
fn unknown_path_answers_404_without_a_credential() {
    let server = TestServer::start();
    server
        .anonymous()
        .send("GET", "/nowhere", None)
        .assert_error(404, &["There is no route '/nowhere'"]);
}

#[test]
fn unsupported_method_answers_405_with_allow() {
    let server = TestServer::start();
    let account = server.account("ops");
    let existing = account.created("x");
    let object = format!("/integration/{}", id(&existing));

    for (path, allowed, others) in [
        (
            "/integration",
            "GET, HEAD, OPTIONS, POST",
            ["PUT", "DELETE", "PATCH", "TRACE", "BREW"].as_slice(),
        ),
        (
            object.as_str(),
            "DELETE, GET, HEAD, OPTIONS, POST, PUT",
            &["PATCH", "TRACE", "BREW"],
        ),
        (
            &format!("{object}/g"),
            "GET, HEAD, OPTIONS, POST",
            &["PUT", "DELETE", "PATCH"],
        ),
        (
            "/alert",
            "GET, HEAD, OPTIONS, POST",
            &["PUT", "DELETE", "PATCH"],
        ),
        (
            "/alert/alt_1",
            "DELETE, GET, HEAD, OPTIONS, PUT",
            &["POST", "PATCH"],
        ),
        (
            "/alert/alt_1/acknowledge",
            "OPTIONS, POST",
            &["GET", "PUT", "DELETE", "PATCH"],
        ),
        (
            "/alert/alt_1/resolve",
            "OPTIONS, POST",
            &["GET", "PUT", "DELETE", "PATCH"],
        ),
        (
            "/alert/alt_1/archive",
            "OPTIONS, POST",
            &["GET", "PUT", "DELETE", "PATCH"],
        ),
        (
            "/log",
            "GET, HEAD, OPTIONS, POST",
            &["PUT", "DELETE", "PATCH"],
        ),
        (
            "/log/log_1",
            "GET, HEAD, OPTIONS",
            &["POST", "PUT", "DELETE", "PATCH"],
        ),
        (
            "/",
            "GET, HEAD, OPTIONS",
            &["POST", "PUT", "DELETE", "PATCH"],
        ),
        (
            "/public/login",
            "OPTIONS, POST",
            &["GET", "PUT", "DELETE", "PATCH"],
        ),
        ("/livez", "GET, HEAD, OPTIONS", &["POST", "PUT", "DELETE"]),
        ("/readyz", "GET, HEAD, OPTIONS", &["POST", "PUT", "DELETE"]),
        ("/metrics", "GET, HEAD, OPTIONS", &["POST", "PUT", "DELETE"]),
    ] {
        for method in others {
            let answer = account
                .send(method, path, None)
                .assert_error(405, &[&format!("This route allows {allowed}")]);
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }

    assert_eq!(account.get(id(&existing)).json(), existing);
}

#[test]
fn every_route_answers_options_with_its_methods() {
    let server = TestServer::start();
    for route in ROUTES {
        let path = route.path().replace("{id}", "x");
        let answer = server.anonymous().send("OPTIONS", &path, None);
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("allow"), Some(&*route.allow()), "{path}");
    }
}

#[test]
fn root_describes_the_server_as_json_and_html() {
    let server = TestServer::start();
    let asked = |accept: &str| {
        server
            .anonymous()
            .with("Accept", accept)
            .send("GET", "/", None)
            .assert_status(200)
    };

    for accept in [
        "*/*",
        "application/json",
        "text/html;q=0.5, application/json",
        "text/html;q=0.4,*/*;q=0.4",
    ] {
        let answer = asked(accept);
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{accept}"
        );
        assert_eq!(answer.json()["name"], "pagertree-local");
        assert_eq!(answer.json()["version"], env!("CARGO_PKG_VERSION"));

        for (_, path) in answer.json()["routes"].as_object().unwrap() {
            let status = server
                .anonymous()
                .send("GET", path.as_str().unwrap(), None)
                .status;
            assert!([200, 401, 405].contains(&status), "{path}: {status}");
        }
    }

    let answer = asked("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(answer.text.contains("<h1>pagertree-local "), "{answer:?}");
    assert_eq!(
        server
            .anonymous()
            .send("HEAD", "/", None)
            .assert_status(200)
            .text,
        ""
    );
}

#[test]
fn trailing_slash_is_ignored() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = json!({"name": "x", "type": "email", "destination_ids": []}).to_string();
    let created = account
        .send("POST", "/integration/", Some(&body))
        .assert_status(200)
        .json();

    assert_eq!(
        account.send("GET", "/integration/", None).text,
        account.send("GET", "/integration", None).text
    );
    assert_eq!(
        account
            .send("GET", "/integration/?name=y", None)
            .assert_status(200)
            .json()["total_count"],
        0
    );
    let object = format!("/integration/{}/", id(&created));
    assert_eq!(
        account.send("GET", &object, None).assert_status(200).json(),
        created
    );
    assert_eq!(
        account
            .send("GET", &format!("{object}?select=name"), None)
            .text,
        r#"{"name":"x"}"#
    );
    account.send("PUT", &object, Some("{}")).assert_status(200);
    account.send("PATCH", &object, None).assert_status(405);
    account.send("DELETE", &object, None).assert_status(204);

    for path in ["/livez/", "/readyz/", "/metrics/"] {
        server
            .anonymous()
            .send("GET", path, None)
            .assert_status(200);
    }

    server
        .anonymous()
        .send(
            "POST",
            "/public/login/",
            Some(r#"{"username":"a","password":"b"}"#),
        )
        .assert_status(200);
    account.send("GET", "/nowhere/", None).assert_status(404);
}

#[test]
fn trailing_slash_is_not_in_link_and_location() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = json!({"name": "x", "type": "email", "destination_ids": []}).to_string();
    let created = account
        .send("POST", "/integration/", Some(&body))
        .assert_status(200);

    assert_eq!(
        created.header("location"),
        Some(format!("/integration/{}", id(&created.json())).as_str())
    );

    let list = account.send("GET", "/integration/?limit=5", None);
    assert!(
        list.header("link")
            .unwrap()
            .contains("/integration?limit=5&offset=0>"),
        "{list:?}"
    );
}

/// Addresses are often put together from a host with a slash at its end and a path with one at its
/// beginning.
#[test]
fn repeated_slashes_are_ignored() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = json!({"name": "x", "type": "webhook", "destination_ids": []});
    let id = id(&account.created_from(body)).to_owned();
    let event = r#"{"event_type":"create","id":"1","title":"t"}"#;

    for path in [
        format!("//integration/{id}"),
        format!("/integration//{id}/"),
        format!("///integration/{id}"),
    ] {
        let mut connection = crate::connection::Connection::open(&server);
        let length = event.len();
        connection.request(
            &format!("POST {path} HTTP/1.1\nContent-Length: {length}"),
            event,
        );
        assert_eq!(connection.receive().status, 200, "{path}");
    }

    assert_eq!(account.send("GET", "/log", None).json()["total_count"], 3);
    assert_eq!(
        account
            .list("")
            .assert_status(200)
            .header("link")
            .unwrap()
            .matches("//")
            .count(),
        2,
        "only those of http://"
    );
    server
        .anonymous()
        .send("GET", "//", None)
        .assert_status(200);
}
