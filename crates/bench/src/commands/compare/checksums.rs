//! Comparison of the bytes that two runs read of the samples that both scored.

use std::collections::BTreeMap;

use super::notes::counted;
use super::run::Run;

/// Most samples that are named.
const NAMED: usize = 5;

/// Bytes that two runs read of a data set's samples, compared.
#[derive(Debug, Default)]
pub(super) struct ReadSamples<'a> {
    /// Number of samples that both scored.
    common: usize,
    /// Those of which they read different bytes.
    pub(super) others: Vec<&'a str>,
    /// Numbers of samples without checksums, in the baseline and in the run.
    silent: [usize; 2],
}

/// By data set, where both have samples.
pub(super) fn compared<'a>(baseline: &Run, run: &'a Run) -> BTreeMap<&'a str, ReadSamples<'a>> {
    let mut all = BTreeMap::new();
    for (dataset, theirs) in &run.read {
        let Some(ours) = baseline.read.get(dataset) else { continue };
        let mut inputs = ReadSamples::default();
        for (sample, theirs) in theirs {
            let Some(ours) = ours.get(sample) else { continue };
            inputs.common += 1;
            for (silent, read) in inputs.silent.iter_mut().zip([ours, theirs]) {
                *silent += usize::from(read.is_empty());
            }
            if !ours.is_empty() && !theirs.is_empty() && ours != theirs {
                inputs.others.push(sample);
            }
        }
        all.insert(&dataset[..], inputs);
    }
    all
}

impl ReadSamples<'_> {
    /// `2 of 40 samples`.
    pub(super) fn count(&self) -> String {
        format!("{} of {}", self.others.len(), counted(self.common, "sample"))
    }

    /// A sentence on the samples of which the runs read different bytes, where there are any.
    pub(super) fn differ(&self, dataset: &str) -> Option<String> {
        let mut names: Vec<String> = self.others.iter().take(NAMED).map(|&name| name.to_owned()).collect();
        if self.others.len() > NAMED {
            names.push(format!("and {} more", self.others.len() - NAMED));
        }
        let (count, names) = (self.count(), names.join(", "));
        (!self.others.is_empty())
            .then(|| format!("{dataset}: the runs read different bytes of {count} that both have: {names}"))
    }

    /// A sentence on the samples that can't be compared, where there are any.
    pub(super) fn silent(&self, dataset: &str, labels: [&str; 2]) -> Option<String> {
        let whose = labels.iter().zip(self.silent).filter(|(_, silent)| *silent > 0);
        let whose: Vec<String> = whose.map(|(label, silent)| format!("{silent} in {label}")).collect();
        (!whose.is_empty()).then(|| {
            let (count, whose) = (counted(self.common, "sample"), whose.join(" and "));
            format!(
                "{dataset}: whether the same bytes were read of the {count} in both isn't known of {whose}, recorded before checksums were kept"
            )
        })
    }
}
