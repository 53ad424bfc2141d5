//! The front end: SQL dialect, Postgres wire, sessions, `pg_catalog`, and the `voxhouse` binary.

pub mod access;
pub mod cli;
pub mod demo;
pub mod dialect;
mod http;
pub mod instance;
pub mod notify;
pub mod observe;
pub mod pg_catalog;
pub mod processes;
pub mod query;
pub mod relations;
pub mod session;
pub mod shipped;
pub mod statement;
pub mod text;
pub mod wire;
