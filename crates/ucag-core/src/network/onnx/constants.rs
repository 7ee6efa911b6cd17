//! Evaluation of nodes that don't depend on the image: shape arithmetic, and weights in another
//! form.

use tch::{Kind, Tensor};

use super::file::{Array, Attribute, Node, Values};
use crate::network::op::import::{Call, Draft, Operand, Term, integers};
use crate::network::op::registry::import;
use crate::network::op::{axis_of, broadcast};
use crate::{Error, Result};

/// A tensor of a file. Weights are in single precision here.
pub(super) fn tensor(array: &Array) -> Result<Tensor> {
    let flat = match &array.values {
        Values::F32(values) => Tensor::f_from_slice(values)?,
        Values::F64(values) => Tensor::f_from_slice(values)?.f_to_kind(Kind::Float)?,
        Values::I64(values) => Tensor::f_from_slice(values)?,
        Values::Bool(values) => Tensor::f_from_slice(values)?,
    };
    Ok(flat.f_reshape(array.shape.as_slice())?)
}

/// Returns the outputs of a node whose operands are all constant.
///
/// # Errors
/// Where the operation isn't known, or doesn't take such operands.
pub(super) fn evaluate(node: &Node, opset: i64, operands: &[Option<Tensor>]) -> Result<Vec<Tensor>> {
    let evaluation = Evaluation { node, operands };
    match evaluation.arithmetic()? {
        Some(value) => Ok(vec![value]),
        None => evaluation.as_layer(opset),
    }
}

/// A node with constant operands.
struct Evaluation<'a> {
    node: &'a Node,
    operands: &'a [Option<Tensor>],
}

