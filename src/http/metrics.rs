//! `GET /metrics`: counts in the OpenMetrics text format, which Prometheus reads.

use crate::http::{error::ApiError, state::AppState};
use crate::{service::metrics::EventMetrics, store::Store};
use actix_web::{HttpResponse, http::Method, web::Data};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};
use std::{fmt, time::Duration};

/// Upper bounds in seconds, from a read in memory to a disk in trouble.
const BUCKETS: [f64; 10] = [
    0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0,
];

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
    connections: Gauge,
}

impl Metrics {
    /// Nothing counted. What `event_metrics` counts and how `store` is doing is told with the rest.
    pub(super) fn new(event_metrics: &EventMetrics, store: Store) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("pagertree_local"),
            requests: Family::default(),
            durations: Histogram::new(BUCKETS),
            connections: Gauge::default(),
        };

        let registry = &mut metrics.registry;
        registry.register(
            "http_requests",
            "Requests answered",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from head to answer",
            metrics.durations.clone(),
        );
        registry.register(
            "http_connections",
            "Connections that are open",
            metrics.connections.clone(),
        );
        event_metrics.register(registry);
        registry.register_collector(Box::new(StoreCollector(store)));

        metrics
    }

    /// Counts one request.
    pub(super) fn count(&self, method: &Method, route: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&Labels {
                method: method_label(method),
                route,
                status,
            })
            .inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Counts a connection for as long as what is returned lives.
    pub(super) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(super) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Asks the store whenever somebody asks for the metrics.
#[derive(Debug)]
struct StoreCollector(Store);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Self(store) = self;
        let writer = store.writer_statistics();
        for (name, help, value) in [
            (
                "store_bytes",
                "Bytes of the store on disk",
                store.size_on_disk(),
            ),
            (
                "store_index_bytes",
                "Bytes of memory for what lists know of objects",
                store.index_bytes(),
            ),
            (
                "store_snapshot_bytes",
                "Bytes of memory for what was changed since somebody began to read",
                store.snapshot_bytes(),
            ),
            (
                "store_writable",
                "1 while the store takes writes",
                writer.is_writable.into(),
            ),
            (
                "store_queue",
                "Commands that wait for the writer",
                writer.waiting,
            ),
        ] {
            tell(&mut encoder, name, help, &ConstGauge::new(value))?;
        }

        // While the store is closed nobody knows how many wait.
        if let Ok((queues, _)) = store.outboxes() {
            let waiting = queues
                .iter()
                .fold(0_u64, |sum, queue| sum.saturating_add(queue.waiting()));
            tell(
                &mut encoder,
                "webhooks_waiting",
                "Webhooks that wait to be sent",
                &ConstGauge::new(waiting),
            )?;
        }

        for (name, help, value) in [
            ("store_writes", "Writes answered", writer.commands),
            ("store_commits", "Durable commits", writer.commits),
            (
                "store_faults",
                "Times that the store failed and had to be opened anew",
                writer.faults,
            ),
            (
                "store_healings",
                "Times that the store was opened anew and works",
                writer.recoveries,
            ),
        ] {
            tell(&mut encoder, name, help, &ConstCounter::new(value))?;
        }

        let help = "Writes that the writer did not take";
        let counter = ConstCounter::new(0_u64);
        let mut refusals =
            encoder.encode_descriptor("store_refusals", help, None, counter.metric_type())?;

        for (reason, value) in [
            ("full", writer.refused_full),
            ("closed", writer.refused_closed),
            ("stuck", writer.refused_stalled),
        ] {
            ConstCounter::new(value).encode(refusals.encode_family(&Reason { reason })?)?;
        }

        Ok(())
    }
}

fn tell(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

/// The method as a label; a method that a client made up must not make a new label.
fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

/// `GET /metrics`
pub(super) async fn scrape(state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let mut text = String::new();
    text::encode(&mut text, &state.metrics.registry)
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
