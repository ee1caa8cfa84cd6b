//! Runs `fuzzing::list` on random input.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pagertree_local::fuzzing::list(data));
