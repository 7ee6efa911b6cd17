//! A digest of an index: which samples there are, their labels and their files' sizes.

use sha2::{Digest, Sha256};

use crate::index::difficult::LabeledPair;

/// Collects what an index holds; every field is written with its length, so that no two indices
/// read alike.
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Starts with the classes, in index order.
    pub(crate) fn new(classes: &[String]) -> Self {
        let mut fingerprint = Self(Sha256::new());
        fingerprint.number(classes.len() as u64);
        classes.iter().for_each(|class| fingerprint.text(class));
        fingerprint
    }

    /// Adds a sample: its id, its labels and the size of its file in bytes.
    pub(crate) fn sample(&mut self, id: &str, labels: &[usize], size: u64) {
        self.text(id);
        self.number(labels.len() as u64);
        labels.iter().for_each(|label| self.number(*label as u64));
        self.number(size);
    }

    /// Adds which pointing games a sample's labels are part of.
    pub(crate) fn pairs(&mut self, pairs: &[LabeledPair]) {
        for pair in pairs {
            self.number(u64::from(pair.all_difficult) * 2 + u64::from(pair.in_difficult_subset));
        }
    }

    /// Adds where an object of class `class` is.
    pub(crate) fn shape(&mut self, class: usize, values: impl ExactSizeIterator<Item = u64>) {
        self.number(class as u64);
        self.number(values.len() as u64);
        values.for_each(|value| self.number(value));
    }

    /// The digest in lower-case hex, 64 characters.
    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }
}
