//! The configuration file, `voxhouse.toml`. Flags and environment variables stand above it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use voxhouse_engine::storage::StoreOptions;
use voxhouse_engine::{Error, Result};

use super::logging::LogFormat;
use crate::statement::schedule::milliseconds;

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
    /// Whether connections without TLS are refused.
    pub(super) require_tls: bool,
    /// Authorities of clients' certificates, in PEM: a client that shows one whose common name is the role needs
    /// no password.
    pub(super) tls_client_ca: Option<PathBuf>,
    /// Whether a client must show such a certificate.
    pub(super) require_client_cert: bool,
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
    /// How many of them are kept for superusers.
    pub(super) superuser_reserved: usize,
    /// The largest message of a client, such as "256MB": parameters of a statement, or rows of a COPY.
    pub(super) max_message: Option<String>,
    /// The longest text of a statement, such as "16MB".
    pub(super) max_statement: Option<String>,
    /// How long a client may take to log in, such as "60s".
    pub(super) login_timeout: Option<String>,
    /// How long running statements may go on when the server is told to stop, such as "30s".
    pub(super) shutdown_grace: Option<String>,
    /// Where notifications of files are taken over HTTP; nowhere.
    pub(super) listen_http: Option<SocketAddr>,
    /// Where metrics are served over HTTP; nowhere.
    pub(super) metrics: Option<SocketAddr>,
    /// How lines of the log look.
    pub(super) log_format: Option<LogFormat>,
    /// Statements that take at least so long are logged, such as "250ms"; none are.
    pub(super) log_min_duration_statement: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: "./voxhouse-data".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 5433)),
            tls_cert: None,
            tls_key: None,
            require_tls: false,
            tls_client_ca: None,
            require_client_cert: false,
            password_file: None,
            memory_limit: None,
            store_request_timeout: None,
            store_connect_timeout: None,
            store_retry_timeout: None,
            max_connections: 100,
            superuser_reserved: 3,
            max_message: None,
            max_statement: None,
            login_timeout: None,
            shutdown_grace: None,
            listen_http: None,
            metrics: None,
            log_format: None,
            log_min_duration_statement: None,
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
                if limit.is_zero() {
                    return Err(Error::invalid_argument("a limit of a store must be more than nothing"));
                }
            }
        }
        Ok(options)
    }
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

/// `500ms`, `30s`, `5min`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration> {
    let seconds = || text.trim().parse::<u64>().ok().map(Duration::from_secs);
    seconds().or_else(|| milliseconds(text).map(Duration::from_millis)).ok_or_else(|| {
        Error::invalid_argument(format!("invalid duration \"{text}\""))
            .with_hint("Write for example 500ms, 30s or 5min.")
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
        assert_eq!(duration("30").unwrap(), Duration::from_secs(30));
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("5 min").unwrap(), Duration::from_secs(300));
        assert_eq!(duration("soon").unwrap_err().sqlstate(), "22023");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Config>("rooot = 'x'").is_err());
        assert_eq!(toml::from_str::<Config>("root = 's3://b/w'").unwrap().root, "s3://b/w");
    }
}
