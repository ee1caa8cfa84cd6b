//! `jotform`: a submission of Jotform, a form with parts.

use super::{Delivery, reading::event};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let submission = delivery.get("submissionID");
    let url = submission.filled().map_or(Value::Null, |id| {
        format!("https://www.jotform.com/submission/{id}").into()
    });
    let title = format!("{} {}", delivery.get("formTitle").text(), submission.text());
    event(Action::Create, submission)
        .title(title)
        .datum(DatumKind::Link, "Submission URL", url)
        .done()
}
