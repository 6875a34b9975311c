//! Fuzzes `windflow_fuzz::manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::manifest(bytes));
