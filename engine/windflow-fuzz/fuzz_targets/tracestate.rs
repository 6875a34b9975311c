//! Fuzzes `windflow_fuzz::tracestate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::tracestate(bytes));
