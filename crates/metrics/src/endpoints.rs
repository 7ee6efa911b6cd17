//! Images that no map has changed: what deletion and insertion start from and end at.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;
use ucag_core::image_ops::{Border, gaussian_blur, separable_blur};

use crate::deletion_insertion::rise_kernel;
use crate::{Case, Result};

/// An image that is the same for every map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
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
pub struct Ends(RefCell<BTreeMap<End, Rc<Known>>>);

/// An image and what the network says of it.
#[derive(Debug)]
pub(crate) struct Known {
    /// `[1, 3, H, W]`, normalised.
    pub(crate) image: Tensor,
    /// `[1, N]`.
    pub(crate) probabilities: Tensor,
}

impl Case<'_> {
    /// An end of the case's image.
    ///
    /// # Errors
    /// As [`Case::ask`].
    pub(crate) fn end(&self, end: End) -> Result<Rc<Known>> {
        if let Some(known) = self.ends.0.borrow().get(&end) {
            return Ok(Rc::clone(known));
        }
        let image = match end {
            End::Image => self.image.shallow_clone(),
            End::Deleted => self.deleted.f_expand_as(self.image)?.f_contiguous()?,
            End::Blurred => gaussian_blur(self.image, 51, 50.0, Border::Reflect)?,
            End::BlurredAsRise => separable_blur(self.image, &rise_kernel(), Border::Zero)?,
        };
        let known = Rc::new(Known { probabilities: self.ask(&image)?, image });
        self.ends.0.borrow_mut().insert(end, Rc::clone(&known));
        Ok(known)
    }
}
