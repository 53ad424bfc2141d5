//! The end of a transaction.

use std::collections::HashSet;
use std::sync::Arc;

use object_store::ObjectStoreExt;

use super::staged::{Staged, StagedTable};
use super::{Rubbish, Temporary, Transaction};
use crate::catalog::Author;
use crate::catalog::ddl::{Ddl, Effect};
use crate::dml::commit_info;
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::quality::note_statement;
use crate::table::snapshot::added_path;
use crate::warehouse::Warehouse;

impl Transaction {
    /// Makes everything visible in one step, or nothing. Returns what the session has of temporary relations from
    /// now on.
    pub async fn commit(&self) -> Result<Arc<Temporary>> {
        let staged = self.state.lock().staged.clone();
        // From here on nobody but this function removes anything: a commit that is under way may need it.
        let rubbish = std::mem::take(&mut self.state.lock().rubbish);
        let mut kept = Rubbish::default();
        let committed = self.commit_staged(&staged, &mut kept).await;
        let temporary = Arc::clone(&staged.temporary).after_commit();
        match committed {
            Ok(()) => {
                kept.folders.extend(temporary.tables().map(|table| table.location.clone()));
                spawn_removal(&self.warehouse, rubbish.without(&kept));
                Ok(temporary)
            }
            Err(error) => {
                if is_certain(&error) {
                    spawn_removal(&self.warehouse, rubbish);
                }
                Err(error)
            }
        }
    }

    /// Forgets everything, and removes what was written.
    pub async fn roll_back(&self) {
        let rubbish = std::mem::take(&mut self.state.lock().rubbish);
        let warehouse = Arc::clone(&self.warehouse);
        // To its end, even if nobody waits for it any more.
        let _ = tokio::spawn(async move { rubbish.remove(&warehouse).await }).await;
    }

    async fn commit_staged(&self, staged: &Staged, kept: &mut Rubbish) -> Result<()> {
        if let Some(existing) = staged.existing() {
            self.commit_existing(existing, kept).await?;
        } else if !staged.definitions.is_empty() {
            self.commit_definitions(staged, kept).await?;
        }
        Ok(())
    }

    /// The rows of a table that was there before.
    async fn commit_existing(&self, staged: &StagedTable, kept: &mut Rubbish) -> Result<()> {
        if staged.changes.is_empty() {
            return Ok(());
        }
        self.require_same_table(staged).await?;
        self.commit_rows(staged).await?;
        kept.keep(staged);
        Ok(())
    }

    async fn commit_rows(&self, staged: &StagedTable) -> Result<()> {
        self.require_files(staged).await?;
        let delta = self.warehouse.delta(&staged.table)?;
        let (changes, statements) = (&staged.changes, staged.statements.join("; "));
        let info = commit_info(&staged.role, &statements, changes.rows, &changes.warned)?;
        let committed = delta.commit_changes(&staged.base, changes, info).await?;
        note_statement(&self.warehouse, &staged.table.name, &changes.warned, committed.version()).await;
        Ok(())
    }

