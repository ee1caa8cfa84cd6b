//! Teams as objects: created, read, changed, deleted and listed as integrations are.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

fn create(account: &Caller, body: Value) -> Response {
    account.send("POST", "/team", Some(&body.to_string()))
}

fn call(account: &Caller, method: &str, team: &Value, body: Option<Value>) -> Response {
    let body = body.map(|body| body.to_string());
    account.send(method, &format!("/team/{}", id(team)), body.as_deref())
}

#[test]
fn team_is_created_read_updated_and_deleted() {
    let server = TestServer::at(1_700_000_000_999);
    let account = server.account("ops");
    let body = json!({
        "name": "DevOps", "admin_ids": ["usr_1"], "member_user_ids": ["usr_1", "usr_2", "usr_1"], "schedule_id": "skd_1",
        "stakeholder_ids": ["stk_1"], "preferences": {"x": 1},
    });

    let response = create(&account, body).assert_status(200);
    let team = response.json();
    let location = format!("/team/{}", id(&team));
    assert_eq!(response.header("location"), Some(location.as_str()));
    let sid = team["sid"].as_str().unwrap();
    let expected = format!(
        r#"{{"sid":"{sid}","id":"{}","createdAt":"2023-11-14T22:13:20.999Z","updatedAt":"2023-11-14T22:13:20.999Z","meta":{{}},"tinyId":1,"name":"DevOps","description":null,"admin_ids":["usr_1"],"member_user_ids":["usr_1","usr_2"],"router_id":null,"schedule_id":"skd_1","stakeholder_ids":["stk_1"],"preferences":{{"x":1}}}}"#,
        id(&team)
    );
    assert_eq!(response.text, expected);
    assert_eq!(call(&account, "GET", &team, None).text, expected);
    call(&account, "PUT", &team, Some(team.clone())).assert_status(200);
    assert_eq!(
        call(&account, "GET", &team, None).text,
        expected,
        "what was read can be sent back"
    );

    let change = json!({"schedule_id": null, "description": "d"});
    let changed = call(&account, "PUT", &team, Some(change))
        .assert_status(200)
        .json();
    assert_eq!(
        (&changed["schedule_id"], &changed["description"]),
        (&Value::Null, &json!("d"))
    );

    let tag = call(&account, "GET", &team, None)
        .header("etag")
        .unwrap()
        .to_owned();
    let conditional = account.with("If-Match", &tag);
    call(&conditional, "PUT", &team, Some(json!({"name": "Ops"}))).assert_status(200);
    call(&conditional, "PUT", &team, Some(json!({"name": "Dev"}))).assert_status(412);
    call(&account.with("If-None-Match", "*"), "GET", &team, None).assert_status(304);

    call(&server.account("other"), "GET", &team, None).assert_error(404, &["Team not found"]);
    call(&account, "DELETE", &team, None).assert_status(204);
    call(&account, "DELETE", &team, None).assert_error(404, &["Team not found"]);
    assert_eq!(
        create(&account, json!({"name": "next"})).json()["tinyId"],
        2
    );
}

#[test]
fn create_of_a_team_reports_all_errors() {
    let server = TestServer::start();
    let account = server.account("ops");
    create(&account, json!({})).assert_error(400, &["'name' is a required parameter"]);
    let body = json!({
        "name": 1, "description": 1, "admin_ids": ["tem_1"], "member_user_ids": "usr_1", "schedule_id": "x",
        "stakeholder_ids": [1], "preferences": 1,
    });
    let expected = [
        "'name' must be a string",
        "'description' must be a string",
        "'admin_ids' at position 0 must be a user id",
        "'member_user_ids' must be an array of ids",
        "'schedule_id' must be an id",
        "'stakeholder_ids' at position 0 must be a string",
        "'preferences' must be an object",
    ];
    create(&account, body).assert_error(400, &expected);
}

#[test]
fn teams_are_found_by_name_and_member() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (name, member) in [("a", "usr_1"), ("b", "usr_2"), ("c", "usr_1")] {
        create(&account, json!({"name": name, "member_user_ids": [member]})).assert_status(200);
    }
    for (query, expected) in [
        ("name=b", 1),
        ("member_user_ids=usr_1", 2),
        ("schedule_id=null", 3),
        ("sort=-name&limit=2", 3),
    ] {
        let list = account
            .send("GET", &format!("/team?{query}"), None)
            .assert_status(200)
            .json();
        assert_eq!(list["total_count"], expected, "{query}");
    }
    account
        .send("GET", "/team?colour=1", None)
        .assert_error(400, &["'colour' is not an attribute"]);
}
