//! Arrays of floating-point numbers in NumPy's `.npy` files.
//!
//! Bytes from elsewhere are looked at before the library sees them: it multiplies a shape's sides
//! without asking whether the product fits.

use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use half::f16;
use npyz::{DType, NpyFile, TypeChar, WriterBuilder};

/// An array, in C order whatever the file's order was.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its values, the last index fastest.
    pub values: Values,
}

/// Values in the precision that they were written in; half precision as single, which holds it
/// exactly.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// float16 and float32.
    Single(Vec<f32>),
    /// float64.
    Double(Vec<f64>),
}

/// No array of numbers needs a longer header; NumPy's own is 118 bytes for a map.
const LONGEST_HEADER: usize = 1024;
/// Nor more brackets: a map's has two, and time doubles with each in which another one lies.
const MOST_BRACKETS: usize = 8;

impl Array {
    /// Reads a file's bytes, of either byte order and either order of axes.
    ///
    /// # Errors
    /// Where they aren't exactly one array of float16, float32 or float64. The message doesn't name
    /// the file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let data = check(bytes)?;
        let file = NpyFile::new(bytes).context("its header can't be read")?;
        let dtype = file.dtype();
        let size = match &dtype {
            DType::Plain(of) if of.type_char() == TypeChar::Float && [2, 4, 8].contains(&of.size_field()) => {
                of.size_field() as usize
            }
            _ if file.uses_pickled_array() => {
                bail!("holds Python objects; expected float32, float64 or float16: save np.asarray(map, np.float32)")
            }
            _ => bail!(
                "holds values of type {}; expected float32, float64 or float16: save np.asarray(map, np.float32)",
                dtype.descr()
            ),
        };
        // The product was checked.
        let count = file.len() as usize;
        let room = data.len() / size;
        ensure!(room >= count, "is cut short: {room} of {count} values are there");
        ensure!(data.len() == count * size, "goes on after its {count} values; expected one array and nothing else");
        let shape: Vec<usize> = file.shape().iter().map(|&side| side as usize).collect();
        let strides: Vec<usize> = file.strides().iter().map(|&stride| stride as usize).collect();
        let values = match size {
            2 => Values::Single(in_c_order(&shape, &strides, file.into_vec::<f16>()?, f32::from)),
            4 => Values::Single(in_c_order(&shape, &strides, file.into_vec::<f32>()?, |value| value)),
            _ => Values::Double(in_c_order(&shape, &strides, file.into_vec::<f64>()?, |value| value)),
        };
        Ok(Self { shape, values })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Array::parse`], or where it can't be read; the message names the file.
    pub fn read(path: &Path) -> Result<Self> {
        let about = || path.display().to_string();
        Self::parse(&std::fs::read(path).with_context(about)?).with_context(about)
    }
}

impl Values {
    /// In single precision.
    pub fn into_single(self) -> Vec<f32> {
        match self {
            Values::Single(values) => values,
            Values::Double(values) => values.into_iter().map(|value| value as f32).collect(),
        }
    }
}

/// Writes float32 values in C order.
///
/// # Errors
/// Where the file can't be written; the message names it.
pub fn write(path: &Path, values: &[f32], shape: &[u64]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let file = BufWriter::new(std::fs::File::create(path)?);
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd()?;
        writer.extend(values.iter().copied())?;
        writer.finish()
    };
    write().with_context(|| format!("{}: can't be written", path.display()))
}

/// The bytes after the header, where the header is one that the library can be given.
fn check(bytes: &[u8]) -> Result<&[u8]> {
    ensure!(!bytes.is_empty(), "is empty");
    ensure!(!bytes.starts_with(b"PK"), "is a .npz archive; save the one array with np.save");
    ensure!(bytes.starts_with(b"\x93NUMPY"), "isn't a .npy file; np.save writes one");
    let (length, start) = match bytes {
        [_, _, _, _, _, _, 1, _, a, b, ..] => (u32::from(u16::from_le_bytes([*a, *b])), 10),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]), 12),
        [_, _, _, _, _, _, version, _, ..] if *version > 3 => {
            bail!("is of .npy's version {version}, which isn't known")
        }
        _ => bail!("ends within its header"),
    };
    let length = length as usize;
    ensure!(length <= LONGEST_HEADER, "has a header of {length} bytes, which is no plain array's");
    let header = bytes.get(start..start + length).context("ends within its header")?;
    let text = str::from_utf8(header).ok().context("its header isn't text")?;
    let brackets = text.matches(['(', '[', '{']).count();
    ensure!(brackets <= MOST_BRACKETS, "has {brackets} brackets in its header, which is no plain array's");
    ensure!(fits(text), "its header has no shape that fits into memory");
    Ok(&bytes[start + length..])
}

/// Returns whether the product of all numbers in a header is the length of something, zeros left
/// out. Which of them are sides of the shape isn't asked: keys may come twice, or be spelled so
/// that only the library knows them.
fn fits(header: &str) -> bool {
    let words = header.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let mut numbers = words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
    let times =
        |product: u64, number: &str| product.checked_mul(number.trim_end_matches('L').parse::<u64>().ok()?.max(1));
    numbers.try_fold(8, times).is_some_and(|bytes| bytes <= isize::MAX as u64)
}

fn in_c_order<T: Copy, U>(shape: &[usize], strides: &[usize], stored: Vec<T>, convert: fn(T) -> U) -> Vec<U> {
    let place = |flat: usize| {
        let step =
            |(rest, at): (usize, usize), (&side, &stride): (&usize, &usize)| (rest / side, at + rest % side * stride);
        shape.iter().zip(strides).rev().fold((flat, 0), step).1
    };
    (0..stored.len()).map(|flat| convert(stored[place(flat)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as NumPy's format description has it, put together by hand.
    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    fn message(bytes: &[u8]) -> String {
        format!("{:#}", Array::parse(bytes).unwrap_err())
    }

    #[test]
    fn every_precision_byte_order_and_order_of_axes() {
        // 1.5 and −2 in IEEE 754, by hand.
        let single = |values: Vec<f32>| Values::Single(values);
        let cases: [(&str, &[u8], Values); 6] = [
            ("'<f2'", &[0x00, 0x3e, 0x00, 0xc0], single(vec![1.5, -2.0])),
            ("'>f2'", &[0x3e, 0x00, 0xc0, 0x00], single(vec![1.5, -2.0])),
            ("'<f4'", &[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0], single(vec![1.5, -2.0])),
            ("'>f4'", &[0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], single(vec![1.5, -2.0])),
            ("'<f8'", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], Values::Double(vec![1.5, -2.0])),
            ("'>f8'", &[0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], Values::Double(vec![1.5, -2.0])),
        ];
        for (descr, data, values) in cases {
            assert_eq!(
                Array::parse(&file(descr, "False", "(1, 2)", data)).unwrap(),
                Array { shape: vec![1, 2], values }
            );
        }
        // [[0, 1, 2], [3, 4, 5]] column by column.
        let columns: Vec<u8> = [0f32, 3.0, 1.0, 4.0, 2.0, 5.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        for (shape, sides) in [("(2, 3)", vec![2, 3]), ("(1, 2, 3)", vec![1, 2, 3])] {
            let array = Array::parse(&file("'<f4'", "True", shape, &columns)).unwrap();
            assert_eq!(array, Array { shape: sides, values: single(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]) });
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        write(&path, &[1.0, f32::NAN, -0.0], &[3, 1]).unwrap();
        let array = Array::read(&path).unwrap();
        assert_eq!(array.shape, [3, 1]);
        let bits: Vec<u32> = array.values.into_single().iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, [1f32.to_bits(), f32::NAN.to_bits(), 0x8000_0000]);
    }

    #[test]
    fn files_that_are_something_else() {
        assert_eq!(message(b""), "is empty");
        assert_eq!(message(b"PK\x03\x04"), "is a .npz archive; save the one array with np.save");
        assert_eq!(message(b"\x89PNG\r\n"), "isn't a .npy file; np.save writes one");
        assert_eq!(message(b"\x93NUMPY\x01"), "ends within its header");
        assert_eq!(message(b"\x93NUMPY\x09\x00\x10\x00"), "is of .npy's version 9, which isn't known");
        assert_eq!(message(b"\x93NUMPY\x01\x00\x76\x00{'descr'"), "ends within its header");
        assert_eq!(
            message(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"),
            "has a header of 4294967295 bytes, which is no plain array's"
        );
        let good = file("'<f4'", "False", "(2, 2)", &[0; 16]);
        assert!(Array::parse(&good).is_ok());
        for length in 0..good.len() {
            assert!(Array::parse(&good[..length]).is_err(), "{length} bytes were taken");
        }
        assert_eq!(message(&good[..good.len() - 5]), "is cut short: 2 of 4 values are there");
        let long = [&good[..], b"more"].concat();
        assert_eq!(message(&long), "goes on after its 4 values; expected one array and nothing else");
        let huge = file("'<f4'", "False", "(4294967296, 4294967296)", &[]);
        assert_eq!(message(&huge), "its header has no shape that fits into memory");
        let huge = file("'<f4'", "False", "(0, 4294967296, 4294967296)", &[]);
        assert_eq!(message(&huge), "its header has no shape that fits into memory");
        for shape in [
            "(4294967296, 4294967296), 'other shape': (1,)",
            "(1,), 'shape': (4294967296, 4294967296)",
            "[4294967296, 0xffffffff]",
        ] {
            let huge = file("'<f4'", "False", shape, &[]);
            assert_eq!(message(&huge), "its header has no shape that fits into memory", "{shape}");
        }
        let deep = file(&"[".repeat(900), "False", "(1,)", &[0; 4]);
        assert_eq!(message(&deep), "has 902 brackets in its header, which is no plain array's");
        let broken = message(&file("'<f4'", "Perhaps", "(1, 1)", &[0; 4]));
        assert!(broken.starts_with("its header can't be read: "), "{broken}");
    }

    #[test]
    fn values_that_are_no_floats() {
        let expected = "expected float32, float64 or float16: save np.asarray(map, np.float32)";
        for descr in ["'<i8'", "'|u1'", "'|b1'", "'<c8'", "'<f16'", "'<U3'"] {
            let data = [0; 16];
            assert_eq!(
                message(&file(descr, "False", "(1, 1)", &data)),
                format!("holds values of type {descr}; {expected}")
            );
        }
        assert_eq!(message(&file("'|O'", "False", "(1, 1)", b"\x80\x04")), format!("holds Python objects; {expected}"));
        let record = message(&file("[('a', '<f4')]", "False", "(1,)", &[0; 4]));
        assert!(record.starts_with("holds values of type [('a', '<f4'), ]; "), "{record}");
    }
}
