//! Operations: the function of a node, its vector-Jacobian product, its shape and its weights.
//!
//! An operation is one file here. Rules and fusions don't know operations, but [`OpKind`]s of them.
//! An operation of ONNX files is also a line in the registry.

pub mod activation;
mod adaptive_pool;
mod adaptive_windows;
mod add;
mod affine;
mod batch_norm;
mod concat;
mod conv;
mod expand;
mod flatten;
mod gather;
mod group_norm;
mod identity;
pub(super) mod import;
mod input;
mod layer_norm;
mod linear;
mod local_response_norm;
mod matmul;
mod minmax;
mod pad;
mod permute;
mod pool;
mod product;
mod reduce;
pub(super) mod registry;
mod relu;
mod reshape;
mod resize;
mod select;
mod shapes;
mod slice;
mod softmax;
#[cfg(test)]
mod tests;
mod vjp;

use std::any::Any;
use std::ops::Deref;

use tch::Tensor;

pub use self::activation::{Activation, Prelu};
pub use self::adaptive_pool::AdaptiveAvgPool;
pub use self::adaptive_windows::AdaptiveWindows;
pub use self::add::Add;
pub use self::affine::Affine;
pub use self::batch_norm::BatchNorm;
pub use self::concat::Concat;
pub use self::conv::{Conv, ConvPadding};
pub use self::expand::Expand;
pub use self::flatten::Flatten;
pub use self::gather::Gather;
pub use self::group_norm::GroupNorm;
pub use self::identity::Dropout;
pub use self::input::Input;
pub use self::layer_norm::LayerNorm;
pub use self::linear::Linear;
pub use self::local_response_norm::LocalResponseNorm;
pub use self::matmul::MatMul;
pub use self::pad::{Fill, Pad};
pub use self::permute::Permute;
pub use self::pool::{AvgPool, MaxPool, Pool};
pub use self::product::Product;
pub use self::reduce::{Reduce, Reduction};
pub use self::relu::Relu;
pub use self::reshape::Reshape;
pub use self::resize::{Interpolation, Resize, Size};
pub(super) use self::shapes::{axis_of, broadcast};
pub use self::slice::Slice;
pub use self::softmax::Softmax;
use super::Scripted;
use crate::Result;

/// Another tensor in a weight's place.
pub type Change<'a> = dyn Fn(&Tensor) -> Result<Tensor> + 'a;

/// The function of a node. Weights are float tensors that never require gradients.
pub trait Operation: Any + Send + std::fmt::Debug {
    /// Returns the kind, by which rules and fusions tell operations apart.
    fn kind(&self) -> OpKind<'_>;

    /// Applies the operation to its inputs.
    ///
    /// # Errors
    /// Where libtorch refuses the shapes, for instance where a view is too small for the network.
    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor>;

    /// Returns the products of `cotangent` (of the output's shape) with the Jacobian with respect
    /// to each input. `output` is what [`Operation::apply`] gave for `inputs`. Left to autograd
    /// where an operation doesn't write it out.
    ///
    /// # Errors
    /// As [`Operation::apply`].
    fn vjp(&self, inputs: &[&Tensor], _output: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        vjp::by_autograd(&|inputs| self.apply(inputs), inputs, cotangent)
    }

    /// Returns the output's shape for inputs of these shapes.
    ///
    /// # Errors
    /// Where the operation doesn't take such inputs.
    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>>;

    /// Returns the same operation with each weight as `change` gives it.
    ///
    /// # Errors
    /// As `change`.
    fn with_weights(&self, change: &Change<'_>) -> Result<Op>;

    /// Returns the output for zeros, of a shape that broadcasts to the output's; nothing where that
    /// is zeros.
    ///
    /// # Errors
    /// Where libtorch fails.
    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Returns whether no entry of the output can be negative, where `inputs` says that of each
    /// input.
    fn is_positive(&self, _inputs: &[bool]) -> bool {
        false
    }

    /// Returns the output, written where the input is, for an input that nothing else reads;
    /// nothing where the operation can't.
    ///
    /// # Errors
    /// As [`Operation::apply`].
    fn apply_in_place(&self, _input: &Tensor) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// Returns the memory layouts that the operation works in as well as in the usual one.
    fn layouts(&self) -> Layouts {
        Layouts::Usual
    }

    /// Returns whether the output may share memory with the input.
    fn is_view(&self) -> bool {
        false
    }

    /// Returns input positions for each output position, vertically and horizontally.
    fn stride(&self) -> [i64; 2] {
        [1, 1]
    }
}

/// The kind of an operation, for rules and fusions.
#[derive(Debug, Clone, Copy)]
pub enum OpKind<'a> {
    /// The batch of views.
    Input,
    /// A convolution.
    Conv(&'a Conv),
    /// A fully connected layer, on the last axis.
    Linear(&'a Linear),
    /// Normalization with running statistics.
    BatchNorm(&'a BatchNorm),
    /// Normalization with the image's own statistics.
    Normalization,
    /// A scale and a shift that don't depend on the image.
    Affine,
    /// `max(x, 0)`.
    Relu,
    /// Another elementwise function of one input.
    Activation(&'a Activation),
    /// A maximum over a window, or over all positions.
    MaxPool,
    /// A mean or sum over a window, or over all positions.
    MeanPool,
    /// A sum of inputs.
    Sum,
    /// A product of two inputs, entry by entry.
    Product(&'a Product),
    /// A matrix product of two inputs.
    MatMul,
    /// Exponentials over their sum.
    Softmax,
    /// A concatenation of inputs.
    Concat,
    /// The same entries in another shape or order, some of them, or some more than once.
    Reshape,
    /// The identity in evaluation.
    Identity,
    /// A whole classifier that came as TorchScript.
    Scripted(&'a Scripted),
}

/// Memory layouts of tensors, from the usual one to all that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layouts {
    /// One channel after the other.
    Usual,
    /// Also with the channels of a pixel next to each other.
    ChannelsLast,
    /// Also oneDNN's own.
    Blocked,
}

/// Any operation.
#[derive(Debug)]
pub struct Op(Box<dyn Operation>);

impl Op {
    /// Returns the operation as one of a type, where it is that.
    pub fn downcast_ref<T: Operation>(&self) -> Option<&T> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }

    /// Returns whether it is an operation of a type.
    pub fn is<T: Operation>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }
}

impl<T: Operation> From<T> for Op {
    fn from(operation: T) -> Self {
        Op(Box::new(operation))
    }
}

impl Deref for Op {
    type Target = dyn Operation;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
