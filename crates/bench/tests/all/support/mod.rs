//! Helpers of tests of configs.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::PathBuf;

use bench::config::Overrides;

/// The shortest config there is. Tests count its lines.
pub(crate) const GOOD: &str = "\
[dataset]
kind = 'imagenet'
root = 'data'
[[model]]
arch = 'resnet50'
weights = 'w.safetensors'
[[method]]
id = 'gradcam'
[[metric]]
id = 'deletion'
";

/// A folder that goes away with the test.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A message with the folder's name cut out.
    pub(crate) fn relative(&self, message: &str) -> String {
        message.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// `--set` and nothing else.
pub(crate) fn set(arguments: &[&str]) -> Overrides {
    Overrides { set: arguments.iter().map(|argument| (*argument).to_owned()).collect(), ..Overrides::default() }
}
