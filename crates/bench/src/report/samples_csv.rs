//! `samples.csv`, a row for each record, and `failures.csv`.

use std::path::Path;

use crate::io::atomic::Part;
use crate::records::{Failure, Record};

/// `samples.csv` while it is being written.
pub(crate) struct Samples(csv::Writer<Part>);

impl Samples {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let mut csv = csv::Writer::from_writer(Part::create(path)?);
        csv.write_record([
            "dataset",
            "sample",
            "class",
            "difficult",
            "model",
            "method",
            "ucag",
            "variant",
            "metric",
            "value",
            "map",
        ])?;
        Ok(Self(csv))
    }

    /// Adds a record; its value is printed so that reading it back gives the same number, and where
    /// there is none, nothing is.
    pub(crate) fn add(&mut self, record: &Record) -> anyhow::Result<()> {
        let flag = |flag: bool| if flag { "true" } else { "false" };
        Ok(self.0.write_record([
            &record.dataset[..],
            &record.sample,
            &record.class.to_string(),
            flag(record.difficult),
            &record.model,
            &record.method,
            flag(record.ucag),
            &record.variant,
            &record.metric,
            &record.value.map_or(String::new(), |value| value.to_string()),
            record.map.as_str(),
        ])?)
    }

    /// Puts it into its place.
    pub(crate) fn keep(self) -> anyhow::Result<()> {
        let part = self.0.into_inner().map_err(|error| anyhow::Error::from(error.into_error()))?;
        part.keep()
    }
}

/// Every failure, in the order given.
pub(crate) fn failures(failures: &[Failure]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["dataset", "sample", "model", "error"])?;
    for Failure { dataset, sample, model, error } in failures {
        csv.write_record([dataset, sample, model, error])?;
    }
    Ok(csv.into_inner()?)
}
