//! Fuzzes `windflow_fuzz::traceparent`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::traceparent(bytes));
