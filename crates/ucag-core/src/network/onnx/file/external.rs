//! Tensors that are kept in files beside the model.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::proto::StringStringEntryProto;

/// The files beside a model.
#[derive(Debug)]
pub(super) struct External<'a> {
    /// The model's folder; none for a model in memory.
    folder: Option<&'a Path>,
    /// The files in use, by their real paths.
    files: BTreeMap<PathBuf, Opened>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    length: u64,
    /// Bytes that no tensor has had yet. Tensors that share bytes could take any amount of memory.
    left: u64,
}

impl<'a> External<'a> {
    pub(super) fn new(folder: Option<&'a Path>) -> Self {
        Self { folder, files: BTreeMap::new() }
    }

    /// Reads a tensor of `bytes` bytes, from where `entries` say.
    ///
    /// # Errors
    /// Where that is outside of the folder, isn't there, or has another length.
    pub(super) fn read(&mut self, entries: &[StringStringEntryProto], bytes: u64) -> Result<Vec<u8>, String> {
        let location =
            value(entries, "location").ok_or("is kept in another file, whose name is missing; export it again")?;
        let number = |key: &str| match value(entries, key) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => {
                    Err(format!("is kept in {location:?}, at {key} {text:?}, which is no number; export it again"))
                }
            },
        };
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        let opened = self.open(location)?;
        let length = length.unwrap_or(opened.length.saturating_sub(offset));
        if length != bytes {
            return Err(format!("has {length} bytes in {location:?}, where its shape and type need {bytes}"));
        }
        if offset.checked_add(bytes).is_none_or(|end| end > opened.length) {
            return Err(format!(
                "is kept in {location:?}, {bytes} bytes from {offset} on, and that file has {} bytes; copy it again",
                opened.length
            ));
        }
        opened.left = opened.left.checked_sub(bytes).ok_or_else(|| {
            format!(
                "shares bytes of {location:?} with other tensors, which have more bytes than the file; export it again"
            )
        })?;
        let mut data = Vec::new();
        let read = opened.file.seek(SeekFrom::Start(offset)).and_then(|_| {
            data.reserve_exact(usize::try_from(bytes).unwrap_or_default());
            (&mut opened.file).take(bytes).read_to_end(&mut data)
        });
        match read {
            Ok(_) if data.len() as u64 == bytes => Ok(data),
            Ok(_) => Err(format!("is kept in {location:?}, which became shorter while it was read")),
            Err(error) => Err(format!("is kept in {location:?}, which can't be read: {error}")),
        }
    }

    fn open(&mut self, location: &str) -> Result<&mut Opened, String> {
        let folder =
            self.folder.ok_or_else(|| format!("is kept in another file ({location:?}), and there is no folder"))?;
        let relative = Path::new(location);
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !relative.components().all(inside) {
            return Err(format!("is kept in {location:?}; only files in the model's folder are read: put it there"));
        }
        let beside = |error| {
            format!("is kept in {location:?}, which can't be read beside the model: {error}; copy both files together")
        };
        let real = folder.join(relative).canonicalize().map_err(beside)?;
        if !real.starts_with(folder.canonicalize().map_err(beside)?) {
            return Err(format!(
                "is kept in {location:?}, a link that leaves the model's folder: put the file itself there"
            ));
        }
        match self.files.entry(real) {
            std::collections::btree_map::Entry::Occupied(found) => Ok(found.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                let metadata = place.key().metadata().map_err(beside)?;
                if !metadata.is_file() {
                    return Err(format!("is kept in {location:?}, which is no file"));
                }
                let file = File::open(place.key()).map_err(beside)?;
                Ok(place.insert(Opened { file, length: metadata.len(), left: metadata.len() }))
            }
        }
    }
}

fn value<'a>(entries: &'a [StringStringEntryProto], key: &str) -> Option<&'a str> {
    entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
}
