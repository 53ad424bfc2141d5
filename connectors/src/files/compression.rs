//! Compressed text files, told by the ending of the file name: `.gz`, `.zst`, or none.
//!
//! Files of several members (gzip) or frames (zstd) are read as one text, as the command-line tools do.

use std::io::{self, Read};

use voxhouse_engine::{Error, ErrorKind};

use super::object::ObjectReader;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub(super) fn of(file_name: &str) -> Self {
        let name = file_name.to_ascii_lowercase();
        if name.ends_with(".gz") {
            Self::Gzip
        } else if name.ends_with(".zst") {
            Self::Zstd
        } else {
            Self::None
        }
    }

    /// The decompressed bytes of an object.
    pub(super) fn decoder(self, object: ObjectReader) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None => Box::new(object),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(object)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(object)?),
        })
    }

    /// Tells a failure of the store, which passes through the decoder unharmed, from data the decoder
    /// refuses.
    pub(super) fn error(self, error: io::Error) -> Error {
        let error = match error.downcast::<Error>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        let name = match self {
            Self::None => return Error::from(error),
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        };
        let text = error.to_string();
        if text.contains("too much memory") {
            return Error::new(ErrorKind::LimitExceeded, "zstd data needs a window larger than 128 MiB")
                .with_hint("Compress the file without the option --long.");
        }
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is truncated".to_owned(),
            _ => text.lines().next().unwrap_or("it is corrupt").to_lowercase(),
        };
        Error::new(ErrorKind::DataCorrupted, format!("invalid {name} data: {what}")).with_source(error)
    }
}

/// A file name in lower case without the ending of its compression: `A.CSV.gz` → `a.csv`.
pub(super) fn plain_name(file_name: &str) -> String {
    let name = file_name.to_ascii_lowercase();
    match name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")) {
        Some(plain) => plain.to_owned(),
        None => name,
    }
}
