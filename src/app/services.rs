//! Composition of the services: each gets the store, time, randomness and settings that it needs.

use super::Edges;
use crate::{
    config::{OutgoingSettings, RetentionSettings, Settings, TestSettings},
    domain::account_rings::RingLimits,
    http::{self, Services},
    http_client::HttpClient,
    ids::Ids,
    service::{
        accounts::Accounts,
        alerts::Alerts,
        control::{Control, ControlOptions, JournalOptions, SnapshotLimits},
        destinations::Destinations,
        dispatch_signal::DispatchSignal,
        events::Events,
        integrations::{Integrations, WebhookRules},
        lists::PageCache,
        logs::Logs,
        metrics::EventMetrics,
        resources::Resources,
        retention::{Retention, RetentionPolicy},
        tokens::Tokens,
        webhooks::{OutboxWorker, RetryPolicy},
    },
    store::{Store, TEAMS, USERS},
};
use std::time::Duration;

/// The worker that delivers webhooks.
pub(super) fn outbox_worker(
    settings: &Settings,
    store: &Store,
    edges: &Edges,
    event_metrics: EventMetrics,
) -> OutboxWorker {
    let OutgoingSettings {
        attempts,
        first_retry_seconds,
        timeout_seconds,
        queue,
        ..
    } = settings.outgoing;
    let client = HttpClient::new(
        settings.egress_policy(),
        Duration::from_secs(timeout_seconds),
    );
    let policy = RetryPolicy {
        max_attempts: attempts,
        first_delay: first_retry_seconds,
        max_queued: queue,
    };

    OutboxWorker::new(
        store.clone(),
        edges.clock.clone(),
        edges.ids.clone(),
        client,
        policy,
        event_metrics,
    )
}

/// The sweeps that keep to the limits of retention.
pub(super) fn retention(settings: &Settings, store: &Store, edges: &Edges) -> Retention {
    let RetentionSettings {
        alerts,
        alert_days,
        logs,
        log_days,
        ..
    } = settings.retention;
    let policy = RetentionPolicy {
        alerts,
        alert_days,
        logs,
        log_days,
    };

    Retention::new(store.clone(), edges.clock.clone(), policy)
}

/// The services of the API.
pub(super) fn build(
    settings: &Settings,
    store: &Store,
    edges: &Edges,
    tokens: &Tokens,
    dispatch_signal: &DispatchSignal,
    event_metrics: &EventMetrics,
) -> Services {
    let pages = PageCache::new(settings.store.list_cache_bytes, http::encode_page);
    let confirms = settings.outgoing.confirm_subscriptions;
    let webhook_rules = WebhookRules {
        egress: settings.egress_policy(),
        max_senders: settings.outgoing.senders,
    };

    let (clock, ids) = (&edges.clock, &edges.ids);
    Services {
        integrations: Integrations::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            webhook_rules,
            pages.clone(),
        ),
        alerts: Alerts::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            dispatch_signal.clone(),
            pages.clone(),
        ),
        logs: Logs::new(store.clone(), clock.clone(), ids.clone(), pages.clone()),
        users: Resources::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            (USERS, Ids::user),
            pages.clone(),
        ),
        destinations: Destinations::new(store.clone()),
        accounts: Accounts::new(store.clone(), clock.clone()),
        teams: Resources::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            (TEAMS, Ids::team),
            pages,
        ),
        events: Events::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            dispatch_signal.clone(),
            event_metrics.clone(),
            http::EVENT_STATUSES,
            confirms,
        ),
        event_metrics: event_metrics.clone(),
        control: Control::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            dispatch_signal.clone(),
            tokens.clone(),
            control_options(settings),
        ),
    }
}

fn control_options(settings: &Settings) -> ControlOptions {
    let TestSettings {
        control,
        journal,
        journal_entries,
        journal_bytes,
        snapshots,
        snapshot_bytes,
        ..
    } = settings.test;

    ControlOptions {
        journal: JournalOptions {
            limits: RingLimits {
                items: journal_entries,
                bytes: journal_bytes,
            },
            is_on: control && journal,
            encode: http::encode_page,
        },
        snapshots: SnapshotLimits {
            per_account: snapshots,
            bytes: snapshot_bytes,
        },
    }
}
