//! Relevance on its way back, as a share in what a node gave.

#[cfg(test)]
mod tests;

use tch::Tensor;

use super::{over, present};
use crate::Result;
use crate::network::{NodeId, Op};
use crate::pass::Cache;
use crate::propagate::{LayerVisit, Signal};

/// Relevance at a node, of the shape of its output: a tensor, times what a node gave where one is
/// named.
///
/// Most rules end by multiplying with what an operation read, and the next one begins by dividing
/// by what an operation gave, which is often the same. So the product is put off until somebody
/// wants it.
#[derive(Debug)]
pub struct Relevance {
    share: Tensor,
    of: Option<(NodeId, Tensor)>,
}

impl From<Tensor> for Relevance {
    fn from(whole: Tensor) -> Self {
        Self { share: whole, of: None }
    }
}

impl Relevance {
    /// `share` times what the visited operation's input number `index` is.
    pub fn of_input<C>(visit: &LayerVisit<'_, C>, index: usize, share: Tensor) -> Self {
        let node = visit.network.graph.nodes()[visit.id].inputs[index];
        Self { share, of: Some((node, visit.inputs[index].shallow_clone())) }
    }

    /// The relevance itself.
    pub fn whole(&self) -> Result<Tensor> {
        match &self.of {
            Some((_, of)) => Ok(self.share.f_mul(of)?),
            None => Ok(self.share.shallow_clone()),
        }
    }

    /// `R / b`, in b's place.
    pub fn over(&self, b: Tensor) -> Result<Tensor> {
        Ok(self.factor(b)?.f_mul_(&self.share)?)
    }

    /// `R / b` for what `b` makes; where there is a memo, all but the share is kept there under
    /// `key` for the next relevance that comes this way.
    ///
    /// # Errors
    /// As `b`, or where libtorch refuses the shapes.
    pub fn over_kept(&self, cache: Option<&Cache>, key: &str, b: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        let Some(cache) = cache else { return self.over(b()?) };
        let of = self.of.as_ref().map(|(node, _)| node);
        let factor = cache.cached(&format!("{key}, of {of:?}"), || self.factor(b()?))?;
        Ok(factor.f_mul(&self.share)?)
    }

    /// Returns the tensor that turns the factor into `R / b`.
    fn factor(&self, mut b: Tensor) -> Result<Tensor> {
        match &self.of {
            Some((_, of)) => over(of, b),
            None => Ok(b.f_reciprocal_()?),
        }
    }

    /// Another handle on the same.
    pub fn shallow_clone(&self) -> Self {
        let of = self.of.as_ref().map(|(node, of)| (*node, of.shallow_clone()));
        Self { share: self.share.shallow_clone(), of }
    }

    /// The relevance where the visited operation's output isn't zero, and zero where it is.
    pub fn where_present<C>(&self, visit: &LayerVisit<'_, C>) -> Result<Tensor> {
        match self.of_output(visit) {
            Some(_) => self.whole(),
            None => Ok(present(&output(visit)?)?.f_mul_(&self.whole()?)?),
        }
    }

    /// Returns the factor of the visited operation's output in the relevance, where there is such a
    /// thing without dividing. As if nothing was added to the output before dividing by it: that
    /// shows only where both are of the size of what is added.
    pub(super) fn share_in_output<C>(&self, visit: &LayerVisit<'_, C>) -> Result<Option<Tensor>> {
        match self.of_output(visit) {
            Some((node, of)) if node != visit.id => {
                let rectifier = &visit.network.graph.nodes()[node].op;
                Ok(rectifier.vjp(&[of], of, &self.share)?.pop())
            }
            own => Ok(own.map(|_| self.share.shallow_clone())),
        }
    }

    /// Returns the activation that it is a factor of, and its node, where that is the visited
    /// operation or a rectifier right behind it.
    fn of_output<C>(&self, visit: &LayerVisit<'_, C>) -> Option<(NodeId, &Tensor)> {
        let (node, of) = self.of.as_ref()?;
        let giver = &visit.network.graph.nodes()[*node];
        let rectifies = matches!(giver.op, Op::Relu) && giver.inputs[0] == visit.id;
        (*node == visit.id || rectifies).then_some((*node, of))
    }
}

impl Signal for Relevance {
    fn sum(self, other: Self) -> Result<Self> {
        match (&self.of, &other.of) {
            (Some((node, _)), Some((others, _))) if node == others => {
                Ok(Self { share: self.share.f_add(&other.share)?, of: self.of })
            }
            _ => Ok(self.whole()?.f_add(&other.whole()?)?.into()),
        }
    }
}

/// Returns the visited operation's output. A sum needn't have been kept, since its inputs are.
pub(super) fn output<C>(visit: &LayerVisit<'_, C>) -> Result<Tensor> {
    match visit.op {
        Op::Add if !visit.output.defined() => Ok(visit.inputs[0].f_add(visit.inputs[1])?),
        _ => Ok(visit.output.shallow_clone()),
    }
}
