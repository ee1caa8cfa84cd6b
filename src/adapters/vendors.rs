//! One file for each integration type, all of the same shape, and the registry that lists them.
//!
//! To add a vendor, copy a small file such as `scom.rs`, adapt its `VENDOR` and its `parse`, and
//! add one line to `vendors!` below. Then describe a few requests in the vendor's format, and the
//! alerts that they become, in `tests/fixtures/events/<type>.json`; the tests fail until each type
//! has some.

mod chat;
mod tickets;

use super::vendor::Vendor;

/// What nearly every vendor needs.
mod prelude {
    pub(super) use crate::{
        adapters::{
            builder::{EventBuilder, ignored, no_action, no_transition},
            event_body::Batches,
            field::{Field, VendorOptions, join_present},
            request::InboundRequest,
            secret::Secret,
            vendor::{MissingId, Vendor},
        },
        domain::event::{Action, AlertUrgency, ParsedEvent},
    };
}

/// Declares the modules, and lists their descriptors in `VENDORS`.
macro_rules! vendors {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The descriptors of all integration types that receive events.
        pub(super) const VENDORS: &[Vendor] = &[
            $($module::VENDOR,)*
            // The same software under another name.
            Vendor { name: "hydrozen", ..sixty_six_uptime::VENDOR },
        ];
    };
}

vendors! {
    amazonwebservices,
    apexping,
    appdynamics,
    auvik,
    azure_monitor,
    cloudflare,
    cronitorio,
    crowdstrike,
    custom_webhook,
    datadog,
    deadmanssnitch,
    dynatrace,
    elastalert,
    email,
    form,
    freshdesk,
    freshservice,
    grafana,
    healthchecksio,
    hetrix_tools,
    honeybadger,
    hyperping,
    jiraserver,
    jotform,
    kapacitor,
    logic_monitor,
    mattermost_outgoing_webhook,
    meta_workplace,
    newrelic,
    pingdom,
    prometheus,
    prtg,
    pulsetic,
    scom,
    sentry,
    serverguard24,
    site24x7,
    sixty_six_uptime,
    slackoutgoingwebhook,
    solarwinds,
    stackdriver,
    status_gator,
    statuscake,
    twilio_incoming_sms,
    twilio_livecallrouting,
    typeform,
    uptime,
    uptime_kuma,
    uptime_observer,
    uptimerobot,
    webhook,
    xitoring,
    zabbix,
    zendesk,
}

/// The descriptor of an integration type. Types without an adapter are parsed as `webhook`.
pub(super) fn get(integration_type: &str) -> &'static Vendor {
    VENDORS
        .iter()
        .find(|vendor| vendor.name == integration_type)
        .unwrap_or(&webhook::VENDOR)
}
