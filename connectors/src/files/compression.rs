//! Compressed text files, told by the ending of the file name: `.gz`, `.zst`, `.zip`, or none.
//!
//! Files of several members (gzip) or frames (zstd) are read as one text, as the command-line tools do. What
//! comes out of a decoder is counted, so that a small file which unpacks to a huge one ends in an error.

use std::io::{self, BufRead, Read};

use voxhouse_engine::{Error, ErrorKind};

use super::limits::{Limits, Measured};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
    Zip,
}

impl Compression {
    pub(super) fn of(file_name: &str) -> Self {
        let name = file_name.to_ascii_lowercase();
        if name.ends_with(".gz") {
            Self::Gzip
        } else if name.ends_with(".zst") {
            Self::Zstd
        } else if name.ends_with(".zip") {
            Self::Zip
        } else {
            Self::None
        }
    }

    /// The unpacked bytes of `packed`, which has `bytes` of them. A zip archive is unpacked by its members.
    pub(super) fn decoder(
        self,
        packed: impl BufRead + Send + 'static,
        bytes: u64,
        limits: Limits,
    ) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::None | Self::Zip => Box::new(packed),
            Self::Gzip => {
                Box::new(Measured::new(flate2::bufread::MultiGzDecoder::new(packed), bytes, limits))
            }
            Self::Zstd => {
                Box::new(Measured::new(zstd::stream::read::Decoder::with_buffer(packed)?, bytes, limits))
            }
        })
    }

    /// Tells a failure of the store or a limit, which pass through the decoder unharmed, from data the
    /// decoder refuses.
    pub(super) fn error(self, error: io::Error) -> Error {
        let error = match error.downcast::<Error>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        let name = match self {
            Self::None => return Error::from(error),
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
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
    match [".gz", ".zst", ".zip"].iter().find_map(|ending| name.strip_suffix(ending)) {
        Some(plain) => plain.to_owned(),
        None => name,
    }
}
