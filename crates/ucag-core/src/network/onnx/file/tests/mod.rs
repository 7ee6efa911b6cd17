//! Small files, made of the messages that are read.

mod bad_graph;
mod bad_tensor;
mod good;
mod outside;

use prost::Message;
use prost::bytes::Bytes;

use super::attribute::kind;
use super::proto::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};

/// A file before its parts are encoded.
#[derive(Clone)]
struct Parts {
    /// All but nodes and tensors.
    model: ModelProto,
    graph: GraphProto,
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl Parts {
    /// A convolution, its positive part, and the mean over positions: `[N, 3, H, 8]` to `[N, 2]`.
    fn small() -> Self {
        let model = ModelProto {
            ir_version: 8,
            producer_name: "hand".into(),
            producer_version: "1".into(),
            opset_import: vec![opset("", 17)],
            metadata_props: vec![entry("mean", "0,0,0")],
            ..Default::default()
        };
        let graph = GraphProto {
            input: vec![value("x", 1, Some(&[Err("N"), Ok(3), Err(""), Ok(8)]))],
            output: vec![value("logits", 1, Some(&[Err("N"), Ok(2)]))],
            ..Default::default()
        };
        let nodes = vec![
            NodeProto {
                attribute: encoded(&[ints("pads", &[0; 4])]),
                ..node("Conv", "conv1", &["x", "w", ""], &["a"])
            },
            node("Relu", "relu1", &["a"], &["b"]),
            node("GlobalAveragePool", "pool", &["b"], &["c"]),
            NodeProto { attribute: encoded(&[int("axis", 1)]), ..node("Flatten", "", &["c"], &["logits"]) },
        ];
        let weights = [1.0_f32, -2.0, 3.0, 0.5, 0.25, -0.125];
        let weight = TensorProto {
            raw_data: weights.into_iter().flat_map(f32::to_le_bytes).collect(),
            ..tensor("w", 1, &[2, 3, 1, 1])
        };
        Self { model, graph, nodes, tensors: vec![weight] }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut graph = self.graph.clone();
        graph.node = encoded(&self.nodes);
        graph.initializer = encoded(&self.tensors);
        ModelProto { graph: Some(graph), ..self.model.clone() }.encode_to_vec()
    }

    /// Reads the file, which must be refused.
    fn problem(&self) -> String {
        super::decode(&self.bytes(), None).expect_err("a bad file was read")
    }
}

/// Asserts that the small file is refused in these words once it is changed.
#[track_caller]
fn refuses(change: impl FnOnce(&mut Parts), words: &str) {
    let mut parts = Parts::small();
    change(&mut parts);
    let problem = parts.problem();
    assert!(problem.contains(words), "{problem:?} doesn't say {words:?}");
}

fn encoded(messages: &[impl Message]) -> Vec<Bytes> {
    messages.iter().map(|message| message.encode_to_vec().into()).collect()
}

fn opset(domain: &str, version: i64) -> OperatorSetIdProto {
    OperatorSetIdProto { domain: domain.into(), version }
}

fn entry(key: &str, value: &str) -> StringStringEntryProto {
    StringStringEntryProto { key: key.into(), value: value.into() }
}

fn node(op_type: &str, name: &str, input: &[&str], output: &[&str]) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    NodeProto {
        op_type: op_type.into(),
        name: name.into(),
        input: names(input),
        output: names(output),
        ..Default::default()
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind, ..Default::default() }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { i, ..attribute(name, kind::INT) }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { ints: ints.into(), ..attribute(name, kind::INTS) }
}

/// A tensor without its values.
fn tensor(name: &str, data_type: i32, dims: &[i64]) -> TensorProto {
    TensorProto { name: name.into(), data_type, dims: dims.into(), ..Default::default() }
}

/// An input or output; its sides are numbers or names.
fn value(name: &str, elem_type: i32, dims: Option<&[Result<i64, &str>]>) -> ValueInfoProto {
    let dim = |side: &Result<i64, &str>| Dimension {
        dim_value: side.ok(),
        dim_param: side.err().filter(|name| !name.is_empty()).map(Into::into),
    };
    let shape = dims.map(|dims| TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor_type = Some(TensorType { elem_type, shape });
    ValueInfoProto { name: name.into(), r#type: Some(Box::new(TypeProto { tensor_type, ..Default::default() })) }
}
