//! Images: decoding, resizing and preprocessing equal to Pillow's, and object masks.

pub mod decode;
pub(crate) mod exif;
pub(crate) mod jpeg;
pub mod limits;
pub(crate) mod mask;
pub(crate) mod object;
pub mod preprocess;
pub mod resize_bilinear;
pub(crate) mod resize_nearest;
