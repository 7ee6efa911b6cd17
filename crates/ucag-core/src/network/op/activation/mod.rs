//! Elementwise functions of one input, a file each.

mod abs;
mod celu;
mod clip;
mod elu;
mod erf;
mod exp;
mod gelu;
mod hard_sigmoid;
mod hard_swish;
mod leaky_relu;
mod log;
mod mish;
mod patterns;
mod pow;
mod prelu;
mod reciprocal;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod softsign;
mod sqrt;
mod tanh;

use tch::Tensor;

pub use self::prelu::Prelu;
use super::import::Import;
use super::{Change, Layouts, Op, OpKind, Operation, vjp};
use crate::Result;

/// The activations of ONNX files.
pub(super) static IMPORTS: &[&Import] = &[
    &abs::ONNX,
    &celu::ONNX,
    &clip::ONNX,
    &elu::ONNX,
    &erf::ONNX,
    &exp::ONNX,
    &gelu::ONNX,
    &hard_sigmoid::ONNX,
    &hard_swish::ONNX,
    &leaky_relu::ONNX,
    &log::ONNX,
    &mish::ONNX,
    &pow::ONNX,
    &prelu::ONNX,
    &reciprocal::ONNX,
    &selu::ONNX,
    &sigmoid::ONNX,
    &silu::ONNX,
    &softplus::ONNX,
    &softsign::ONNX,
    &sqrt::ONNX,
    &tanh::ONNX,
];

pub use self::clip::{CLIP, relu6};
pub(super) use self::patterns::as_product;
pub(super) use self::pow::POW as POWER;
pub use self::silu::SILU;
pub(super) use self::sqrt::SQRT as SQUARE_ROOT;

/// `x²`.
pub(super) fn square() -> Activation {
    Activation { function: &pow::POW, parameters: vec![2.0] }
}

/// `√x`.
pub(super) fn square_root() -> Activation {
    Activation { function: &sqrt::SQRT, parameters: vec![] }
}

/// `1/x`.
pub(super) fn reciprocal() -> Activation {
    Activation { function: &reciprocal::RECIPROCAL, parameters: vec![] }
}

/// Every function, with numbers that are usual for it.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static Function, Vec<f64>)> {
    vec![
        (&abs::ABS, vec![]),
        (&celu::CELU, vec![0.7]),
        (&clip::CLIP, vec![0.0, 1.5]),
        (&elu::ELU, vec![0.5]),
        (&erf::ERF, vec![]),
        (&exp::EXP, vec![]),
        (&gelu::GELU, vec![]),
        (&gelu::GELU_TANH, vec![]),
        (&hard_sigmoid::HARD_SIGMOID, vec![1.0 / 6.0, 0.5]),
        (&hard_swish::HARD_SWISH, vec![]),
        (&leaky_relu::LEAKY_RELU, vec![0.1]),
        (&log::LOG, vec![]),
        (&mish::MISH, vec![]),
        (&pow::POW, vec![1.5]),
        (&reciprocal::RECIPROCAL, vec![]),
        (&selu::SELU, vec![1.673_263_2, 1.050_701]),
        (&sigmoid::SIGMOID, vec![]),
        (&silu::SILU, vec![]),
        (&softplus::SOFTPLUS, vec![]),
        (&softsign::SOFTSIGN, vec![]),
        (&sqrt::SQRT, vec![]),
        (&tanh::TANH, vec![]),
    ]
}

/// The derivative of a function at an input x with output y, and its numbers.
pub type Derivative = fn(&Tensor, &Tensor, &[f64]) -> Result<Tensor>;

/// An elementwise function of an input and a few numbers.
#[derive(Debug)]
pub struct Function {
    /// Its name in lists of layers.
    pub name: &'static str,
    /// The function.
    pub apply: fn(&Tensor, &[f64]) -> Result<Tensor>,
    /// Its derivative at an input x with output y; left to autograd where there is none.
    pub derivative: Option<Derivative>,
    /// Returns whether no output is negative, where no input is or any may be.
    pub is_positive: fn(bool, &[f64]) -> bool,
}

/// An elementwise function with its numbers.
#[derive(Debug, Clone)]
pub struct Activation {
    /// The function.
    pub function: &'static Function,
    /// Its numbers, as the function's file has them.
    pub parameters: Vec<f64>,
}

impl Activation {
    /// Returns whether the rules of methods that are defined for ReLU hold here, too: zero below
    /// zero, the identity above.
    pub fn rectifies(&self) -> bool {
        self.is(&CLIP) && self.parameters[0] == 0.0
    }
}

impl Activation {
    /// Returns whether it is this function.
    pub(super) fn is(&self, function: &'static Function) -> bool {
        std::ptr::eq(self.function, function)
    }

    /// Returns whether its outputs are between 0 and 1, whatever the input.
    pub fn is_fraction(&self) -> bool {
        self.is(&sigmoid::SIGMOID) || self.is(&hard_sigmoid::HARD_SIGMOID)
    }
}

impl Operation for Activation {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Activation(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        (self.function.apply)(inputs[0], &self.parameters)
    }

    fn vjp(&self, inputs: &[&Tensor], output: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        match self.function.derivative {
            Some(derivative) => Ok(vec![derivative(inputs[0], output, &self.parameters)?.f_mul_(cotangent)?]),
            None => vjp::by_autograd(&|inputs| self.apply(inputs), inputs, cotangent),
        }
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        Ok(inputs[0].to_vec())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        (self.function.is_positive)(inputs[0], &self.parameters)
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}

/// 1 where a condition holds and 0 elsewhere, of x's type.
fn indicator(condition: &Tensor, x: &Tensor) -> Result<Tensor> {
    Ok(condition.f_to_kind(x.kind())?)
}
