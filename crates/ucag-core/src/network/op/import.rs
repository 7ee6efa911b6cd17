//! The way from a node of an ONNX file to operations.

use std::cell::Cell;

use tch::{Kind, Tensor};

use super::{Activation, Op};
use crate::network::onnx::file::Node;
use crate::{Error, Result};

pub(super) use super::activation::Function;

/// The entry of an ONNX operation: its name, and how a node of it becomes operations.
pub(crate) struct Import {
    pub(crate) op_type: &'static str,
    pub(crate) build: fn(&Call<'_>) -> Result<Built>,
}

impl Import {
    /// An entry.
    pub(super) const fn new(op_type: &'static str, build: fn(&Call<'_>) -> Result<Built>) -> Self {
        Self { op_type, build }
    }
}

/// An operand of a node.
pub(crate) enum Operand {
    /// Depends on the image: a node of the graph.
    Activation(usize),
    /// A tensor that doesn't.
    Constant {
        /// The tensor.
        value: Tensor,
        /// True if it may be another for views of another size.
        sized: bool,
    },
}

/// A node of the graph while it is built.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) op: Op,
    pub(crate) inputs: Vec<usize>,
    /// Its output's shape.
    pub(crate) shape: Vec<i64>,
    /// True if its operation may be another for views of another size.
    pub(crate) sized: bool,
    /// The node of the file that it comes from.
    pub(crate) origin: Option<usize>,
}

/// A node of a file, with its operands, on the way into a graph.
pub(crate) struct Call<'a> {
    pub(crate) node: &'a Node,
    /// Version of the operator set.
    pub(crate) opset: i64,
    /// An operand for each input; none where an optional one is left out.
    pub(crate) operands: Vec<Option<Operand>>,
    /// The graph so far.
    pub(crate) drafts: &'a [Draft],
    /// True once a constant was read that depends on the size of the views.
    pub(crate) sized: Cell<bool>,
}

/// The operations of a node's output.
#[derive(Debug)]
pub(crate) enum Term {
    /// An operand as it is.
    Operand(usize),
    /// A node of the graph so far.
    Draft(usize),
    /// An operation on others.
    Apply(Op, Vec<Term>),
}

impl Term {
    /// An operation on the first operand.
    pub(crate) fn first(op: impl Into<Op>) -> Self {
        Term::Apply(op.into(), vec![Term::Operand(0)])
    }

    /// An operation on this.
    pub(crate) fn then(self, op: impl Into<Op>) -> Self {
        Term::Apply(op.into(), vec![self])
    }
}

/// A term for each output of a node.
#[derive(Debug)]
pub(crate) struct Built(pub(crate) Vec<Term>);

impl Built {
    /// An operation on the first operand.
    pub(super) fn one(op: impl Into<Op>) -> Self {
        Built(vec![Term::first(op)])
    }
}

impl From<Term> for Built {
    fn from(term: Term) -> Self {
        Built(vec![term])
    }
}

/// An elementwise function of the first operand.
pub(super) fn activation(function: &'static Function, parameters: Vec<f64>) -> Built {
    Built::one(Activation { function, parameters })
}

