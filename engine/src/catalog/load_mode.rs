//! What the rows of a pipe do to those of its table.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::acl::Privilege;
use super::model::{Rule, Table};
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadMode {
    /// They come to them.
    #[default]
    Append,
    /// They take the place of the rows with the same key.
    Upsert {
        key: Vec<String>,
        /// Of two rows with the same key that with the higher value stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newest_by: Option<String>,
    },
    /// They take the place of all rows of the partitions that they belong to.
    ReplacePartition,
    /// They are the events of a change feed: rows that came, changed and went.
    ChangeFeed {
        key: Vec<String>,
        /// A row whose value is lower than that in the table is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newest_by: Option<String>,
    },
}

impl LoadMode {
    pub fn is_append(&self) -> bool {
        *self == LoadMode::Append
    }

    pub fn is_change_feed(&self) -> bool {
        matches!(self, LoadMode::ChangeFeed { .. })
    }

    /// The columns by which rows are found again.
    pub fn key(&self) -> Option<&[String]> {
        match self {
            LoadMode::Upsert { key, .. } | LoadMode::ChangeFeed { key, .. } => Some(key),
            LoadMode::Append | LoadMode::ReplacePartition => None,
        }
    }

    pub fn newest_by(&self) -> Option<&str> {
        match self {
            LoadMode::Upsert { newest_by, .. } | LoadMode::ChangeFeed { newest_by, .. } => {
                newest_by.as_deref()
            }
            LoadMode::Append | LoadMode::ReplacePartition => None,
        }
    }

    /// What its owner must be allowed to do to the table.
    pub fn privileges(&self) -> &'static [Privilege] {
        use Privilege::{Delete, Insert, Update};
        match self {
            LoadMode::Append => &[Insert],
            LoadMode::Upsert { .. } => &[Insert, Update],
            LoadMode::ReplacePartition => &[Insert, Delete],
            LoadMode::ChangeFeed { .. } => &[Insert, Update, Delete],
        }
    }

    /// The mode with its key named, if it makes sense for a table.
    pub fn settled(&self, table: &Table) -> Result<Self> {
        let mut settled = self.clone();
        match &mut settled {
            LoadMode::Append => {}
            LoadMode::ReplacePartition => require_partitions(table)?,
            LoadMode::Upsert { key, newest_by } | LoadMode::ChangeFeed { key, newest_by } => {
                if key.is_empty() {
                    *key = table.primary_key().ok_or_else(|| no_key(table))?.to_vec();
                }
                for name in key.iter().chain(newest_by.as_ref()) {
                    require_column(table, name)?;
                }
                require_key_of_table(table, key)?;
            }
        }
        Ok(settled)
    }
}

/// As in CREATE PIPE.
impl fmt::Display for LoadMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LoadMode::Append => "append",
            LoadMode::Upsert { .. } => "upsert",
            LoadMode::ReplacePartition => "replace partition",
            LoadMode::ChangeFeed { .. } => "change feed",
        })?;
        if let Some(key) = self.key() {
            write!(f, " key ({})", key.join(", "))?;
        }
        match self.newest_by() {
            Some(column) => write!(f, " newest by {column}"),
            None => Ok(()),
        }
    }
}

fn no_key(table: &Table) -> Error {
    Error::new(
        ErrorKind::InvalidColumnReference,
        format!("table \"{}\" has no primary key by which rows could be found again", table.name.name),
    )
    .with_hint("Name the columns: KEY (a, b).")
}

fn require_column(table: &Table, name: &str) -> Result<()> {
    if table.column(name).is_some() {
        return Ok(());
    }
    let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name.name);
    Err(Error::new(ErrorKind::UndefinedColumn, message))
}

/// Rows that differ in the key differ in every key of the table, or else two of them could collide in one.
fn require_key_of_table(table: &Table, key: &[String]) -> Result<()> {
    for (name, columns) in keys(table) {
        if !key.iter().all(|column| columns.contains(column)) {
            return Err(Error::new(
                ErrorKind::InvalidColumnReference,
                format!("key ({}) is not part of constraint \"{name}\"", key.join(", ")),
            )
            .with_detail(format!("Two rows with different keys could have the same {}.", columns.join(", ")))
            .with_hint(format!("Use KEY ({}), or drop the constraint.", columns.join(", "))));
        }
    }
    Ok(())
}

/// A key that spans no two partitions cannot be broken by replacing one of them.
fn require_partitions(table: &Table) -> Result<()> {
    if table.partition_by.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidTableDefinition,
            format!("table \"{}\" has no partitions to replace", table.name.name),
        )
        .with_hint("Create it with PARTITION BY."));
    }
    for (name, columns) in keys(table) {
        if let Some(outside) = table.partition_by.iter().find(|column| !columns.contains(column)) {
            return Err(Error::new(
                ErrorKind::InvalidTableDefinition,
                format!("constraint \"{name}\" does not contain the partition column \"{outside}\""),
            )
            .with_detail("A new partition could repeat a key of one that stays."));
        }
    }
    Ok(())
}

fn keys(table: &Table) -> impl Iterator<Item = (&str, &[String])> {
    table.constraints.iter().filter_map(|constraint| match &constraint.rule {
        Rule::PrimaryKey { columns } | Rule::Unique { columns } => {
            Some((constraint.name.as_str(), columns.as_slice()))
        }
        Rule::Check { .. } | Rule::Expect { .. } => None,
    })
}
