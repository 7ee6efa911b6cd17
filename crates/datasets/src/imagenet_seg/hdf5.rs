//! Objects of an HDF5 file: by name, and by the address that a reference holds.
//!
//! Elements of MATLAB's cell arrays have no name: the array holds references, which are addresses
//! of objects. `hdf5-pure` follows references an array at a time and fails where one of them is
//! bad, but a sample is read on its own, and a bad one is nobody else's problem. What the crate
//! does open on its own is the root of a file, whose address stands in the superblock. So
//! [`Hdf5::at`] opens the file with a superblock in front in which the root is the object asked
//! for.
//!
//! Nothing is read but what is asked for: whichever way a file is opened, it stays on disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use hdf5_pure::{
    Chunk, ChunkCacheConfig, DType, Dataset, Error, FileAccessProperties, FormatError, Layout, ReadSeekSource, Source,
};

use crate::image::limits::{DEFLATE_RATIO, MAX_PIXELS};

/// A result whose error doesn't name the file.
pub(super) type Result<T> = std::result::Result<T, String>;

/// First bytes of HDF5 files, and of no others, possibly after a block of the user's.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// Their possible offsets, the user's block being 0 or 512, 1024, 2048, … bytes; MATLAB's is 512.
const STARTS: [u64; 6] = [0, 512, 1024, 2048, 4096, 8192];
/// Most references in an array: more than a thousand times what there is.
const MAX_REFERENCES: u64 = 1 << 23;
/// Largest piece that an array may be stored in, in bytes.
const MAX_CHUNK: u64 = 3 * MAX_PIXELS;

/// An HDF5 file.
#[derive(Debug)]
pub(super) struct Hdf5 {
    path: PathBuf,
    /// Offset from which addresses in the file are counted.
    base: u64,
    /// In bytes.
    length: u64,
}

impl Hdf5 {
    /// Looks at the start of a file and at its length.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = ReadSeekSource::new(File::open(path).map_err(|error| error.to_string())?).map_err(text)?;
        let start_of = |at: u64, length: usize| file.read_exact_at(at, length).unwrap_or_default();
        if !STARTS.iter().any(|start| start_of(*start, SIGNATURE.len()) == SIGNATURE) {
            return Err(not_hdf5(file.len(), &start_of(0, file.len().min(128) as usize)));
        }
        let length = file.len();
        let damaged = |error| format!("can't be read ({error}); download it again");
        let opened = hdf5_pure::File::from_source(file).map_err(damaged)?;
        let superblock = opened.superblock();
        let (base, end) = (superblock.base_address.get(), superblock.eof_address);
        if superblock.offset_size != 8 || superblock.length_size != 8 {
            return Err("has addresses or lengths of other than 8 bytes, which MATLAB doesn't write".into());
        }
        // Some writers count the end from the start of the file, some from the superblock.
        if length < end {
            return Err(format!("is cut short: it has {length} bytes and says it has {end}; download it again"));
        }
        Ok(Self { path: path.into(), base, length })
    }

    /// The array of this name, with `/` between groups.
    pub(super) fn named(&self, name: &str) -> Result<Array> {
        let file = hdf5_pure::File::open_streaming_with_options(&self.path, without_cache()).map_err(text)?;
        match file.dataset(name) {
            Ok(dataset) => Array::new(dataset, self.length),
            Err(Error::Format(FormatError::PathNotFound(_)) | Error::NotAGroup(_)) => Err("is not there".into()),
            Err(Error::NotADataset(_)) => Err("is a group, not an array".into()),
            Err(error) => Err(format!("can't be read ({error})")),
        }
    }

    /// The array at an address that a reference holds.
    pub(super) fn at(&self, address: u64) -> Result<Array> {
        if address == 0 || address == u64::MAX {
            return Err("the reference is empty".into());
        }
        let file = ReadSeekSource::new(File::open(&self.path).map_err(|error| error.to_string())?).map_err(text)?;
        if address.checked_add(self.base).is_none_or(|at| at >= self.length) {
            return Err(format!("the reference leads to byte {address}, which is not in the file"));
        }
        let rooted = Rooted { superblock: superblock(FRONT + self.base, FRONT + self.length, address), file };
        let opened = hdf5_pure::File::from_source_with_options(rooted, without_cache()).map_err(text)?;
        match opened.dataset("/") {
            Ok(dataset) => Array::new(dataset, self.length),
            Err(Error::NotADataset(_)) => Err("the reference leads to something that is not an array".into()),
            Err(error) => Err(format!("the reference leads to no array ({error})")),
        }
    }
}

/// An array that is opened; its values are still on disk.
pub(super) struct Array {
    dataset: Dataset,
    /// In the file's order, which is MATLAB's in reverse.
    pub(super) shape: Vec<u64>,
    /// Of its elements.
    pub(super) kind: DType,
}

