//! Relevance stored as `factor × activation`; the product is evaluated lazily.

#[cfg(test)]
mod tests;

use tch::Tensor;

use super::{over, present};
use crate::Result;
use crate::network::{NodeId, OpKind, Relu};
use crate::pass::Cache;
use crate::propagate::{LayerVisit, Signal};

/// Relevance at a node, of the shape of its output: a factor, times the activation of a node where
/// one is named.
///
/// Most rules end by multiplying by the activation that a layer read, and the rule of the layer in
/// front begins by dividing by the activation that it returned, which is often the same tensor.
/// Kept apart, the two cancel: one multiplication and one division a layer are saved.
#[derive(Debug)]
pub struct Relevance {
    factor: Tensor,
    activation: Option<(NodeId, Tensor)>,
}

impl From<Tensor> for Relevance {
    fn from(relevance: Tensor) -> Self {
        Self { factor: relevance, activation: None }
    }
}

impl Relevance {
    /// `factor` times the activation that the visited operation reads as input number `index`.
    pub fn of_input<C>(visit: &LayerVisit<'_, C>, index: usize, factor: Tensor) -> Self {
        let node = visit.network.graph.nodes()[visit.id].inputs[index];
        Self { factor, activation: Some((node, visit.inputs[index].shallow_clone())) }
    }

    /// Returns the product.
    pub fn to_tensor(&self) -> Result<Tensor> {
        match &self.activation {
            Some((_, activation)) => Ok(self.factor.f_mul(activation)?),
            None => Ok(self.factor.shallow_clone()),
        }
    }

    /// Returns `R / z`, in z's place.
    pub fn divided_by(&self, z: Tensor) -> Result<Tensor> {
        Ok(self.activation_over(z)?.f_mul_(&self.factor)?)
    }

    /// Returns `R / z` for the z of `forward`. Where there is a cache, all but the factor is kept
    /// there under `key` for the next relevance that comes this way.
    ///
    /// # Errors
    /// As `forward`, or where another type was kept under this key.
    pub fn divided_by_cached(
        &self,
        cache: Option<&Cache>,
        key: &str,
        forward: impl FnOnce() -> Result<Tensor>,
    ) -> Result<Tensor> {
        let Some(cache) = cache else { return self.divided_by(forward()?) };
        let node = self.activation.as_ref().map(|(node, _)| node);
        let quotient = cache.cached(&format!("{key}, activation of {node:?}"), || self.activation_over(forward()?))?;
        Ok(quotient.f_mul(&self.factor)?)
    }

    /// Returns `activation / z`, or `1 / z` without an activation: the factor times it is `R / z`.
    fn activation_over(&self, mut z: Tensor) -> Result<Tensor> {
        match &self.activation {
            Some((_, activation)) => over(activation, z),
            None => Ok(z.f_reciprocal_()?),
        }
    }

    /// Another handle on the same.
    pub fn shallow_clone(&self) -> Self {
        let activation = self.activation.as_ref().map(|(node, activation)| (*node, activation.shallow_clone()));
        Self { factor: self.factor.shallow_clone(), activation }
    }

    /// Returns the relevance where the visited operation's output isn't zero, and zero where it is.
    pub fn masked<C>(&self, visit: &LayerVisit<'_, C>) -> Result<Tensor> {
        match self.activation_of_output(visit) {
            Some(_) => self.to_tensor(),
            None => Ok(present(&output(visit)?)?.f_mul_(&self.to_tensor()?)?),
        }
    }

    /// Returns the factor of the visited operation's output in the relevance, where there is such a
    /// thing without dividing. As if nothing was added to the output before dividing by it: that
    /// shows only where both are of the size of what is added.
    pub(super) fn factor_of_output<C>(&self, visit: &LayerVisit<'_, C>) -> Result<Option<Tensor>> {
        match self.activation_of_output(visit) {
            Some((node, activation)) if node != visit.id => {
                let relu = &visit.network.graph.nodes()[node].op;
                Ok(relu.vjp(&[activation], activation, &self.factor)?.pop())
            }
            own => Ok(own.map(|_| self.factor.shallow_clone())),
        }
    }

    /// Returns the activation and its node, where that is the visited operation or a ReLU right
    /// behind it.
    fn activation_of_output<C>(&self, visit: &LayerVisit<'_, C>) -> Option<(NodeId, &Tensor)> {
        let (node, activation) = self.activation.as_ref()?;
        let source = &visit.network.graph.nodes()[*node];
        let is_relu_behind = source.op.is::<Relu>() && source.inputs[0] == visit.id;
        (*node == visit.id || is_relu_behind).then_some((*node, activation))
    }
}

impl Signal for Relevance {
    fn sum(self, other: Self) -> Result<Self> {
        match (&self.activation, &other.activation) {
            (Some((node, _)), Some((others, _))) if node == others => {
                Ok(Self { factor: self.factor.f_add(&other.factor)?, activation: self.activation })
            }
            _ => Ok(self.to_tensor()?.f_add(&other.to_tensor()?)?.into()),
        }
    }
}

/// Returns the visited operation's output. A sum needn't have been kept, since its inputs are.
pub(super) fn output<C>(visit: &LayerVisit<'_, C>) -> Result<Tensor> {
    match visit.op.kind() {
        OpKind::Sum if !visit.output.defined() => visit.op.apply(visit.inputs),
        _ => Ok(visit.output.shallow_clone()),
    }
}
