//! The parser that the program is named after.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let target = fuzzing::targets::target(env!("CARGO_BIN_NAME")).expect("a program for each parser");
    if let Err(message) = (target.parse)(bytes) {
        assert!(!message.is_empty(), "refused without a message");
    }
});
