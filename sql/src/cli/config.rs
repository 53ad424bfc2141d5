//! The configuration file, `voxhouse.toml`. Flags and environment variables stand above it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use voxhouse_engine::storage::StoreOptions;
use voxhouse_engine::{Error, Result};

const DEFAULT_FILE: &str = "voxhouse.toml";

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Folder or URL of the warehouse.
    pub(super) root: String,
    /// Where the Postgres protocol is served.
    pub(super) listen: SocketAddr,
    /// Certificate chain and private key, in PEM. Both or neither.
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    /// A file with the password of the role `voxhouse`, in place of the one that is made at the first start.
    pub(super) password_file: Option<PathBuf>,
    /// What all queries together may use before they spill, such as "2GB"; half of the machine's memory.
    pub(super) memory_limit: Option<String>,
    /// How long one request to a remote object store may take, to connect to it, and for how long a request is tried
    /// again when the store is down or throttles; "30s", "5s" and "60s".
    pub(super) store_request_timeout: Option<String>,
    pub(super) store_connect_timeout: Option<String>,
    pub(super) store_retry_timeout: Option<String>,
    /// Sessions at a time.
    pub(super) max_connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: "./voxhouse-data".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 5433)),
            tls_cert: None,
            tls_key: None,
            password_file: None,
            memory_limit: None,
            store_request_timeout: None,
            store_connect_timeout: None,
            store_retry_timeout: None,
            max_connections: 100,
        }
    }
}

impl Config {
    /// A file that was asked for must be there; the default one need not.
    pub(super) fn read(file: Option<&Path>) -> Result<Self> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(
                    Error::from(error).in_context(format!("configuration file \"{}\"", path.display()))
                );
            }
        };
        toml::from_str(&text).map_err(|error| {
            Error::invalid_argument(format!("configuration file \"{}\" is not valid", path.display()))
                .with_detail(error.to_string())
        })
    }

    /// How a remote store is talked to.
    pub(super) fn store(&self) -> Result<StoreOptions> {
        let mut options = StoreOptions::default();
        for (given, limit) in [
            (&self.store_request_timeout, &mut options.request_timeout),
            (&self.store_connect_timeout, &mut options.connect_timeout),
            (&self.store_retry_timeout, &mut options.retry_timeout),
        ] {
            if let Some(text) = given {
                *limit = duration(text)?;
            }
        }
        Ok(options)
    }
}

/// `500ms`, `30s`, `2min`.
fn duration(text: &str) -> Result<Duration> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let factor_ms = match text[split..].trim() {
        "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        _ => None,
    };
    text[..split]
        .parse::<u64>()
        .ok()
        .zip(factor_ms)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .filter(|limit| *limit > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            Error::invalid_argument(format!("invalid duration \"{text}\""))
                .with_hint("Write for example 500ms, 30s or 2min.")
        })
}

/// `512MB`, `2GB`, or a number of bytes.
pub(super) fn bytes(text: &str) -> Result<usize> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let factor = match text[split..].trim().to_lowercase().as_str() {
        "" | "b" => Some(1usize),
        "kb" | "kib" => Some(1 << 10),
        "mb" | "mib" => Some(1 << 20),
        "gb" | "gib" => Some(1 << 30),
        _ => None,
    };
    text[..split]
        .parse::<usize>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| {
            Error::invalid_argument(format!("invalid size \"{text}\""))
                .with_hint("Write for example 512MB or 2GB.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("2GB").unwrap(), 2 << 30);
        assert_eq!(bytes("1024").unwrap(), 1024);
        assert_eq!(bytes("a lot").unwrap_err().sqlstate(), "22023");
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("2min").unwrap(), Duration::from_secs(120));
        assert_eq!(duration("500 ms").unwrap(), Duration::from_millis(500));
        for wrong in ["30", "0s", "soon", "-1s", "1h"] {
            assert_eq!(duration(wrong).unwrap_err().sqlstate(), "22023", "{wrong}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Config>("rooot = 'x'").is_err());
        assert_eq!(toml::from_str::<Config>("root = 's3://b/w'").unwrap().root, "s3://b/w");
    }
}
