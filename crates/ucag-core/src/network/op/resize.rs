//! Feature maps in another size.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// Feature maps interpolated to another size.
#[derive(Debug, Clone, Copy)]
pub struct Resize {
    /// Height and width of the output, or factors of the input's.
    pub to: Size,
    /// The interpolation.
    pub mode: Interpolation,
}

/// The size of a resized map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Height and width.
    Fixed([i64; 2]),
    /// Factors of the input's height and width.
    Factors([f64; 2]),
}

/// Interpolation of feature maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest pixel towards the first one.
    Nearest,
    /// Bilinear between the centers of pixels.
    Bilinear,
    /// Bilinear, with corners on corners.
    BilinearCorners,
}

impl Resize {
    fn size(&self, input: &[i64]) -> Result<[i64; 2]> {
        let &[_, _, height, width] = input else { return refuse(format!("{input:?} is no feature map")) };
        Ok(match self.to {
            Size::Fixed(size) => size,
            Size::Factors([vertical, horizontal]) => {
                [(height as f64 * vertical).floor() as i64, (width as f64 * horizontal).floor() as i64]
            }
        })
    }
}

impl Operation for Resize {
    fn kind(&self) -> OpKind<'_> {
        OpKind::MeanPool
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let size = self.size(&inputs[0].size())?;
        Ok(match self.mode {
            Interpolation::Nearest => inputs[0].f_upsample_nearest2d(size, None, None)?,
            Interpolation::Bilinear => inputs[0].f_upsample_bilinear2d(size, false, None, None)?,
            Interpolation::BilinearCorners => inputs[0].f_upsample_bilinear2d(size, true, None, None)?,
        })
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let [height, width] = self.size(inputs[0])?;
        Ok(vec![inputs[0][0], inputs[0][1], height, width])
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Resize", |call| {
    let places = call.text("coordinate_transformation_mode", "half_pixel")?;
    let nearest = call.text("nearest_mode", "round_prefer_floor")?;
    let (to, whole) = match call.has(3) {
        true => match call.integers(3)?.as_slice() {
            &[_, _, height, width] => {
                let input = call.shape(0)?;
                (Size::Fixed([height, width]), height % input[2] == 0 && width % input[3] == 0)
            }
            other => return refuse(format!("its sizes are {other:?}, expected four")),
        },
        false => {
            let scales = call.constant(2)?.f_to_kind(tch::Kind::Double)?;
            match Vec::<f64>::try_from(&scales)?.as_slice() {
                &[1.0, 1.0, vertical, horizontal] => {
                    (Size::Factors([vertical, horizontal]), vertical.fract() == 0.0 && horizontal.fract() == 0.0)
                }
                other => return refuse(format!("its scales are {other:?}, expected [1, 1, vertical, horizontal]")),
            }
        }
    };
    // To a multiple of the size, all ways to find the nearest pixel are the same.
    let is_floor = whole || (places == "asymmetric" && nearest == "floor");
    let mode = match (call.text("mode", "nearest")?.as_str(), places.as_str()) {
        ("nearest", "asymmetric" | "half_pixel" | "pytorch_half_pixel") if is_floor => Interpolation::Nearest,
        ("linear", "half_pixel" | "pytorch_half_pixel") => Interpolation::Bilinear,
        ("linear", "align_corners") => Interpolation::BilinearCorners,
        (mode, places) => {
            return refuse(format!(
                "mode '{mode}' with coordinates '{places}' isn't known; 'linear' and 'nearest' as PyTorch has them are"
            ));
        }
    };
    Ok(Built::one(Resize { to, mode }))
});
