//! Browsers: preflight, the headers of every answer, and which origins may call.

use crate::server::TestServer;

const HEADERS: &str = "authorization,content-type,x-api-key,x-api-secret,x-request-id,x-strict";

#[test]
fn preflight_allows_every_documented_method_and_header() {
    let server = TestServer::start();
    let page = "http://localhost:3000";
    for (path, methods) in [
        ("/integration", ["GET", "POST"].as_slice()),
        ("/integration/int_x", &["GET", "PUT", "DELETE"]),
        ("/public/login", &["POST"]),
    ] {
        for method in methods {
            let answer = server
                .anonymous()
                .with("Origin", page)
                .with("Access-Control-Request-Method", method)
                .with("Access-Control-Request-Headers", HEADERS)
                .send("OPTIONS", path, None)
                .assert_status(200);

            assert_eq!(answer.header("access-control-allow-origin"), Some(page));
            let allowed = answer.header("access-control-allow-methods").unwrap();
            assert!(
                allowed.split(", ").any(|allowed| allowed == *method),
                "{method} in {allowed}"
            );

            let allowed = answer
                .header("access-control-allow-headers")
                .unwrap()
                .to_ascii_lowercase();

            for header in HEADERS.split(',') {
                assert!(
                    allowed.split(',').any(|allowed| allowed.trim() == header),
                    "{header} in {allowed}"
                );
            }

            assert!(answer.header("access-control-max-age").is_some());
            assert!(answer.header("request-id").is_some());
        }
    }
}

#[test]
fn response_is_readable_by_local_pages() {
    let server = TestServer::start();
    for page in [
        "http://localhost:3000",
        "https://app.localhost",
        "http://127.0.0.1:8080",
        "http://[::1]",
    ] {
        let answer = server
            .account("ops")
            .with("Origin", page)
            .list("")
            .assert_status(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(page));
    }

    let answer = server
        .account("ops")
        .with("Origin", "http://localhost")
        .list("");
    let exposed = answer
        .header("access-control-expose-headers")
        .unwrap()
        .to_ascii_lowercase();
    let headers = [
        "etag",
        "link",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "request-id",
        "retry-after",
    ];

    for header in headers {
        assert!(exposed.contains(header), "{header} in {exposed}");
    }
}

/// It said "Bad Request" and nothing else.
#[test]
fn preflight_for_an_unknown_method_lists_the_methods() {
    let server = TestServer::start();
    for method in ["PATCH", "TRACE", "BREW"] {
        let browser = server.anonymous().with("Origin", "http://localhost:3000");
        let preflight = browser.with("Access-Control-Request-Method", method);
        let answer = preflight.send("OPTIONS", "/integration", None);
        let methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS";
        assert_eq!(answer.header("allow"), Some(methods), "{answer:?}");
        answer.assert_error(400, &[&format!("Web pages may use the methods {methods}")]);
    }
}

#[test]
fn error_is_readable_by_pages() {
    let page = "https://app.example";
    let server = TestServer::with(|settings| {
        settings.limits.url_bytes = 100;
        settings.cors.origins = vec!["*".into()];
    });

    let browser = server.anonymous().with("Origin", page);
    let account = browser.with("Authorization", "ops");
    for answer in [
        browser.list("").assert_status(401),
        account.list("limit=0").assert_status(400),
        account.get("int_doesnotexist1").assert_status(404),
        account.send("GET", "/nowhere", None).assert_status(404),
        account
            .send("PATCH", "/integration", None)
            .assert_status(405),
        account
            .with("Content-Type", "text/plain")
            .send("POST", "/integration", Some("{}"))
            .assert_status(415),
        account
            .list(&format!("name={}", "x".repeat(100)))
            .assert_status(414),
    ] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(page),
            "{answer:?}"
        );
    }
}

#[test]
fn open_mode_refuses_pages_of_other_sites() {
    let server = TestServer::start();
    for page in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://10.0.0.1",
    ] {
        let answer = server.account("ops").with("Origin", page).list("");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{page}");
        let preflight = server
            .anonymous()
            .with("Origin", page)
            .with("Access-Control-Request-Method", "POST");
        let answer = preflight
            .send("OPTIONS", "/integration", None)
            .assert_error(400, &[""]);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{page}");
    }
}

#[test]
fn keys_mode_allows_every_origin() {
    let server = TestServer::with_people();
    let answer = server
        .key()
        .with("Origin", "https://app.example")
        .list("")
        .assert_status(200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.example")
    );
}

#[test]
fn unconfigured_origin_is_refused() {
    let server =
        TestServer::with(|settings| settings.cors.origins = vec!["https://app.example".into()]);
    let account = server.account("ops");
    let ours = account
        .with("Origin", "https://app.example")
        .list("")
        .assert_status(200);

    assert_eq!(
        ours.header("access-control-allow-origin"),
        Some("https://app.example")
    );

    let theirs = account.with("Origin", "https://evil.example").list("");
    assert_eq!(theirs.header("access-control-allow-origin"), None);
}

#[test]
fn refused_preflight_has_an_error_body() {
    let server =
        TestServer::with(|settings| settings.cors.origins = vec!["https://app.example".into()]);
    let stranger = server
        .anonymous()
        .with("Origin", "https://evil.example")
        .with("Access-Control-Request-Method", "POST");
    let answer = stranger
        .send("OPTIONS", "/integration", None)
        .assert_error(400, &[""]);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn empty_origin_list_refuses_all_pages() {
    let server = TestServer::with(|settings| settings.cors.origins.clear());
    let answer = server
        .account("ops")
        .with("Origin", "https://app.example")
        .list("");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    server.account("ops").list("").assert_status(200);
}

#[test]
fn options_without_a_preflight_lists_the_methods() {
    let server = TestServer::start();
    let answer = server
        .anonymous()
        .send("OPTIONS", "/integration", None)
        .assert_status(204);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
}
