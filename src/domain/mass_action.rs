//! One action on many alerts.

use super::{
    alert::AlertAction,
    body::{self, AttributeReader, Strictness},
    distinct::{AddOutcome, Distinct},
    ids::AlertId,
    rejection::Rejection,
};
use serde_json::{Map, Value};

/// Maximum number of alerts, which bounds the work of the command.
const MAX_ALERTS: usize = 100;

/// One action on many alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct MassAction {
    /// What to do with each alert.
    pub step: MassStep,
    /// The alerts, at least one, each once.
    pub alert_ids: Vec<AlertId>,
}

/// What to do with each alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MassStep {
    /// Applies an action.
    Apply(AlertAction),
    /// Deletes it.
    Delete,
}

impl MassAction {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error.
    pub fn parse(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let mut body = AttributeReader::new(attributes);
        let step = body.required("type", step);
        let alert_ids = body.required("alert_ids", alert_ids);

        body.finish(strictness)?;
        match (step, alert_ids) {
            (Some(step), Some(alert_ids)) => Ok(Self { step, alert_ids }),
            // Unreachable: the reader has refused a body without one of them.
            _ => Err(Rejection::invalid(
                "'type' and 'alert_ids' are required parameters",
            )),
        }
    }
}

fn step(value: Value) -> Result<MassStep, String> {
    let text = body::text(value)?;
    match text.as_str() {
        "acknowledge" => Ok(MassStep::Apply(AlertAction::Acknowledge)),
        "reject" => Ok(MassStep::Apply(AlertAction::Reject)),
        "resolve" => Ok(MassStep::Apply(AlertAction::Resolve)),
        "archive" => Ok(MassStep::Apply(AlertAction::Archive)),
        "delete" => Ok(MassStep::Delete),
        other => Err(format!(
            "must be acknowledge, reject, resolve, delete or archive, but was '{}'",
            body::excerpt(other)
        )),
    }
}

fn alert_ids(value: Value) -> Result<Vec<AlertId>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of alert ids, but was {}",
            body::kind_of(&value)
        ));
    };

    let mut ids = Distinct::new(MAX_ALERTS);
    for (position, item) in items.into_iter().enumerate() {
        let id = body::text(item)
            .and_then(|text| AlertId::parse(&text).map_err(|error| error.to_string()));
        let id = id.map_err(|error| format!("at position {position} {error}"))?;
        if ids.add(id) == AddOutcome::Full {
            return Err(format!(
                "must have at most {MAX_ALERTS} different alert ids"
            ));
        }
    }

    let ids = ids.into_items();
    if ids.is_empty() {
        return Err("must have at least one alert id, but was empty".to_owned());
    }
    Ok(ids)
}
