//! Networks from ONNX files: the file is the architecture, its layers have the names that their
//! authors gave them, and every method can look at them.

mod constants;
pub mod file;
mod import;
mod layers;
mod names;
mod sized;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use tch::Device;

use self::import::Source;
pub(crate) use self::sized::Resizer;
use super::stated::Properties;
use super::{Checkpoint, Family, Graph, Network, Node, Precision, Stated};
use crate::{Error, Result};

/// Its family, which isn't in the registry: no `arch` names it.
pub(super) static FAMILY: Family = Family {
    id: "onnx",
    summary: "any classifier that was exported to ONNX",
    input_size: SIDE,
    layer: "the last feature map before it is pooled or classified",
    stem: "",
    build: |properties| {
        let problem = "an ONNX network is no checkpoint of a family".into();
        Err(Error::Architecture { path: properties.checkpoint.path().to_owned(), problem })
    },
};

/// Side of the input where nothing says it.
const SIDE: usize = 224;

/// Views in the batch that a graph is made for: more than one, so that the batch can be told from
/// an axis of size 1.
const BATCH: i64 = 2;

/// Returns the names of the operations that a file may have, sorted.
pub fn operations() -> Vec<&'static str> {
    let mut names: Vec<_> = super::op::registry::op_types().collect();
    names.sort_unstable();
    names
}

impl Network {
    /// Loads a classifier from an ONNX file. The file's metadata (`input_size`, `mean`, `std`) or
    /// `stated` says what its graph doesn't show.
    ///
    /// # Errors
    /// Where the file can't be read; has several inputs or outputs, control flow, integer weights
    /// or an operation that isn't known; or its output isn't a row of logits for each image.
    pub fn onnx(path: &Path, stated: &Stated) -> Result<Self> {
        Self::of_model(file::read(path)?, path, stated)
    }

    /// As [`Network::onnx`], from a file's bytes.
    ///
    /// # Errors
    /// As [`Network::onnx`].
    pub fn onnx_from_bytes(bytes: &[u8], label: &str, stated: &Stated) -> Result<Self> {
        let path = Path::new(label);
        let model = file::decode(bytes, None);
        let wrong = |problem| Error::CheckpointFile { path: path.to_owned(), problem };
        Self::of_model(model.map_err(wrong)?, path, stated)
    }

    fn of_model(model: file::Model, path: &Path, stated: &Stated) -> Result<Self> {
        let mut checkpoint = Checkpoint::from_tensors(&path.display().to_string(), []);
        for (key, value) in &model.metadata {
            checkpoint = checkpoint.with_metadata(key, value);
        }
        let source = Source::new(path.to_owned(), model)?;
        let (mut fixed, _) = source.input()?;
        let channels = fixed[1].unwrap_or(3);
        let mut properties = Properties::of_input(&checkpoint, stated, "input", channels)?;
        properties.assume_preprocessing();
        let input_size = input_size(&source, &mut properties, fixed)?;
        let side = input_size as i64;
        let nominal = [BATCH, channels, side, side];
        let imported = source.import(nominal).map_err(|error| match fixed[0] {
            Some(1) => source.wrong(format!("was exported for batches of one image, and can't be made to take more: export it with a free batch ({error})")),
            _ => error,
        })?;
        // Each operation takes any number of views: the import above has shown it.
        fixed[0] = None;
        let import::Imported { drafts, is_sized } = imported;
        let names = names::names(&source.model, &drafts);
        let sized = (0..drafts.len()).filter(|&id| drafts[id].sized).collect();
        let classes = drafts.last().and_then(|draft| draft.shape.get(1)).copied().unwrap_or(0);
        let shapes: Vec<Vec<i64>> = drafts.iter().map(|draft| draft.shape.clone()).collect();
        let nodes = drafts.into_iter().zip(names);
        let nodes = nodes.map(|(draft, name)| Node { name, op: draft.op, inputs: draft.inputs }).collect();
        let graph = Graph::new(nodes).with_weights(&|weight| Ok(weight.f_contiguous()?))?;
        let [layer, excitation] = layers::defaults(&graph, &shapes, classes).map(|id| graph.nodes()[id].name.clone());
        if let Some(stripped) = &source.stripped {
            properties.assume(format!("Its last operation, {stripped}, is left out: what it reads are the logits."));
        }
        let preprocessing = properties.preprocessing;
        let assumptions = properties.finish(FAMILY.id)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok(Self {
            family: &FAMILY,
            architecture: stem.unwrap_or_else(|| FAMILY.id.to_owned()),
            graph,
            layer,
            excitation,
            classes: classes as usize,
            input_size,
            preprocessing,
            assumptions,
            device: Device::Cpu,
            precision: Precision::default(),
            views: Arc::default(),
            weight_cache: Arc::default(),
            resizer: Some(Arc::new(Resizer::new(source, fixed, nominal, is_sized.then_some(sized)))),
        })
    }
}

/// Side of the square input: the file's own, else what is stated.
fn input_size(source: &Source, properties: &mut Properties<'_>, fixed: [Option<i64>; 4]) -> Result<usize> {
    let own = properties.own_input_size()?;
    match ([fixed[2], fixed[3]], own) {
        ([Some(height), Some(width)], _) if height != width => {
            Err(source.wrong(format!("fixes its input at {height} × {width}; images here are square")))
        }
        ([Some(side), _] | [_, Some(side)], Some(own)) if own as i64 != side => {
            Err(source.wrong(format!("has input_size {own} in its metadata, but fixes its input at {side}")))
        }
        ([Some(side), _] | [_, Some(side)], _) => Ok(side.unsigned_abs() as usize),
        (_, Some(own)) => Ok(own),
        _ => Ok(properties.assumed_input_size(SIDE)),
    }
}
