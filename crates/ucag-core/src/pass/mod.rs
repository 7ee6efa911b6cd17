//! Passes: one forward pass over a batch of views, and what explainers request from it.

mod cache;
mod forward_pass;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tch::Tensor;

pub use self::cache::Cache;
pub use self::forward_pass::ForwardPass;
pub use crate::forward::Needs;
use crate::network::{Network, NodeId};
pub use crate::seed::Seed;
use crate::seed::fnv1a;
use crate::{Error, Result};

/// A [`ForwardPass`] with the class to explain: the input of an explainer.
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

    /// Returns the forward pass, which all classes share.
    pub fn forward_pass(&self) -> &Rc<ForwardPass<'n>> {
        &self.forward_pass
    }

    /// A seed of this pass's first view and class (FNV-1a over both); the other views' follow on
    /// from it.
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

    /// Returns the start of an explanation of several classes at once: `weights` `[B, N]`, of the
    /// output's shape. A network in convolutional form has a map of logits, over which each weight
    /// is spread evenly.
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

    /// Gradient of the class's logit (before softmax; [`Pass::cotangent`] times the output) with
    /// respect to `node`'s output, which must be among [`Needs::gradients`]. All gradients of a
    /// pass come from one backward pass.
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

    /// Gradient of [`Pass::score`] at the views, `[B, 3, H, W]`; the views, node 0, must be among
    /// [`Needs::gradients`]. A network in convolutional form has its logits averaged here, where
    /// [`Pass::gradient`] starts from their softmax over positions. Once a pass.
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
        Error::NotKept { layer: self.network().graph.nodes()[node].name.clone() }
    }
}
