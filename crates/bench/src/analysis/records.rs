//! The source of a report's records.

use anyhow::Result;

use crate::plan::UnitId;
use crate::records::Record;
use crate::records::journal::Reader;

/// Records in plan order, which are gone through one by one.
#[derive(Debug, Clone, Copy)]
pub enum Records<'a> {
    /// In memory.
    Held(&'a [Record]),
    /// In a journal: those of these units, in this order. Only a few units are in memory at a time.
    Journal(&'a Reader, &'a [UnitId]),
}

impl<'a> From<&'a [Record]> for Records<'a> {
    fn from(records: &'a [Record]) -> Self {
        Records::Held(records)
    }
}

impl Records<'_> {
    /// Hands over every record, in order.
    ///
    /// # Errors
    /// As [`Reader::each`].
    pub fn each(&self, mut visit: impl FnMut(&Record) -> Result<()>) -> Result<()> {
        match self {
            Records::Held(records) => records.iter().try_for_each(visit),
            Records::Journal(reader, units) => {
                reader.each(units.iter().copied(), |unit| unit.outcome.iter().flatten().try_for_each(&mut visit))
            }
        }
    }
}
