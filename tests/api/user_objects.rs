//! Users of an account as objects: created, read, changed, deleted and listed as integrations are.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

fn create(account: &Caller, body: Value) -> Response {
    account.send("POST", "/user", Some(&body.to_string()))
}

fn call(account: &Caller, method: &str, user: &Value, body: Option<Value>) -> Response {
    let body = body.map(|body| body.to_string());
    account.send(method, &format!("/user/{}", id(user)), body.as_deref())
}

/// A user who has logged in.
fn logged_in(server: &TestServer, username: &str) -> Caller {
    let body = json!({"username": username, "password": "x"}).to_string();
    let login = server
        .anonymous()
        .send("POST", "/public/login", Some(&body));
    server.account(login.assert_status(200).json()["token"].as_str().unwrap())
}

#[test]
fn user_is_created_read_updated_and_deleted() {
    let server = TestServer::at(1_700_000_000_999);
    let account = server.account("ops");
    let body = json!({
        "name": " Ann ", "emails": [{"email": "ann@example.com", "verified": 5}, "second@example.com"],
        "phones": [{"phone": "+1 555"}], "preferences": {"timezone": "UTC"}, "id": "usr_mine",
    });

    let response = create(&account, body).assert_status(200);
    let user = response.json();
    let location = format!("/user/{}", id(&user));
    assert_eq!(response.header("location"), Some(location.as_str()));
    let sid = user["sid"].as_str().unwrap();
    let expected = format!(
        r#"{{"sid":"{sid}","id":"{}","createdAt":"2023-11-14T22:13:20.999Z","updatedAt":"2023-11-14T22:13:20.999Z","meta":{{}},"tinyId":1,"name":"Ann","avatar":null,"email":"ann@example.com","emails":[{{"email":"ann@example.com","verified":5}},{{"email":"second@example.com"}}],"phones":[{{"phone":"+1 555"}}],"router_id":null,"preferences":{{"timezone":"UTC"}},"roles":{{}}}}"#,
        id(&user)
    );
    assert_eq!(response.text, expected);
    assert_eq!(call(&account, "GET", &user, None).text, expected);

    call(&account, "PUT", &user, Some(user.clone())).assert_status(200);
    assert_eq!(
        call(&account, "GET", &user, None).text,
        expected,
        "what was read can be sent back"
    );
    server.clock.set(1_700_000_001_500);
    let changed = json!({"name": "Anna", "email": "anna@example.com"});
    let changed = call(&account, "PUT", &user, Some(changed))
        .assert_status(200)
        .json();
    assert_eq!(
        (&changed["name"], &changed["email"], &changed["emails"][0]),
        (
            &json!("Anna"),
            &json!("anna@example.com"),
            &json!({"email": "anna@example.com", "verified": 5})
        )
    );
    assert_eq!(changed["updatedAt"], "2023-11-14T22:13:21.500Z");

    let other = server.account("somebody else");
    for method in ["GET", "PUT", "DELETE"] {
        call(&other, method, &user, Some(json!({}))).assert_error(404, &["User not found"]);
    }
    call(&account, "DELETE", &user, None).assert_status(204);
    call(&account, "GET", &user, None).assert_error(404, &["User not found"]);
}

#[test]
fn user_with_the_email_of_the_first_api_is_created() {
    let server = TestServer::start();
    let account = server.account("ops");
    let user = create(&account, json!({"name": "Ann", "email": "ann@example.com"}));
    let user = user.assert_status(200).json();
    assert_eq!(user["emails"], json!([{"email": "ann@example.com"}]));
    assert_eq!(user["email"], "ann@example.com");
}

#[test]
fn create_of_a_user_reports_all_errors() {
    let server = TestServer::start();
    let account = server.account("ops");
    create(&account, json!({}))
        .assert_error(400, &["'name' is a required", "'emails' is a required"]);
    let body =
        json!({"name": "", "emails": [{"email": " "}], "phones": 1, "router_id": "x", "roles": []});
    let expected = [
        "'name' must have 1 to 255",
        "'emails' at position 0 'email' must be a mail address",
        "'phones' must be an array",
        "'router_id' must be an id",
        "'roles' must be an object",
    ];
    create(&account, body).assert_error(400, &expected);

    let strict = account.with("X-Strict", "true");
    create(
        &strict,
        json!({"name": "n", "email": "no address", "colour": 1}),
    )
    .assert_error(
        400,
        &[
            "'email' must be a mail address",
            "'colour' is not a known parameter",
        ],
    );
}

#[test]
fn users_are_listed_like_integrations() {
    let server = TestServer::start();
    let account = server.account("ops");
    for name in ["Ann", "Bob", "Cid"] {
        let email = format!("{name}@example.com");
        create(
            &account,
            json!({"name": name, "emails": [{"email": email}]}),
        )
        .assert_status(200);
    }

    for (query, expected) in [
        ("name=Bob", vec!["Bob"]),
        ("sort=createdAt&sortdirection=DESC&limit=1", vec!["Cid"]),
        ("email=Ann@example.com", vec!["Ann"]),
        ("emails.email=Cid@example.com", vec!["Cid"]),
        ("limit=2&page=2&select=name", vec!["Cid"]),
    ] {
        let list = account
            .send("GET", &format!("/user?{query}"), None)
            .assert_status(200)
            .json();
        let names: Vec<&str> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}

#[test]
fn login_creates_the_user_of_its_token_once() {
    let server = TestServer::start();
    let first = logged_in(&server, "ann@example.com");
    logged_in(&server, "ann@example.com");

    let list = first.send("GET", "/user", None).assert_status(200).json();
    assert_eq!(list["total_count"], 1, "{list}");
    let user = &list["data"][0];
    assert_eq!(
        (&user["name"], &user["email"]),
        (&json!("ann@example.com"), &json!("ann@example.com"))
    );

    // Alerts of this caller name the user of the token.
    let body = json!({"title": "t", "destination_ids": []}).to_string();
    let alert = first
        .send("POST", "/alert", Some(&body))
        .assert_status(200)
        .json();
    assert_eq!(alert["source_id"], user["id"]);
    assert_eq!(
        call(&first, "GET", user, None).assert_status(200).json(),
        *user
    );
}

#[test]
fn users_and_teams_survive_a_restart() {
    let server = TestServer::on_disk();
    let user = create(
        &server.account("ops"),
        json!({"name": "Ann", "email": "a@example.com"}),
    )
    .json();
    let server = server.restart();
    let account = server.account("ops");
    assert_eq!(
        call(&account, "GET", &user, None).assert_status(200).json(),
        user
    );
    let next = create(&account, json!({"name": "Bob", "email": "b@example.com"})).json();
    assert_eq!(next["tinyId"], 2);
}

#[test]
fn repeated_create_of_a_user_gets_the_first_response() {
    let server = TestServer::start();
    let account = server.account("ops").with("Idempotency-Key", "k");
    let body = json!({"name": "Ann", "email": "a@example.com"});
    let first = create(&account, body.clone()).assert_status(200);
    assert_eq!(create(&account, body).assert_status(200).text, first.text);
    create(&account, json!({"name": "Bob", "email": "a@example.com"})).assert_status(409);
    let team = json!({"name": "Ann"}).to_string();
    account
        .send("POST", "/team", Some(&team))
        .assert_status(409);
}
