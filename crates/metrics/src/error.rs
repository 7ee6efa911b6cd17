//! Errors of scoring a map.

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of a classifier.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Errors of scoring a map.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A map, image or parameter that the metric can't take.
    #[error("{0}")]
    Invalid(String),
    /// The classifier failed.
    #[error("asking the network: {0}")]
    Network(#[source] BoxError),
    /// libtorch refused an operation.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

/// The first line of libtorch's message; a C++ backtrace follows it.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
