//! `scripts/setup` where Python has PyTorch: its libtorch is taken when that is asked for, and
//! never otherwise.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::lab::text;

/// Copies of the scripts, and a Python with PyTorch as far as its files go. Its pip can't do
/// anything.
struct House(TempDir);

impl House {
    fn new(version: &str, cuda: &str, mark: &str) -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        for script in ["setup", "python_libtorch.py"] {
            house.write(&format!("scripts/{script}"), "");
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(script);
            std::fs::copy(from, house.path(&format!("scripts/{script}"))).unwrap();
        }
        house.write("crates/ucag-core/build.rs", "");
        house.write("python/torch/__init__.py", "raise ImportError('not to be imported')");
        house.write("python/torch/version.py", &format!("__version__ = '{version}'\ncuda = {cuda}\n"));
        house.write("python/torch/include/torch/script.h", "");
        house.write("python/torch/lib/libc10.so", mark);
        for name in ["libtorch_cpu.so", "libgomp.so.1", "libtorch.so", "libtorch_cuda.so"] {
            house.write(&format!("python/torch/lib/{name}"), "");
        }
        for name in ["libcudart.so.13", "libcupti.so.13"] {
            house.write(&format!("python/nvidia/cu13/lib/{name}"), "");
        }
        house.write("python/pip/__init__.py", "raise ImportError('no pip')");
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), content).unwrap();
    }

    fn setup(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("bash");
        command.arg(self.path("scripts/setup")).args(arguments);
        command.env("PYTHONPATH", self.path("python")).env_remove("LIBTORCH").output().unwrap()
    }

    /// Asserts that it fails, and returns the message.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.setup(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert!(!self.path(".libtorch").exists());
        text(&output.stderr)
    }
}

const MARK: &str = "_ZN3c105Error4whatB5cxx11Ev__cxx11";

#[test]
fn pytorchs_libtorch_is_offered_and_not_taken_unasked() {
    let house = House::new("2.11.0+cpu", "None", MARK);
    let output = house.setup(&[]);
    let said = text(&output.stdout);
    assert!(said.contains("PyTorch 2.11.0+cpu (CPU) in ") && said.contains("`scripts/setup --pytorch`"), "{said}");
    assert!(text(&output.stderr).contains("python3 has no pip"), "the download is what it goes on with");
    assert!(!house.path(".libtorch").exists());
}

#[test]
fn asked_for_its_cpu_part_is_linked_once() {
    for (version, cuda) in [("2.11.0+cpu", "None"), ("2.11.0+cu130", "'13.0'")] {
        let house = House::new(version, cuda, MARK);
        let output = house.setup(&["--pytorch"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&format!("using PyTorch {version}")), "{}", text(&output.stdout));
        let linked = |name: &str| std::fs::canonicalize(house.path(".libtorch").join(name)).ok();
        let own = |name: &str| Some(std::fs::canonicalize(house.path("python")).unwrap().join(name));
        assert_eq!(linked("lib/libc10.so"), own("torch/lib/libc10.so"));
        assert_eq!(linked("lib/libtorch.so"), own("torch/lib/libtorch_cpu.so"));
        assert_eq!(linked("include/torch"), own("torch/include/torch"));
        let cudart = own("nvidia/cu13/lib/libcudart.so.13").filter(|_| cuda != "None");
        assert_eq!(linked("lib/libcudart.so.13"), cudart);
        // torch-sys would link it, and then nothing runs without a driver.
        assert_eq!(linked("lib/libtorch_cuda.so"), None);

        let built = || std::fs::metadata(house.path("crates/ucag-core/build.rs")).unwrap().modified().unwrap();
        let before = built();
        assert!(house.setup(&["--pytorch"]).status.success() && house.setup(&[]).status.success());
        assert_eq!(built(), before, "nothing is built anew");
        // Where that PyTorch is gone, its links are no libtorch.
        std::fs::remove_dir_all(house.path("python/torch")).unwrap();
        assert!(text(&house.setup(&[]).stderr).contains("python3 has no pip"));
    }
}

#[test]
fn with_cuda_all_of_it_is_linked() {
    let house = House::new("2.11.0+cu130", "'13.0'", MARK);
    assert!(house.setup(&["--cuda", "--pytorch"]).status.success());
    let torch = std::fs::canonicalize(house.path("python/torch")).unwrap();
    assert_eq!(std::fs::canonicalize(house.path(".libtorch")).unwrap(), torch);
    let message = House::new("2.11.0+cpu", "None", MARK).refused(&["--cuda", "--pytorch"]);
    assert!(message.contains("is PyTorch for CPUs, without CUDA"), "{message}");
}

#[test]
fn another_pytorch_is_refused_with_the_reason() {
    for (version, mark, reason) in [
        ("2.10.0", MARK, "is PyTorch 2.10.0, not 2.11.0"),
        ("2.11.0", "_ZN3c105Error4whatEv", "is built with the C++ ABI of before 2015"),
    ] {
        let house = House::new(version, "None", mark);
        let message = house.refused(&["--pytorch"]);
        assert!(message.contains(reason) && message.contains("leave --pytorch out"), "{message}");
        assert!(!text(&house.setup(&[]).stdout).contains("--pytorch"), "it isn't offered either");
    }
    let house = House::new("2.11.0", "None", MARK);
    std::fs::remove_file(house.path("python/torch/lib/libtorch_cpu.so")).unwrap();
    assert!(house.refused(&["--pytorch"]).contains("torch/lib has no libtorch_cpu.so"));
}
