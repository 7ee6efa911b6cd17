//! Convolutions.

use tch::{Kind, Tensor};

use super::import::{Built, Call, Import, Term};
use super::pad::Pad;
use super::vjp::transposed;
use super::{Change, Op, OpKind, Operation, shapes};
use crate::{Error, Result};

/// A 2-D convolution.
#[derive(Debug)]
pub struct Conv {
    /// `[out, in/groups, kh, kw]`.
    pub weight: Tensor,
    /// `[out]`.
    pub bias: Option<Tensor>,
    /// Step per axis.
    pub stride: [i64; 2],
    /// Zeros around the input.
    pub padding: ConvPadding,
    /// Step between a window's entries, per axis.
    pub dilation: [i64; 2],
    /// Channel groups.
    pub groups: i64,
}

/// Zeros around a convolution's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConvPadding {
    /// So many on each side, vertical and horizontal.
    Even([i64; 2]),
    /// So many at the top, left, bottom and right.
    Sides([i64; 4]),
    /// As many as TensorFlow's 'same' adds to an input of the size at hand, one more at the bottom
    /// and right where their number is odd: one output for every `stride` pixels.
    Same,
}

/// Padding of one input: the part that libtorch's convolutions know, and what is put around the
/// input before.
struct Border {
    even: [i64; 2],
    /// Top, left, bottom, right.
    before: Option<[i64; 4]>,
}

impl Conv {
    fn border(&self, input: &[i64]) -> Border {
        let sides = match self.padding {
            ConvPadding::Even(even) => return Border { even, before: None },
            ConvPadding::Sides(sides) => sides,
            ConvPadding::Same => {
                let kernel = self.weight.size();
                let total = |axis: usize| {
                    let (side, stride) = (input[axis + 2], self.stride[axis]);
                    let steps = (side + stride - 1) / stride - 1;
                    (steps * stride + self.dilation[axis] * (kernel[axis + 2] - 1) + 1 - side).max(0)
                };
                let [vertical, horizontal] = [total(0), total(1)];
                let (top, left) = (vertical / 2, horizontal / 2);
                [top, left, vertical - top, horizontal - left]
            }
        };
        match sides {
            [top, left, bottom, right] if top == bottom && left == right => Border { even: [top, left], before: None },
            before => Border { even: [0, 0], before: Some(before) },
        }
    }

    /// Returns whether [`Conv::padded`] copies the input.
    pub(crate) fn pads_before(&self, x: &Tensor) -> bool {
        self.border(&x.size()).before.is_some()
    }

    /// Returns the input with what libtorch's convolution doesn't add around it, and what that
    /// adds.
    pub(crate) fn padded(&self, x: &Tensor) -> Result<(Tensor, [i64; 2])> {
        let Border { even, before } = self.border(&x.size());
        Ok(match before {
            Some([top, left, bottom, right]) => (x.f_constant_pad_nd([left, right, top, bottom])?, even),
            None => (x.shallow_clone(), even),
        })
    }

    /// Returns the windows that the convolution reads, `[B, in × kh × kw, positions]`.
    pub(crate) fn windows(&self, x: &Tensor) -> Result<Tensor> {
        let (x, padding) = self.padded(x)?;
        Ok(x.f_im2col(&self.weight.size()[2..], self.dilation, padding, self.stride)?)
    }

