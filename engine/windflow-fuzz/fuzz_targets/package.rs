//! Fuzzes `windflow_fuzz::package`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::package(bytes));
