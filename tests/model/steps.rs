//! What may happen in a life, at random.

use super::lists::{Query, query};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde_json::{Map, Value, json};

pub(crate) const ACCOUNTS: usize = 3;

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An account creates one.
    Create(usize, Map<String, Value>),
    /// An account changes any that ever was, also one that is deleted or another's.
    Update(usize, Index, Map<String, Value>),
    /// An account deletes any that ever was.
    Delete(usize, Index),
    /// An account reads any that ever was.
    Get(usize, Index),
    /// An account lists its own.
    List(usize, Query),
    /// The clock jumps, also backward, by so many milliseconds.
    Jump(i64),
    /// The server stops and starts.
    Restart,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let account = 0..ACCOUNTS;
    prop_oneof![
        12 => (account.clone(), draft()).prop_map(|(account, draft)| Step::Create(account, draft)),
        8 => (account.clone(), any::<Index>(), patch()).prop_map(|(account, which, patch)| Step::Update(account, which, patch)),
        4 => (account.clone(), any::<Index>()).prop_map(|(account, which)| Step::Delete(account, which)),
        2 => (account.clone(), any::<Index>()).prop_map(|(account, which)| Step::Get(account, which)),
        12 => (account, query()).prop_map(|(account, query)| Step::List(account, query)),
        4 => (-100_000..200_000_i64).prop_map(Step::Jump),
        1 => Just(Step::Restart),
    ]
}

fn draft() -> impl Strategy<Value = Map<String, Value>> {
    let needed = (name(), integration_type(), destination_ids());
    (needed, patch()).prop_map(|((name, integration_type, destination_ids), mut draft)| {
        draft.insert("name".into(), name);
        draft.insert("type".into(), integration_type);
        draft.insert("destination_ids".into(), destination_ids);
        draft
    })
}

fn patch() -> impl Strategy<Value = Map<String, Value>> {
    let rare = |attribute| option::weighted(0.3, attribute);
    let some = (
        rare(object()),
        rare(name().boxed()),
        rare(integration_type().boxed()),
        rare(enabled().boxed()),
        rare(urgency().boxed()),
        rare(destination_ids().boxed()),
        rare(object()),
        // The server's own, which is ignored.
        rare(Just(json!(7)).boxed()),
    );

    some.prop_map(
        |(meta, name, kind, enabled, urgency, destination_ids, options, tiny_id)| {
            let attributes = [
                ("options", options),
                ("tinyId", tiny_id),
                ("destination_ids", destination_ids),
                ("urgency", urgency),
                ("enabled", enabled),
                ("type", kind),
                ("name", name),
                ("meta", meta),
            ];

            attributes
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect()
        },
    )
}

fn one_of(values: &[Value]) -> impl Strategy<Value = Value> + use<> {
    prop::sample::select(values.to_vec())
}

fn name() -> impl Strategy<Value = Value> {
    one_of(&[
        json!("Datadog"),
        json!("datadog"),
        json!("Grafana"),
        json!("Größe & Co"),
        json!("a, b"),
        json!("z"),
    ])
}

fn integration_type() -> impl Strategy<Value = Value> {
    one_of(&[json!("email"), json!("webhook"), json!("datadog")])
}

fn urgency() -> impl Strategy<Value = Value> {
    one_of(&[
        json!("low"),
        json!("medium"),
        json!("high"),
        json!("critical"),
    ])
}

fn enabled() -> impl Strategy<Value = Value> {
    one_of(&[json!(true), json!(false), json!("true"), json!("false")])
}

fn destination_ids() -> impl Strategy<Value = Value> {
    vec(
        one_of(&[json!("tem_1"), json!("usr_2"), json!("rtr_3")]),
        0..4,
    )
    .prop_map(Value::Array)
}

/// For `meta` and `options`; `env` is what lists look at.
fn object() -> BoxedStrategy<Value> {
    let env = [
        json!(null),
        json!(true),
        json!(false),
        json!(1),
        json!(10),
        json!(-3),
        json!("prod"),
        json!("dev"),
        json!("1"),
    ];
    let members = (
        option::of(one_of(&env)),
        option::weighted(0.2, one_of(&[json!([1, {"a": null}]), json!("\u{0}\"ü")])),
    );

    members
        .prop_map(|(env, more)| {
            let members = [("more", more), ("env", env)].into_iter();
            Value::Object(
                members
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect(),
            )
        })
        .boxed()
}
