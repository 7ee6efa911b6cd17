//! Explainers that perturb the image and ask the network: RISE and extremal perturbation.

pub mod extremal;
pub mod rise;
