//! Traces, told to a collector by OTLP over HTTP (protobuf).

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use reqwest::{Client, Url, redirect};
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::traces::Traces;
use windflow_core::trace::{Attribute, Sampling, Span};

use crate::cli::{Collector, Header, ServeArgs, Share};
use crate::exit::invalid;

/// The longest that a request to the collector may take, and all tries together, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the file says about traces.
#[derive(Debug, Default)]
pub(super) struct InFile {
    pub(super) endpoint: Option<Collector>,
    pub(super) headers: Vec<String>,
    pub(super) service: Option<String>,
    pub(super) share: Option<Share>,
}

/// Where traces are told, and how many.
#[derive(Debug, PartialEq)]
pub(crate) struct TraceSettings {
    url: Url,
    headers: Vec<Header>,
    /// None: as the environment says, or `windflow`.
    service: Option<String>,
    pub(crate) sampling: Sampling,
}

/// Brings together what was said; nothing where nobody named a collector. Beside the server's own settings the variables count that all programs
/// with OpenTelemetry understand, before the file.
///
/// # Errors
/// Where one of them makes no sense.
pub(super) fn resolve(
    args: &ServeArgs,
    file: InFile,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<TraceSettings>> {
    let variable = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let url = match &args.traces_endpoint {
        Some(endpoint) => Some(endpoint.url()),
        None => standard(&variable)?.or_else(|| file.endpoint.as_ref().map(Collector::url)),
    };
    let Some(url) = url else { return Ok(None) };
    let named = variable("OTEL_SERVICE_NAME").is_some();
    let headers = if args.traces_headers.is_empty() { &file.headers } else { &args.traces_headers };
    let header = |text: &String| text.parse().map_err(|error| invalid(format!("a header of the collector: {error}")));
    Ok(Some(TraceSettings {
        url,
        headers: headers.iter().map(header).collect::<anyhow::Result<_>>()?,
        service: args.traces_service.clone().or_else(|| file.service.filter(|_| !named)),
        sampling: args.traces_share.or(file.share).map_or(Sampling::ALL, |share| share.0),
    }))
}

/// The collector that the standard variables name.
fn standard(variable: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Url>> {
    let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none");
    if is_off {
        return Ok(None);
    }
    for (name, exact) in [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", true), ("OTEL_EXPORTER_OTLP_ENDPOINT", false)] {
        let Some(text) = variable(name) else { continue };
        let protocol =
            variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol.is_some_and(|protocol| protocol == "grpc") {
            tracing::warn!(
                "no traces are told: {name} is meant for gRPC. Set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL to http/protobuf, and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to the collector's HTTP port with the path /v1/traces"
            );
            return Ok(None);
        }
        let collector: Collector = text.parse().map_err(|error| invalid(format!("{name}: {error}")))?;
        return Ok(Some(if exact { collector.exact() } else { collector.url() }));
    }
    Ok(None)
}

/// A collector that is told by OTLP.
pub(super) struct Otlp {
    exporter: SpanExporter,
    scope: InstrumentationScope,
}

impl Otlp {
    /// Asks the collector nothing yet.
    ///
    /// # Errors
    /// Where this machine has no certificates to know servers by.
    pub(super) fn new(settings: &TraceSettings) -> anyhow::Result<Self> {
        // Whatever was chosen before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("windflow/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            // The headers go to the collector that was named, and to no other.
            .redirect(redirect::Policy::none())
            .build()?;
        let headers = settings.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(settings.url.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_headers(headers)
            .build()?;
        exporter.set_resource(&resource(settings.service.as_deref()));
        let scope = InstrumentationScope::builder("windflow").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Self { exporter, scope })
    }

    fn data(&self, span: Span) -> SpanData {
        let flags = TraceFlags::SAMPLED;
        let (trace, id) = (TraceId::from_bytes(span.trace.0), SpanId::from_bytes(span.id.0));
        let attribute = |(name, value)| match value {
            Attribute::Text(text) => KeyValue::new(name, text),
            Attribute::Number(number) => KeyValue::new(name, number),
        };
        // What the standard allows and the library does not is left out here; other programs are told all the same.
        let state = span.state.and_then(|state| state.as_str().parse().ok()).unwrap_or(TraceState::NONE);
        SpanData {
            span_context: SpanContext::new(trace, id, flags, false, state),
            parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.0)),
            parent_span_is_remote: span.parent_is_remote,
            span_kind: if span.parent_is_remote { SpanKind::Server } else { SpanKind::Internal },
            name: span.name.into(),
            start_time: at(span.began_us),
            end_time: at(span.ended_us),
            attributes: span.attributes.into_iter().map(attribute).collect(),
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: span.failed.map_or(Status::Unset, Status::error),
            instrumentation_scope: self.scope.clone(),
        }
    }
}

