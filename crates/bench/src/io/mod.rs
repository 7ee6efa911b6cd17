//! Files: atomic writes, file names that fit, NumPy arrays.

pub(crate) mod atomic;
pub(crate) mod file_name;
pub mod checksum;
pub mod npy;
