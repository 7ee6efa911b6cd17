//! Images that no map has changed: the first and the last of a deletion or insertion curve.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;

use crate::Result;
use crate::blur::Blur;

/// An image that is the same for every map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// The image itself.
    Image,
    /// Every pixel deleted.
    Deleted,
    /// The blurred image.
    Blurred(Blur),
}

impl Endpoint {
    /// Makes it from the image `[1, C, H, W]` and the value of a deleted pixel `[1, C, 1, 1]`.
    pub(crate) fn of(self, image: &Tensor, deleted: &Tensor) -> Result<Tensor> {
        match self {
            Endpoint::Image => Ok(image.shallow_clone()),
            Endpoint::Deleted => Ok(deleted.f_expand_as(image)?.f_contiguous()?),
            Endpoint::Blurred(blur) => blur.apply(image),
        }
    }
}

/// The endpoints of one image with the network's answers: each is made and classified once, by the
/// metric that comes first.
#[derive(Debug, Default)]
pub struct Endpoints(RefCell<BTreeMap<Endpoint, Rc<Classified>>>);

impl Endpoints {
    /// The endpoint, which `make` makes where it isn't there yet.
    pub(crate) fn get(&self, end: Endpoint, make: impl FnOnce() -> Result<Classified>) -> Result<Rc<Classified>> {
        if let Some(known) = self.0.borrow().get(&end) {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(make()?);
        self.0.borrow_mut().insert(end, Rc::clone(&made));
        Ok(made)
    }
}

/// An image and the network's answer to it.
#[derive(Debug)]
pub(crate) struct Classified {
    /// `[1, C, H, W]`, normalised.
    pub(crate) image: Tensor,
    /// `[1, N]`.
    pub(crate) probabilities: Tensor,
}
