//! The warehouse: Delta tables on object storage, the catalog, ingestion and identity.
//!
//! Architecture invariant: object storage is the only state. Nothing here knows the Postgres wire or HTTP.

pub mod catalog;
pub mod derived;
pub mod dml;
pub mod error;
pub mod identity;
pub mod ingest;
pub mod json;
pub mod maintenance;
pub mod meter;
pub mod planning;
pub mod source;
pub mod storage;
pub mod table;
pub mod transaction;
pub mod warehouse;

pub use error::{Error, ErrorKind, Result};
pub use warehouse::Warehouse;