impl Traces for Otlp {
    fn tell(&self, spans: Vec<Span>) -> BoxFuture<'_, Result<(), String>> {
        let spans = spans.into_iter().map(|span| self.data(span)).collect();
        Box::pin(async move { self.exporter.export(spans).await.map_err(|error| error.to_string()) })
    }
}

fn at(us: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(us)
}

/// What all spans are of: this program, by the name that was given to it, with what the environment says beside.
fn resource(service: Option<&str>) -> Resource {
    let named = |resource: &Resource| {
        let name = resource.get(&opentelemetry::Key::from_static_str("service.name"));
        // What the SDK calls a program that nobody named.
        name.is_some_and(|name| !name.as_str().starts_with("unknown_service"))
    };
    let found = Resource::builder().build();
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    match service {
        Some(service) => builder.with_service_name(service.to_owned()).build(),
        None if named(&found) => builder.build(),
        None => builder.with_service_name("windflow").build(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn resolved(
        arguments: &[&str],
        file: InFile,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Option<TraceSettings>> {
        let cli = crate::cli::Cli::parse_from([&["windflow", "serve"], arguments].concat());
        let crate::cli::Command::Serve(args) = cli.command else { panic!("another command") };
        resolve(&args, file, |name| {
            environment.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn url(arguments: &[&str], environment: &[(&str, &str)]) -> Option<String> {
        let file = InFile { endpoint: Some("http://file:4318".parse().unwrap()), ..InFile::default() };
        resolved(arguments, file, environment).unwrap().map(|settings| settings.url.into())
    }

    #[test]
    fn nothing_is_told_where_nobody_named_a_collector() {
        assert_eq!(resolved(&[], InFile::default(), &[("OTEL_SERVICE_NAME", "flows")]).unwrap(), None);
        assert_eq!(resolved(&["--traces-share", "0.5"], InFile::default(), &[]).unwrap(), None);
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4318/x");
        let exact = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://exact:4318/mine");
        assert_eq!(url(&["--traces-endpoint", "http://here:1"], &[base]).unwrap(), "http://here:1/v1/traces");
        assert_eq!(url(&[], &[base, exact]).unwrap(), "http://exact:4318/mine");
        assert_eq!(url(&[], &[base]).unwrap(), "http://base:4318/x/v1/traces");
        assert_eq!(url(&[], &[]).unwrap(), "http://file:4318/v1/traces");
        // Set to nothing is not set.
        assert_eq!(url(&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap(), "http://file:4318/v1/traces");
        let file = || InFile {
            endpoint: Some("http://file:4318".parse().unwrap()),
            headers: vec!["a=1".to_owned()],
            service: Some("of-file".to_owned()),
            share: Some("0.1".parse().unwrap()),
        };
        let found = resolved(&["--traces-share", "0.5", "--traces-header", "b=2"], file(), &[]).unwrap().unwrap();
        assert_eq!((found.sampling, found.service.as_deref()), (Sampling::of(0.5).unwrap(), Some("of-file")));
        assert_eq!(found.headers, ["b=2".parse().unwrap()]);
        let found = resolved(&[], file(), &[("OTEL_SERVICE_NAME", "flows")]).unwrap().unwrap();
        assert_eq!((found.service, found.headers.len()), (None, 1));
        let error = resolved(&["--traces-header", "secret"], file(), &[]).unwrap_err().to_string();
        assert!(error.contains("NAME=VALUE") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_others_switch_off_is_off_here_too() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4317");
        for off in
            [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
        {
            assert_eq!(resolved(&[], InFile::default(), &[endpoint, off]).unwrap(), None, "{off:?}");
            // What was asked of this server by name counts.
            assert!(url(&["--traces-endpoint", "http://here:1"], &[endpoint, off]).is_some());
        }
        let error = resolved(&[], InFile::default(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost")]).unwrap_err();
        assert!(error.to_string().contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{error}");
    }
}
