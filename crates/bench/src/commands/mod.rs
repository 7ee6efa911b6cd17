//! Subcommands of the command line, one module each.

pub mod compare;
pub mod dry_run;
pub mod error;
pub mod explain;
pub mod export_plan;
pub mod layers;
pub mod list;
pub mod list_config;
pub mod merge;
mod registry_pages;
pub mod run;
