//! Why the work on a message ended early, and what that means for the connection.

use voxhouse_engine::{Error, ErrorKind};

pub(super) type Flow<T> = Result<T, Stop>;

#[derive(Debug)]
pub(super) enum Stop {
    /// Answered with an ErrorResponse; the connection goes on.
    Error(Error),
    /// Answered with a FATAL ErrorResponse; the connection ends.
    Fatal(Error),
    /// The client is gone: there is nobody to answer.
    Gone,
}

impl Stop {
    pub(super) fn fatal_protocol(message: impl Into<String>) -> Self {
        Stop::Fatal(Error::new(ErrorKind::ProtocolViolation, message))
    }

    pub(super) fn terminated() -> Self {
        Stop::Fatal(Error::new(
            ErrorKind::ShuttingDown,
            "terminating connection due to administrator command",
        ))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(_: std::io::Error) -> Self {
        Stop::Gone
    }
}
