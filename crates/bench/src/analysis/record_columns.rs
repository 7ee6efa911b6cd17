//! Records as columns of numbers: all that a table keeps of them, a few bytes each.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use metrics::averaging::Averaging;
use ucag_core::postprocess::MapState;

use super::pooled_ratio::Ratios;
use super::population::Population;
use crate::plan::dataset_facts::DatasetSize;
use crate::records::Record;

/// Numbers of samples, in plan order over all data sets.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// By data set and id.
    known: HashMap<String, HashMap<String, u32>>,
    next: u32,
}

impl Samples {
    /// A sample's number; a sample that is new gets the next one.
    pub(crate) fn number(&mut self, dataset: &str, sample: &str) -> u32 {
        if let Some(number) = self.find(dataset, sample) {
            return number;
        }
        self.known.entry(dataset.to_owned()).or_default().insert(sample.to_owned(), self.next);
        self.next += 1;
        self.next - 1
    }

    /// The number that a sample has.
    pub(crate) fn find(&self, dataset: &str, sample: &str) -> Option<u32> {
        self.known.get(dataset)?.get(sample).copied()
    }
}

/// A row for each record and cell that it is in, in the order of the records.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(super) cell: Vec<u32>,
    /// By its number.
    pub(super) sample: Vec<u32>,
    pub(super) class: Vec<u32>,
    /// NaN where there is none.
    pub(super) value: Vec<f64>,
    pub(super) map: Vec<MapState>,
    /// By cell; those of cells that aren't quotients stay empty.
    pub(super) ratios: Vec<Ratios>,
    kinds: Vec<Kind>,
}

/// The columns that a cell needs of its records.
#[derive(Debug)]
enum Kind {
    Samples,
    /// Number of classes.
    Classes(usize),
    Ratios,
}

impl Columns {
    /// For cells with these games.
    ///
    /// # Errors
    /// Where a metric averages by class, and nothing is known of the data set's.
    pub(crate) fn new(games: &[Population<'_>], extents: &[DatasetSize<'_>]) -> Result<Self> {
        let kind = |game: &Population<'_>| {
            Ok(match game.metric.averaging {
                Averaging::Samples => Kind::Samples,
                Averaging::Classes | Averaging::ClassesAsReleased => Kind::Classes(game.extent(extents)?.classes),
                Averaging::Ratios => Kind::Ratios,
            })
        };
        Ok(Self {
            cell: Vec::new(),
            sample: Vec::new(),
            class: Vec::new(),
            value: Vec::new(),
            map: Vec::new(),
            ratios: vec![Ratios::default(); games.len()],
            kinds: games.iter().map(kind).collect::<Result<_>>()?,
        })
    }

    /// Adds a record to a cell. Records of one sample come one after the other.
    ///
    /// # Errors
    /// Where the metric averages by class, and the record is of one that the data set doesn't have;
    /// where it sums counts, and there are none.
    pub(crate) fn add(&mut self, cell: usize, sample: u32, record: &Record) -> Result<()> {
        match self.kinds[cell] {
            Kind::Classes(classes) => ensure!(
                record.class < classes,
                "sample `{}`: class {}, but data set '{}' has {classes} classes, counted from 0",
                record.sample,
                record.class,
                record.dataset,
            ),
            Kind::Ratios if record.value.is_some() => self.ratios[cell].add(sample as usize, record)?,
            Kind::Ratios | Kind::Samples => {}
        }
        let class = u32::try_from(record.class);
        self.class
            .push(class.with_context(|| format!("sample `{}`: class {} is too large", record.sample, record.class))?);
        self.cell.push(cell as u32);
        self.sample.push(sample);
        self.value.push(record.value.unwrap_or(f64::NAN));
        self.map.push(record.map);
        Ok(())
    }
}
