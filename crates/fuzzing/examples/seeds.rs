//! Writes the whole files that fuzzing starts from to a folder for each parser, as libFuzzer takes
//! them.

use std::path::Path;

use anyhow::{Context, Result};
use fuzzing::targets::TARGETS;

fn main() -> Result<()> {
    let corpus = std::env::args_os().nth(1).context("expected the folder to write to, for instance fuzz/corpus")?;
    for target in TARGETS {
        let folder = Path::new(&corpus).join(target.name);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let path = folder.join(format!("seed{number}"));
            std::fs::write(&path, seed).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
