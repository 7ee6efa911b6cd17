//! A shard: one of N parts of a run, which may be made at different times and on different
//! machines, and are merged into what the whole run would be.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Folder of a run's shards in the run's folder.
pub const FOLDER: &str = "shards";

/// Merging looks for each of them.
const MOST: usize = 1 << 16;

/// A part of a run: `index` of `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// Its number, from 1 to `of`.
    pub index: usize,
    /// Number of parts.
    pub of: usize,
}

impl Shard {
    /// The shard's folder in that of the run: `shards/2-of-4`.
    pub fn folder(self, run: &Path) -> PathBuf {
        run.join(FOLDER).join(format!("{}-of-{}", self.index, self.of))
    }

    /// The samples that belong to it, of those that are listed in a data set's order.
    pub fn part(self, dataset: usize, samples: &[usize]) -> Vec<usize> {
        let own = samples.iter().enumerate().filter(|(place, _)| self.takes(dataset, *place));
        own.map(|(_, &sample)| sample).collect()
    }

    /// Returns whether a sample belongs to it: every N-th does, in a data set's order. Each data
    /// set begins with another shard, so that several small ones are spread, too; and a sample
    /// stays where it is when samples are added behind it.
    pub fn takes(self, dataset: usize, sample: usize) -> bool {
        (dataset + sample) % self.of == self.index - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.index, self.of)
    }
}

impl From<Shard> for String {
    /// As it is written on the command line.
    fn from(Shard { index, of }: Shard) -> Self {
        format!("{index}/{of}")
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write I/N, as 2/4 for the second of four shards";
        let number = |text: &str| text.parse::<usize>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let (index, of) =
            text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?))).ok_or(FORM)?;
        match (index, of) {
            (_, 0) => Err(format!("a run has at least one shard; {FORM}")),
            (_, of) if of > MOST => Err(format!("a run has at most {MOST} shards; {FORM}")),
            (index, of) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err(format!("the shards of this run are 1/{of} to {of}/{of}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_written_with_a_slash_and_counted_from_one() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        assert_eq!("1/1".parse(), Ok(Shard { index: 1, of: 1 }));
        for (text, part) in [
            ("0/4", "are 1/4 to 4/4"),
            ("5/4", "are 1/4 to 4/4"),
            ("1/0", "at least one shard"),
            ("1/1000000000000", "at most 65536 shards"),
            ("a/b", "write I/N"),
            ("2", "write I/N"),
            ("1/2/3", "write I/N"),
            ("-1/2", "write I/N"),
            ("+1/2", "write I/N"),
            (" 1/2", "write I/N"),
            ("1/99999999999999999999", "write I/N"),
        ] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn every_sample_is_in_one_shard() {
        for of in 1..=5 {
            for (dataset, sample) in [(0, 0), (0, 7), (1, 0), (1, 9), (4, 3)] {
                let takers = (1..=of).filter(|&index| Shard { index, of }.takes(dataset, sample));
                assert_eq!(takers.count(), 1, "{dataset}, {sample} of {of}");
            }
        }
        // By hand: of seven samples, the second of three takes those at 1 and 4; of the next data
        // set, those at 0, 3 and 6.
        let second = Shard { index: 2, of: 3 };
        let taken = |dataset| (0..7).filter(|&sample| second.takes(dataset, sample)).collect::<Vec<_>>();
        assert_eq!((taken(0), taken(1)), (vec![1, 4], vec![0, 3, 6]));
    }
}
