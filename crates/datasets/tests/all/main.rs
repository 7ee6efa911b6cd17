//! The integration tests of this crate, in one program because linking takes longest.
//!
//! `cargo test --workspace --test all NAME::` runs the tests of `NAME.rs`.

#[path = "../common/coco.rs"]
mod coco;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/gtsegs.rs"]
mod gtsegs;
#[path = "../common/voc.rs"]
mod voc;

mod bad_coco14;
mod bad_difficult;
mod bad_imagenet_seg;
mod bad_images;
mod bad_layouts;
mod bad_voc07;
mod checksum;
mod coco14;
mod coco_masks;
mod exif;
mod imagenet_seg;
mod index;
mod layouts;
mod masks;
mod mini;
mod mini_localised;
mod pillow;
mod shared_data;
mod voc07;
