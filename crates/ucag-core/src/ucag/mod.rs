//! UCAG: unfold, explain, conquer, around any explainer. See docs/protocol.md#ucag.

pub mod conquer;
pub mod unfold;

use std::rc::Rc;

use tch::Tensor;

use crate::explain::Explainer;
use crate::forward::Shortcuts;
use crate::network::{Layers, Network};
use crate::pass::{Needs, Seed, Trace};
use crate::protocol::Protocol;
use crate::ucag::conquer::{conquer, weights};
use crate::ucag::unfold::{Geometry, unfold};
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

    fn trace(&self, views: Tensor, company: &Company, view: u64) -> Rc<Trace<'_>> {
        let trace = Trace::new(self.network, views, company.needs.clone());
        Rc::new(trace.with_classes(self.classes).with_seed(Seed { image: self.seed, view }))
    }
}

/// Methods whose passes take the same short cuts, and so give the same numbers to the last bit, whichever of them are asked together.
#[derive(Debug)]
pub struct Company {
    /// The methods, as places.
    pub methods: Vec<usize>,
    needs: Needs,
    shortcuts: Shortcuts,
}

/// Which methods share their passes through a network. A method's numbers don't depend on the others that it is run with: those that look at other depths, and
/// so leave fewer short cuts, have passes of their own.
///
/// # Errors
/// Where a method can't be run on the network.
pub fn companies(network: &Network, layers: &Layers, methods: &[&dyn Explainer]) -> Result<Vec<Company>> {
    let mut companies: Vec<Company> = Vec::new();
    for (place, method) in methods.iter().enumerate() {
        let needs = method.needs(network, layers)?;
        let shortcuts = Shortcuts::of(network, &needs);
        match companies.iter_mut().find(|company| company.shortcuts == shortcuts) {
            Some(company) => {
                company.methods.push(place);
                company.needs = std::mem::take(&mut company.needs).union(&needs);
            }
            None => companies.push(Company { methods: vec![place], needs, shortcuts }),
        }
    }
    Ok(companies)
}

/// Maps of each class (in the subject's order) by each method (in the methods' order).
pub type Maps = Vec<Vec<Tensor>>;

/// Explains the image as it is, with every method, in one pass for each of their [`companies`]: raw maps `[1, 1, h, w]`.
///
/// # Errors
/// Where the network can't take the image, or a method fails.
pub fn plain(subject: &Subject<'_>, methods: &[&dyn Explainer]) -> Result<Maps> {
    let companies = companies(subject.network, &subject.layers, methods)?;
    let mut maps = empty(subject, methods);
    for company in &companies {
        let trace = subject.trace(subject.image.shallow_clone(), company, 0);
        explain(&trace, subject, methods, company, &mut maps)?;
    }
    joined(&maps)
}

/// Batches of maps of each class by each method.
type Batches = Vec<Vec<Vec<Tensor>>>;

fn empty(subject: &Subject<'_>, methods: &[&dyn Explainer]) -> Batches {
    subject.classes.iter().map(|_| methods.iter().map(|_| Vec::new()).collect()).collect()
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
    trace: &Rc<Trace<'_>>,
    subject: &Subject<'_>,
    methods: &[&dyn Explainer],
    company: &Company,
    maps: &mut Batches,
) -> Result<()> {
    for (&class, maps) in subject.classes.iter().zip(maps) {
        let pass = trace.target(class)?;
        for &place in &company.methods {
            maps[place].push(methods[place].explain(&pass, &subject.layers)?);
        }
    }
    Ok(())
}

/// What UCAG computes on the way to its map.
#[derive(Debug)]
pub struct Unfolded {
    /// Where the views lie.
    pub geometry: Geometry,
    /// Probabilities on each view, `[n², N]`, for each method.
    pub probabilities: Vec<Tensor>,
    /// Raw maps of the views, `[n², 1, h, w]`.
    pub maps: Maps,
}

/// Unfolds the image and explains its views with every method: one pass per batch of views for each of their [`companies`]. What comes out serves every protocol
/// with the same views ([`Protocol::has_views_of`]).
///
/// # Errors
/// Where the image can't be unfolded, the network can't take the views, or a method fails.
pub fn explain_views(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Unfolded> {
    let geometry = Geometry::new(subject.size(), protocol)?;
    let companies = companies(subject.network, &subject.layers, methods)?;
    let mut probabilities: Vec<Vec<Tensor>> = companies.iter().map(|_| Vec::new()).collect();
    let mut maps = empty(subject, methods);
    let batch = subject.views_per_batch.max(1);
    for start in (0..geometry.len()).step_by(batch) {
        let range = start..geometry.len().min(start + batch);
        let views = unfold(subject.image, &geometry, protocol, range)?;
        for (company, probabilities) in companies.iter().zip(&mut probabilities) {
            let trace = subject.trace(views.shallow_clone(), company, 1 + start as u64);
            probabilities.push(subject.network.probabilities(&trace.logits()?)?);
            explain(&trace, subject, methods, company, &mut maps)?;
        }
    }
    let probabilities = probabilities.iter().map(|batches| Tensor::f_cat(batches, 0)).collect::<Result<Vec<_>, _>>()?;
    let of = |method| companies.iter().position(|company| company.methods.contains(&method)).unwrap_or_default();
    Ok(Unfolded {
        geometry,
        probabilities: (0..methods.len()).map(|method| probabilities[of(method)].shallow_clone()).collect(),
        maps: joined(&maps)?,
    })
}

/// UCAG around every method: raw maps `[1, 1, H, W]` on the canvas.
///
/// # Errors
/// As [`explain_views`].
pub fn ucag(subject: &Subject<'_>, methods: &[&dyn Explainer], protocol: &Protocol) -> Result<Maps> {
    let unfolded = explain_views(subject, methods, protocol)?;
    let folded = |class| (0..methods.len()).map(|method| unfolded.conquer(subject, class, method, protocol)).collect();
    (0..subject.classes.len()).map(folded).collect()
}

impl Unfolded {
    /// Folds one method's maps of a class, both as places among the subject's classes and the methods.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn conquer(&self, subject: &Subject<'_>, class: usize, method: usize, protocol: &Protocol) -> Result<Tensor> {
        let of_class = self.probabilities[method].f_select(1, subject.classes[class] as i64)?;
        let weights = weights(&of_class, protocol.confidence)?;
        conquer(&self.maps[class][method], &weights, &self.geometry, protocol)
    }
}
