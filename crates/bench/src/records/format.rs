//! A journal's first line, and its version.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::shard::Shard;

/// 3: curves are text of their bytes; units may say what was read of their sample. 2: counts and
/// variants.
pub(super) const FORMAT: u32 = 3;

/// A journal's first line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(super) format: u32,
    /// Everything that numbers depend on.
    pub identity: Value,
    /// The part of the run that the journal is of, where it isn't of the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl Header {
    pub(crate) fn new(identity: Value, shard: Option<Shard>) -> Self {
        Self { format: FORMAT, identity, shard }
    }
}

/// The part of a run that a journal is of, for messages.
pub(crate) fn part(shard: Option<Shard>) -> String {
    shard.map_or("a whole run".to_owned(), |shard| format!("shard {shard}"))
}
