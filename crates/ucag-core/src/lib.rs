//! Explainers of image classifiers, and *Unfold and Conquer Attribution Guidance* (UCAG, AAAI 2023)
//! around each of them.
//!
//! [`Explanation`] is the shortest way to a map:
//!
//! ```no_run
//! use ucag_core::Explanation;
//! use ucag_core::explain::method;
//! use ucag_core::network::Network;
//!
//! # fn main() -> ucag_core::Result<()> {
//! # let image = tch::Tensor::zeros([1, 3, 224, 224], (tch::Kind::Float, tch::Device::Cpu));
//! let network = Network::load("resnet50", "resnet50.safetensors".as_ref())?;
//! let explanation = Explanation::builder(&network, method("gradcam")?).ucag(true).explain(&image, 285)?;
//! println!("p = {:.3}, map {:?}", explanation.probability, explanation.saliency.map.size());
//! # Ok(())
//! # }
//! ```
//!
//! The path of one image: [`ucag::unfold`] cuts it into views; a [`pass::Pass`] runs a
//! [`network::Network`] over a batch of views; an [`explain::Explainer`] turns the pass into maps;
//! [`ucag::conquer`] folds the maps of all views into one; [`postprocess`] turns that into the
//! saliency that metrics score. [`ucag`] joins the five. [`protocol`] holds every choice on which
//! the paper's text and its authors' code differ.
//!
//! Every function that returns a [`Result`] returns [`Error::Torch`] where libtorch refuses its
//! tensors; `# Errors` sections list the other causes.

// So that an explainer's file reads the same in this crate and in another.
extern crate self as ucag_core;

pub mod error;
pub mod explain;
pub mod explanation;
mod forward;
pub mod image_ops;
pub mod network;
pub mod pass;
pub mod postprocess;
pub mod propagate;
pub mod protocol;
pub mod seed;
pub mod suggest;
pub mod tensor_ext;
pub mod ucag;

pub use error::{Error, Result};
pub use explanation::Explanation;