impl Array {
    fn new(dataset: Dataset, file: u64) -> Result<Self> {
        let (shape, kind) = (dataset.shape().map_err(text)?, dataset.dtype().map_err(text)?);
        let element = dataset.element_size().map_err(text)?;
        if element > 8 {
            return Err(format!("has values of {element} bytes each; numbers and references have up to 8"));
        }
        let bytes = |sides: &[u64]| sides.iter().try_fold(element, |bytes, side| bytes.checked_mul(*side));
        let most = file.saturating_mul(DEFLATE_RATIO);
        let Some(size) = bytes(&shape).filter(|bytes| *bytes <= most) else {
            return Err(format!("has {} values, more than can be in this file", sides(&shape)));
        };
        // What was never written would be read as zeros.
        let unwritten = || Err("is not in the file as a whole: some of its values were never written".into());
        match dataset.layout().map_err(text)? {
            Layout::Compact { .. } => {}
            Layout::Contiguous { address, .. } if address.is_some() || size == 0 => {}
            Layout::Chunked { chunk_shape, .. } => {
                // Chunks are taken to memory whole.
                if bytes(&chunk_shape).is_none_or(|bytes| bytes == 0 || bytes > most.min(MAX_CHUNK)) {
                    return Err(format!("is stored in pieces of {}, which can't be", sides(&chunk_shape)));
                }
                let chunks = dataset.chunks().map_err(text)?;
                // The crate takes memory for what a chunk says it has before it finds that there is
                // less.
                let is_inside = |chunk: &Chunk| {
                    chunk.address.checked_add(chunk.storage_size).is_some_and(|end| end <= FRONT + file)
                };
                if !chunks.iter().all(is_inside) {
                    return Err("is stored in pieces of which some are not in the file".into());
                }
                let needed = shape.iter().zip(&chunk_shape).map(|(side, chunk)| side.div_ceil(*chunk)).product::<u64>();
                let places: BTreeSet<&[u64]> = chunks.iter().map(|chunk| chunk.offset.as_slice()).collect();
                if (places.len() as u64) < needed {
                    return unwritten();
                }
            }
            _ => return unwritten(), // not allocated, or virtual: in other files
        }
        Ok(Self { dataset, shape, kind })
    }

    /// Values as they are stored; the caller has looked at the shape.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        self.dataset.read_raw().map_err(text)
    }

    /// Numbers of any kind; the caller has looked at the shape.
    pub(super) fn numbers(&self) -> Result<Vec<f64>> {
        self.dataset.read_f64().map_err(text)
    }

    /// The addresses in a row or column of references.
    pub(super) fn references(&self) -> Result<Vec<u64>> {
        if self.kind != DType::ObjectReference {
            return Err(format!("holds {}, not references, so it is no cell array", self.kind));
        }
        let length = self.shape.iter().try_fold(1, |length: u64, side| length.checked_mul(*side));
        let (Some(length), 0 | 1) = (length, self.shape.iter().filter(|side| **side != 1).count()) else {
            return Err(format!("is {}; one row or column of references is expected", sides(&self.shape)));
        };
        if length > MAX_REFERENCES {
            return Err(format!("has {length} references; at most {MAX_REFERENCES} are read"));
        }
        let bytes = self.bytes()?;
        let addresses: Vec<u64> = bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        if addresses.len() as u64 != length || bytes.len() != addresses.len() * 8 {
            return Err(format!("has {} bytes for {length} references of 8", bytes.len()));
        }
        Ok(addresses)
    }
}

/// `3 × 500 × 375`.
pub(super) fn sides(shape: &[u64]) -> String {
    let sides: Vec<String> = shape.iter().map(u64::to_string).collect();
    if sides.is_empty() { "a single value".into() } else { sides.join(" × ") }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Every array is read once, so nothing is kept.
fn without_cache() -> FileAccessProperties {
    FileAccessProperties::new().with_chunk_cache(ChunkCacheConfig::disabled())
}

fn not_hdf5(length: u64, start: &[u8]) -> String {
    if length == 0 {
        return "is empty (0 bytes); download it again".into();
    }
    if start.starts_with(b"MATLAB 5.0") {
        return "is a MAT-file of version 5, the published one is of version 7.3: download that, or load yours in MATLAB and save(..., '-v7.3')".into();
    }
    if start.starts_with(b"MATLAB 7.3") {
        return "has MATLAB's header but no HDF5 data after it; download it again".into();
    }
    let shown = String::from_utf8_lossy(&start[..start.len().min(24)]).into_owned();
    format!("is not a MATLAB 7.3 (HDF5) file: it starts with {shown:?}; was a web page saved in its place?")
}

/// Bytes that are put in front of the file.
const FRONT: u64 = 512;

/// A file with a superblock of our own in front.
struct Rooted {
    superblock: [u8; FRONT as usize],
    file: ReadSeekSource<File>,
}

impl Source for Rooted {
    fn len(&self) -> u64 {
        FRONT + self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), FormatError> {
        let in_front = FRONT.saturating_sub(offset).min(buffer.len() as u64) as usize;
        let (front, rest) = buffer.split_at_mut(in_front);
        if in_front > 0 {
            front.copy_from_slice(&self.superblock[offset as usize..][..in_front]);
        }
        if rest.is_empty() { Ok(()) } else { self.file.read_at(offset.max(FRONT) - FRONT, rest) }
    }
}

/// A superblock of version 0 (HDF5 file format specification, II.A): addresses count from `base`,
/// the file ends at `end`, and its root is at `root`.
fn superblock(base: u64, end: u64, root: u64) -> [u8; FRONT as usize] {
    const NONE: u64 = u64::MAX;
    let mut block = [0; FRONT as usize];
    block[..8].copy_from_slice(&SIGNATURE);
    // Bytes of an address and of a length; the versions before them are 0.
    (block[13], block[14]) = (8, 8);
    (block[16], block[18]) = (4, 16); // sizes of groups' nodes, which are of no use without a group
    for (place, value) in [(24, base), (32, NONE), (40, end), (48, NONE), (64, root)] {
        block[place..place + 8].copy_from_slice(&value.to_le_bytes());
    }
    block
}