impl Evaluation<'_> {
    fn operand(&self, index: usize) -> Result<&Tensor> {
        let missing = || Error::Invalid(format!("its input {} is missing", index + 1));
        self.operands.get(index).and_then(Option::as_ref).ok_or_else(missing)
    }

    /// The one integer that an operand is.
    fn integer(&self, index: usize) -> Result<i64> {
        match integers(self.operand(index)?)?.as_slice() {
            &[value] => Ok(value),
            other => Err(Error::Invalid(format!("its input {} is {other:?}, expected one integer", index + 1))),
        }
    }

    fn int(&self, name: &str, default: i64) -> Result<i64> {
        self.node.int(name, default).map_err(Error::Invalid)
    }

    /// The operations that only shapes and masks are made with. None for one that isn't.
    fn arithmetic(&self) -> Result<Option<Tensor>> {
        let operand = |index| self.operand(index);
        let both = |function: fn(&Tensor, &Tensor) -> Result<Tensor, tch::TchError>| -> Result<Option<Tensor>> {
            Ok(Some(function(operand(0)?, operand(1)?)?))
        };
        let is_integer = |index: usize| self.operand(index).is_ok_and(|value| value.kind() == Kind::Int64);
        Ok(Some(match self.node.op_type.as_str() {
            "Constant" => self.constant()?,
            "ConstantOfShape" => {
                let value = match self.node.attributes.get("value") {
                    Some(Attribute::Tensor(array)) => tensor(array)?.f_reshape([0i64; 0])?,
                    _ => Tensor::from(0.0f32),
                };
                value.f_expand(self.within_bounds(integers(operand(0)?)?)?, false)?.f_contiguous()?
            }
            "Shape" => {
                let size = operand(0)?.size();
                shape(self.node, &size)?
            }
            "Size" => Tensor::from(operand(0)?.numel() as i64),
            "Add" => return both(Tensor::f_add),
            "Sub" => return both(Tensor::f_sub),
            "Mul" => return both(Tensor::f_mul),
            "Div" if is_integer(0) && is_integer(1) => operand(0)?.f_div_tensor_mode(operand(1)?, "trunc")?,
            "Div" => return both(Tensor::f_div),
            "Mod" => return both(Tensor::f_remainder_tensor),
            "Max" | "Min" => {
                let larger = self.node.op_type == "Max";
                let rest = (1..self.operands.len()).map(operand).collect::<Result<Vec<_>>>()?;
                rest.into_iter().try_fold(operand(0)?.shallow_clone(), |value, other| {
                    if larger { value.f_maximum(other) } else { value.f_minimum(other) }
                })?
            }
            "Pow" => return both(Tensor::f_pow),
            "Neg" => operand(0)?.f_neg()?,
            "Abs" => operand(0)?.f_abs()?,
            "Sign" => operand(0)?.f_sign()?,
            "Floor" => operand(0)?.f_floor()?,
            "Ceil" => operand(0)?.f_ceil()?,
            "Round" => operand(0)?.f_round()?,
            "Sqrt" => operand(0)?.f_sqrt()?,
            "Sin" => operand(0)?.f_sin()?,
            "Cos" => operand(0)?.f_cos()?,
            "CumSum" => operand(0)?.f_cumsum(self.integer(1)?, operand(0)?.kind())?,
            "Einsum" => {
                let equation = self.node.text("equation", "").map_err(Error::Invalid)?;
                let parts = (0..self.operands.len()).map(operand).collect::<Result<Vec<_>>>()?;
                Tensor::f_einsum(equation, &parts, None::<i64>)?
            }
            "Not" => operand(0)?.f_logical_not()?,
            "And" => return both(Tensor::f_logical_and),
            "Or" => return both(Tensor::f_logical_or),
            "Xor" => return both(Tensor::f_logical_xor),
            "Equal" => return both(Tensor::f_eq_tensor),
            "Greater" => return both(Tensor::f_gt_tensor),
            "GreaterOrEqual" => return both(Tensor::f_ge_tensor),
            "Less" => return both(Tensor::f_lt_tensor),
            "LessOrEqual" => return both(Tensor::f_le_tensor),
            "Where" => operand(1)?.f_where_self(&operand(0)?.f_to_kind(Kind::Bool)?, operand(2)?)?,
            "Range" => {
                let [start, limit, delta] = [operand(0)?, operand(1)?, operand(2)?];
                let number = |value: &Tensor| value.f_to_kind(Kind::Double)?.f_flatten(0, -1)?.f_double_value(&[0]);
                let (start_at, end, step) = (number(start)?, number(limit)?, number(delta)?);
                let count = ((end - start_at) / step).ceil().max(0.0);
                let count = self.within_bounds(vec![count as i64])?[0];
                Tensor::f_arange(count, (start.kind(), start.device()))?.f_mul(delta)?.f_add(start)?
            }
            "Cast" => operand(0)?.f_to_kind(kind(self.int("to", 1)?)?)?,
            "CastLike" => operand(0)?.f_to_kind(operand(1)?.kind())?,
            "Concat" => {
                let parts = (0..self.operands.len()).map(operand).collect::<Result<Vec<_>>>()?;
                Tensor::f_cat(&parts, self.int("axis", 0)?)?
            }
            "Gather" => {
                let (data, axis) = (operand(0)?, self.int("axis", 0)?);
                let indices = operand(1)?;
                let size = data.size();
                let at = axis_of(axis, size.len())?;
                let counted = indices.f_remainder(size[at])?;
                let taken = data.f_index_select(axis, &counted.f_flatten(0, -1)?)?;
                let shape: Vec<i64> =
                    size[..at].iter().chain(&indices.size()).chain(&size[at + 1..]).copied().collect();
                taken.f_reshape(shape)?
            }
            "Expand" => {
                let sizes = self.within_bounds(integers(operand(1)?)?)?;
                operand(0)?.f_expand(broadcast(&operand(0)?.size(), &sizes)?, false)?
            }
            "Squeeze" if self.operands.len() < 2 && !self.node.attributes.contains_key("axes") => {
                operand(0)?.f_squeeze()?
            }
            "Tile" => operand(0)?.f_tile(self.within_bounds(integers(operand(1)?)?)?)?,
            "ReduceProd" => operand(0)?.f_prod(operand(0)?.kind())?.f_reshape([1i64])?,
            "NonZero" => operand(0)?.f_nonzero()?.f_transpose(0, 1)?,
            "Trilu" => {
                let diagonal = if self.operands.len() > 1 { self.integer(1)? } else { 0 };
                match self.int("upper", 1)? {
                    0 => operand(0)?.f_tril(diagonal)?,
                    _ => operand(0)?.f_triu(diagonal)?,
                }
            }
            _ => return Ok(None),
        }))
    }

    fn constant(&self) -> Result<Tensor> {
        let attribute = self.node.attributes.values().next();
        Ok(match attribute {
            Some(Attribute::Tensor(array)) => tensor(array)?,
            Some(Attribute::Int(value)) => Tensor::from(*value),
            Some(Attribute::Float(value)) => Tensor::from(*value),
            Some(Attribute::Ints(values)) => Tensor::f_from_slice(values)?,
            Some(Attribute::Floats(values)) => Tensor::f_from_slice(values)?,
            _ => return Err(Error::Invalid("it holds no tensor".into())),
        })
    }

    /// Refuses sizes of tensors that no network has.
    fn within_bounds(&self, sizes: Vec<i64>) -> Result<Vec<i64>> {
        let count = sizes.iter().try_fold(1i64, |count, &size| count.checked_mul(size.max(1)));
        match count.is_some_and(|count| count <= LARGEST) && sizes.iter().all(|&size| size >= 0) {
            true => Ok(sizes),
            false => Err(Error::Invalid(format!("it makes a tensor of the shape {sizes:?}"))),
        }
    }

    /// As the layer that it would be on activations.
    fn as_layer(&self, opset: i64) -> Result<Vec<Tensor>> {
        let Some(entry) = import(&self.node.op_type) else {
            return Err(unknown(&self.node.op_type));
        };
        let first = self.operand(0)?;
        let draft = Draft {
            op: crate::network::Input { channels: 0 }.into(),
            inputs: vec![],
            shape: first.size(),
            sized: false,
            origin: None,
        };
        let constant = |value: &Tensor| Operand::Constant { value: value.shallow_clone(), sized: false };
        let mut operands: Vec<Option<Operand>> =
            self.operands.iter().map(|operand| operand.as_ref().map(constant)).collect();
        operands[0] = Some(Operand::Activation(0));
        let call = Call { node: self.node, opset, operands, drafts: &[draft], sized: Default::default() };
        (entry.build)(&call)?.0.into_iter().map(|term| apply(term, first)).collect()
    }
}

