//! Images that no map has changed: what deletion and insertion start from and end at.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;
use ucag_core::image_ops::{Border, gaussian_blur, separable_blur};

use crate::deletion_insertion::rise_kernel;
use crate::{Result, ScoreInput};

/// An image that is the same for every map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The image itself.
    Image,
    /// Every pixel deleted.
    Deleted,
    /// The image under 51 × 51 Gaussian taps, σ 50, reflected borders.
    Blurred,
    /// The image under RISE's 11 × 11 taps, zeros beyond the border.
    BlurredAsRise,
}

/// The ends of one image and one network, and the network's answers: each is made and asked for once, by whichever metric comes first.
#[derive(Debug, Default)]
pub struct Endpoints(RefCell<BTreeMap<Endpoint, Rc<Answer>>>);

/// An image and what the network says of it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `[1, 3, H, W]`, normalised.
    pub(crate) image: Tensor,
    /// `[1, N]`.
    pub(crate) probabilities: Tensor,
}

impl ScoreInput<'_> {
    /// An end of the case's image.
    ///
    /// # Errors
    /// As [`ScoreInput::ask`].
    pub(crate) fn endpoint(&self, end: Endpoint) -> Result<Rc<Answer>> {
        if let Some(known) = self.endpoints.0.borrow().get(&end) {
            return Ok(Rc::clone(known));
        }
        let image = match end {
            Endpoint::Image => self.image.shallow_clone(),
            Endpoint::Deleted => self.deleted.f_expand_as(self.image)?.f_contiguous()?,
            Endpoint::Blurred => gaussian_blur(self.image, 51, 50.0, Border::Reflect)?,
            Endpoint::BlurredAsRise => separable_blur(self.image, &rise_kernel(), Border::Zero)?,
        };
        let known = Rc::new(Answer { probabilities: self.ask(&image)?, image });
        self.endpoints.0.borrow_mut().insert(end, Rc::clone(&known));
        Ok(known)
    }
}
