//! Relations kept beside a source: what was worked out from each of its data files.
//!
//! A data file never changes, so what was worked out from it holds for as long as it belongs to the source. The
//! kept table has two partition columns: [`SOURCE_COLUMN`] tells of which file its rows are, [`STAMP_COLUMN`] what
//! they were worked out with. So its own files tell by their names what is there, and a look at two snapshots
//! says what a reader may take from the kept table and what is left to work out. An UPDATE or DELETE of the source
//! writes files anew, and with that takes away what was kept of the old ones.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::error::Result;
use crate::table::snapshot::{DataFile, TableSnapshot};

/// The partition column that names the file of the source.
pub const SOURCE_COLUMN: &str = "source_file";
/// The partition column that tells which version of words, models and rules worked the rows out.
pub const STAMP_COLUMN: &str = "stamp";

/// A source and what is kept of it, each at one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Files of the source of which nothing is kept.
    pub unread: Vec<String>,
    /// Files of the source of which the kept rows bear another stamp.
    pub stale: Vec<String>,
    /// Files of the kept table that hold rows of files of the source.
    pub kept: HashSet<String>,
    /// Files of the kept table whose source is gone.
    pub gone: HashSet<String>,
}

impl Standing {
    pub fn of(source: &TableSnapshot, kept: &TableSnapshot, stamp: &str) -> Result<Self> {
        Ok(Self::of_files(&source.files()?, &kept.files()?, stamp))
    }

    fn of_files(source: &[DataFile], kept: &[DataFile], stamp: &str) -> Self {
        let value = |file: &DataFile, column: &str| file.partition_values.get(column).cloned().flatten();
        let known: HashSet<String> = source.iter().map(|file| file_id(file.path.as_ref())).collect();
        let (mut current, mut old) = (HashSet::new(), HashSet::new());
        let mut standing = Self::default();
        for file in kept {
            let path = file.path.to_string();
            match value(file, SOURCE_COLUMN).filter(|id| known.contains(id)) {
                Some(id) => {
                    let is_current = value(file, STAMP_COLUMN).as_deref() == Some(stamp);
                    if is_current {
                        current.insert(id)
                    } else {
                        old.insert(id)
                    };
                    standing.kept.insert(path);
                }
                None => {
                    standing.gone.insert(path);
                }
            }
        }
        for file in source {
            let (path, id) = (file.path.to_string(), file_id(file.path.as_ref()));
            if old.contains(&id) {
                standing.stale.push(path);
            } else if !current.contains(&id) {
                standing.unread.push(path);
            }
        }
        standing
    }
}

/// What the kept table calls a file of the source: a name that any object store takes in a path.
pub fn file_id(path: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, path.as_bytes()).simple().to_string()
}

/// The files of the kept table that hold what was worked out from these files of the source.
pub fn kept_of(kept: &TableSnapshot, sources: &[String]) -> Result<HashSet<String>> {
    let ids: HashSet<String> = sources.iter().map(|path| file_id(path)).collect();
    let files = kept.files()?;
    let of_these = files.iter().filter(|file| {
        let id = file.partition_values.get(SOURCE_COLUMN).and_then(Option::as_ref);
        id.is_some_and(|id| ids.contains(id))
    });
    Ok(of_these.map(|file| file.path.to_string()).collect())
}
