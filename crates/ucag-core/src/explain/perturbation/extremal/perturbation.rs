//! An image, perturbed as strongly at each pixel as a mask says: see docs/protocol.md#extremal.

use tch::{Kind, Tensor};

use crate::Result;
use crate::image_ops::{Border, smooth};

/// Strengths that are made beforehand; between them the image is interpolated linearly.
const LEVELS: i64 = 8;

/// Standard deviation of the strongest blur, in pixels.
const MAX_BLUR: f64 = 20.0;

/// The change of an image where a mask hides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perturbation {
    /// A Gaussian blur, zeros (the mean colour) beyond the border.
    Blur,
    /// Fading to zeros, the mean colour.
    Fade,
}

/// An image at every strength.
#[derive(Debug)]
pub struct Pyramid {
    /// `[levels, C, H, W]`: the strongest first, the image itself last.
    levels: Tensor,
}

/// A perturbed image.
#[derive(Debug)]
pub struct Perturbed {
    /// `[A, C, H, W]`.
    pub images: Tensor,
    /// Its derivative with respect to each pixel of the mask, `[A, C, H, W]`.
    pub slopes: Tensor,
}

impl Pyramid {
    /// Of an image `[1, C, H, W]`.
    pub fn new(image: &Tensor, perturbation: Perturbation) -> Result<Self> {
        let level = |level: i64| -> Result<Tensor> {
            let clear = level as f64 / (LEVELS - 1) as f64;
            let sigma = (1.0 - clear) * MAX_BLUR;
            Ok(match perturbation {
                Perturbation::Fade => image.f_mul_scalar(clear)?,
                Perturbation::Blur if level == LEVELS - 1 => image.shallow_clone(),
                Perturbation::Blur => smooth(image, sigma, Border::Zero)?,
            })
        };
        Ok(Self { levels: Tensor::f_cat(&(0..LEVELS).map(level).collect::<Result<Vec<_>>>()?, 0)? })
    }

    /// The image at every strength, `[levels, C, H, W]`.
    pub fn levels(&self) -> &Tensor {
        &self.levels
    }

    /// The image under each of `masks` `[A, H, W]`, in [0, 1]: 1 shows it, 0 hides it as well as
    /// can be.
    ///
    /// # Errors
    /// Where the masks aren't of the image's size.
    pub fn apply(&self, masks: &Tensor) -> Result<Perturbed> {
        let size = self.levels.size();
        let strength = masks.f_unsqueeze(1)?.f_mul_scalar((LEVELS - 1) as f64)?;
        let below = strength.f_floor()?;
        let between = strength.f_sub(&below)?;
        let below = below.f_to_kind(Kind::Int64)?.f_unsqueeze(1)?;
        let wide = [masks.size()[0], 1, size[1], size[2], size[3]];
        let levels = self.levels.f_unsqueeze(0)?.f_expand([wide[0], LEVELS, wide[2], wide[3], wide[4]], false)?;
        let image_at = |level: &Tensor| -> Result<Tensor> {
            Ok(levels.f_gather(1, &level.f_expand(wide, false)?, false)?.f_squeeze_dim(1)?)
        };
        let from = image_at(&below)?;
        let rise = image_at(&below.f_add_scalar(1)?.f_clamp_max(LEVELS - 1)?)?.f_sub(&from)?;
        Ok(Perturbed { images: from.f_addcmul(&rise, &between)?, slopes: rise.f_mul_scalar((LEVELS - 1) as f64)? })
    }
}
