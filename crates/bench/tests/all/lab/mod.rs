//! The helper of tests of whole runs: a folder in which the program runs.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with a config `small.toml` and nothing else. Data are made there on the first run.
pub(crate) struct TestRun {
    folder: TempDir,
    tables: &'static [&'static str],
}

impl TestRun {
    /// With this config, whose runs are compared by these tables.
    pub(crate) fn with(config: &str, tables: &'static [&'static str]) -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap(), tables };
        lab.write("small.toml", config);
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.current_dir(self.folder.path()).args(arguments).env_remove("RUST_BACKTRACE");
        command
    }

    pub(crate) fn bench(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs, and demands the exit code.
    pub(crate) fn run(&self, code: i32, arguments: &[&str]) -> Output {
        let output = self.bench(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", text(&output.stderr));
        output
    }

    pub(crate) fn read(&self, run: &str, file: &str) -> String {
        let path = self.path(run).join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn assert_same_tables(&self, one: &str, other: &str) {
        for file in self.tables {
            let (one_text, other_text) = (self.read(one, file), self.read(other, file));
            let differing = one_text.lines().zip(other_text.lines()).find(|(a, b)| a != b);
            assert!(one_text == other_text, "{file} of {one} and {other}: {differing:?}");
        }
    }
}

/// Path of a checkpoint that ships.
pub(crate) fn weights(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mini-weights").join(file).display().to_string()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
