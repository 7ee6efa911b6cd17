//! The search for masks of given areas that keep a class's score high: see
//! docs/protocol.md#extremal.

use std::rc::Rc;

use tch::{Kind, Tensor};

use super::mask::MaskGenerator;
use super::perturbation::{Perturbation, Perturbed, Pyramid};
use crate::network::Network;
use crate::pass::{ForwardPass, Needs};
use crate::{Error, Result};

const LEARNING_RATE: f64 = 0.01;

/// Both the momentum and its dampening.
const MOMENTUM: f64 = 0.9;

/// Weight of the area term at first, and what it is multiplied by after each iteration.
const AREA_WEIGHT: (f64, f64) = (300.0, 1.0035);

/// The target of a search, and its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Shares of the image, one mask each.
    pub areas: Vec<f64>,
    /// Steps of the optimiser.
    pub iterations: usize,
    /// The perturbation that hides the image.
    pub perturbation: Perturbation,
    /// Pixels from a mask's parameter to the next.
    pub step: i64,
    /// Reach of a parameter, in pixels.
    pub sigma: i64,
}

/// The result of a search.
#[derive(Debug)]
pub struct Found {
    /// A mask for each area, `[A, H, W]` in [0, 1].
    pub masks: Tensor,
    /// The class's score under the masks, `[A, iterations]`.
    pub rewards: Tensor,
    /// The area term, zero or negative, `[A, iterations]`.
    pub area_terms: Tensor,
}

impl Search {
    /// Searches masks for a class in an image `[1, 3, H, W]`.
    ///
    /// # Errors
    /// Where the network can't take the image or has no such class, or there is nothing to search
    /// for.
    pub fn run(&self, network: &Network, image: &Tensor, class: usize) -> Result<Found> {
        if self.areas.is_empty() || self.iterations == 0 {
            return Err(Error::Invalid("extremal perturbation needs at least one area and one iteration".into()));
        }
        let (size, kind, device) = (image.size(), image.kind(), image.device());
        let pyramid = Pyramid::new(image, self.perturbation)?;
        let generator = MaskGenerator::new([size[2], size[3]], self.step, self.sigma, kind, device)?;
        let [rows, columns] = generator.grid();
        let mut parameters = Tensor::f_ones([self.areas.len() as i64, rows, columns], (kind, device))?;
        let mut momentum: Option<Tensor> = None;
        let mut weight = AREA_WEIGHT.0;
        let (mut rewards, mut area_terms) = (Vec::new(), Vec::new());
        let mut masks = None;
        for iteration in 0..self.iterations {
            let full = generator.full(&parameters)?;
            let mask = generator.crop(&full)?;
            let Perturbed { images, slopes } = pyramid.apply(&mask)?;
            let flip = |x: &Tensor| -> Result<Tensor> {
                Ok(if iteration % 2 == 0 { x.f_flip([3])? } else { x.shallow_clone() })
            };
            let needs = Needs { gradients: vec![0], ..Needs::default() };
            let pass = Rc::new(ForwardPass::new(network, flip(&images)?, needs)).target(class)?;
            rewards.push(pass.score()?);
            let at_images = flip(&pass.gradient_at_views()?)?;
            let at_mask = at_images.f_mul(&slopes)?.f_sum_dim_intlist([1i64].as_slice(), false, kind)?;
            let area = AreaTerm::of(&full, &self.areas)?;
            area_terms.push(area.value.f_mul_scalar(weight)?);
            let uphill = generator.uncrop(&at_mask)?.f_add(&area.gradient.f_mul_scalar(weight)?)?;
            let uphill = generator.back(&parameters, &uphill)?;
            // The first gradient isn't dampened.
            let velocity = match momentum.take() {
                Some(mut before) => before.f_mul_scalar_(MOMENTUM)?.f_add_(&uphill.f_mul_scalar(1.0 - MOMENTUM)?)?,
                None => uphill,
            };
            parameters = parameters.f_add_(&velocity.f_mul_scalar(LEARNING_RATE)?)?.f_clamp_(0.0, 1.0)?;
            momentum = Some(velocity);
            weight *= AREA_WEIGHT.1;
            masks = Some(mask);
        }
        let masks = masks.ok_or(Error::Internal("a search without iterations"))?;
        Ok(Found { masks, rewards: Tensor::f_stack(&rewards, 1)?, area_terms: Tensor::f_stack(&area_terms, 1)? })
    }
}

/// The distance of masks from their areas: `-mean((m - r)²)` over a mask's pixels in order, where r
/// is 0 and then, for the area, 1.
#[derive(Debug)]
pub struct AreaTerm {
    /// For each mask, `[A]`.
    pub value: Tensor,
    /// With respect to each pixel, `[A, H, W]`.
    pub gradient: Tensor,
}

impl AreaTerm {
    /// Of masks `[A, H, W]` that should have `areas` (A shares of their pixels).
    ///
    /// # Errors
    /// Where there aren't as many areas as masks.
    pub fn of(masks: &Tensor, areas: &[f64]) -> Result<Self> {
        let flat = masks.f_flatten(1, -1)?;
        let count = flat.size()[1];
        // Masks begin with many equal pixels, and which of them count as hidden steers the search:
        // libtorch's own order, as published.
        let (sorted, order) = flat.f_sort(1, false)?;
        let hidden: Vec<i64> = areas.iter().map(|area| (count as f64 * (1.0 - area)) as i64).collect();
        let hidden = Tensor::f_from_slice(&hidden)?.f_to_device(flat.device())?.f_view([-1, 1])?;
        let ranks = Tensor::f_arange(count, (Kind::Int64, flat.device()))?;
        let missing = sorted.f_sub(&ranks.f_ge_tensor(&hidden)?.f_to_kind(flat.kind())?)?;
        let value = missing.f_square()?.f_mean_dim([1i64].as_slice(), false, flat.kind())?.f_neg()?;
        let uphill = missing.f_mul_scalar(-2.0 / count as f64)?;
        let gradient = uphill.f_zeros_like()?.f_scatter(1, &order, &uphill)?.f_view_as(masks)?;
        Ok(Self { value, gradient })
    }
}
