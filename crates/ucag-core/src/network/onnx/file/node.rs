//! Nodes of a file's graph.

use std::collections::BTreeMap;

use prost::Message;

use super::attribute::{Attribute, kind};
use super::external::External;
use super::proto::{AttributeProto, NodeProto};
use super::refused::{self, Refused};
use super::scope::Scope;
use super::tensor::Array;

/// An operation of ONNX's own domain.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// The operation: `Conv`.
    pub op_type: String,
    /// Its name, which may be empty.
    pub name: String,
    /// Names of the values that it reads. Those left out are empty.
    pub inputs: Vec<String>,
    /// Names of the values that it makes. Those that nobody asks for may be empty.
    pub outputs: Vec<String>,
    /// Its attributes; those that have their default may be missing.
    pub attributes: BTreeMap<String, Attribute>,
    /// The place in a PyTorch program that it came from.
    pub scope: Scope,
}

impl Node {
    /// Reads a node.
    ///
    /// # Errors
    /// A message that names the node.
    pub(super) fn new(proto: NodeProto, refused: &Refused, external: &mut External<'_>) -> Result<Self, String> {
        let scope = Scope::new(&proto.metadata_props);
        let mut node = Self {
            op_type: proto.op_type,
            name: proto.name,
            inputs: proto.input,
            outputs: proto.output,
            attributes: BTreeMap::new(),
            scope,
        };
        if node.op_type.is_empty() {
            return Err(format!("{} has no operation; export it again", node.describe()));
        }
        if let Some(problem) = refused.problem(&node.op_type, &proto.domain) {
            return Err(format!("{} {problem}", node.describe()));
        }
        for bytes in proto.attribute {
            let damaged = |error| format!("{} isn't complete ({error}); copy or export it again", node.describe());
            let mut attribute = AttributeProto::decode(bytes).map_err(damaged)?;
            if matches!(attribute.r#type, kind::GRAPH | kind::GRAPHS) {
                return Err(format!("{} {}", node.describe(), refused::GRAPH));
            }
            let name = std::mem::take(&mut attribute.name);
            let wrong = |problem: &str| format!("{}, attribute {name:?}: {problem}", node.describe());
            let value = Attribute::new(attribute, external).map_err(|problem| wrong(&problem))?;
            if node.attributes.contains_key(&name) {
                return Err(wrong("is there twice; export it again"));
            }
            node.attributes.insert(name, value);
        }
        Ok(node)
    }

    /// Describes the node, in messages: `node "conv1" (Conv)`.
    pub fn describe(&self) -> String {
        let op_type = if self.op_type.is_empty() { "no operation" } else { &self.op_type };
        match self.outputs.iter().find(|output| !output.is_empty()) {
            Some(output) if self.name.is_empty() => format!("the node of {output:?} ({op_type})"),
            _ => format!("node {:?} ({op_type})", self.name),
        }
    }

    /// Returns a number, which is `default` where it is missing.
    ///
    /// # Errors
    /// A message that names node and attribute, where the attribute is none.
    pub fn float(&self, name: &str, default: f32) -> Result<f32, String> {
        let value =
            self.get(name, "a number", |value| if let Attribute::Float(x) = value { Some(*x) } else { None })?;
        Ok(value.unwrap_or(default))
    }

    /// Returns a whole number, which is `default` where it is missing.
    ///
    /// # Errors
    /// As [`Node::float`].
    pub fn int(&self, name: &str, default: i64) -> Result<i64, String> {
        let value =
            self.get(name, "a whole number", |value| if let Attribute::Int(x) = value { Some(*x) } else { None })?;
        Ok(value.unwrap_or(default))
    }

    /// Returns a text, which is `default` where it is missing.
    ///
    /// # Errors
    /// As [`Node::float`].
    pub fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, String> {
        let value = self.get(name, "a text", |value| if let Attribute::Text(x) = value { Some(x) } else { None })?;
        Ok(value.map_or(default, String::as_str))
    }

    /// Returns whole numbers, or none where they are missing.
    ///
    /// # Errors
    /// As [`Node::float`].
    pub fn ints(&self, name: &str) -> Result<Option<&[i64]>, String> {
        self.get(name, "a list of whole numbers", |value| {
            if let Attribute::Ints(x) = value { Some(x.as_slice()) } else { None }
        })
    }

    /// Returns a tensor, or none where it is missing.
    ///
    /// # Errors
    /// As [`Node::float`].
    pub fn tensor(&self, name: &str) -> Result<Option<&Array>, String> {
        self.get(name, "a tensor", |value| if let Attribute::Tensor(x) = value { Some(x) } else { None })
    }

    fn get<'a, T>(
        &'a self,
        name: &str,
        kind: &str,
        of: impl Fn(&'a Attribute) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.attributes.get(name) else { return Ok(None) };
        match of(value) {
            Some(value) => Ok(Some(value)),
            None => Err(format!(
                "{}, attribute {name:?}: is {} and should be {kind}; export it again",
                self.describe(),
                value.kind()
            )),
        }
    }
}
