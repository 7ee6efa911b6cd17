//! The `ForwardPass` type: one run of the network over a batch of views, for all classes.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;

use super::{Cache, Needs, Pass};
use crate::forward::{Outputs, forward};
use crate::network::Network;
use crate::seed::Seed;
use crate::{Error, Result};

/// A forward pass over a batch of views, whatever the class. It runs once, on the first request.
///
/// Autograd records nothing in front of the first node of [`Needs::gradients`]: weights never
/// require gradients, and the activation there is made a leaf. Outputs that nobody keeps are freed
/// as soon as their last reader has run.
pub struct ForwardPass<'n> {
    pub(super) network: &'n Network,
    pub(super) views: Tensor,
    pub(super) needs: Needs,
    pub(super) classes: Vec<usize>,
    pub(super) seed: Seed,
    pub(super) outputs: OnceCell<Outputs>,
    pub(super) sub_passes: RefCell<BTreeMap<String, Rc<ForwardPass<'n>>>>,
    pub(super) cache: Cache,
}

impl<'n> ForwardPass<'n> {
    /// A pass over `views` `[B, 3, H, W]`, normalised as the network wants them.
    pub fn new(network: &'n Network, views: Tensor, needs: Needs) -> Self {
        Self {
            network,
            views,
            needs,
            classes: Vec::new(),
            seed: Seed::default(),
            outputs: OnceCell::new(),
            sub_passes: RefCell::default(),
            cache: Cache::default(),
        }
    }

    /// The same pass with the classes that will be asked of it, for explainers that do all of them
    /// in one go.
    pub fn with_classes(mut self, classes: &[usize]) -> Self {
        self.classes = classes.to_vec();
        self
    }

    /// The same pass with a seed for explainers that draw random numbers.
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// The network.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// The views, `[B, 3, H, W]`.
    pub fn views(&self) -> &Tensor {
        &self.views
    }

    /// The classes that will be asked of this pass, where they were said beforehand.
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }

    /// The seed, whatever the class.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// A pass over other views made from these, which all classes share. `key` names it; where it
    /// is there already, `make` doesn't run.
    ///
    /// # Errors
    /// As `make`.
    pub fn sub_pass(&self, key: &str, make: impl FnOnce() -> Result<(Tensor, Needs)>) -> Result<Rc<ForwardPass<'n>>> {
        if let Some(known) = self.sub_passes.borrow().get(key) {
            return Ok(Rc::clone(known));
        }
        let (views, needs) = make()?;
        let made =
            Rc::new(ForwardPass::new(self.network, views, needs).with_classes(&self.classes).with_seed(self.seed));
        self.sub_passes.borrow_mut().insert(key.to_owned(), Rc::clone(&made));
        Ok(made)
    }

    /// Whatever an explainer computes of these views for all classes at once. `key` names it; where
    /// it is there already, `make` doesn't run.
    ///
    /// # Errors
    /// As `make`, or where another type was kept under this key.
    pub fn cached<T: 'static>(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        self.cache.cached(key, make)
    }

    /// The cache of what all propagations over these views share, if there is more than one: to
    /// keep it costs memory, and by that time.
    pub(crate) fn propagations(&self) -> Option<&Cache> {
        (self.needs.propagations * self.classes.len().max(1) > 1).then_some(&self.cache)
    }

    /// Logits of all classes, `[B, N]`; the mean over positions from a network in convolutional
    /// form.
    ///
    /// # Errors
    /// Where the network can't take the views.
    pub fn logits(&self) -> Result<Tensor> {
        Ok(self.mean_scores()?.detach())
    }

    pub(super) fn mean_scores(&self) -> Result<Tensor> {
        let scores = &self.outputs()?.scores;
        Ok(match scores.dim() {
            4 => scores.f_mean_dim([2i64, 3].as_slice(), false, scores.kind())?,
            _ => scores.shallow_clone(),
        })
    }

    /// This pass with a class to explain.
    ///
    /// # Errors
    /// Where the network has no such class.
    pub fn target(self: &Rc<Self>, class: usize) -> Result<Pass<'n>> {
        if class >= self.network.classes {
            let count = self.network.classes;
            return Err(Error::Invalid(format!("class {class}: the network has {count} classes, 0 to {}", count - 1)));
        }
        Ok(Pass { forward_pass: Rc::clone(self), class, gradients: RefCell::default() })
    }

    pub(super) fn outputs(&self) -> Result<&Outputs> {
        if self.outputs.get().is_none() {
            let outputs = forward(self.network, &self.views, &self.needs)?;
            return Ok(self.outputs.get_or_init(|| outputs));
        }
        self.outputs.get().ok_or(Error::Internal("a pass lost its outputs"))
    }
}
