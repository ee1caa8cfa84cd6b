//! Adapters: what the requests of each third party mean. One file for each, all of one shape.
//!
//! An adapter is a pure function from a request and the options of the integration to a
//! [`Reading`]. It never fails: what it cannot make sense of is nothing, with a reason. It knows
//! its vendor's format and nothing of alerts, of the store or of what came before; the facts are
//! from PagerTree's public adapters and guides, and from the vendors' own documents.

mod answer;
mod charset;
mod chat;
mod compare;
mod delivery;
mod event_body;
mod field;
mod instant;
mod lenient_json;
mod markup;
mod nesting;
mod reading;
mod secret;
mod shown;
mod template;
mod tickets;
mod urgency;
mod wording;
mod wrapper;

pub use answer::Answer;
pub use delivery::{Delivery, DeliveryParts};

mod amazonwebservices;
mod apexping;
mod appdynamics;
mod auvik;
mod azure_monitor;
mod cloudflare;
mod cronitorio;
mod crowdstrike;
mod custom_webhook;
mod datadog;
mod deadmanssnitch;
mod dynatrace;
mod elastalert;
mod email;
mod form;
mod freshdesk;
mod freshservice;
mod grafana;
mod healthchecksio;
mod hetrix_tools;
mod honeybadger;
mod hyperping;
mod jiraserver;
mod jotform;
mod kapacitor;
mod logic_monitor;
mod mattermost_outgoing_webhook;
mod meta_workplace;
mod newrelic;
mod pingdom;
mod prometheus;
mod prtg;
mod pulsetic;
mod scom;
mod sentry;
mod serverguard24;
mod site24x7;
mod sixty_six_uptime;
mod slackoutgoingwebhook;
mod solarwinds;
mod stackdriver;
mod status_gator;
mod statuscake;
mod twilio_incoming_sms;
mod twilio_livecallrouting;
mod typeform;
mod uptime;
mod uptime_kuma;
mod uptime_observer;
mod uptimerobot;
mod webhook;
mod xitoring;
mod zabbix;
mod zendesk;

use crate::domain::{event::Reading, thirdparty_id, webhook as webhook_out};
use field::Field;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Bytes as text: UTF-8 or, where they are none, what older programs write.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    charset::decode(bytes, "")
}

type Adapter = fn(&Delivery, &Map<String, Value>) -> Reading;

/// Types of integrations and who reads for them. Whatever stands in no line is read as `webhook`.
const ADAPTERS: &[(&str, Adapter)] = &[
    ("amazonwebservices", amazonwebservices::read),
    ("apexping", apexping::read),
    ("appdynamics", appdynamics::read),
    ("auvik", auvik::read),
    ("azure_monitor", azure_monitor::read),
    ("cloudflare", cloudflare::read),
    ("cronitorio", cronitorio::read),
    ("crowdstrike", crowdstrike::read),
    ("custom_webhook", custom_webhook::read),
    ("datadog", datadog::read),
    ("deadmanssnitch", deadmanssnitch::read),
    ("dynatrace", dynatrace::read),
    ("elastalert", elastalert::read),
    ("email", email::read),
    ("form", form::read),
    ("freshdesk", freshdesk::read),
    ("freshservice", freshservice::read),
    ("grafana", grafana::read),
    ("healthchecksio", healthchecksio::read),
    ("hetrix_tools", hetrix_tools::read),
    ("honeybadger", honeybadger::read),
    ("hydrozen", sixty_six_uptime::read),
    ("hyperping", hyperping::read),
    ("jiraserver", jiraserver::read),
    ("jotform", jotform::read),
    ("kapacitor", kapacitor::read),
    ("logic_monitor", logic_monitor::read),
    (
        "mattermost_outgoing_webhook",
        mattermost_outgoing_webhook::read,
    ),
    ("meta_workplace", meta_workplace::read),
    ("newrelic", newrelic::read),
    ("pingdom", pingdom::read),
    ("prometheus", prometheus::read),
    ("prtg", prtg::read),
    ("pulsetic", pulsetic::read),
    ("scom", scom::read),
    ("sentry", sentry::read),
    ("serverguard24", serverguard24::read),
    ("site24x7", site24x7::read),
    ("sixty_six_uptime", sixty_six_uptime::read),
    ("slackoutgoingwebhook", slackoutgoingwebhook::read),
    ("solarwinds", solarwinds::read),
    ("stackdriver", stackdriver::read),
    ("status_gator", status_gator::read),
    ("statuscake", statuscake::read),
    ("twilio_incoming_sms", twilio_incoming_sms::read),
    ("twilio_livecallrouting", twilio_livecallrouting::read),
    ("typeform", typeform::read),
    ("uptime", uptime::read),
    ("uptime_kuma", uptime_kuma::read),
    ("uptime_observer", uptime_observer::read),
    ("uptimerobot", uptimerobot::read),
    ("webhook", webhook::read),
    ("xitoring", xitoring::read),
    ("zabbix", zabbix::read),
    ("zendesk", zendesk::read),
];

