//! `GET /metrics`: counts in the Prometheus text format.

use super::{problem::Problem, state::State};
use crate::service::tally::Tally;
use actix_web::{HttpResponse, http::Method, web::Data};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{sync::atomic::AtomicU64, time::Duration};

/// Upper bounds in seconds, from a read in memory to a disk in trouble.
const BUCKETS: [f64; 10] = [0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Histogram,
    store_bytes: Gauge<u64, AtomicU64>,
    store_running: Gauge<u64, AtomicU64>,
    commands: Gauge<u64, AtomicU64>,
    commits: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// Nothing counted. What `tally` counts is told with the rest.
    pub(super) fn new(tally: &Tally) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("pagertree_local"),
            requests: Family::default(),
            durations: Histogram::new(BUCKETS),
            store_bytes: Gauge::default(),
            store_running: Gauge::default(),
            commands: Gauge::default(),
            commits: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "Time from head to answer", metrics.durations.clone());
        registry.register("store_bytes", "Bytes of the store on disk", metrics.store_bytes.clone());
        registry.register("store_writable", "1 while the store takes writes", metrics.store_running.clone());
        registry.register("store_writes", "Writes answered since the start", metrics.commands.clone());
        registry.register("store_commits", "Durable commits since the start", metrics.commits.clone());
        tally.register(registry);
        metrics
    }

    /// Counts one request.
    pub(super) fn count(&self, method: &Method, route: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Labels { method: method_label(method), route, status }).inc();
        self.durations.observe(took.as_secs_f64());
    }
}

/// The method as a label; a method that a client made up must not make a new label.
fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// `GET /metrics`
pub(super) async fn scrape(state: Data<State>) -> Result<HttpResponse, Problem> {
    let metrics = &state.metrics;
    let writer = state.store.writer_statistics();
    metrics.store_bytes.set(state.store.size_on_disk());
    metrics.store_running.set(writer.running.into());
    metrics.commands.set(writer.commands);
    metrics.commits.set(writer.commits);
    let mut text = String::new();
    text::encode(&mut text, &metrics.registry).map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}
