//! The tests of the scripts in Python, which are in Python.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::Command;

#[allow(clippy::print_stderr, reason = "people should know what wasn't tested")]
/// Runs a script of `scripts/tests` with the Python that `PYTHON` names, else `python3`; nothing
/// where there is none.
fn run(script: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let path = format!("{}/../../scripts/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let Ok(done) = Command::new(&python).arg("-B").arg(path).output() else {
        eprintln!("skipped: there is no {python}");
        return None;
    };
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    Some(said)
}

#[test]
fn tensors_are_found_and_named_without_pytorch() {
    let Some(said) = run("test_checkpoints.py") else { return };
    assert_eq!(said.matches(": ok").count(), 5, "{said}");
}

#[test]
#[allow(clippy::print_stderr, reason = "people should know what wasn't tested")]
fn files_are_converted_where_there_is_pytorch() {
    let Some(said) = run("test_convert_weights.py") else { return };
    if said.starts_with("skipped") {
        eprint!("{said}");
    } else {
        assert_eq!(said.matches(": ok").count(), 5, "{said}");
    }
}

#[test]
fn photos_and_their_network_are_read_from_packages() {
    let Some(said) = run("test_photos.py") else { return };
    assert_eq!(said.matches(": ok").count(), 6, "{said}");
}

#[test]
#[allow(clippy::print_stderr, reason = "people should know what wasn't tested")]
fn networks_are_exported_where_there_is_pytorch() {
    let Some(said) = run("test_export_onnx.py") else { return };
    if said.starts_with("skipped") {
        eprint!("{said}");
    } else {
        assert_eq!(said.matches(": ok").count(), 2, "{said}");
    }
}
