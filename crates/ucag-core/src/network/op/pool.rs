//! Pools: maxima and means over windows.

use tch::Tensor;

use super::import::{Built, Call, Import};
use super::vjp::{channels_first, channels_last};
use super::{Change, Layouts, Op, OpKind, Operation, shapes};
use crate::Result;

/// The windows of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Sides of a window, vertical and horizontal.
    pub kernel: [i64; 2],
    /// Step per axis.
    pub stride: [i64; 2],
    /// Padding on each side, vertical and horizontal.
    pub padding: [i64; 2],
    /// True if a last, partial window counts.
    pub ceil: bool,
}

impl Pool {
    /// A square window.
    pub fn square(kernel: i64, stride: i64, padding: i64, ceil: bool) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2], ceil }
    }

    /// Returns the output's shape for an input of this shape.
    fn shape(&self, input: &[i64], dilation: [i64; 2]) -> Result<Vec<i64>> {
        let &[batch, channels, height, width] = input else {
            return shapes::refuse(format!("a pool reads [B, C, h, w], not {input:?}"));
        };
        let side = |axis: usize, side: i64| {
            let (stride, padding) = (self.stride[axis], self.padding[axis]);
            let room = side + 2 * padding - dilation[axis] * (self.kernel[axis] - 1) - 1;
            let whole = room.div_euclid(stride) + 1;
            let partial = self.ceil && room >= 0 && room % stride != 0 && whole * stride < side + padding;
            whole + i64::from(partial)
        };
        match [side(0, height), side(1, width)] {
            [height, width] if height > 0 && width > 0 => Ok(vec![batch, channels, height, width]),
            _ => shapes::refuse(format!("{input:?} is too small for a window of {:?}", self.kernel)),
        }
    }
}

/// Maximum over windows; padding never is one.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool {
    /// The windows.
    pub window: Pool,
    /// Step between a window's entries, per axis.
    pub dilation: [i64; 2],
}

impl From<Pool> for MaxPool {
    fn from(window: Pool) -> Self {
        Self { window, dilation: [1, 1] }
    }
}

impl Operation for MaxPool {
    fn kind(&self) -> OpKind<'_> {
        OpKind::MaxPool
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let Pool { kernel, stride, padding, ceil } = self.window;
        Ok(inputs[0].f_max_pool2d(kernel, stride, padding, self.dilation, ceil)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let Pool { kernel, stride, padding, ceil } = self.window;
        // With channels last libtorch takes a third of the time, copies included.
        let (x, cotangent) = (channels_last(inputs[0])?, channels_last(cotangent)?);
        let (_, indices) = x.f_max_pool2d_with_indices(kernel, stride, padding, self.dilation, ceil)?;
        let back = Tensor::f_max_pool2d_with_indices_backward;
        Ok(vec![channels_first(&back(&x, &cotangent, kernel, stride, padding, self.dilation, ceil, &indices)?)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        self.window.shape(inputs[0], self.dilation)
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn layouts(&self) -> Layouts {
        Layouts::Blocked
    }

    fn stride(&self) -> [i64; 2] {
        self.window.stride
    }
}

/// Mean over windows.
#[derive(Debug, Clone, Copy)]
pub struct AvgPool {
    /// The windows.
    pub window: Pool,
    /// True if padding counts as zeros, as torch's default has it.
    pub counts_padding: bool,
}

impl From<Pool> for AvgPool {
    fn from(window: Pool) -> Self {
        Self { window, counts_padding: true }
    }
}

impl Operation for AvgPool {
    fn kind(&self) -> OpKind<'_> {
        OpKind::MeanPool
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let Pool { kernel, stride, padding, ceil } = self.window;
        Ok(inputs[0].f_avg_pool2d(kernel, stride, padding, ceil, self.counts_padding, None)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let Pool { kernel, stride, padding, ceil } = self.window;
        let counts = self.counts_padding;
        Ok(vec![inputs[0].f_avg_pool2d_backward(cotangent, kernel, stride, padding, ceil, counts, None)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        self.window.shape(inputs[0], [1, 1])
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn layouts(&self) -> Layouts {
        Layouts::Blocked
    }

    fn stride(&self) -> [i64; 2] {
        self.window.stride
    }
}

/// The windows of a node, with as much padding on each side as on the other.
fn windows(call: &Call<'_>) -> Result<Pool> {
    let kernel = match call.ints("kernel_shape")? {
        Some(_) => call.pair("kernel_shape", 1)?,
        None => return shapes::refuse("it has no kernel_shape".into()),
    };
    let padding = match call.text("auto_pad", "NOTSET")?.as_str() {
        "VALID" => [0, 0],
        "NOTSET" => match call.pads()? {
            [top, left, bottom, right] if top == bottom && left == right => [top, left],
            other => {
                return shapes::refuse(format!(
                    "pads are {other:?} (top, left, bottom, right); a pool pads both sides alike"
                ));
            }
        },
        other => {
            return shapes::refuse(format!("auto_pad is '{other}'; export with explicit pads, the same on both sides"));
        }
    };
    let ceil = call.int("ceil_mode", 0)? != 0;
    Ok(Pool { kernel, stride: call.pair("strides", 1)?, padding, ceil })
}

/// ONNX entry.
pub(super) static MAX: Import = Import::new("MaxPool", |call| {
    if call.node.outputs.len() > 1 {
        return shapes::refuse("its indices are read".into());
    }
    Ok(Built::one(MaxPool { window: windows(call)?, dilation: call.pair("dilations", 1)? }))
});

/// ONNX entry.
pub(super) static AVERAGE: Import = Import::new("AveragePool", |call| {
    if call.pair("dilations", 1)? != [1, 1] {
        return shapes::refuse("its windows have gaps (dilations)".into());
    }
    let counts_padding = call.int("count_include_pad", 0)? != 0;
    Ok(Built::one(AvgPool { window: windows(call)?, counts_padding }))
});
