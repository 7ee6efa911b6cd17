//! Errors between a checkpoint and a map.
//!
//! Every function of this crate that returns a [`Result`] returns [`Error::Torch`] where libtorch
//! refuses its tensors; `# Errors` sections list the other causes.

use std::path::PathBuf;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of loading a network, running it and explaining it. Messages name the file, tensor, layer
/// or value at fault.
///
/// An error that has a `cause` says it in its own message, so that
/// [`source`](std::error::Error::source) doesn't lead there: who prints a chain of errors would
/// print it twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The checkpoint file can't be read, or isn't safetensors.
    #[error("checkpoint {}: {problem}", path.display())]
    CheckpointFile {
        /// The file.
        path: PathBuf,
        /// The problem, and the remedy.
        problem: String,
    },
    /// The file is fine but its tensors are not those of the requested network.
    #[error("checkpoint {}, {tensor}: {problem}", path.display())]
    CheckpointTensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor, as torchvision's state dict has it.
        tensor: String,
        /// Missing, extra, or what its shape should have been.
        problem: String,
    },
    /// The checkpoint holds another architecture than the requested one.
    #[error("checkpoint {}: {problem}", path.display())]
    Architecture {
        /// The file.
        path: PathBuf,
        /// Asked for, found.
        problem: String,
    },
    /// A name that nothing here has.
    #[error("unknown {what} '{name}'{}", crate::suggest::hint(suggestion.as_deref()))]
    Unknown {
        /// The kind of thing that the name should name, for instance `method`.
        what: &'static str,
        /// The name given.
        name: String,
        /// The nearest valid name, where one is near.
        suggestion: Option<String>,
    },
    /// An input that can't be taken, such as a value outside its range.
    #[error("{0}")]
    Invalid(String),
    /// A layer failed, on the way forward or back.
    #[error("layer {name}{}: {cause}", for_input(.views))]
    Layer {
        /// The node's name in the graph.
        name: String,
        /// The shape of the views, on the way forward: nearly always they are too small.
        views: Option<Vec<i64>>,
        /// The failure.
        cause: Box<Error>,
    },
    /// One of several methods failed.
    #[error("{cause} (method '{id}')")]
    Method {
        /// The method's id, or the name that a config gives it.
        id: String,
        /// The failure.
        cause: Box<Error>,
    },
    /// A method can't explain this network at this layer.
    #[error("{problem}")]
    Unsupported {
        /// The method's id, or the family of methods.
        method: &'static str,
        /// A sentence that names the layer or the network.
        problem: String,
    },
    /// An output or gradient was asked of a pass without being among its needs.
    #[error("an explainer asked for {layer} without naming it among its needs")]
    NotKept {
        /// The node's name in the graph.
        layer: String,
    },
    /// This machine can't compute in the requested precision.
    #[error("precision \"bf16\" needs a processor that can do it: {cause}")]
    Precision {
        /// The refusal.
        cause: Box<Error>,
    },
    /// A fault of this crate.
    #[error("internal error: {0}")]
    Internal(&'static str),
    /// libtorch refused an operation.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

fn for_input(views: &Option<Vec<i64>>) -> String {
    views.as_ref().map(|size| format!(", for an input of {size:?}")).unwrap_or_default()
}

impl Error {
    /// A method that can't explain this network, with a sentence that says why.
    pub(crate) fn unsupported(method: &'static str, problem: impl Into<String>) -> Self {
        Error::Unsupported { method, problem: problem.into() }
    }
}

/// libtorch appends a C++ backtrace to its messages; only the first line speaks to people.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
