//! Indices of data sets: class lists, difficult pairs, fingerprints, and the text files behind
//! them.

pub mod classes;
pub(crate) mod clutter;
pub(crate) mod difficult;
pub(crate) mod fingerprint;
pub(crate) mod scan;
pub mod text;
