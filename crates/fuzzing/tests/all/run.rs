//! The means of testing: what they are to find, they find.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::panic::catch_unwind;

use fuzzing::heap::measure;
use fuzzing::run::{Effort, check};
use fuzzing::{GROWTH, Target, nothing};

/// The message with which a parser fails that accepts `whole` and does what it likes with others.
fn failure(name: &'static str, parse: fn(&[u8]) -> Result<(), String>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let effort = Effort { cases: 2000, seed: 1, folder: folder.path().into() };
    let target =
        Target { name, seeds: || vec![b"whole 123".to_vec()], words: &["x"], mend: nothing, growth: GROWTH, parse };
    let cause = catch_unwind(|| check(&target, &effort)).unwrap_err();
    cause.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn memory_is_counted() {
    let (kept, peak) = measure(|| {
        drop(vec![1_u8; 5 << 20]);
        vec![0_u8; 3 << 20]
    });
    assert_eq!(kept.len(), 3 << 20);
    assert!((5 << 20..6 << 20).contains(&peak), "{peak}");
    let (grown, peak) = measure(|| {
        let mut bytes = Vec::new();
        (0..1_usize << 20).for_each(|_| bytes.push(1_u8));
        bytes.len()
    });
    assert_eq!(grown, 1 << 20);
    assert!(peak >= 1 << 20, "{peak}");
}

#[test]
fn a_panic_is_found_with_little_damage() {
    let message = failure("panics", |bytes| {
        assert!(!bytes.contains(&b'x'), "an x");
        Ok(())
    });
    assert!(message.contains("an x") && message.contains("panics.failed"), "{message}");
    assert!(message.matches("Known(").count() <= 1, "{message}");
}

#[test]
fn memory_that_a_file_doesnt_explain_is_found() {
    let message = failure("allocates", |bytes| {
        let asked = if bytes.starts_with(b"whole 123") { 0 } else { 100 << 20 };
        drop(vec![0_u8; asked]);
        Ok(())
    });
    assert!(message.contains("takes 104857600 bytes of memory"), "{message}");
}

#[test]
fn an_empty_message_is_found() {
    let message = failure("silent", |bytes| if bytes.starts_with(b"whole") { Ok(()) } else { Err(String::new()) });
    assert!(message.contains("refused without a message"), "{message}");
}

#[test]
fn a_whole_file_that_is_refused_is_found() {
    let message = failure("choosy", |_| Err("no".into()));
    assert!(message.contains("whole file 0 is refused: no"), "{message}");
}