impl Call<'_> {
    /// Returns whether an operand is there.
    pub(super) fn has(&self, index: usize) -> bool {
        self.operands.get(index).is_some_and(Option::is_some)
    }

    /// Returns whether an operand is there and doesn't depend on the image.
    pub(super) fn is_constant(&self, index: usize) -> bool {
        matches!(self.operands.get(index), Some(Some(Operand::Constant { .. })))
    }

    /// The node of an operand that depends on the image.
    ///
    /// # Errors
    /// Where it doesn't.
    pub(super) fn source(&self, index: usize) -> Result<usize> {
        match self.operands.get(index) {
            Some(&Some(Operand::Activation(id))) => Ok(id),
            _ => Err(Error::Invalid(format!("its input {} doesn't depend on the image", index + 1))),
        }
    }

    /// Shape of an operand that depends on the image.
    ///
    /// # Errors
    /// As [`Call::source`].
    pub(super) fn shape(&self, index: usize) -> Result<&[i64]> {
        Ok(&self.drafts[self.source(index)?].shape)
    }

    /// The value of an operand that doesn't depend on the image.
    ///
    /// # Errors
    /// Where it does, or isn't there.
    pub(super) fn constant(&self, index: usize) -> Result<Tensor> {
        match self.operands.get(index) {
            Some(Some(Operand::Constant { value, sized })) => {
                self.sized.set(self.sized.get() | *sized);
                Ok(value.shallow_clone())
            }
            Some(Some(Operand::Activation(_))) => {
                Err(Error::Invalid(format!("its input {} must not depend on the image", index + 1)))
            }
            _ => Err(Error::Invalid(format!("its input {} is missing", index + 1))),
        }
    }

    /// The constant where there is one.
    ///
    /// # Errors
    /// Where it depends on the image.
    pub(super) fn optional(&self, index: usize) -> Result<Option<Tensor>> {
        self.has(index).then(|| self.constant(index)).transpose()
    }

    /// The one number that a constant is.
    ///
    /// # Errors
    /// Where it is several.
    pub(super) fn number(&self, index: usize) -> Result<f64> {
        let value = self.constant(index)?;
        match value.numel() {
            1 => Ok(value.f_to_kind(Kind::Double)?.f_flatten(0, -1)?.f_double_value(&[0])?),
            _ => Err(Error::Invalid(format!(
                "its input {} has the shape {:?}, expected one number",
                index + 1,
                value.size()
            ))),
        }
    }

    /// [`Call::number`] where there is one.
    ///
    /// # Errors
    /// As [`Call::number`].
    pub(super) fn optional_number(&self, index: usize) -> Result<Option<f64>> {
        self.has(index).then(|| self.number(index)).transpose()
    }

    /// The integers that a constant holds.
    ///
    /// # Errors
    /// Where it depends on the image or holds other numbers.
    pub(super) fn integers(&self, index: usize) -> Result<Vec<i64>> {
        integers(&self.constant(index)?)
    }

    /// The axes of a node: an attribute, and an input in later operator sets.
    ///
    /// # Errors
    /// As [`Call::integers`].
    pub(super) fn axes(&self, input: usize) -> Result<Option<Vec<i64>>> {
        match self.ints("axes")? {
            Some(axes) => Ok(Some(axes)),
            None => self.has(input).then(|| self.integers(input)).transpose(),
        }
    }

    /// An attribute.
    ///
    /// # Errors
    /// Where it is of another type.
    pub(super) fn float(&self, name: &str, default: f32) -> Result<f32> {
        self.node.float(name, default).map_err(Error::Invalid)
    }

    /// An attribute.
    ///
    /// # Errors
    /// Where it is of another type.
    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64> {
        self.node.int(name, default).map_err(Error::Invalid)
    }

    /// An attribute, where it is there.
    ///
    /// # Errors
    /// Where it is of another type.
    pub(super) fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        Ok(self.node.ints(name).map_err(Error::Invalid)?.map(<[i64]>::to_vec))
    }

    /// An attribute of two numbers of pixels, vertical and horizontal, each at least 1.
    ///
    /// # Errors
    /// Where it is of another type, or of another number of axes.
    pub(super) fn pair(&self, name: &str, default: i64) -> Result<[i64; 2]> {
        match self.ints(name)?.as_deref() {
            None => Ok([default; 2]),
            Some(&[vertical, horizontal]) if [vertical, horizontal].iter().all(|side| (1..=WIDEST).contains(side)) => {
                Ok([vertical, horizontal])
            }
            Some(other) => Err(Error::Invalid(format!("{name} is {other:?}, expected two numbers of pixels"))),
        }
    }

    /// The attribute `pads`: pixels at the top, left, bottom and right, none of them negative.
    ///
    /// # Errors
    /// As [`Call::pair`].
    pub(super) fn pads(&self) -> Result<[i64; 4]> {
        match self.ints("pads")?.as_deref() {
            None => Ok([0; 4]),
            Some(&[top, left, bottom, right])
                if [top, left, bottom, right].iter().all(|side| (0..=WIDEST).contains(side)) =>
            {
                Ok([top, left, bottom, right])
            }
            Some(other) => Err(Error::Invalid(format!("pads are {other:?}, expected four numbers of pixels"))),
        }
    }

    /// An attribute.
    ///
    /// # Errors
    /// Where it is of another type.
    pub(super) fn text(&self, name: &str, default: &'static str) -> Result<String> {
        Ok(self.node.text(name, default).map_err(Error::Invalid)?.to_owned())
    }
}

/// Pixels of the widest kernel, step or border.
pub(super) const WIDEST: i64 = 1 << 14;

/// The integers of a tensor.
pub(crate) fn integers(value: &Tensor) -> Result<Vec<i64>> {
    if value.kind() != Kind::Int64 {
        return Err(Error::Invalid(format!("expected integers, not {:?}", value.kind())));
    }
    Ok(Vec::<i64>::try_from(&value.f_flatten(0, -1)?.f_contiguous()?)?)
}
