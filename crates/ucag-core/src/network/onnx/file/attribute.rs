//! Attributes of nodes.

use prost::bytes::Bytes;

use super::external::External;
use super::proto::AttributeProto;
use super::tensor::Array;

/// Numbers of the kinds of attributes that are read, in `AttributeProto.AttributeType`.
pub(super) mod kind {
    pub(crate) const FLOAT: i32 = 1;
    pub(crate) const INT: i32 = 2;
    pub(crate) const STRING: i32 = 3;
    pub(crate) const TENSOR: i32 = 4;
    pub(crate) const GRAPH: i32 = 5;
    pub(crate) const FLOATS: i32 = 6;
    pub(crate) const INTS: i32 = 7;
    pub(crate) const STRINGS: i32 = 8;
    pub(crate) const GRAPHS: i32 = 10;
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f32),
    /// A text.
    Text(String),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Texts.
    Texts(Vec<String>),
    /// A tensor.
    Tensor(Array),
}

impl Attribute {
    /// Reads a value, which isn't a graph.
    ///
    /// # Errors
    /// The end of a sentence about the attribute.
    pub(super) fn new(proto: AttributeProto, external: &mut External<'_>) -> Result<Self, String> {
        if !proto.ref_attr_name.is_empty() {
            return Err("refers to an attribute of a function, and is in none; export it again".into());
        }
        Ok(match proto.r#type {
            kind::FLOAT => Self::Float(proto.f),
            kind::INT => Self::Int(proto.i),
            kind::STRING => Self::Text(text(&proto.s)?),
            kind::FLOATS => Self::Floats(proto.floats),
            kind::INTS => Self::Ints(proto.ints),
            kind::STRINGS => Self::Texts(proto.strings.iter().map(text).collect::<Result<_, _>>()?),
            kind::TENSOR => match proto.t {
                Some(tensor) => Self::Tensor(Array::new(*tensor, external)?),
                None => return Err("should be a tensor, and isn't there; export it again".into()),
            },
            0 => return Err("doesn't say its type; export it again".into()),
            other => {
                return Err(format!("is of type {other}; only numbers, texts, lists of them and tensors are read"));
            }
        })
    }

    /// Describes the kind of value, in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Ints(_) => "a list of whole numbers",
            Self::Floats(_) => "a list of numbers",
            Self::Texts(_) => "a list of texts",
            Self::Tensor(_) => "a tensor",
        }
    }
}

fn text(bytes: &Bytes) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "is a text that isn't UTF-8".into())
}
