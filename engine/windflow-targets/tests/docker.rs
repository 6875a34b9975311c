//! Against a real Docker engine. `make test SKIP_DOCKER=1` leaves them out by their module's name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod docker_engine {
    mod authority;
    mod builds;
    mod deploys;
    mod disk_full;
    mod fails;
    mod far;
    mod fetches;
    mod goes_on;
    mod little;
    mod runs_once;
    mod support;
}
