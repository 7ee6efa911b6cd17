//! Files: atomic writes, file names that fit, NumPy arrays.

pub(crate) mod atomic;
pub mod checksum;
pub(crate) mod file_name;
pub mod npy;
