//! `samples.csv`, a row for each record, and `failures.csv`.

use crate::record::{Failure, Record};

/// Every record, in the order given; values are printed so that reading them back gives the same number, and where there is none, nothing is.
pub(crate) fn records(records: &[Record]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
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
    for record in records {
        csv.write_record([
            &record.dataset,
            &record.sample,
            &record.class.to_string(),
            &record.difficult.to_string(),
            &record.model,
            &record.method,
            &record.ucag.to_string(),
            &record.variant,
            &record.metric,
            &record.value.map_or(String::new(), |value| value.to_string()),
            record.map.as_str(),
        ])?;
    }
    Ok(csv.into_inner()?)
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
