//! A checkpoint: named tensors from a safetensors file, each of which must be asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use super::stated::REMEDY;
use crate::{Error, Result};

/// Those of a three-dimensional convolution; libtorch takes long to say that there are too many of
/// them.
const MOST_AXES: usize = 5;

/// Named float tensors with torchvision's state-dict names. It keeps count of what was taken, so
/// that a network's builder can say which tensors it had no use for.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    metadata: HashMap<String, String>,
    taken: RefCell<BTreeSet<String>>,
}

impl Checkpoint {
    /// Reads a safetensors file. Half-precision tensors are widened to float32; batch counters
    /// (`num_batches_tracked`) are left out, since they play no part in evaluation.
    ///
    /// # Errors
    /// [`Error::CheckpointFile`] where the file can't be read, is no safetensors file, or holds
    /// tensors that aren't floats or aren't finite.
    pub fn open(path: &Path) -> Result<Self> {
        let broken = |problem: String| Error::CheckpointFile { path: path.to_owned(), problem };
        let bytes = std::fs::read(path).map_err(|e| broken(format!("can't be read: {e}")))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| broken(not_safetensors(&bytes, &e)))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| broken(not_safetensors(&bytes, &e)))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if name.ends_with("num_batches_tracked") {
                continue;
            }
            let kind = match view.dtype() {
                Dtype::F32 => Kind::Float,
                Dtype::F64 => Kind::Double,
                Dtype::F16 => Kind::Half,
                Dtype::BF16 => Kind::BFloat16,
                other => {
                    return Err(broken(format!("tensor {name} is {other:?}; weights must be floating point")));
                }
            };
            if view.shape().len() > MOST_AXES {
                return Err(broken(format!(
                    "tensor {name} has {} axes; weights have at most {MOST_AXES}",
                    view.shape().len()
                )));
            }
            if view.data().is_empty() {
                return Err(broken(format!("tensor {name} of shape {:?} is empty", view.shape())));
            }
            // There is a byte for each of its values, so the product of the sides fits.
            let shape: Vec<i64> = view.shape().iter().map(|&side| side as i64).collect();
            let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)?.f_to_kind(Kind::Float)?;
            if tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
                return Err(broken(format!("tensor {name} holds values that are not finite")));
            }
            tensors.insert(name, tensor);
        }
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { path: path.to_owned(), tensors, metadata, taken: RefCell::default() })
    }

    /// The same with this in its metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), value.to_owned());
        self
    }

    /// A checkpoint that was made in memory; `label` stands for the path in messages.
    pub fn from_tensors(label: &str, tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self {
            path: PathBuf::from(label),
            tensors: tensors.into_iter().collect(),
            metadata: HashMap::new(),
            taken: RefCell::default(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A value of the file's `__metadata__`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Returns whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The numbers `i` for which a tensor's name starts with `prefix` + `i` + `.`, ascending:
    /// `features.` gives the positions of the modules with weights in torch's `Sequential`.
    pub fn indices(&self, prefix: &str) -> Vec<usize> {
        let index = |name: &str| name.strip_prefix(prefix)?.split_once('.')?.0.parse().ok();
        self.names().filter_map(index).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// Shape of a tensor, without taking it.
    ///
    /// # Errors
    /// As [`Checkpoint::take`].
    pub fn shape(&self, name: &str) -> Result<Vec<i64>> {
        self.tensors.get(name).map(Tensor::size).ok_or_else(|| self.missing(name))
    }

    /// Shape of the weight of the convolution `name`, which reads the image: four sides.
    ///
    /// # Errors
    /// Where it is missing, no convolution, or one of several.
    pub(super) fn stem_shape(&self, name: &str) -> Result<Vec<i64>> {
        let (weight, first) = (format!("{name}.weight"), format!("{name}.0.weight"));
        if !self.has(&weight) && self.has(&first) {
            let problem = format!(
                "belongs to a stem of several convolutions (ResNet-C, ResNet-D), where torchvision has one, {weight}; {REMEDY}"
            );
            return Err(self.wrong(&first, problem));
        }
        let shape = self.shape(&weight)?;
        match shape.len() {
            4 => Ok(shape),
            _ => Err(self.wrong(&weight, format!("has shape {shape:?}, expected [any, any, any, any]"))),
        }
    }

    /// Takes the tensor `name`, whose shape must be `shape`, where -1 stands for any side.
    ///
    /// # Errors
    /// [`Error::CheckpointTensor`] where it is missing or misshapen.
    pub fn take(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let found = tensor.size();
        if found.len() != shape.len() || found.iter().zip(shape).any(|(f, s)| *s != -1 && f != s) {
            let wanted: Vec<_> = shape.iter().map(|s| if *s == -1 { "any".into() } else { s.to_string() }).collect();
            return Err(self.wrong(name, format!("has shape {found:?}, expected [{}]", wanted.join(", "))));
        }
        self.taken.borrow_mut().insert(name.to_owned());
        Ok(tensor.shallow_clone())
    }

    /// Sets aside what isn't part of the network in evaluation, such as Inception's auxiliary head.
    pub fn ignore(&self, prefix: &str) {
        let ignored = self.names().filter(|name| name.starts_with(prefix)).map(str::to_owned);
        self.taken.borrow_mut().extend(ignored);
    }

    /// Says whether every tensor was taken.
    ///
    /// # Errors
    /// [`Error::CheckpointTensor`] that names the tensors nobody asked for.
    pub fn finish(&self) -> Result<()> {
        let taken = self.taken.borrow();
        let extra: Vec<&str> = self.names().filter(|name| !taken.contains(*name)).collect();
        match extra.as_slice() {
            [] => Ok(()),
            [one] => Err(self.wrong(one, "is not part of this network".into())),
            [first, rest @ ..] => {
                let more = if rest.len() > 4 { ", …" } else { "" };
                let rest_names = rest[..rest.len().min(4)].join(", ");
                let problem = format!("is not part of this network, nor are {} more ({rest_names}{more})", rest.len());
                Err(self.wrong(first, problem))
            }
        }
    }

    /// An error about one tensor of this file.
    pub(crate) fn wrong(&self, tensor: &str, problem: String) -> Error {
        Error::CheckpointTensor { path: self.path.clone(), tensor: tensor.to_owned(), problem }
    }

    fn missing(&self, name: &str) -> Error {
        let suffix = format!(".{name}");
        let wrapped = self.names().find_map(|other| other.strip_suffix(&suffix));
        let hint = wrapped
            .map(|prefix| {
                format!(
                    "; there is a {prefix}.{name}: convert the file with `scripts/convert_weights.py file`, which takes off a prefix that all of a network's names share, or says why it doesn't"
                )
            });
        self.wrong(name, format!("is missing{}", hint.unwrap_or_default()))
    }
}

/// Says what the file seems to be instead.
fn not_safetensors(bytes: &[u8], error: &safetensors::SafeTensorError) -> String {
    let seems = match bytes {
        [b'P', b'K', ..] | [0x80, ..] => {
            "this looks like a PyTorch .pth file; convert it with scripts/convert_weights.py".to_owned()
        }
        [] => "the file is empty".to_owned(),
        _ if bytes.starts_with(b"version https://git-lfs") => {
            "this is a Git LFS pointer, not the file itself; run `git lfs pull`".to_owned()
        }
        _ => format!("not a complete safetensors file ({error})"),
    };
    format!("can't be read as safetensors: {seems}")
}
