//! Weights in a file beside the model.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::{Values, decode, read};
use super::{Parts, entry, tensor};

/// A model whose weight is in another file, as `entries` say.
fn parts(entries: &[(&str, &str)]) -> Parts {
    let mut parts = Parts::small();
    parts.tensors[0] = tensor("w", 1, &[2, 3, 1, 1]);
    parts.tensors[0].data_location = 1;
    parts.tensors[0].external_data = entries.iter().map(|(key, value)| entry(key, value)).collect();
    parts
}

/// A folder with weights in `weights.bin`, behind eight other bytes, and in `alone.bin`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let weights: Vec<u8> = (1_u8..=6).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    fs::write(folder.path().join("weights.bin"), [vec![9; 8], weights.clone()].concat()).expect("weights");
    fs::write(folder.path().join("alone.bin"), weights).expect("weights");
    folder
}

#[track_caller]
fn refuses(folder: &Path, entries: &[(&str, &str)], words: &str) {
    let problem = decode(&parts(entries).bytes(), Some(folder)).expect_err("a bad file was read");
    assert!(problem.contains(&format!("tensor \"w\" {words}")), "{problem:?} doesn't say {words:?}");
}

#[test]
fn reads_weights_beside_the_model() {
    let folder = folder();
    let expected = Values::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    for entries in [
        &[("location", "weights.bin"), ("offset", "8"), ("length", "24"), ("checksum", "0")][..],
        &[("location", "weights.bin"), ("offset", "8")],
        &[("location", "./alone.bin")],
    ] {
        let path = folder.path().join("model.onnx");
        fs::write(&path, parts(entries).bytes()).expect("a model");
        assert_eq!(read(&path).expect("a good file").constants["w"].values, expected);
    }
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    fs::rename(folder.path().join("alone.bin"), folder.path().join("sub/alone.bin")).expect("a move");
    let model = decode(&parts(&[("location", "sub/alone.bin")]).bytes(), Some(folder.path())).expect("a good file");
    assert_eq!(model.constants["w"].values, expected);
}

#[test]
fn refuses_weights_outside_of_the_folder() {
    let outer = folder();
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).expect("a folder");
    let words = "only files in the model's folder are read: put it there";
    refuses(&inner, &[("location", "../alone.bin")], &format!("is kept in \"../alone.bin\"; {words}"));
    refuses(&inner, &[("location", "inner/../../alone.bin")], "is kept in \"inner/../../alone.bin\"; only");
    let absolute = outer.path().join("alone.bin");
    let absolute = absolute.to_str().expect("a path");
    refuses(&inner, &[("location", absolute)], &format!("is kept in {absolute:?}; only"));
    refuses(&inner, &[("location", "")], "is kept in \"\"; only");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("alone.bin"), inner.join("link.bin")).expect("a link");
        let words = "is kept in \"link.bin\", a link that leaves the model's folder: put the file itself there";
        refuses(&inner, &[("location", "link.bin")], words);
    }
}

#[test]
fn refuses_weights_that_are_not_there() {
    let folder = folder();
    let at = |location: &'static str, offset: &'static str, length: &'static str| {
        [("location", location), ("offset", offset), ("length", length)]
    };
    let check = |entries: &[(&str, &str)], words: &str| refuses(folder.path(), entries, words);
    check(&[], "is kept in another file, whose name is missing");
    check(&at("missing.bin", "0", "24"), "is kept in \"missing.bin\", which can't be read beside the model");
    check(&at("a\0b", "0", "24"), "is kept in \"a\\0b\", which can't be read");
    check(&at(".", "0", "24"), "is kept in \".\", which is no file");
    let words = "is kept in \"weights.bin\", 24 bytes from 9 on, and that file has 32 bytes; copy it again";
    check(&at("weights.bin", "9", "24"), words);
    check(&at("weights.bin", "18446744073709551615", "24"), "is kept in \"weights.bin\", 24 bytes from 1844");
    check(&at("weights.bin", "8", "20"), "has 20 bytes in \"weights.bin\", where its shape and type need 24");
    check(&[("location", "weights.bin")], "has 32 bytes in \"weights.bin\", where its shape and type need 24");
    check(&at("weights.bin", "-8", "24"), "is kept in \"weights.bin\", at offset \"-8\", which is no number");
    check(&at("weights.bin", "8", "x"), "is kept in \"weights.bin\", at length \"x\", which is no number");
}

#[test]
fn refuses_tensors_that_share_bytes() {
    let folder = folder();
    let mut parts = parts(&[("location", "alone.bin")]);
    let mut second = parts.tensors[0].clone();
    second.name = "v".into();
    parts.tensors.push(second);
    let problem = decode(&parts.bytes(), Some(folder.path())).expect_err("a bad file was read");
    assert!(problem.contains("tensor \"v\" shares bytes of \"alone.bin\" with other tensors"), "{problem}");
}

#[test]
fn refuses_weights_elsewhere_without_a_folder() {
    let problem = decode(&parts(&[("location", "alone.bin")]).bytes(), None).expect_err("a bad file was read");
    assert!(
        problem.contains("tensor \"w\" is kept in another file (\"alone.bin\"), and there is no folder"),
        "{problem}"
    );
}

#[test]
fn errors_name_the_file() {
    let folder = folder();
    let path = folder.path().join("model.onnx");
    let message = |path: &Path| read(path).expect_err("no good file").to_string();
    let begin = format!("checkpoint {}: ", path.display());
    assert!(message(&path).starts_with(&format!("{begin}can't be read: ")), "{}", message(&path));
    fs::write(&path, b"").expect("a file");
    assert_eq!(message(&path), format!("{begin}can't be read as ONNX: the file is empty; copy or export it again"));
}
