//! Contents of `.onnx` files, as plain data.
//!
//! A file is protobuf. What is read of it is the graph of one network from a batch of images to
//! logits, whose operations are ONNX's own. The names of PyTorch's modules, which only the nodes'
//! metadata has, come along. Which operations there are, and with which attributes, isn't looked
//! at here; neither are the shapes and values of weights.

mod attribute;
mod data_type;
mod external;
mod interface;
mod node;
mod order;
mod proto;
mod refused;
mod scope;
mod tensor;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;

pub use self::attribute::Attribute;
use self::external::External;
pub use self::interface::{Dim, ValueInfo};
pub use self::node::Node;
use self::proto::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto};
use self::refused::Refused;
pub use self::scope::{Module, Scope};
pub use self::tensor::{Array, Values};
use crate::{Error, Result};

/// Versions of ONNX's operations that are read. Older ones have other attributes.
pub const OPSETS: std::ops::RangeInclusive<i64> = 11..=25;

/// A file's contents.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The version of ONNX's operations, one of [`OPSETS`].
    pub opset: i64,
    /// Name and version of the program that wrote the file; may be empty.
    pub producer: String,
    /// The model's metadata.
    pub metadata: BTreeMap<String, String>,
    /// The images: four sides.
    pub input: ValueInfo,
    /// The logits. A node makes them.
    pub output: ValueInfo,
    /// The operations, each behind those that it reads from. `Constant` is one of them.
    pub nodes: Vec<Node>,
    /// Weights and other tensors that nodes read.
    pub constants: BTreeMap<String, Array>,
}

/// Reads a file, and the files beside it that its weights may be in.
///
/// # Errors
/// [`Error::CheckpointFile`] where they can't be read, aren't ONNX, contradict themselves, or hold
/// anything else than a network from float32 images to logits.
pub fn read(path: &Path) -> Result<Model> {
    let wrong = |problem| Error::CheckpointFile { path: path.to_owned(), problem };
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("can't be read: {error}")))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    decoded(bytes.into(), Some(folder)).map_err(wrong)
}

/// As [`read`], of a file in memory. Without a `folder` its weights must all be in it.
///
/// # Errors
/// As [`read`], without the path.
pub fn decode(bytes: &[u8], folder: Option<&Path>) -> Result<Model, String> {
    decoded(Bytes::copy_from_slice(bytes), folder)
}

fn decoded(bytes: Bytes, folder: Option<&Path>) -> Result<Model, String> {
    let begin = bytes.slice(..bytes.len().min(32));
    let model = ModelProto::decode(bytes).map_err(|error| not_onnx(&begin, &error.to_string()))?;
    let graph = model.graph.ok_or_else(|| not_onnx(&begin, "it has no graph"))?;
    let opset = opset(&model.opset_import)?;
    let metadata = metadata(model.metadata_props)?;
    let producer = format!("{} {}", model.producer_name, model.producer_version).trim().to_owned();
    let mut external = External::new(folder);
    let nodes = nodes(&graph, &Refused::new(model.functions), &mut external)?;
    let constants = constants(&graph, &mut external)?;
    // Before version 4 of the format, initial values were listed as inputs, too.
    let inputs = graph.input.into_iter().filter(|input| !constants.contains_key(&input.name)).collect();
    let (input, output) = (interface::input(inputs)?, interface::output(graph.output)?);
    let nodes = order::sorted(nodes, |name| name == input.name || constants.contains_key(name))?;
    if !nodes.iter().any(|node| node.outputs.contains(&output.name)) {
        return Err(format!("output {:?} is made by no node; export it again", output.name));
    }
    Ok(Model { opset, producer, metadata, input, output, nodes, constants })
}

/// Says what the file seems to be instead.
fn not_onnx(begin: &[u8], error: &str) -> String {
    let seems = match begin {
        [] => "the file is empty; copy or export it again".to_owned(),
        [b'P', b'K', ..] | [0x80, ..] => {
            "this looks like a PyTorch file; export the network with torch.onnx.export".to_owned()
        }
        _ if begin.starts_with(b"version https://git-lfs") => {
            "this is a Git LFS pointer, not the file itself; run `git lfs pull`".to_owned()
        }
        _ => format!("not a complete ONNX file ({error}); copy or export it again"),
    };
    format!("can't be read as ONNX: {seems}")
}

fn opset(imports: &[OperatorSetIdProto]) -> Result<i64, String> {
    let (first, last) = (OPSETS.start(), OPSETS.end());
    let own = imports.iter().filter(|import| refused::domain(&import.domain).is_empty());
    let versions: BTreeSet<i64> = own.map(|import| import.version).collect();
    match versions.iter().collect::<Vec<_>>()[..] {
        [&version] if OPSETS.contains(&version) => Ok(version),
        [version] => {
            Err(format!("is of opset {version}, and {first} to {last} are read; export it with opset_version=18"))
        }
        [] => Err(format!("doesn't say its opset; export it with one of {first} to {last}")),
        _ => Err(format!("says that it is of opsets {versions:?}; export it with one of {first} to {last}")),
    }
}

fn metadata(entries: Vec<StringStringEntryProto>) -> Result<BTreeMap<String, String>, String> {
    let mut metadata = BTreeMap::new();
    for entry in entries {
        if metadata.contains_key(&entry.key) {
            return Err(format!("the metadata has {:?} twice; leave one", entry.key));
        }
        metadata.insert(entry.key, entry.value);
    }
    Ok(metadata)
}

fn nodes(graph: &GraphProto, refused: &Refused, external: &mut External<'_>) -> Result<Vec<Node>, String> {
    let node = |(index, bytes): (usize, &Bytes)| {
        let damaged = |error| format!("node {index} isn't complete ({error}); copy or export it again");
        Node::new(NodeProto::decode(bytes.clone()).map_err(damaged)?, refused, external)
    };
    graph.node.iter().enumerate().map(node).collect()
}

fn constants(graph: &GraphProto, external: &mut External<'_>) -> Result<BTreeMap<String, Array>, String> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map(|values| values.name.as_str()).unwrap_or_default();
        return Err(format!("tensor {name:?} is sparse, which isn't read; export it dense"));
    }
    let mut constants = BTreeMap::new();
    for (index, bytes) in graph.initializer.iter().enumerate() {
        let damaged = |error| format!("tensor {index} isn't complete ({error}); copy or export it again");
        let mut proto = TensorProto::decode(bytes.clone()).map_err(damaged)?;
        let name = std::mem::take(&mut proto.name);
        if name.is_empty() {
            return Err(format!("tensor {index} has no name; export it again"));
        }
        let array = Array::new(proto, external).map_err(|problem| format!("tensor {name:?} {problem}"))?;
        if constants.contains_key(&name) {
            return Err(format!("tensor {name:?} is there twice: names must be unique; export it again"));
        }
        constants.insert(name, array);
    }
    Ok(constants)
}
