//! The schemas, tables and views that every warehouse has, as SQL.

/// What the catalog's history says of their commit.
pub const STATEMENT: &str = concat!("shipped with voxhouse ", env!("CARGO_PKG_VERSION"));

/// In the order in which they depend on each other.
pub const SCRIPTS: [&str; 6] = [
    include_str!("schemas.sql"),
    include_str!("tables.sql"),
    include_str!("text.sql"),
    include_str!("identity.sql"),
    include_str!("views.sql"),
    include_str!("roi.sql"),
];
