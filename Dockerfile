# The binary with its built-in plugins and the web editor, in an image with nothing else to run.
FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
RUN rustup target add wasm32-unknown-unknown
COPY --from=node /usr/local/ /usr/local/
WORKDIR /src
COPY . .
# Plugins, templates and editor first: the binary embeds them.
RUN cargo xtask plugins && cargo xtask marketplace && web-editor/build.sh && cargo build --release --locked --package windflow

FROM debian:bookworm-slim
# Curl is for the health check; certificates for requests of workflows.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin windflow \
    && install --directory --owner windflow --group windflow --mode 0700 /data
COPY --from=build /src/target/release/windflow /usr/local/bin/windflow
USER 10001
VOLUME /data
ENV WINDFLOW_DATA_DIR=/data WINDFLOW_LISTEN=0.0.0.0:7878 WINDFLOW_LOG_FORMAT=json
EXPOSE 7878
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:7878/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["windflow"]
CMD ["serve"]
