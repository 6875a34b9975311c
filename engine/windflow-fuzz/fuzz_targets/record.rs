//! Fuzzes `windflow_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::record(bytes));
