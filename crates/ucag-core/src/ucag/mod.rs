//! UCAG: unfold, explain, conquer, around any explainer. See docs/protocol.md#ucag.

pub mod conquer;
mod pass_groups;
pub mod unfold;

use std::rc::Rc;

use tch::Tensor;

pub use self::pass_groups::{PassGroup, pass_groups};
use crate::explain::Explainer;
use crate::network::{Layers, Network};
use crate::pass::{ForwardPass, Seed};
use crate::protocol::MapProtocol;
use crate::ucag::conquer::{conquer, weights};
use crate::ucag::unfold::{Geometry, unfold};
use crate::{Error, Result};

/// The request for an explanation: an image, for some classes, in batches that fit in memory.
#[derive(Debug)]
pub struct ExplainRequest<'a> {
    /// The network.
    pub network: &'a Network,
    /// The normalised image, `[1, 3, H, W]`.
    pub image: &'a Tensor,
    /// The classes. What belongs to the image is computed once for all of them.
    pub classes: &'a [usize],
    /// The layers that methods are defined at.
    pub layers: Layers,
    /// Most views in one pass. It bounds memory and changes no result beyond float rounding.
    pub views_per_batch: usize,
    /// Seed of this image, for explainers that draw random numbers.
    pub seed: u64,
}

impl ExplainRequest<'_> {
    fn size(&self) -> [i64; 2] {
        let shape = self.image.size();
        [shape[2], shape[3]]
    }

    fn forward_pass(&self, views: Tensor, group: &PassGroup, view: u64) -> Rc<ForwardPass<'_>> {
        let forward_pass = ForwardPass::new(self.network, views, group.needs.clone());
        Rc::new(forward_pass.with_classes(self.classes).with_seed(Seed { image: self.seed, view }))
    }
}

/// Maps of each class (in the subject's order) by each method (in the methods' order).
pub type Maps = Vec<Vec<Tensor>>;

/// Explains the image as it is, with every method, in one pass for each of their [`pass_groups`]:
/// raw maps `[1, 1, h, w]`.
///
/// # Errors
/// Where the network can't take the image, or a method fails.
pub fn plain(request: &ExplainRequest<'_>, methods: &[&dyn Explainer]) -> Result<Maps> {
    let pass_groups = pass_groups(request.network, &request.layers, methods)?;
    let mut maps = empty(request, methods);
    for group in &pass_groups {
        let forward_pass = request.forward_pass(request.image.shallow_clone(), group, 0);
        explain(&forward_pass, request, methods, group, &mut maps)?;
    }
    joined(&maps)
}

/// Batches of maps of each class by each method.
type Batches = Vec<Vec<Vec<Tensor>>>;

fn empty(request: &ExplainRequest<'_>, methods: &[&dyn Explainer]) -> Batches {
    request.classes.iter().map(|_| methods.iter().map(|_| Vec::new()).collect()).collect()
}

fn joined(batches: &Batches) -> Result<Maps> {
    let joined = |batches: &Vec<Tensor>| match &batches[..] {
        [one] => Ok(one.shallow_clone()),
        several => Tensor::f_cat(several, 0).map_err(Error::from),
    };
    batches.iter().map(|methods| methods.iter().map(joined).collect()).collect()
}

/// Adds the maps of one pass.
fn explain(
    forward_pass: &Rc<ForwardPass<'_>>,
    request: &ExplainRequest<'_>,
    methods: &[&dyn Explainer],
    group: &PassGroup,
    maps: &mut Batches,
) -> Result<()> {
    for (&class, maps) in request.classes.iter().zip(maps) {
        let pass = forward_pass.target(class)?;
        for &place in &group.methods {
            maps[place].push(methods[place].explain(&pass, &request.layers)?);
        }
    }
    Ok(())
}

/// The maps of all views, before they are folded.
#[derive(Debug)]
pub struct ViewMaps {
    /// The positions of the views.
    pub geometry: Geometry,
    /// Probabilities on each view, `[n², N]`, for each method.
    pub probabilities: Vec<Tensor>,
    /// Raw maps of the views, `[n², 1, h, w]`.
    pub maps: Maps,
}

/// Unfolds the image and explains its views with every method: one pass per batch of views for each
/// of their [`pass_groups`]. What comes out serves every protocol with the same views
/// ([`MapProtocol::has_views_of`]).
///
/// # Errors
/// Where the image can't be unfolded, the network can't take the views, or a method fails.
pub fn explain_views(
    request: &ExplainRequest<'_>,
    methods: &[&dyn Explainer],
    protocol: &MapProtocol,
) -> Result<ViewMaps> {
    let geometry = Geometry::new(request.size(), protocol)?;
    let pass_groups = pass_groups(request.network, &request.layers, methods)?;
    let mut probabilities: Vec<Vec<Tensor>> = pass_groups.iter().map(|_| Vec::new()).collect();
    let mut maps = empty(request, methods);
    let batch = request.views_per_batch.max(1);
    for start in (0..geometry.len()).step_by(batch) {
        let range = start..geometry.len().min(start + batch);
        let views = unfold(request.image, &geometry, protocol, range)?;
        for (group, probabilities) in pass_groups.iter().zip(&mut probabilities) {
            let forward_pass = request.forward_pass(views.shallow_clone(), group, 1 + start as u64);
            probabilities.push(request.network.probabilities(&forward_pass.logits()?)?);
            explain(&forward_pass, request, methods, group, &mut maps)?;
        }
    }
    let probabilities = probabilities.iter().map(|batches| Tensor::f_cat(batches, 0)).collect::<Result<Vec<_>, _>>()?;
    let of = |method| pass_groups.iter().position(|group| group.methods.contains(&method)).unwrap_or_default();
    Ok(ViewMaps {
        geometry,
        probabilities: (0..methods.len()).map(|method| probabilities[of(method)].shallow_clone()).collect(),
        maps: joined(&maps)?,
    })
}

/// UCAG around every method: raw maps `[1, 1, H, W]` on the canvas.
///
/// # Errors
/// As [`explain_views`].
pub fn ucag(request: &ExplainRequest<'_>, methods: &[&dyn Explainer], protocol: &MapProtocol) -> Result<Maps> {
    let unfolded = explain_views(request, methods, protocol)?;
    let folded = |class| (0..methods.len()).map(|method| unfolded.conquer(request, class, method, protocol)).collect();
    (0..request.classes.len()).map(folded).collect()
}

impl ViewMaps {
    /// Folds one method's maps of a class, both as places among the subject's classes and the
    /// methods.
    pub fn conquer(
        &self,
        request: &ExplainRequest<'_>,
        class: usize,
        method: usize,
        protocol: &MapProtocol,
    ) -> Result<Tensor> {
        let of_class = self.probabilities[method].f_select(1, request.classes[class] as i64)?;
        let weights = weights(&of_class, protocol.confidence)?;
        conquer(&self.maps[class][method], &weights, &self.geometry, protocol)
    }
}