    /// Returns whether each output position reads one input position, and each is read.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.weight.size()[2..] == [1, 1] && self.stride == [1, 1] && self.is_unpadded()
    }

    fn is_unpadded(&self) -> bool {
        match self.padding {
            ConvPadding::Even(even) => even == [0, 0],
            ConvPadding::Sides(sides) => sides == [0; 4],
            ConvPadding::Same => self.weight.size()[2..] == [1, 1],
        }
    }

    /// The convolution with other weights of the same shape, without bias.
    pub fn with(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        self.with_bias(weight, None, x)
    }

    /// The convolution with another weight and bias of the same shapes. With a weight that oneDNN
    /// has in its own order, nothing can be differentiated.
    pub fn with_bias(&self, weight: &Tensor, bias: Option<&Tensor>, x: &Tensor) -> Result<Tensor> {
        let (x, padding) = self.padded(x)?;
        self.unpadded(weight, bias, &x, padding)
    }

    /// The convolution of an input that [`Conv::padded`] gave.
    pub(crate) fn unpadded(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        x: &Tensor,
        padding: [i64; 2],
    ) -> Result<Tensor> {
        Ok(x.f_conv2d(weight, bias, self.stride, padding, self.dilation, self.groups)?)
    }

    /// The convolution's transpose with other weights of the same shape, applied to a cotangent: of
    /// the shape of the input `x`.
    pub fn transposed(&self, weight: &Tensor, x: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let mut size = x.size();
        let Border { even, before } = self.border(&size);
        let Some([top, left, bottom, right]) = before else {
            return self.transposed_to(weight, &size, cotangent, even);
        };
        size[2] += top + bottom;
        size[3] += left + right;
        let back = self.transposed_to(weight, &size, cotangent, even)?;
        Ok(back.f_narrow(2, top, size[2] - top - bottom)?.f_narrow(3, left, size[3] - left - right)?)
    }

    fn transposed_to(&self, weight: &Tensor, input: &[i64], cotangent: &Tensor, padding: [i64; 2]) -> Result<Tensor> {
        let (output, kernel) = (cotangent.size(), weight.size());
        if kernel[2..] == [1, 1] && padding == [0, 0] && self.groups == 1 {
            return self.transposed_pointwise(weight, input, cotangent);
        }
        let (stride, dilation) = (self.stride, self.dilation);
        // Rows and columns at the far border that no window reached.
        let rest = |axis: usize| {
            let window = dilation[axis] * (kernel[axis + 2] - 1) + 1;
            input[axis + 2] - ((output[axis + 2] - 1) * stride[axis] - 2 * padding[axis] + window)
        };
        let rest = [rest(0), rest(1)];
        if rest.iter().any(|&r| r < 0) {
            return Err(Error::Invalid(format!("a cotangent {output:?} isn't of a convolution of {input:?}")));
        }
        // libtorch's transposed convolution computes as many channels as a vector holds, and puts
        // the weights in another order first.
        if self.groups == 1 && (kernel[1] <= FEW_CHANNELS || input[0] * output[2] * output[3] <= FEWEST_POSITIONS) {
            let added = windows(weight, cotangent)?;
            return Ok(added.f_col2im(&input[2..], &kernel[2..], dilation, padding, stride)?);
        }
        Ok(cotangent.f_conv_transpose2d(weight, None::<&Tensor>, stride, padding, rest, self.groups, dilation)?)
    }

    /// Of a window of one pixel: a product of matrices, which is faster than libtorch's transposed
    /// convolution, on the grid of the output. The input's grid has gaps where the stride isn't
    /// one.
    fn transposed_pointwise(&self, weight: &Tensor, input: &[i64], cotangent: &Tensor) -> Result<Tensor> {
        let size = cotangent.size();
        let back = windows(weight, cotangent)?.f_view([size[0], -1, size[2], size[3]])?;
        if self.stride == [1, 1] {
            return Ok(back);
        }
        let full = Tensor::f_zeros(input, (cotangent.kind(), cotangent.device()))?;
        let read = full.f_slice(2, None, None, self.stride[0])?.f_slice(3, None, None, self.stride[1])?;
        read.shallow_clone().f_copy_(&back)?;
        Ok(full)
    }
}

/// Positions of a map up to which a pointwise convolution has more weights than positions, in the
/// networks that there are.
const FEW_POSITIONS: i64 = 14 * 14;

/// Positions of all views up to which a convolution with a window is faster as a product of
/// matrices.
const FEWEST_POSITIONS: i64 = 7 * 7;

/// Channels that are few beside the sixteen floats of a vector: those of an image, or of two.
const FEW_CHANNELS: i64 = 6;

/// Returns the sums of each window of a convolution at its inputs,
/// `[B, channels × window, positions]`.
fn windows(weight: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
    let (matrix, columns) = (weight.f_flatten(1, -1)?, cotangent.f_flatten(2, -1)?);
    // Where the weight is the larger factor, it shouldn't be the one that is transposed.
    match columns.size()[2] > FEW_POSITIONS {
        true => Ok(matrix.f_transpose(0, 1)?.f_matmul(&columns)?),
        false => transposed(&columns.f_transpose(1, 2)?.f_matmul(&matrix)?),
    }
}

