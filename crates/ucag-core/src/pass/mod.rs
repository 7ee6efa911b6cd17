//! One forward pass over a batch of views, and what explainers ask of it.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;

pub use crate::forward::Needs;
use crate::forward::{Outputs, forward};
use crate::network::{Network, NodeId};
use crate::{Error, Result};

/// What 64-bit FNV-1a starts from.
pub const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// 64-bit FNV-1a over some more bytes.
pub fn fnv1a(hash: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A forward pass over a batch of views, whatever the class. It runs when something is first asked of it, and once.
///
/// Autograd records nothing in front of the first node of [`Needs::gradients`]: weights never require gradients, and the
/// activation there is made a leaf. Outputs that nobody keeps are freed as soon as their last reader has run.
pub struct ForwardPass<'n> {
    network: &'n Network,
    views: Tensor,
    needs: Needs,
    classes: Vec<usize>,
    seed: Seed,
    outputs: OnceCell<Outputs>,
    sub_passes: RefCell<BTreeMap<String, Rc<ForwardPass<'n>>>>,
    cache: Cache,
}

/// What is computed once and kept, by name.
#[derive(Debug, Default)]
pub struct Cache(RefCell<BTreeMap<String, Rc<dyn Any>>>);

impl Cache {
    /// What is kept under `key`; where nothing is yet, what `make` gives.
    ///
    /// # Errors
    /// As `make`, or where another type was kept under this key.
    pub fn cached<T: 'static>(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        let known = self.0.borrow().get(key).map(Rc::clone);
        let kept = match known {
            Some(kept) => kept,
            None => {
                let made: Rc<dyn Any> = Rc::new(make()?);
                self.0.borrow_mut().insert(key.to_owned(), Rc::clone(&made));
                made
            }
        };
        kept.downcast().map_err(|_| Error::Invalid(format!("two explainers keep different things under '{key}'")))
    }
}

/// Where an explainer's random numbers come from. It names the views, not the call, so that results don't depend on the order of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seed {
    /// Of the image.
    pub image: u64,
    /// Of the first view; the others' follow on from it. 0 is the whole image.
    pub view: u64,
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

    /// The same pass with the classes that will be asked of it, for explainers that do all of them in one go.
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

    /// A pass over other views made from these, which all classes share. `key` names it; where it is there already, `make` doesn't run.
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

    /// Whatever an explainer computes of these views for all classes at once. `key` names it; where it is there already, `make` doesn't run.
    ///
    /// # Errors
    /// As `make`, or where another type was kept under this key.
    pub fn cached<T: 'static>(&self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        self.cache.cached(key, make)
    }

    /// Where the walks over these views keep what is the same in all of them, if there is more than one: to keep it costs memory, and by that time.
    pub(crate) fn propagations(&self) -> Option<&Cache> {
        (self.needs.propagations * self.classes.len().max(1) > 1).then_some(&self.cache)
    }

    /// Logits of all classes, `[B, N]`; the mean over positions from a network in convolutional form.
    ///
    /// # Errors
    /// Where the network can't take the views.
    pub fn logits(&self) -> Result<Tensor> {
        Ok(self.mean_scores()?.detach())
    }

    fn mean_scores(&self) -> Result<Tensor> {
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

    fn outputs(&self) -> Result<&Outputs> {
        if self.outputs.get().is_none() {
            let outputs = forward(self.network, &self.views, &self.needs)?;
            return Ok(self.outputs.get_or_init(|| outputs));
        }
        self.outputs.get().ok_or_else(|| Error::Invalid("a pass lost its outputs".into()))
    }
}

/// A [`ForwardPass`] with the class to explain: what an explainer is given.
pub struct Pass<'n> {
    forward_pass: Rc<ForwardPass<'n>>,
    class: usize,
    gradients: RefCell<BTreeMap<NodeId, Tensor>>,
}

impl<'n> Pass<'n> {
    /// A pass over `views` for `class`, in one step.
    ///
    /// # Errors
    /// Where the network has no such class.
    pub fn new(network: &'n Network, views: Tensor, class: usize, needs: Needs) -> Result<Self> {
        Rc::new(ForwardPass::new(network, views, needs)).target(class)
    }