    /// Nobody has dropped the table meanwhile, or changed what a row of it may be.
    async fn require_same_table(&self, staged: &StagedTable) -> Result<()> {
        let catalog = self.warehouse.catalog().await?;
        let table = &staged.table;
        let now = catalog.tables().find(|now| now.oid == table.oid && now.location == table.location);
        let is_same = now.is_some_and(|now| {
            now.columns.len() == table.columns.len()
                && now.constraints == table.constraints
                && now.columns.iter().zip(&table.columns).all(|(now, then)| {
                    now.name == then.name && now.data_type == then.data_type && now.not_null == then.not_null
                })
        });
        if is_same {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::SerializationFailure,
            format!("could not serialize access to \"{}\" due to concurrent definitions", table.name.name),
        )
        .with_detail(match now {
            Some(_) => "The table was altered meanwhile.",
            None => "The table was dropped meanwhile.",
        })
        .with_hint("Run the transaction again."))
    }

    /// VACUUM with a short retention takes files that no commit has named yet.
    async fn require_files(&self, staged: &StagedTable) -> Result<()> {
        let storage = self.warehouse.storage();
        let store = storage.store();
        for add in &staged.changes.added {
            match store.head(&storage.file(&staged.table.location, &added_path(add))).await {
                Ok(_) => {}
                Err(object_store::Error::NotFound { .. }) => {
                    return Err(Error::new(
                        ErrorKind::SerializationFailure,
                        "could not serialize access due to a concurrent VACUUM",
                    )
                    .with_detail("Files of this transaction were removed before it could commit them.")
                    .with_hint("Run the transaction again, and VACUUM with a longer retention."));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Tables that are new get their rows first; then one commit of the catalog shows everything.
    async fn commit_definitions(&self, staged: &Staged, kept: &mut Rubbish) -> Result<()> {
        for table in staged.catalog().tables().filter(|table| staged.creates(&table.location)) {
            kept.folders.insert(table.location.clone());
            if let Some(filled) = staged.tables.get(&table.location) {
                self.warehouse.widen_log(table).await?;
                let filled =
                    StagedTable { base: self.warehouse.delta(table)?.snapshot().await?, ..filled.clone() };
                self.commit_rows(&filled).await?;
                kept.keep(&filled);
            }
        }
        let mut author = Author {
            role: staged.definitions.first().map(|first| first.author.role.clone()).unwrap_or_default(),
            statement: String::new(),
        };
        let mut definitions: Vec<(String, Ddl)> = Vec::with_capacity(staged.definitions.len());
        let mut seen: Vec<Effect> = Vec::with_capacity(staged.definitions.len());
        for definition in &staged.definitions {
            if !author.statement.ends_with(&definition.author.statement) {
                let separator = if author.statement.is_empty() { "" } else { "; " };
                author.statement.push_str(separator);
                author.statement.push_str(&definition.author.statement);
            }
            definitions.push((definition.author.role.clone(), definition.ddl.clone()));
            seen.push(definition.effect.clone());
        }
        self.warehouse.commit_definitions(&author, &definitions, &seen).await?;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let rubbish = std::mem::take(&mut self.state.get_mut().rubbish);
        spawn_removal(&self.warehouse, rubbish);
    }
}

/// Whether a commit that failed has surely not happened. After a lost answer nobody knows; what was written is
/// then left to VACUUM.
fn is_certain(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::OutcomeUnknown | ErrorKind::StorageIo | ErrorKind::Internal)
}

impl Rubbish {
    fn keep(&mut self, staged: &StagedTable) {
        let location = &staged.table.location;
        let added = staged.changes.added.iter();
        self.files.extend(added.map(|add| (location.clone(), added_path(add))));
    }

    fn without(mut self, kept: &Rubbish) -> Self {
        self.folders.retain(|folder| !kept.folders.contains(folder));
        // Files of a table that is new or temporary are left to its folder.
        self.files.retain(|file| !kept.files.contains(file) && !kept.folders.contains(&file.0));
        self
    }

    async fn remove(self, warehouse: &Warehouse) {
        let folders: Vec<String> = self.folders.into_iter().collect();
        warehouse.discard_unused(&folders).await;
        let gone: HashSet<String> = folders.into_iter().collect();
        let storage = warehouse.storage();
        for (location, path) in self.files.into_iter().filter(|(location, _)| !gone.contains(location)) {
            let path = storage.file(&location, &path);
            match storage.store().delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%path, %error, "removing a file of a transaction rolled back"),
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }
}

/// Removes in the background. Outside of a runtime the process is ending, and VACUUM does it.
fn spawn_removal(warehouse: &Arc<Warehouse>, rubbish: Rubbish) {
    if rubbish.is_empty() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let warehouse = Arc::clone(warehouse);
        runtime.spawn(async move { rubbish.remove(&warehouse).await });
    }
}
