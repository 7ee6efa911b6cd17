//! UCAG: unfold, explain, conquer, around any explainer.

use std::rc::Rc;

use tch::{Kind, Tensor};

use crate::conquer::{conquer, weights};
use crate::explain::Explainer;
use crate::network::{Layers, Network};
use crate::pass::{Needs, Seed, Trace};
use crate::protocol::Protocol;
use crate::unfold::{Geometry, unfold};
use crate::{Error, Result};

/// What is explained: an image, for some classes, in batches that fit in memory.
#[derive(Debug)]
pub struct Subject<'a> {
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

impl Subject<'_> {
    fn size(&self) -> [i64; 2] {
        let shape = self.image.size();
        [shape[2], shape[3]]
    }

    fn needs(&self, methods: &[&dyn Explainer]) -> Result<Needs> {
        methods
            .iter()
            .try_fold(Needs::default(), |needs, method| Ok(needs.union(&method.needs(self.network, &self.layers)?)))
    }

    fn trace(&self, views: Tensor, methods: &[&dyn Explainer], view: u64) -> Result<Rc<Trace<'_>>> {
        let seed = Seed { image: self.seed, view };
        let trace = Trace::new(self.network, views, self.needs(methods)?);
        Ok(Rc::new(trace.with_classes(self.classes).with_seed(seed)))
    }
}

/// Maps of each class (in the subject's order) by each method (in the methods' order).
pub type Maps = Vec<Vec<Tensor>>;

/// Explains the image as it is, with every method, in one pass: raw maps `[1, 1, h, w]`.
///
/// # Errors
/// Where the network can't take the image, or a method fails.
pub fn plain(subject: &Subject<'_>, methods: &[&dyn Explainer]) -> Result<Maps> {
    let trace = subject.trace(subject.image.shallow_clone(), methods, 0)?;
    subject.classes.iter().map(|&class| explain(&trace, class, subject, methods)).collect()
}

/// Every method's map for a class.
fn explain(
    trace: &Rc<Trace<'_>>,
    class: usize,
    subject: &Subject<'_>,
    methods: &[&dyn Explainer],
) -> Result<Vec<Tensor>> {
    let pass = trace.target(class)?;
    methods.iter().map(|method| method.explain(&pass, &subject.layers)).collect()
}

/// What UCAG computes on the way to its map.
#[derive(Debug)]
pub struct Unfolded {
    /// Where the views lie.
    pub geometry: Geometry,
    /// Softmax probabilities on each view, `[n², N]`.
    pub probabilities: Tensor,
    /// Raw maps of the views, `[n², 1, h, w]`.
    pub maps: Maps,
}

/// Unfolds the image and explains its views with every method: one pass per batch of views, shared by all methods. What comes out serves every protocol
/// with the same views ([`Protocol::has_views_of`]).
///
/// # Errors
/// Where the image can't be unfolded, the network can't take the views, or a method fails.
pub fn explain_views(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Unfolded> {
    let geometry = Geometry::new(subject.size(), protocol)?;
    let mut probabilities = Vec::new();
    // By class, method and batch.
    let mut maps: Vec<Vec<Vec<Tensor>>> =
        subject.classes.iter().map(|_| methods.iter().map(|_| Vec::new()).collect()).collect();
    let batch = subject.views_per_batch.max(1);
    for start in (0..geometry.len()).step_by(batch) {
        let range = start..geometry.len().min(start + batch);
        let views = unfold(subject.image, &geometry, protocol, range)?;
        let trace = subject.trace(views, methods, 1 + start as u64)?;
        probabilities.push(trace.logits()?.f_softmax(1, Kind::Float)?);
        for (&class, maps) in subject.classes.iter().zip(&mut maps) {
            for (maps, map) in maps.iter_mut().zip(explain(&trace, class, subject, methods)?) {
                maps.push(map);
            }
        }
    }
    let joined = |batches: &Vec<Tensor>| Tensor::f_cat(batches, 0).map_err(Error::from);
    Ok(Unfolded {
        geometry,
        probabilities: joined(&probabilities)?,
        maps: maps.iter().map(|methods| methods.iter().map(joined).collect()).collect::<Result<_>>()?,
    })
}

/// UCAG around every method: raw maps `[1, 1, H, W]` on the canvas.
///
/// # Errors
/// As [`explain_views`].
pub fn ucag(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Maps> {
    let unfolded = explain_views(subject, methods, protocol)?;
    let folded = |(&class, maps): (&usize, &Vec<Tensor>)| {
        maps.iter().map(|maps| unfolded.conquer(maps, class, protocol)).collect::<Result<Vec<_>>>()
    };
    subject.classes.iter().zip(&unfolded.maps).map(folded).collect()
}

impl Unfolded {
    /// Folds one method's maps of a class.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn conquer(&self, maps: &Tensor, class: usize, protocol: &Protocol) -> Result<Tensor> {
        let weights = weights(&self.probabilities.f_select(1, class as i64)?, protocol.confidence)?;
        conquer(maps, &weights, &self.geometry, protocol)
    }
}
