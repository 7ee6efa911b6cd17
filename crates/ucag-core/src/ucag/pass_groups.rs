//! Groups of methods that share forward passes.

use crate::Result;
use crate::explain::Explainer;
use crate::forward::Fusions;
use crate::network::{Layers, Network};
use crate::pass::Needs;

/// Methods that share forward passes. Members use the same fused operations, so a method's result
/// does not depend on which others run with it.
#[derive(Debug)]
pub struct PassGroup {
    /// The methods, as indices into the list that was grouped.
    pub methods: Vec<usize>,
    pub(super) needs: Needs,
    fusions: Fusions,
}

/// Groups methods that can share forward passes through a network. Methods that request activations
/// at other depths leave fewer operations to fuse, so they have passes of their own.
///
/// # Errors
/// Where a method can't be run on the network.
pub fn pass_groups(network: &Network, layers: &Layers, methods: &[&dyn Explainer]) -> Result<Vec<PassGroup>> {
    let mut pass_groups: Vec<PassGroup> = Vec::new();
    for (place, method) in methods.iter().enumerate() {
        let needs = method.needs(network, layers)?;
        let fusions = Fusions::of(network, &needs);
        match pass_groups.iter_mut().find(|group| group.fusions == fusions) {
            Some(group) => {
                group.methods.push(place);
                group.needs = std::mem::take(&mut group.needs).union(&needs);
            }
            None => pass_groups.push(PassGroup { methods: vec![place], needs, fusions }),
        }
    }
    Ok(pass_groups)
}
