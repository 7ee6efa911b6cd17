//! Errors between a checkpoint and a map.

use std::path::PathBuf;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of loading a network, running it and explaining it. Messages name the file, tensor, layer
/// or value at fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The checkpoint file can't be read, or isn't safetensors.
    #[error("checkpoint {}: {problem}", path.display())]
    CheckpointFile {
        /// The file.
        path: PathBuf,
        /// The problem, and the remedy.
        problem: String,
    },
    /// The file is fine but its tensors are not those of the network asked for.
    #[error("checkpoint {}, {tensor}: {problem}", path.display())]
    CheckpointTensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor, as torchvision's state dict has it.
        tensor: String,
        /// Missing, extra, or what its shape should have been.
        problem: String,
    },
    /// The checkpoint holds another architecture than the one asked for.
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
    /// A value outside its range, or an input that a network or method can't take.
    #[error("{0}")]
    Invalid(String),
    /// libtorch refused an operation.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

/// libtorch appends a C++ backtrace to its messages; only the first line speaks to people.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
