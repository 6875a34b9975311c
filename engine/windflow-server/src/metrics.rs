//! What can be measured, as Prometheus reads it.

use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::problem::Problem;

/// The server's counters.
pub(crate) struct Metrics {
    registry: Registry,
    /// By method, route and class of status.
    pub(crate) requests: IntCounterVec,
    /// By route.
    pub(crate) seconds: HistogramVec,
    /// By what started them.
    pub(crate) runs_started: IntCounterVec,
    /// By how they ended.
    pub(crate) runs_finished: IntCounterVec,
    pub(crate) runs_active: IntGauge,
    pub(crate) runs_stalled: IntGauge,
    /// By outcome.
    pub(crate) hooks: IntCounterVec,
    /// By outcome: fired, skipped, missed, failed.
    pub(crate) ticks: IntCounterVec,
    pub(crate) streams: IntGauge,
    /// By outcome: told, dropped.
    pub(crate) traced_runs: IntCounterVec,
    /// By outcome: told, failed.
    pub(crate) trace_spans: IntCounterVec,
    /// By whether they answer.
    pub(crate) targets_watched: IntGaugeVec,
    /// By outcome: reached, unreached, sampled, not_sampled.
    pub(crate) target_requests: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, Problem> {
        let registry = Registry::new();
        let metrics = Self {
            requests: counter("windflow_http_requests_total", "Requests answered.", &["method", "route", "status"])?,
            seconds: HistogramVec::new(
                HistogramOpts::new("windflow_http_request_duration_seconds", "Time until a request was answered.")
                    .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0]),
                &["route"],
            )
            .map_err(Problem::internal)?,
            runs_started: counter("windflow_runs_started_total", "Runs started by this process.", &["by"])?,
            runs_finished: counter("windflow_runs_finished_total", "Runs ended in this process.", &["status"])?,
            runs_active: gauge("windflow_runs_active", "Runs that this process is at work on.")?,
            runs_stalled: gauge("windflow_runs_stalled", "Runs that do not go on until somebody resumes them.")?,
            hooks: counter("windflow_webhook_requests_total", "Requests to webhooks.", &["outcome"])?,
            ticks: counter("windflow_cron_ticks_total", "Instants of schedules that came.", &["outcome"])?,
            streams: gauge("windflow_live_streams", "Live streams that are open.")?,
            traced_runs: counter(
                "windflow_traced_runs_total",
                "Runs that ended while traces were told.",
                &["outcome"],
            )?,
            trace_spans: counter("windflow_trace_spans_total", "Spans that a collector was to be told.", &["outcome"])?,
            targets_watched: IntGaugeVec::new(
                Opts::new("windflow_targets_watched", "Targets that are watched since somebody looks at them."),
                &["status"],
            )
            .map_err(Problem::internal)?,
            target_requests: counter(
                "windflow_target_watch_requests_total",
                "Attempts to reach targets that are watched, and samples of what is used on them.",
                &["outcome"],
            )?,
            registry,
        };
        let build = Opts::new("windflow_build_info", "Always 1; the label says which release this is.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(build).map_err(Problem::internal)?;
        build.set(1);
        metrics.add(&build)?;
        metrics.add(&metrics.requests)?;
        metrics.add(&metrics.seconds)?;
        metrics.add(&metrics.runs_started)?;
        metrics.add(&metrics.runs_finished)?;
        metrics.add(&metrics.runs_active)?;
        metrics.add(&metrics.runs_stalled)?;
        metrics.add(&metrics.hooks)?;
        metrics.add(&metrics.ticks)?;
        metrics.add(&metrics.streams)?;
        metrics.add(&metrics.traced_runs)?;
        metrics.add(&metrics.trace_spans)?;
        metrics.add(&metrics.targets_watched)?;
        metrics.add(&metrics.target_requests)?;
        Ok(metrics)
    }

    fn add<C: Collector + Clone + 'static>(&self, collector: &C) -> Result<(), Problem> {
        self.registry.register(Box::new(collector.clone())).map_err(Problem::internal)
    }

    /// All of it, as text.
    pub(crate) fn text(&self) -> Result<String, Problem> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).map_err(Problem::internal)?;
        String::from_utf8(text).map_err(Problem::internal)
    }
}

fn counter(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Problem> {
    IntCounterVec::new(Opts::new(name, help), labels).map_err(Problem::internal)
}

fn gauge(name: &str, help: &str) -> Result<IntGauge, Problem> {
    IntGauge::new(name, help).map_err(Problem::internal)
}
