//! Fuzzes `windflow_fuzz::compose`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::compose(bytes));
