//! Fuzzes `windflow_fuzz::edit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::edit(bytes));
