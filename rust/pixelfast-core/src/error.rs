//! Every way in which the core can refuse, one variant a kind.

/// What a core function returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the core refused; each message is a sentence that a user can act on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// An array has the wrong shape, or two arrays do not fit together.
    #[error("{0}")]
    Shape(String),
    /// A setting is out of its range, or a value is not finite.
    #[error("{0}")]
    Value(String),
    /// An image file cannot be used; `path` names it.
    #[error("{path}: {reason}")]
    Decode {
        /// The file.
        path: String,
        /// Why, as the end of a sentence.
        reason: String,
    },
    /// The caller asked to stop (Ctrl-C).
    #[error("interrupted")]
    Cancelled,
}
