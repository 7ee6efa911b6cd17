//! Damaged files for every parser of outside data: what comes of them is a value or a message.
//!
//! A [`Target`] is a parser as a function of bytes, with whole files to start from. [`run::check`]
//! damages those ([`damage`]) and feeds them to the parser, and so could any other fuzzer: `fuzz/`
//! has the same functions for libFuzzer. Each call must come back without a panic, in time, and
//! with no more memory than the file's length explains ([`heap`]).

pub mod damage;
pub mod heap;
pub mod run;
pub mod targets;

/// A parser of outside data.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Whole files, each of which it accepts.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of such files that are worth putting elsewhere in them.
    pub words: &'static [&'static str],
    /// Puts checksums and lengths right, without which the parser would look no further.
    pub mend: fn(&mut [u8]),
    /// Bytes of memory that a byte of the file may take, beyond a constant.
    pub growth: usize,
    /// Parses, and panics where what comes of it can't be: an index beyond its list, a mask of
    /// another size than its image.
    pub parse: fn(&[u8]) -> Result<(), String>,
}

/// [`Target::mend`] where there is nothing to put right.
pub fn nothing(_: &mut [u8]) {}

/// [`Target::growth`] of text and of arrays.
pub const GROWTH: usize = 20;
