//! Tests of `alert_input`.

use super::*;
use crate::domain::limits::MAX_TAGS;
use serde_json::json;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

const AUTHORS: AllowedSources<'_> = AllowedSources {
    own: ["acc_1", "usr_1"],
    integration: true,
};

fn draft(body: Value) -> Result<AlertDraft, Vec<String>> {
    AlertDraft::parse(map(body), AUTHORS, Strictness::Strict)
        .map_err(|rejection| rejection.messages())
}

#[test]
fn every_fault_is_reported_in_the_order_of_the_object() {
    let body = |source: &str| {
        json!({"additional_data": 1, "tags": [1], "source_id": source, "urgency": "loud", "description": 1, "title": " ",
        "destination_ids": "x", "thirdparty_id": "", "meta": []})
    };

    for (source, integration) in [("x", true), ("int_1", false)] {
        let authors = AllowedSources {
            integration,
            ..AUTHORS
        };

        let found = AlertDraft::parse(map(body(source)), authors, Strictness::Lenient)
            .unwrap_err()
            .messages();
        let named: Vec<_> = found
            .iter()
            .map(|fault| fault.split(' ').next().unwrap())
            .collect();
        let order = [
            "'meta'",
            "'thirdparty_id'",
            "'destination_ids'",
            "'title'",
            "'description'",
            "'urgency'",
        ];
        assert_eq!(
            named,
            [&order[..], &["'source_id'", "'tags'", "'additional_data'"]].concat(),
            "{found:#?}"
        );
    }
}

#[test]
fn destinations_are_needed_where_no_source_has_any() {
    let required = [
        "'destination_ids' is a required parameter",
        "'title' is a required parameter",
    ];

    assert_eq!(draft(json!({})).unwrap_err(), required);
    assert!(draft(json!({"title": "t", "source_id": "int_1"})).is_ok());
    for source in [json!(null), json!("acc_1"), json!("usr_1")] {
        assert_eq!(
            draft(json!({"title": "t", "source_id": source})).unwrap_err(),
            required[..1]
        );
        let named =
            draft(json!({"title": "t", "destination_ids": [], "source_id": source})).unwrap();
        assert_eq!(
            named,
            draft(json!({"title": "t", "destination_ids": []})).unwrap()
        );
    }

    assert!(draft(json!({"title": "t", "destination_ids": [], "source_id": "acc_2"})).is_err());
}

/// Half a megabyte of different tags, each compared with all before it, took 18 seconds.
#[test]
fn nothing_is_looked_at_behind_the_first_tag_or_destination_that_is_too_much() {
    let items = |prefix: &str| {
        let different = (0..=MAX_TAGS).map(|number| json!(format!("{prefix}{number}")));
        different.chain([json!(["no text"])]).collect::<Vec<_>>()
    };

    let found = draft(json!({"title": "t", "destination_ids": items("tem_"), "tags": items("t")}))
        .unwrap_err();
    let expected = [
        "'destination_ids' must have at most 100 different destination ids",
        "'tags' must have at most 100 different tags",
    ];

    assert_eq!(found, expected);
    let repeated = [&items("t")[..MAX_TAGS], &items("t")[..MAX_TAGS]].concat();
    assert_eq!(
        draft(json!({"title": "t", "destination_ids": [], "tags": repeated}))
            .unwrap()
            .tags
            .len(),
        MAX_TAGS
    );
}

#[test]
fn a_foreign_source_alone_is_left_to_the_commit() {
    let authors = AllowedSources {
        integration: false,
        ..AUTHORS
    };
    let body = map(json!({"title": "t", "source_id": "int_1"}));
    assert!(AlertDraft::parse(body, authors, Strictness::Strict).is_ok());
}

#[test]
fn body_of_a_get_can_be_put_back() {
    let long = "x".repeat(MAX_TITLE_LEN + 1);
    let stored = map(
        json!({"id": "alt_1", "status": "open", "title": long, "description": null, "resolved": null,
        "source_id": "int_1", "thirdparty_id": "x", "type": "alert", "subtype": "alert", "created": 5}),
    );
    let patch = AlertPatch::parse(stored.clone(), &stored, Strictness::Strict).unwrap();

    assert_eq!(
        patch,
        AlertPatch {
            title: Some(long),
            description: Some(None),
            subtype: Some(AlertSubtype::Alert),
            status: Some(Status::Open),
            strictness: Strictness::Strict,
            ..AlertPatch::default()
        }
    );
}

#[test]
fn null_clears_a_description_and_nothing_else() {
    let nulls = map(
        json!({"meta": null, "destination_ids": null, "title": null, "description": null, "urgency": null,
        "tags": null, "additional_data": null}),
    );
    let found = AlertPatch::parse(nulls, &Map::new(), Strictness::Lenient)
        .unwrap_err()
        .messages();
    let named: Vec<_> = found
        .iter()
        .map(|fault| fault.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        named,
        [
            "'meta'",
            "'destination_ids'",
            "'title'",
            "'urgency'",
            "'tags'",
            "'additional_data'"
        ]
    );
    let patch = AlertPatch::parse(
        map(json!({"description": null})),
        &Map::new(),
        Strictness::Strict,
    )
    .unwrap();
    assert_eq!(
        patch,
        AlertPatch {
            description: Some(None),
            strictness: Strictness::Strict,
            ..AlertPatch::default()
        }
    );
}
