//! Each type of integration, by requests in its vendor's format: what is sent to the running server
//! becomes the alert that it should.

use crate::{
    callers::{Caller, id},
    server::TestServer,
    stderr,
};
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn pairs(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn form(pairs: Vec<(String, String)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn multipart(pairs: Vec<(String, String)>) -> String {
    let parts = pairs.into_iter().map(|(name, value)| {
        format!("--parts\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    parts.chain(["--parts--\r\n".to_owned()]).collect()
}

/// Sends the request of a case as it says.
fn send(server: &TestServer, integration: &str, request: &Value) -> u16 {
    let headers = pairs(&request["headers"]);
    let kind = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map_or("", |(_, kind)| kind.as_str());
    let is_multipart = kind.starts_with("multipart/form-data") && request["body"].is_object();
    let caller = headers.iter().fold(
        server.anonymous(),
        |caller, (name, value)| match is_multipart {
            true if name.eq_ignore_ascii_case("content-type") => {
                caller.with(name, "multipart/form-data; boundary=parts")
            }
            _ => caller.with(name, value),
        },
    );
    let body = match &request["body"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        object if is_multipart => Some(multipart(pairs(object))),
        object if kind.starts_with("application/x-www-form-urlencoded") => {
            Some(form(pairs(object)))
        }
        other => Some(other.to_string()),
    };

    // Only there is GET taken.
    let usual = if request["method"] == "GET" { "/g" } else { "" };
    let suffix = request["path_suffix"].as_str().unwrap_or(usual);
    let path = format!(
        "/integration/{integration}{suffix}?{}",
        form(pairs(&request["query"]))
    );

    caller
        .send(request["method"].as_str().unwrap(), &path, body.as_deref())
        .status
}

fn alerts(account: &Caller) -> Vec<Value> {
    let list = account
        .send("GET", "/alert?limit=100", None)
        .assert_status(200)
        .json();
    list["data"].as_array().unwrap().clone()
}

/// Whether `found` is what the case expects, which may be a pattern.
fn is_as_expected(found: &Value, expected: &Value, integration: &Value) -> bool {
    match (
        expected["$match"].as_str(),
        expected["$integration"].as_str(),
    ) {
        (Some(pattern), _) => found
            .as_str()
            .is_some_and(|found| regex::Regex::new(pattern).unwrap().is_match(found)),
        (_, Some(attribute)) => found == &integration[attribute],
        _ => found == expected,
    }
}

/// Plays one case in an account of its own; the faults.
fn play(server: &TestServer, place: &str, kind: &str, case: &Value) -> Vec<String> {
    let account = server.account(place);
    let options = case
        .get("options")
        .cloned()
        .unwrap_or_else(|| Value::Object(Map::new()));
    let integration = account.created_from(
        json!({"name": "n", "type": kind, "destination_ids": ["tem_1"], "urgency": "medium", "options": options}),
    );
    let expect = &case["expect"];
    let action = expect["action"].as_str().unwrap_or("create");
    let known = expect["thirdparty_id"].as_str();
    let wants_one = matches!(action, "acknowledge" | "resolve" | "recreate")
        || case["precondition"]["existing_alert_with_thirdparty_id"] == true;

    if let Some(thirdparty_id) = known.filter(|_| wants_one) {
        let body = json!({"title": "before", "source_id": id(&integration), "thirdparty_id": thirdparty_id});
        account
            .send("POST", "/alert", Some(&body.to_string()))
            .assert_status(200);
    }

    let before = alerts(&account).len();
    let status = send(server, id(&integration), &case["request"]);
    let after = alerts(&account);
    let mut faults = Vec::new();
    let mut check = |what: &str, found: &Value, expected: &Value| {
        if !is_as_expected(found, expected, &integration) {
            faults.push(format!("{place}: {what} is {found}, not {expected}"));
        }
    };

    check(
        "the status",
        &json!(status),
        &json!(if action == "blocked" { 403 } else { 200 }),
    );

    let has_title = expect["title"].as_str() != Some("");
    let created = usize::from(matches!(action, "create" | "recreate") && has_title);
    check(
        "the number of alerts",
        &json!(after.len()),
        &json!(before + created),
    );

    let Some(alert) = after.last() else {
        return faults;
    };

    match action {
        "create" | "recreate" if created == 1 => {
            for name in ["thirdparty_id", "title", "description", "tags", "meta"] {
                let expected = expect
                    .get(name)
                    .filter(|expected| name != "thirdparty_id" || !expected.is_null());
                if let Some(expected) = expected {
                    check(name, &alert[name], expected);
                }
            }

            if let Some(urgency) = expect.get("urgency") {
                let own = json!("medium");
                check(
                    "urgency",
                    &alert["urgency"],
                    if urgency.is_null() { &own } else { urgency },
                );
            }

            let data = expect
                .get("additional_data_valid")
                .or_else(|| expect.get("additional_data"));

            if let Some(data) = data {
                check("additional_data", &alert["additional_data"], data);
            }

            check("status", &alert["status"], &json!("open"));
        }
        "acknowledge" => check("status", &alert["status"], &json!("acknowledged")),
        "resolve" => check("status", &alert["status"], &json!("resolved")),
        _ => {}
    }

    faults
}

/// Plays every case of every file in a folder; how many there were.
fn play_all(folder: &Path) -> usize {
    let server = TestServer::start();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();

    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });

    paths.sort();
    let (mut faults, mut count) = (Vec::new(), 0);
    for path in paths {
        let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let kind = file["type"].as_str().unwrap();
        for case in file["cases"].as_array().unwrap() {
            let place = format!("{kind}, {}", case["name"].as_str().unwrap());
            faults.extend(play(
                &server,
                &place.replace(|character: char| !character.is_ascii(), "_"),
                kind,
                case,
            ));
            count += 1;
        }
    }

    assert!(
        faults.is_empty(),
        "{} faults in {count} cases:\n{}",
        faults.len(),
        faults.join("\n")
    );

    count
}

#[test]
fn own_fixtures_have_the_expected_outcome() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    assert!(play_all(&own) > 100);
}

#[test]
fn shared_cases_have_the_expected_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    if folder.exists() {
        let count = play_all(&folder);
        assert!(count > 0, "../shared/cases is empty");
        stderr::print(&format!("{count} cases of ../shared/cases ran, and passed"));
    } else {
        stderr::print("no case of ../shared/cases ran: it is not there");
    }
}
