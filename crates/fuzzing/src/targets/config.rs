//! Configs, and what the command line says over them.

use std::path::{Path, PathBuf};

use bench::config::{Overrides, load};

use super::stage::{Stage, fixture, fixtures};
use crate::{Target, nothing};

/// An experiment.
pub(super) static CONFIG: Target = Target {
    name: "config",
    seeds: || {
        let folder = |folder: &str| {
            let entries = std::fs::read_dir(fixtures(folder)).into_iter().flatten().flatten();
            let mut names: Vec<PathBuf> = entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "toml"))
                .collect();
            names.sort();
            names
        };
        let paths = ["configs", "configs/mini"].into_iter().flat_map(folder);
        let seeds: Vec<Vec<u8>> = paths.flat_map(std::fs::read).collect();
        assert!(!seeds.is_empty(), "the project's configs");
        seeds
    },
    words: &[
        "[[method]]\n",
        "[[variant]]\n",
        "[protocol]\n",
        "[ucag]\n",
        "[dataset]\n",
        "id = \"gradcam\"\n",
        "ucag = [false, true]\n",
        "alpha = 2.6\n",
        "n = [1, 2]\n",
        "= {",
        "\"\"\"",
        "'''",
        "1979-05-27T07:32:00Z",
        "inf",
        "nan",
        "0x",
        "a.b.c = 1\n",
        "\"\" = 1\n",
        "\\u0000",
        "limit = 0\n",
        "settings = {masks = 10}\n",
        "stem = \"cifar\"\n",
        "mean = 0.5\nstd = [0.5]\n",
        "transform_input = true\n",
    ],
    mend: nothing,
    growth: 200, // a value is two bytes in a list, and a node with its place in memory
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write("experiment.toml", bytes);
            read(&stage.path().join("experiment.toml"), &Overrides::default())
        })
    },
};

/// `--set`, over a config that is all right.
pub(super) static SET: Target = Target {
    name: "config-set",
    seeds: || {
        [
            "dataset.limit=10",
            "method.0.id=gradcam",
            "method.*.ucag=[true]",
            "ucag.alpha=2.0",
            "title=a b c",
            "protocol.base=\"paper\"",
        ]
        .map(|argument| argument.as_bytes().to_vec())
        .into()
    },
    words: &["=", ".", "*", "0", "method", "protocol", "dataset.", "[1, 2]", "{a = 1}", "\"", "\nb = 1"],
    mend: nothing,
    growth: 200,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new().with("experiment.toml", fixture("configs/mini/table1.toml")));
        let argument = String::from_utf8_lossy(bytes).into_owned();
        let overrides = Overrides { set: vec![argument], ..Overrides::default() };
        STAGE.with(|stage| read(&stage.path().join("experiment.toml"), &overrides))
    },
};

fn read(path: &Path, overrides: &Overrides) -> Result<(), String> {
    let config = load(path, overrides).map_err(|errors| {
        let message = errors.to_string();
        assert!(
            message.contains("experiment.toml") || message.contains("--set"),
            "a message without a file: {message}"
        );
        message
    })?;
    assert!(!config.datasets.is_empty() && !config.models.is_empty() && !config.variants.is_empty());
    assert!(config.models.iter().all(|model| model.dataset < config.datasets.len()));
    assert!(config.methods.iter().flat_map(|method| &method.variants).all(|&variant| variant < config.variants.len()));
    assert!(config.compute.workers > 0 && config.compute.views_per_batch > 0 && config.output.resamples > 0);
    Ok(())
}
