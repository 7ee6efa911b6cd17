//! The integration tests of this crate, in one program because linking takes longest.
//!
//! `cargo test --workspace --test all NAME::` runs the tests of `NAME.rs`.

mod folders;
mod lab;
mod made_up_runs;
mod report_common;
mod support;

mod assumptions;
mod compare;
mod compare_folders;
mod config;
mod config_errors;
mod config_figure;
mod config_several;
mod convert_weights;
mod devices;
mod documents;
mod faults;
mod figures;
mod grey;
mod layers;
mod memory;
mod pointing;
mod precomputed;
mod precomputed_config;
mod precomputed_files;
mod report;
mod report_classes;
mod report_figure;
mod report_gallery;
mod report_html;
mod report_pairs;
mod report_plot;
mod report_published;
mod report_ratios;
mod report_saved_maps;
mod report_stats;
mod runs;
mod segmentation;
mod segmentation_units;
mod setup;
mod shards;
mod shards_refused;
mod torchscript;
mod variants;
