//! What a statement, or the statements of a transaction, do to the files of one table.

use std::collections::HashSet;

use deltalake_core::kernel::Add;
use deltalake_core::protocol::{DeltaOperation, SaveMode};

use super::snapshot::{TableSnapshot, added_path};
use super::tally::RuleOutcome;
use crate::error::{Error, ErrorKind, Result};

/// How much of a table changes were worked out from; the more, the more a commit of another writer disturbs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depends {
    /// New rows, whatever the table holds.
    OnNothing,
    /// On the rows of the files that are taken away.
    OnFiles,
    /// On every row: a key that no row may have, a table that is emptied.
    OnTable,
}

#[derive(Debug, Clone)]
pub struct Changes {
    /// Files that no longer belong to the table, by path.
    pub removed: HashSet<String>,
    pub added: Vec<Add>,
    /// The number that the command tags tell.
    pub rows: u64,
    pub depends: Depends,
    /// What the log calls it.
    pub operation: DeltaOperation,
    /// Rules that warn of rows among those added.
    pub warned: Vec<RuleOutcome>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// Lets other changes follow, which saw these. A file that comes and goes leaves no trace.
    pub fn then(&mut self, next: Changes) {
        let (own, others): (Vec<String>, Vec<String>) =
            next.removed.into_iter().partition(|path| self.adds(path));
        self.added.retain(|add| !own.iter().any(|path| added_path(add).as_ref() == path));
        self.removed.extend(others);
        self.added.extend(next.added);
        self.rows += next.rows;
        self.warned.extend(next.warned);
        self.depends = self.depends.max(next.depends);
        if std::mem::discriminant(&self.operation) != std::mem::discriminant(&next.operation) {
            self.operation = several();
        }
    }

    fn adds(&self, path: &str) -> bool {
        self.added.iter().any(|add| added_path(add).as_ref() == path)
    }

    /// Refuses what was worked out from `base` if `latest` no longer bears it out.
    pub(super) fn require_undisturbed(&self, base: &TableSnapshot, latest: &TableSnapshot) -> Result<()> {
        if base.version() == latest.version() {
            return Ok(());
        }
        if !latest.has_definition_of(base) {
            return Err(disturbed("The table was altered meanwhile."));
        }
        match self.depends {
            Depends::OnNothing => Ok(()),
            Depends::OnFiles => {
                let files = latest.files()?;
                let there = files.iter().filter(|file| self.removed.contains(file.path.as_ref())).count();
                match there == self.removed.len() {
                    true => Ok(()),
                    false => Err(disturbed("Another transaction has changed rows of the same files.")),
                }
            }
            Depends::OnTable => Err(disturbed("Another transaction has changed the table.")),
        }
    }
}

/// The log's word for a commit that adds, changes and deletes.
pub fn several() -> DeltaOperation {
    DeltaOperation::Merge {
        predicate: None,
        merge_predicate: None,
        matched_predicates: Vec::new(),
        not_matched_predicates: Vec::new(),
        not_matched_by_source_predicates: Vec::new(),
    }
}

pub fn appending() -> DeltaOperation {
    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None }
}

pub(crate) fn disturbed(detail: &str) -> Error {
    Error::new(ErrorKind::SerializationFailure, "could not serialize access due to concurrent update")
        .with_detail(detail)
        .with_hint("Run the transaction again.")
}