/// Types whose alerts always have the words of the third party.
const WITHOUT_WORDING: [&str; 1] = ["meta_workplace"];

/// Types whose alerts get an id that nobody has when the third party names none. There is no alert
/// without an id, so of the other types there is none then.
const WITHOUT_ID: [&str; 10] = [
    "cloudflare",
    "crowdstrike",
    "custom_webhook",
    "email",
    "form",
    "grafana",
    "hetrix_tools",
    "uptime_kuma",
    "webhook",
    "zabbix",
];

/// What a request to an integration of this type, with these options, means.
pub fn read(integration_type: &str, delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if integration_type == webhook_out::TYPE {
        return reading::nothing(
            format!("an integration of type {integration_type} sends and takes nothing"),
            Field::new(None),
        );
    }

    let known = ADAPTERS.iter().find(|(name, _)| *name == integration_type);
    let reading =
        known.map_or(webhook::read as Adapter, |(_, adapter)| *adapter)(delivery, options);
    let reading = readable(integration_type, delivery, reading);
    let reading = match known {
        Some((name, _)) if !WITHOUT_ID.contains(name) => identified(reading),
        _ => reading,
    };

    if WITHOUT_WORDING.contains(&integration_type) {
        return bounded(reading);
    }

    bounded(wording::apply(integration_type, delivery, options, reading))
}

/// The reading, with the reason why nothing could be read of the body, if nothing came of it. Rules
/// make an alert of whatever they are given, but not of what cannot be read.
fn readable(integration_type: &str, delivery: &Delivery, reading: Reading) -> Reading {
    let Some(unreadable) = delivery.unreadable().filter(|_| integration_type != EMAIL) else {
        return reading;
    };

    let follows_rules = integration_type == "custom_webhook" && !unreadable.is_plain_text;
    match reading {
        Reading::Event(_) if follows_rules && delivery.all().members().next().is_none() => {
            reading::nothing(unreadable.reason.as_str(), Field::new(None))
        }
        Reading::Nothing {
            thirdparty_id,
            confirm,
            ..
        } => Reading::Nothing {
            reason: unreadable.reason.clone(),
            thirdparty_id,
            confirm,
        },
        reading => reading,
    }
}

/// The type that reads messages of mail.
const EMAIL: &str = "email";

/// The reading, with no more than an alert and its log may hold.
fn bounded(reading: Reading) -> Reading {
    let kept = |id: Option<String>| id.map(|id| thirdparty_id::kept(&id).into_owned());
    match reading {
        Reading::Event(mut event) => {
            event.thirdparty_id = kept(event.thirdparty_id);
            event.content.cut();
            Reading::Event(event)
        }
        Reading::Nothing {
            reason,
            thirdparty_id,
            confirm,
        } => Reading::Nothing {
            reason,
            thirdparty_id: kept(thirdparty_id),
            confirm,
        },
        blocked @ Reading::Blocked { .. } => blocked,
    }
}

/// The reading, unless it would make an alert without an id.
fn identified(reading: Reading) -> Reading {
    match reading {
        Reading::Event(event) if event.may_create() && event.thirdparty_id.is_none() => {
            reading::nothing(
                "it has no third-party id, so no alert was created",
                Field::new(None),
            )
        }
        other => other,
    }
}

/// Options by which what is sent costs more than its length.
const COSTLY_OPTIONS: [&str; 4] = [
    "custom_definition",
    "description_template",
    "title_template",
    "wrapper_key",
];
/// So many bytes are read at once, whatever they are.
const QUICK: usize = 8 << 10;

/// Whether reading this may take longer than whoever waits for the same thread should.
pub fn may_take_long(parts: &DeliveryParts, options: &Map<String, Value>) -> bool {
    parts.body.len() > QUICK
        || COSTLY_OPTIONS
            .iter()
            .any(|option| options.contains_key(*option))
}

type Answering = fn(&Delivery, &Map<String, Value>, &Reading) -> Option<Answer>;

/// Types whose senders read the answer.
const ANSWERING: &[(&str, Answering)] = &[
    ("meta_workplace", meta_workplace::answer),
    ("twilio_livecallrouting", twilio_livecallrouting::answer),
];

/// What the HTTP answer says to a request that was read so. `None` for an empty body, which is all
/// that most senders expect.
pub fn answer(
    integration_type: &str,
    delivery: &Delivery,
    options: &Map<String, Value>,
    reading: &Reading,
) -> Option<Answer> {
    let (_, answer) = ANSWERING
        .iter()
        .find(|(name, _)| *name == integration_type)?;
    answer(delivery, options, reading)
}

#[cfg(test)]
mod tests;