/// Applies a term to the only operand there is.
fn apply(term: Term, operand: &Tensor) -> Result<Tensor> {
    match term {
        Term::Operand(0) | Term::Draft(0) => Ok(operand.shallow_clone()),
        Term::Operand(_) | Term::Draft(_) => Err(Error::Internal("a constant has one operand")),
        Term::Apply(op, inputs) => {
            let inputs = inputs.into_iter().map(|input| apply(input, operand)).collect::<Result<Vec<_>>>()?;
            op.apply(&inputs.iter().collect::<Vec<_>>())
        }
    }
}

/// The sizes that a `Shape` node returns of a tensor.
///
/// # Errors
/// Where an attribute is no integer.
pub(super) fn shape(node: &Node, size: &[i64]) -> Result<Tensor> {
    let rank = size.len() as i64;
    let bound = |name: &str, default: i64| -> Result<usize> {
        let at = node.int(name, default).map_err(Error::Invalid)?;
        Ok(if at < 0 { at + rank } else { at }.clamp(0, rank) as usize)
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    Ok(Tensor::f_from_slice(size.get(start..end).unwrap_or_default())?)
}

/// The error for an operation that isn't known.
pub(super) fn unknown(op_type: &str) -> Error {
    let hint =
        crate::suggest::hint(crate::suggest::nearest(op_type, crate::network::op::registry::op_types()).as_deref());
    Error::Invalid(format!(
        "the operation {op_type} isn't known{hint}; docs/networks.md lists those that are. As TorchScript the network can be run by methods that need no layers"
    ))
}

/// Entries of the largest tensor that arithmetic may make.
const LARGEST: i64 = 1 << 22;

/// The type of a number in ONNX.
fn kind(number: i64) -> Result<Kind> {
    match number {
        1 | 10 | 11 | 16 => Ok(Kind::Float),
        2..=7 | 12 | 13 => Ok(Kind::Int64),
        9 => Ok(Kind::Bool),
        other => Err(Error::Invalid(format!("it casts to ONNX's type {other}"))),
    }
}
