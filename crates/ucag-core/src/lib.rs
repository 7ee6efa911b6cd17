//! Unfold, explain, conquer: the networks that are explained, the explainers, and UCAG around them.
//!
//! The way of one image: [`unfold`] cuts it into views, a [`pass::Pass`] runs a [`network::Network`] over a batch of
//! views, an [`explain::Explainer`] turns the pass into maps, [`conquer`] folds the maps of all views into one, and
//! [`post`] makes of it the saliency that metrics see. [`ucag`] puts the five together; [`protocol`] says how, wherever
//! the paper's text and its authors' code differ.

// So that an explainer's file reads the same in this crate and in another.
extern crate self as ucag_core;

pub mod error;
pub mod explain;
mod forward;
pub mod image_ops;
pub mod network;
pub mod pass;
pub mod postprocess;
pub mod propagate;
pub mod protocol;
pub mod seed;
pub mod suggest;
pub mod ucag;

pub use error::{Error, Result};