    /// What all classes share.
    pub fn forward_pass(&self) -> &Rc<ForwardPass<'n>> {
        &self.forward_pass
    }

    /// A seed of this pass's first view and class (FNV-1a over both); the other views' follow on from it.
    pub fn seed(&self) -> u64 {
        let Seed { image, view } = self.forward_pass.seed;
        fnv1a(image, (self.class as u64).to_le_bytes()).wrapping_add(view)
    }

    /// The network.
    pub fn network(&self) -> &'n Network {
        self.forward_pass.network
    }

    /// The class that is explained.
    pub fn class(&self) -> usize {
        self.class
    }

    /// The views, `[B, 3, H, W]`.
    pub fn views(&self) -> &Tensor {
        &self.forward_pass.views
    }

    /// Logits of all classes, `[B, N]`.
    ///
    /// # Errors
    /// Where the network can't take the views.
    pub fn logits(&self) -> Result<Tensor> {
        self.forward_pass.logits()
    }

    /// The start of the class's explanation, of the output's shape: 1 at the class's logit. A
    /// network in convolutional form has a map of logits, over which the 1 is spread by their
    /// softmax: see docs/protocol.md#cotangent.
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn cotangent(&self) -> Result<Tensor> {
        let scores = self.forward_pass.outputs()?.scores.detach();
        let own = scores.f_select(1, self.class as i64)?;
        let share = match own.dim() {
            1 => own.f_ones_like()?,
            _ => own.f_flatten(1, -1)?.f_softmax(1, own.kind())?.f_view_as(&own)?,
        };
        Ok(scores.f_zeros_like()?.f_select_scatter(&share, 1, self.class as i64)?)
    }

    /// What an explanation of several classes at once starts from: `weights` `[B, N]`, of the output's shape. A network in convolutional form has
    /// a map of logits, over which each weight is spread evenly.
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn spread(&self, weights: &Tensor) -> Result<Tensor> {
        let size = self.forward_pass.outputs()?.scores.size();
        Ok(match size[2..] {
            [height, width] => {
                weights.f_view([size[0], size[1], 1, 1])?.f_div_scalar(height * width)?.f_expand(&size, false)?
            }
            _ => weights.shallow_clone(),
        })
    }

    /// Logit of the class, `[B]`.
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn score(&self) -> Result<Tensor> {
        Ok(self.logits()?.f_select(1, self.class as i64)?)
    }

    /// Probability of the class, `[B]` ([`Network::probabilities`]).
    ///
    /// # Errors
    /// As [`Pass::logits`].
    pub fn probability(&self) -> Result<Tensor> {
        Ok(self.network().probabilities(&self.logits()?)?.f_select(1, self.class as i64)?)
    }

    /// Output of `node`, which must be among the pass's [`Needs`].
    ///
    /// # Errors
    /// As [`Pass::logits`], or where the node isn't among them.
    pub fn activation(&self, node: NodeId) -> Result<Tensor> {
        self.kept(node).map(Tensor::detach)
    }

    /// Gradient of the class's logit (before softmax; [`Pass::cotangent`] times the output) with respect to `node`'s output, which must be among
    /// [`Needs::gradients`]. All gradients of a pass come from one backward pass.
    ///
    /// # Errors
    /// As [`Pass::activation`].
    pub fn gradient(&self, node: NodeId) -> Result<Tensor> {
        if !self.forward_pass.needs.gradients.contains(&node) {
            return Err(self.not_needed(node));
        }
        if self.gradients.borrow().is_empty() {
            let nodes = &self.forward_pass.needs.gradients;
            let leaves = nodes.iter().map(|&node| self.kept(node)).collect::<Result<Vec<_>>>()?;
            // Views don't mix in evaluation, so the sum's gradient is each view's own.
            let scores = &self.forward_pass.outputs()?.scores;
            let score = scores.f_mul(&self.cotangent()?)?.f_sum(scores.kind())?;
            let gradients = Tensor::f_run_backward(&[score], &leaves, true, false)?;
            self.gradients.borrow_mut().extend(nodes.iter().copied().zip(gradients));
        }
        self.gradients.borrow().get(&node).map(Tensor::shallow_clone).ok_or_else(|| self.not_needed(node))
    }

    /// Gradient of [`Pass::score`] at the views, `[B, 3, H, W]`; the views, node 0, must be among [`Needs::gradients`]. A network in
    /// convolutional form has its logits averaged here, where [`Pass::gradient`] starts from their softmax over positions. Once a pass.
    ///
    /// # Errors
    /// As [`Pass::activation`].
    pub fn gradient_at_views(&self) -> Result<Tensor> {
        if !self.forward_pass.needs.gradients.contains(&0) {
            return Err(self.not_needed(0));
        }
        let score = self.forward_pass.mean_scores()?.f_select(1, self.class as i64)?.f_sum(self.views().kind())?;
        Ok(Tensor::f_run_backward(&[score], &[self.kept(0)?], false, false)?.swap_remove(0))
    }

    /// As [`Pass::activation`], but nothing where the node isn't among the pass's [`Needs`].
    pub(crate) fn activation_if_kept(&self, node: NodeId) -> Result<Option<Tensor>> {
        Ok(self.forward_pass.outputs()?.kept.get(&node).map(Tensor::detach))
    }

    fn kept(&self, node: NodeId) -> Result<&Tensor> {
        self.forward_pass.outputs()?.kept.get(&node).ok_or_else(|| self.not_needed(node))
    }

    fn not_needed(&self, node: NodeId) -> Error {
        let name = &self.network().graph.nodes()[node].name;
        Error::Invalid(format!("an explainer asked for {name} without naming it among its needs"))
    }
}