impl Operation for Conv {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Conv(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        self.with_bias(&self.weight, self.bias.as_ref(), inputs[0])
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![self.transposed(&self.weight, inputs[0], cotangent)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let (kernel, input) = (self.weight.size(), inputs[0]);
        if input.len() != 4 || input[1] != kernel[1] * self.groups {
            let channels = kernel[1] * self.groups;
            return shapes::refuse(format!("a convolution reads [B, {channels}, h, w], not {input:?}"));
        }
        let Border { even, before } = self.border(input);
        let [top, left, bottom, right] = before.unwrap_or([0; 4]);
        let side = |axis: usize, more: i64| {
            let window = self.dilation[axis] * (kernel[axis + 2] - 1) + 1;
            (input[axis + 2] + 2 * even[axis] + more - window).div_euclid(self.stride[axis]) + 1
        };
        match [side(0, top + bottom), side(1, left + right)] {
            [height, width] if height > 0 && width > 0 => Ok(vec![input[0], kernel[0], height, width]),
            _ => shapes::refuse(format!("{input:?} is too small for a window of {:?}", &kernel[2..])),
        }
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let bias = self.bias.as_ref().map(change).transpose()?;
        Ok(Conv { weight: change(&self.weight)?, bias, ..*self }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.bias.as_ref().map(|bias| bias.f_view([1, -1, 1, 1])).transpose()?)
    }

    fn stride(&self) -> [i64; 2] {
        self.stride
    }
}

/// Padding of a node, of a kernel of this size.
fn padding_of(call: &Call<'_>, kernel: [i64; 2]) -> Result<ConvPadding> {
    let sides = |[top, left, bottom, right]: [i64; 4]| match top == bottom && left == right {
        true => ConvPadding::Even([top, left]),
        false => ConvPadding::Sides([top, left, bottom, right]),
    };
    Ok(match call.text("auto_pad", "NOTSET")?.as_str() {
        "VALID" => ConvPadding::Even([0, 0]),
        "SAME_UPPER" => ConvPadding::Same,
        "NOTSET" => sides(call.pads()?),
        other => {
            return shapes::refuse(format!("auto_pad is '{other}' for a kernel of {kernel:?}, expected 'SAME_UPPER'"));
        }
    })
}

/// ONNX entry. Zeros that an operation puts around its input are its own padding.
pub(super) static ONNX: Import = Import::new("Conv", |call| {
    let weight = call.constant(1)?;
    let &[outputs, _, height, width] = weight.size().as_slice() else {
        return shapes::refuse(format!(
            "its weight has the shape {:?}; convolutions of images have four axes",
            weight.size()
        ));
    };
    if !matches!(weight.kind(), Kind::Float | Kind::Double) {
        return shapes::refuse(format!("its weight is of type {:?}; export the float network", weight.kind()));
    }
    // Exporters write a bias of zeros where batch normalization follows.
    let is_zero = |bias: &Tensor| -> Result<bool> { Ok(bias.f_count_nonzero(None)?.f_int64_value(&[])? == 0) };
    let sized = call.sized.get();
    let bias = match call.optional(2)? {
        Some(bias) if is_zero(&bias)? => {
            call.sized.set(sized);
            None
        }
        Some(bias) if bias.numel() as i64 != outputs => {
            return shapes::refuse(format!("its bias has the shape {:?}, expected [{outputs}]", bias.size()));
        }
        bias => bias,
    };
    let (stride, dilation) = (call.pair("strides", 1)?, call.pair("dilations", 1)?);
    let mut padding = padding_of(call, [height, width])?;
    let source = call.source(0)?;
    let mut input = source;
    if let Some(around) = call.drafts[source].op.downcast_ref().and_then(Pad::zeros_around)
        && let ConvPadding::Even([vertical, horizontal]) = padding
    {
        let [top, left, bottom, right] = around;
        let sides = [top + vertical, left + horizontal, bottom + vertical, right + horizontal];
        call.sized.set(call.sized.get() | call.drafts[source].sized);
        padding = match top == bottom && left == right {
            true => ConvPadding::Even([sides[0], sides[1]]),
            false => ConvPadding::Sides(sides),
        };
        input = call.drafts[source].inputs[0];
    }
    let conv = Conv { weight, bias, stride, padding, dilation, groups: call.int("group", 1)? };
    Ok(Built::from(Term::Draft(input).then(conv)))
});
