//! Metrics in the OpenMetrics text format, for Prometheus.

use crate::{service::metrics::EventMetrics, store::Store};
use actix_web::http::Method;
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

/// Upper bounds in seconds: from a read in memory to a slow disk.
const DURATION_BUCKETS: [f64; 10] = [
    0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// The metrics of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Histogram,
    connections: Gauge,
}

impl Metrics {
    /// New metrics, together with those of `event_metrics` and `store`.
    pub(super) fn new(event_metrics: &EventMetrics, store: Store) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("pagertree_local"),
            requests: Family::default(),
            durations: Histogram::new(DURATION_BUCKETS),
            connections: Gauge::default(),
        };

        let registry = &mut metrics.registry;
        registry.register(
            "http_requests",
            "HTTP requests, by method, route and status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from the head of a request to its response",
            metrics.durations.clone(),
        );
        registry.register(
            "http_connections",
            "Open HTTP connections",
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

    /// All metrics as OpenMetrics text.
    ///
    /// # Errors
    /// A metric cannot be encoded.
    pub(super) fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts a connection until the returned value is dropped.
    pub(super) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Reads the statistics of the store at each scrape.
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
                "Size of the store on disk in bytes",
                store.size_on_disk(),
            ),
            (
                "store_index_bytes",
                "Memory of list indexes in bytes",
                store.index_bytes(),
            ),
            (
                "store_snapshot_bytes",
                "Memory of old versions for open snapshots in bytes",
                store.snapshot_bytes(),
            ),
            (
                "store_writable",
                "1 while the store accepts writes, else 0",
                writer.is_writable.into(),
            ),
            (
                "store_queue",
                "Commands waiting for the writer",
                writer.waiting,
            ),
        ] {
            encode_metric(&mut encoder, name, help, &ConstGauge::new(value))?;
        }

        // Unknown while the store is closed.
        if let Ok((queues, _)) = store.outboxes() {
            let waiting = queues
                .iter()
                .fold(0_u64, |sum, queue| sum.saturating_add(queue.waiting()));
            encode_metric(
                &mut encoder,
                "webhooks_waiting",
                "Webhook messages waiting to be sent",
                &ConstGauge::new(waiting),
            )?;
        }

        for (name, help, value) in [
            ("store_writes", "Commands completed", writer.commands),
            ("store_commits", "Durable commits", writer.commits),
            (
                "store_faults",
                "Storage engine failures that forced a reopen",
                writer.faults,
            ),
            (
                "store_healings",
                "Successful recoveries of the storage engine",
                writer.recoveries,
            ),
        ] {
            encode_metric(&mut encoder, name, help, &ConstCounter::new(value))?;
        }

        let help = "Writes refused, by reason";
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

fn encode_metric(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

/// The method as a label. Unknown methods share one, so that clients cannot create labels.
fn method_label(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}
