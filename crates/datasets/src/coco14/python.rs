//! Python's JSON as JSON: its `json` module writes `NaN` and `Infinity`, which JSON has not. They
//! come out as texts, on the fly: `"NaN"`.
//!
//! A byte order mark at the start is passed over.

use std::io::{Error, ErrorKind, Read, Result};

use crate::index::text;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 16;
/// The numbers that JSON has not.
const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
/// Length of the longest.
const LONGEST: usize = 9;

/// A reader of JSON from a reader of Python's.
pub(super) struct Python<R> {
    inner: R,
    read: Vec<u8>,
    /// The bytes that are ready, and the number of them that are taken.
    ready: Vec<u8>,
    taken: usize,
    state: State,
    /// The start of what may be one of the words.
    word: Vec<u8>,
    at_start: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    /// In a text.
    Text,
    /// In a text, behind a backslash.
    Escaped,
    /// In what may be one of the words.
    Word,
}

impl<R: Read> Python<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            read: vec![0; BUFFER],
            ready: Vec::with_capacity(2 * BUFFER),
            taken: 0,
            state: State::Outside,
            word: Vec::new(),
            at_start: true,
        }
    }

    /// Makes more ready; nothing is where the file ends.
    fn fill(&mut self) -> Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let mut count = self.inner.read(&mut self.read)?;
            if std::mem::take(&mut self.at_start) {
                count += start(&mut self.inner, &mut self.read, count)?;
                if let Some(problem) = text::other_encoding(&self.read[..count]) {
                    return Err(Error::new(ErrorKind::InvalidData, problem));
                }
                if self.read[..count].starts_with(text::MARK) {
                    self.read.copy_within(text::MARK.len()..count, 0);
                    count -= text::MARK.len();
                    if count == 0 {
                        continue;
                    }
                }
            }
            if count == 0 {
                self.end_word();
                return Ok(());
            }
            let read = std::mem::take(&mut self.read);
            self.translate(&read[..count]);
            self.read = read;
        }
        Ok(())
    }

    fn translate(&mut self, mut bytes: &[u8]) {
        while let Some(&first) = bytes.first() {
            let length = match self.state {
                State::Outside => {
                    let next = bytes.iter().position(|byte| matches!(byte, b'"' | b'N' | b'I' | b'-'));
                    let copied = next.unwrap_or(bytes.len());
                    self.ready.extend_from_slice(&bytes[..copied]);
                    match next.map(|at| bytes[at]) {
                        Some(b'"') => {
                            self.ready.push(b'"');
                            self.state = State::Text;
                            copied + 1
                        }
                        Some(_) => {
                            self.state = State::Word;
                            self.word.push(bytes[copied]);
                            copied + 1
                        }
                        None => copied,
                    }
                }
                State::Text => {
                    let next = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    let copied = next.map_or(bytes.len(), |at| at + 1);
                    self.ready.extend_from_slice(&bytes[..copied]);
                    match next.map(|at| bytes[at]) {
                        Some(b'"') => self.state = State::Outside,
                        Some(_) => self.state = State::Escaped,
                        None => {}
                    }
                    copied
                }
                State::Escaped => {
                    self.ready.push(first);
                    self.state = State::Text;
                    1
                }
                State::Word if first.is_ascii_alphabetic() && self.word.len() <= LONGEST => {
                    self.word.push(first);
                    1
                }
                State::Word => {
                    self.end_word();
                    0
                }
            };
            bytes = &bytes[length..];
        }
    }

    /// Lets a word out: in quotes where it is one of the numbers.
    fn end_word(&mut self) {
        let quote: &[u8] = if WORDS.contains(&&self.word[..]) { b"\"" } else { b"" };
        for part in [quote, &self.word, quote] {
            self.ready.extend_from_slice(part);
        }
        self.word.clear();
        self.state = State::Outside;
    }
}

/// Reads on until there are as many bytes as a byte order mark has, or no more; returns how many
/// more there are.
fn start(inner: &mut impl Read, buffer: &mut [u8], mut filled: usize) -> Result<usize> {
    let before = filled;
    while filled < text::MARK.len() {
        match inner.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled - before)
}

impl<R: Read> Read for Python<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.taken == self.ready.len() {
            self.fill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a given number of bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn words_become_texts_wherever_the_reads_end() {
        for (python, json) in [
            (
                r#"{"a": NaN, "b":[Infinity,-Infinity,-1,-0.5e-3]}"#,
                r#"{"a": "NaN", "b":["Infinity","-Infinity",-1,-0.5e-3]}"#,
            ),
            (r#"["NaN", "a\"NaN", "\\", NaN, "-Infinity"]"#, r#"["NaN", "a\"NaN", "\\", "NaN", "-Infinity"]"#),
            ("NaN", r#""NaN""#),
            ("[N, NaNa, Infinit, -Inf, -, Infinityyyyyy, -NaN]", "[N, NaNa, Infinit, -Inf, -, Infinityyyyyy, -NaN]"),
            ("\u{feff}[NaN]", "[\"NaN\"]"),
            ("\u{feff}", ""),
            ("", ""),
            ("[\"é\u{feff}\"]", "[\"é\u{feff}\"]"),
        ] {
            for step in [1, 2, 3, 7, 1000] {
                let mut text = String::new();
                Python::new(Slowly(python.as_bytes(), step)).read_to_string(&mut text).unwrap();
                assert_eq!(text, json, "{step} bytes at a time");
            }
        }
    }

    #[test]
    fn utf_16_is_refused() {
        let error = Python::new(b"\xff\xfe{\0}\0".as_slice()).read(&mut [0; 9]).unwrap_err();
        assert_eq!(error.to_string(), "is text in UTF-16 (Notepad's \"Unicode\"); save it as UTF-8");
    }
}
