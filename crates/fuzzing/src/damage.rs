//! Damage to files: bits flip, ends are lost, pieces go missing, come twice or come from another
//! file, numbers become absurd.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// No damaged file is longer, in bytes.
const LONGEST: usize = 1 << 20;
/// Deepest nesting that is put in.
const DEEPEST: usize = 30_000;

/// Numbers that parsers are surprised by.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "255",
    "256",
    "65535",
    "65536",
    "2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1000000000000",
    "1e-320",
    "1e308",
    "-1e400",
    "NaN",
    "-inf",
    "00000000000000000000000000000000000000000000000000000000000001",
];
/// The same as bits of eight bytes, of which a number may have the lower ones.
const BITS: [u64; 12] =
    [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, i64::MAX as u64, u64::MAX - 7, u64::MAX];
/// Text that isn't text, and letters that aren't expected.
const STRANGE: [&[u8]; 10] = [
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\0",
    b"\xef\xbb\xbf",
    "\u{202e}\u{301}".as_bytes(),
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
];
/// Opening and closing brackets of the formats that there are.
const PAIRS: [(&str, &str); 7] =
    [("[", "]"), ("{", "}"), ("{\"a\":", "}"), ("(", ")"), ("<object>", "</object>"), ("<size>", ""), ("a.", "")];

/// A damaged file, as what is done to a whole one: so that of a failure, the least damage that does
/// it can be looked for.
#[derive(Debug, Clone)]
pub struct Damage {
    whole: Whole,
    edits: Vec<Edit>,
    mended: bool,
}

#[derive(Debug, Clone)]
enum Whole {
    Seed(Index),
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone)]
enum Edit {
    Flip(Index, u8),
    Byte(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize, Index, usize),
    Splice(Index, Index, usize, Index),
    Number(Index, Index),
    Word(Index, Index, Index),
    Bits(Index, Index, usize, bool),
    Known(Index, Index),
    Strange(Index, Index),
    Nest(Index, Index, usize),
}

/// Files with one to seven places damaged, most of them with one or two, of which half are mended;
/// one in sixteen is bytes without a meaning.
pub fn any_damage() -> impl Strategy<Value = Damage> {
    let whole = prop_oneof![
        15 => any::<Index>().prop_map(Whole::Seed),
        1 => vec(any::<u8>(), 0..600).prop_map(Whole::Bytes),
    ];
    let edits = prop_oneof![3 => vec(edit(), 1), 2 => vec(edit(), 2..4), 1 => vec(edit(), 4..8)];
    (whole, edits, any::<bool>()).prop_map(|(whole, edits, mended)| Damage { whole, edits, mended })
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let length = || prop_oneof![3 => 1..16usize, 2 => 1..200usize, 1 => 1..5000usize];
    let times = prop_oneof![4 => 1..4usize, 1 => 1..2000usize];
    let depth = prop_oneof![3 => 1..200usize, 1 => 1..DEEPEST];
    prop_oneof![
        3 => (at(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        1 => at().prop_map(Edit::Cut),
        2 => (at(), length()).prop_map(|(at, length)| Edit::Remove(at, length)),
        1 => (at(), length(), at(), times).prop_map(|(from, length, to, times)| Edit::Repeat(from, length, to, times)),
        2 => (at(), at(), length(), at()).prop_map(|(seed, from, length, to)| Edit::Splice(seed, from, length, to)),
        5 => (at(), at()).prop_map(|(which, number)| Edit::Number(which, number)),
        5 => (at(), at(), at()).prop_map(|(which, seed, other)| Edit::Word(which, seed, other)),
        3 => (at(), at(), 0..4usize, any::<bool>()).prop_map(|(at, bits, width, big)| Edit::Bits(at, bits, 1 << width, big)),
        3 => (at(), at()).prop_map(|(at, word)| Edit::Known(at, word)),
        1 => (at(), at()).prop_map(|(at, strange)| Edit::Strange(at, strange)),
        1 => (at(), at(), depth).prop_map(|(at, pair, depth)| Edit::Nest(at, pair, depth)),
    ]
}

impl Damage {
    /// The file.
    pub fn bytes(&self, seeds: &[Vec<u8>], words: &[&str], mend: fn(&mut [u8])) -> Vec<u8> {
        let mut bytes = match &self.whole {
            Whole::Seed(index) => index.get(seeds).clone(),
            Whole::Bytes(bytes) => bytes.clone(),
        };
        for edit in &self.edits {
            edit.apply(&mut bytes, seeds, words);
            bytes.truncate(LONGEST);
        }
        if self.mended {
            mend(&mut bytes);
        }
        bytes
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
        let length = bytes.len();
        let place = |at: &Index| at.index(length + 1);
        let piece = |of: &[u8], at: &Index, length: usize| {
            let from = at.index(of.len() + 1);
            of[from..(from + length).min(of.len())].to_vec()
        };
        match self {
            Edit::Flip(at, bit) if length > 0 => bytes[at.index(length)] ^= 1 << bit,
            Edit::Byte(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Edit::Flip(..) | Edit::Byte(..) => {}
            Edit::Cut(at) => bytes.truncate(place(at)),
            Edit::Remove(at, count) => drop(bytes.drain(place(at)..(place(at) + count).min(length))),
            Edit::Repeat(from, count, to, times) => {
                let times = (*times).min(LONGEST / count);
                insert(bytes, place(to), &piece(bytes, from, *count).repeat(times));
            }
            Edit::Splice(seed, from, count, to) => {
                insert(bytes, place(to), &piece(seed.get::<Vec<u8>>(seeds), from, *count))
            }
            Edit::Number(which, number) => {
                let numbers = runs(bytes, |byte| byte.is_ascii_digit());
                if !numbers.is_empty() {
                    bytes.splice(which.get(&numbers).clone(), number.get(&NUMBERS).bytes());
                }
            }
            Edit::Word(which, seed, other) => {
                let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
                let (seed, words) = (seed.get::<Vec<u8>>(seeds), runs(bytes, is_word));
                let others = runs(seed, is_word);
                if !words.is_empty() && !others.is_empty() {
                    bytes.splice(which.get(&words).clone(), seed[other.get(&others).clone()].iter().copied());
                }
            }
            Edit::Bits(at, bits, width, big) => {
                let bits = bits.get(&BITS);
                let from = at.index(length.saturating_sub(*width) + 1);
                let places = bytes[from..].iter_mut().take(*width);
                let bits = if *big { &bits.to_be_bytes()[8 - width..] } else { &bits.to_le_bytes()[..*width] };
                places.zip(bits).for_each(|(place, bits)| *place = *bits);
            }
            Edit::Known(at, word) if !words.is_empty() => insert(bytes, place(at), word.get(words).as_bytes()),
            Edit::Known(..) => {}
            Edit::Strange(at, strange) => insert(bytes, place(at), strange.get::<&[u8]>(&STRANGE)),
            Edit::Nest(at, pair, depth) => {
                let (open, close) = pair.get(&PAIRS);
                insert(bytes, place(at), (open.repeat(*depth) + &close.repeat(*depth)).as_bytes());
            }
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// Returns where there are bytes of a kind beside each other.
fn runs(bytes: &[u8], is_one: impl Fn(u8) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_one(**byte)).count();
        if length > 0 {
            runs.push(at..at + length);
        }
        at += length.max(1);
    }
    runs
}
