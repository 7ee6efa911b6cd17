//! SHA-256 of what was read for a sample: whether two numbers come from the same bytes.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::image::decode;

/// A SHA-256. As text it is 64 lower-case hex digits, as `sha256sum` prints them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// That of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut reading = Reading::default();
        reading.add(bytes);
        reading.finish()
    }

    /// That of these files' bytes, one file after the other.
    pub(crate) fn of_files(paths: &[&Path]) -> Result<Self> {
        let mut reading = Reading::default();
        paths.iter().try_for_each(|path| decode::read(path).map(|bytes| reading.add(&bytes)))?;
        Ok(reading.finish())
    }
}

/// Bytes that are read for a sample, one part after the other.
#[derive(Debug, Default)]
pub(crate) struct Reading(Sha256);

impl Reading {
    /// Adds bytes that were read.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all of them.
    pub(crate) fn finish(self) -> Checksum {
        Checksum(self.0.finalize().into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}

impl TryFrom<String> for Checksum {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Checksum {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<Vec<_>>>();
        let bytes = bytes.filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| "a SHA-256 is 64 digits of 0-9 and a-f".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | sha256sum`.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn it_is_what_sha256sum_prints() {
        assert_eq!(Checksum::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(Checksum::of(b"abc")));
        let mut parts = Reading::default();
        parts.add(b"a");
        parts.add(b"bc");
        assert_eq!(parts.finish(), Checksum::of(b"abc"));
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        for text in ["", "ab", &ABC[1..], &ABC.to_uppercase(), &format!("{ABC}00"), &ABC.replace('b', "g"), "é"] {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
    }
}
