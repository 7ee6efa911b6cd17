//! The input and output of a file's graph.

use super::data_type;
use super::proto::{Dimension, TensorType, TypeProto, ValueInfoProto};

/// `FLOAT`, the type of images and logits.
const FLOAT: i32 = 1;

/// Inputs or outputs that a message names.
const NAMED: usize = 4;

/// An input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// Its sides: four of an input. None of an output of which the file doesn't say any.
    pub dims: Vec<Dim>,
}

/// A side of an input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    /// A length.
    Fixed(i64),
    /// Any length; sides of the same name are equally long. The name may be empty.
    Free(String),
}

/// Reads the one input, which is a batch of images.
///
/// # Errors
/// Where there is any other number of them, or it is something else.
pub(super) fn input(inputs: Vec<ValueInfoProto>) -> Result<ValueInfo, String> {
    let proto = one(inputs, "input", "a batch of images")?;
    let problem = |problem: String| format!("input {:?} {problem}", proto.name);
    let tensor = tensor(proto.r#type, "a tensor of images").map_err(problem)?;
    let tensor = tensor.ok_or_else(|| problem("has no type; export it again".into()))?;
    if tensor.elem_type != FLOAT {
        let found = data_type::name(tensor.elem_type);
        let remedy = "export the network in float32, for images that are already normalised";
        return Err(problem(format!("is of type {found}, and should be FLOAT; {remedy}")));
    }
    let Some(shape) = tensor.shape else {
        return Err(problem("has no shape; export it for [batch, channels, height, width]".into()));
    };
    if shape.dim.len() != 4 {
        let remedy = "export it for [batch, channels, height, width]";
        return Err(problem(format!("has {} axes, and should have 4; {remedy}", shape.dim.len())));
    }
    Ok(ValueInfo { dims: dims(shape.dim).map_err(problem)?, name: proto.name })
}

/// Reads the one output, which is logits.
///
/// # Errors
/// As [`input`].
pub(super) fn output(outputs: Vec<ValueInfoProto>) -> Result<ValueInfo, String> {
    let proto = one(outputs, "output", "the logits")?;
    let problem = |problem: String| format!("output {:?} {problem}", proto.name);
    // Files whose outputs have no type are about; the operations say what they are.
    let tensor = tensor(proto.r#type, "a tensor of logits").map_err(problem)?;
    let tensor = tensor.unwrap_or(TensorType { elem_type: FLOAT, shape: None });
    if tensor.elem_type != FLOAT {
        let found = data_type::name(tensor.elem_type);
        let remedy = "export the network in float32, up to its logits";
        return Err(problem(format!("is of type {found}, and should be FLOAT; {remedy}")));
    }
    let shape = tensor.shape.map(|shape| shape.dim).unwrap_or_default();
    Ok(ValueInfo { dims: dims(shape).map_err(problem)?, name: proto.name })
}

fn one(mut protos: Vec<ValueInfoProto>, what: &str, meaning: &str) -> Result<ValueInfoProto, String> {
    let mut names: Vec<String> = protos.iter().take(NAMED).map(|proto| format!("{:?}", proto.name)).collect();
    names.extend((protos.len() > NAMED).then(|| "…".to_owned()));
    match (protos.pop(), protos.len()) {
        (None, _) => Err(format!("the graph has no {what}; export it with one, {meaning}")),
        (Some(proto), 0) if proto.name.is_empty() => Err(format!("the {what} has no name; export it again")),
        (Some(proto), 0) => Ok(proto),
        _ => Err(format!("the graph has several {what}s ({}); export it with one, {meaning}", names.join(", "))),
    }
}

fn tensor(proto: Option<Box<TypeProto>>, wanted: &str) -> Result<Option<TensorType>, String> {
    let Some(proto) = proto else { return Ok(None) };
    let others = [
        (proto.sequence_type, "a sequence"),
        (proto.map_type, "a map"),
        (proto.opaque_type, "of an opaque type"),
        (proto.sparse_tensor_type, "a sparse tensor"),
        (proto.optional_type, "optional"),
    ];
    match others.into_iter().find(|(other, _)| other.is_some()) {
        Some((_, other)) => Err(format!("is {other}, and should be {wanted}; export the network that way")),
        None => Ok(proto.tensor_type),
    }
}

fn dims(protos: Vec<Dimension>) -> Result<Vec<Dim>, String> {
    let dim = |proto: Dimension| match proto.dim_value {
        Some(side) if side < 1 => Err(format!("has a side of {side}; export it with that side free or at least 1")),
        Some(side) => Ok(Dim::Fixed(side)),
        None => Ok(Dim::Free(proto.dim_param.unwrap_or_default())),
    };
    protos.into_iter().map(dim).collect()
}
