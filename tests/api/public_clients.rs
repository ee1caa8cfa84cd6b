//! The requests of public clients of PagerTree's version 3, in their order: its Zapier app, its
//! daily incident report script, and a poller in PHP.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Logs in as these clients do, and returns the caller and the `id` in the token, which they decode
/// without checking it.
fn log_in(server: &TestServer) -> (Caller, String) {
    let body = json!({"username": "ann@example.com", "password": "secret"}).to_string();
    let login = server
        .anonymous()
        .send("POST", "/public/login", Some(&body));
    let token = login.assert_status(200).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let user = claims["id"].as_str().unwrap().to_owned();
    (server.account(&format!("Bearer {token}")), user)
}

fn get(caller: &Caller, path: &str) -> Value {
    caller.send("GET", path, None).assert_status(200).json()
}

fn post(caller: &Caller, path: &str, body: &Value) -> Value {
    caller
        .send("POST", path, Some(&body.to_string()))
        .assert_status(200)
        .json()
}

#[test]
fn zapier_app_finds_what_it_asks_for() {
    let server = TestServer::start();
    let (zapier, own) = log_in(&server);
    let me = get(&zapier, &format!("/user/{own}"));
    assert_eq!(
        me["email"], "ann@example.com",
        "the label of the connection"
    );

    let user = post(
        &zapier,
        "/user",
        &json!({"name": "Bob", "email": "bob@example.com"}),
    );
    let newest = get(&zapier, "/user?sort=createdAt&sortdirection=DESC");
    assert_eq!(newest["data"][0]["id"], user["id"]);
    assert_eq!(get(&zapier, "/user?name=Bob")["data"][0]["id"], user["id"]);

    let team = json!({"name": "DevOps", "description": "runs it", "member_user_ids": [own]});
    let team = post(&zapier, "/team", &team);
    assert_eq!(get(&zapier, "/team")["data"], json!([team]));
    assert_eq!(
        get(&zapier, "/team?name=DevOps")["data"][0]["id"],
        team["id"]
    );
    assert_eq!(get(&zapier, &format!("/team/{}", id(&team))), team);
    assert_eq!(
        get(&zapier, &format!("/team/{}/current-oncall", id(&team))),
        json!([])
    );

    let incident = json!({
        "title": "CPU", "description": "over 95%", "source_id": own, "d_team_id": id(&team), "urgency": "critical",
    });
    let incident = post(&zapier, "/incident", &incident);
    assert_eq!(incident["destination_ids"], json!([id(&team)]));
    assert_eq!(
        (&incident["source_id"], &incident["status"]),
        (&json!(own), &json!("open"))
    );
    assert_eq!(get(&zapier, "/incident")["data"], json!([incident]));
    assert_eq!(
        get(&zapier, &format!("/incident/{}", id(&incident))),
        incident
    );

    let broadcast = json!({"message": "All hands", "source_id": own, "user_ids": [id(&user)]});
    let broadcast = post(&zapier, "/broadcast", &broadcast);
    assert_eq!(
        (&broadcast["title"], &broadcast["subtype"]),
        (&json!("All hands"), &json!("broadcast"))
    );
}

#[test]
fn daily_report_reads_every_page() {
    let server = TestServer::start();
    let (script, own) = log_in(&server);
    for number in 0..25 {
        let body = json!({"title": format!("i{number}"), "d_user_id": own});
        post(&script, "/incident", &body);
    }

    let script = script.with("Content-Type", "application/json");
    let mut titles = Vec::new();
    for page in 1.. {
        let query = "sort=created&sortdirection=DESC&created=1000000000&ops=created:gte";
        let list = get(&script, &format!("/incident?{query}&page={page}"));
        let incidents = list["data"].as_array().unwrap();
        for field in [
            "id",
            "title",
            "urgency",
            "status",
            "created",
            "acknowledged",
            "resolved",
        ] {
            assert!(
                incidents
                    .iter()
                    .all(|incident| incident.get(field).is_some()),
                "{field}"
            );
        }
        titles.extend(incidents.iter().map(|incident| incident["title"].clone()));
        if list["has_more"] == false {
            break;
        }
    }
    titles.sort_by_key(Value::to_string);
    titles.dedup();
    assert_eq!(titles.len(), 25);
}

#[test]
fn poller_resolves_and_reads_the_logs() {
    let server = TestServer::start();
    let poller = server.account("poller");
    let incident =
        json!({"title": "t", "d_team_id": "tem_1", "source_id": "usr_of_another_account"});
    let incident = post(&poller, "/incident", &incident);
    assert_eq!(
        incident["source_id"], incident["sid"],
        "a foreign source is the caller"
    );
    let path = format!("/incident/{}", id(&incident));

    let note =
        json!({"owner_id": id(&incident), "source_id": "usr_1", "content": "Working on it."});
    let note = post(&poller, "/log", &note);
    let logs = get(&poller, &format!("{path}/logs?select=content"));
    assert_eq!(logs["data"], json!([{"content": "Working on it."}]));
    assert_eq!(get(&poller, &format!("/log/{}", id(&note))), note);

    let body = json!({"status": "resolved", "resolved": 1_700_000_000}).to_string();
    let resolved = poller
        .send("PUT", &path, Some(&body))
        .assert_status(200)
        .json();
    assert_eq!(resolved["status"], "resolved");
    assert!(
        resolved["resolved"].as_i64().unwrap() > 1_700_000_000,
        "the time is the server's"
    );
}
