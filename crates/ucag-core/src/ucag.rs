//! UCAG: unfold, explain, conquer, around any explainer.

use tch::Tensor;

use crate::conquer::{conquer, weights};
use crate::explain::Explainer;
use crate::network::{Network, NodeId};
use crate::pass::{Needs, Pass};
use crate::protocol::{Confidence, Protocol};
use crate::unfold::{Geometry, unfold};
use crate::{Error, Result};

/// What is explained: an image, for a class, at a layer, in batches that fit in memory.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The network.
    pub network: &'a Network,
    /// The normalised image, `[1, 3, H, W]`.
    pub image: &'a Tensor,
    /// The class.
    pub class: usize,
    /// The target layer.
    pub layer: NodeId,
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
            .try_fold(Needs::default(), |needs, method| Ok(needs.union(&method.needs(self.network, self.layer)?)))
    }

    fn pass(&self, views: Tensor, methods: &[&dyn Explainer], seed: u64) -> Result<Pass<'_>> {
        Ok(Pass::new(self.network, views, self.class, self.needs(methods)?)?.with_seed(seed))
    }
}

/// Explains the image as it is, with every method, in one pass: raw maps `[1, 1, h, w]` in the methods' order.
///
/// # Errors
/// Where the network can't take the image, or a method fails.
pub fn plain(subject: &Subject<'_>, methods: &[&dyn Explainer]) -> Result<Vec<Tensor>> {
    let pass = subject.pass(subject.image.shallow_clone(), methods, subject.seed)?;
    methods.iter().map(|method| method.explain(&pass, subject.layer)).collect()
}

/// What UCAG computes on the way to its map.
#[derive(Debug)]
pub struct Unfolded {
    /// Where the views lie.
    pub geometry: Geometry,
    /// Softmax probability of the class on each view, `[n²]`; `None` where the protocol has no use for it.
    pub probabilities: Option<Tensor>,
    /// Raw maps of the views for each method, `[n², 1, h, w]`.
    pub maps: Vec<Tensor>,
}

/// Unfolds the image and explains its views with every method: one pass per batch of views, shared by all methods.
///
/// # Errors
/// Where the image can't be unfolded, the network can't take the views, or a method fails.
pub fn explain_views(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Unfolded> {
    let geometry = Geometry::new(subject.size(), protocol)?;
    let confident = protocol.confidence != Confidence::None;
    let mut probabilities = Vec::new();
    let mut maps: Vec<Vec<Tensor>> = methods.iter().map(|_| Vec::new()).collect();
    let batch = subject.views_per_batch.max(1);
    for start in (0..geometry.len()).step_by(batch) {
        let range = start..geometry.len().min(start + batch);
        let views = unfold(subject.image, &geometry, protocol, range)?;
        let pass = subject.pass(views, methods, subject.seed.wrapping_add(1 + start as u64))?;
        if confident {
            probabilities.push(pass.probability()?);
        }
        for (maps, method) in maps.iter_mut().zip(methods) {
            maps.push(method.explain(&pass, subject.layer)?);
        }
    }
    Ok(Unfolded {
        geometry,
        probabilities: confident.then(|| Tensor::f_cat(&probabilities, 0)).transpose()?,
        maps: maps.iter().map(|maps| Tensor::f_cat(maps, 0).map_err(Error::from)).collect::<Result<_>>()?,
    })
}

/// UCAG around every method: raw maps `[1, 1, H, W]` on the canvas, in the methods' order.
///
/// # Errors
/// As [`explain_views`].
pub fn ucag(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Vec<Tensor>> {
    let unfolded = explain_views(subject, methods, protocol)?;
    unfolded.maps.iter().map(|maps| unfolded.conquer(maps, protocol)).collect()
}

impl Unfolded {
    /// Folds one method's maps.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn conquer(&self, maps: &Tensor, protocol: &Protocol) -> Result<Tensor> {
        let unit = || Tensor::f_ones([self.geometry.len() as i64], (maps.kind(), maps.device()));
        let weights = match &self.probabilities {
            Some(probabilities) => weights(probabilities, protocol.confidence)?,
            None => unit()?,
        };
        conquer(maps, &weights, &self.geometry, protocol)
    }
}
