//! What is loaded into what, and how: a pipe, or files that were pushed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use object_store::ObjectStore;
use object_store::path::Path;

use super::files::{Folder, SourceFile, text_hash};
use super::kafka::Position;
use super::ledger::Key;
use super::rules::TypeChanges;
use super::{Push, Rules};
use crate::catalog::access::{Access, Secured, denied};
use crate::catalog::locations::refuse_warehouse_files;
use crate::catalog::{CatalogSnapshot, LoadMode, Pipe, Relation, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{FileFormat, FormatOptions, Formats};
use crate::warehouse::Warehouse;

#[derive(Clone)]
pub(super) struct Job {
    pub(super) key: Key,
    /// The pipe's name, or `load:` and the table.
    pub(super) name: String,
    /// On whose behalf the query is planned.
    pub(super) role: String,
    pub(super) table: Table,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) options: FormatOptions,
    pub(super) query: Option<String>,
    pub(super) mode: LoadMode,
    pub(super) rules: Rules,
    /// A digest of all that decides how a file is read and which rows pass.
    pub(super) definition: String,
    pub(super) tags_tell_content: bool,
    source: Source,
    formats: Formats,
    format: Option<Arc<dyn FileFormat>>,
}

#[derive(Clone)]
enum Source {
    Folder(Folder),
    Files(Vec<SourceFile>),
    /// Rows that were rejected before.
    Rejects(Vec<SourceFile>),
}

/// Rows are loaded with the privileges of a role, as they are at that moment.
fn require_rights(catalog: &CatalogSnapshot, role: &str, table: &Table, mode: &LoadMode) -> Result<()> {
    let (access, relation) = (Access::of(catalog, role), Relation::Table(table));
    if mode.privileges().iter().all(|privilege| access.may(&Secured::relation(relation), *privilege)) {
        return Ok(());
    }
    Err(denied("table", &table.name.name))
}

/// A URL of the warehouse itself is a folder under its root.
fn under_root<'a>(warehouse: &Warehouse, from: &'a str) -> &'a str {
    let root = warehouse.storage().url().as_str().trim_end_matches('/');
    from.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(from)
}

impl Job {
    pub(super) fn of_pipe(warehouse: &Warehouse, catalog: &CatalogSnapshot, pipe: &Pipe) -> Result<Self> {
        let table = catalog.table(&pipe.into)?.clone();
        require_rights(catalog, &pipe.owner, &table, &pipe.mode)?;
        // The table's keys may be others by now.
        let mode = pipe.mode.settled(&table)?;
        refuse_warehouse_files(catalog, under_root(warehouse, &pipe.from))?;
        let format = warehouse.formats().by_name(&pipe.format)?;
        let (rules, options) = Rules::of(&pipe.options)?;
        format.check_options(&options)?;
        let folder = Folder::open(warehouse.storage(), &pipe.from)?;
        Ok(Self {
            key: Key::new(Some(pipe.oid), table.oid),
            name: pipe.name.clone(),
            role: pipe.owner.clone(),
            definition: definition(&table, Some(&pipe.format), &pipe.options, pipe.query.as_deref())?,
            table,
            store: Arc::clone(&folder.store),
            options,
            query: pipe.query.clone(),
            mode,
            rules,
            tags_tell_content: folder.tags_tell_content,
            source: Source::Folder(folder),
            formats: warehouse.formats().clone(),
            format: Some(format),
        })
    }

    pub(super) fn of_push(
        warehouse: &Warehouse,
        catalog: &CatalogSnapshot,
        role: &str,
        push: Push,
    ) -> Result<Self> {
        let table = catalog.table(&push.into)?.clone();
        require_rights(catalog, role, &table, &LoadMode::Append)?;
        let format = push.format.as_deref().map(|name| warehouse.formats().by_name(name)).transpose()?;
        if let Some(format) = &format {
            format.check_options(&push.options)?;
        }
        let named = |meta: object_store::ObjectMeta| SourceFile { name: meta.location.to_string(), meta };
        Ok(Self {
            key: Key::new(None, table.oid),
            name: format!("load:{}", table.name),
            role: role.to_owned(),
            definition: definition(&table, push.format.as_deref(), &push.options, None)?,
            table,
            store: push.store,
            options: push.options,
            query: None,
            mode: LoadMode::Append,
            rules: Rules::default(),
            tags_tell_content: false,
            source: Source::Files(push.files.into_iter().map(named).collect()),
            formats: warehouse.formats().clone(),
            format,
        })
    }

    /// A materialised view is filled by its query alone.
    pub(super) fn check_target(&self) -> Result<()> {
        if self.table.query.is_none() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongObjectType,
            format!("cannot load into materialized view \"{}\"", self.table.name.name),
        ))
    }

    /// Whether files come by push: their content alone tells whether they were loaded, and a failure is
    /// tried again whenever someone pushes the file again.
    pub(super) fn is_push(&self) -> bool {
        matches!(self.source, Source::Files(_))
    }

    /// Whether it is looked up anew which files there are.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.source, Source::Folder(_))
    }

    /// Whether each file is a load of its own rather than what was left of others.
    pub(super) fn is_whole_load(&self) -> bool {
        !matches!(self.source, Source::Rejects(_))
    }

    /// The same job over rows that were rejected before. What is left of files replaces no partition, it comes to it.
    pub(super) fn over_rejects(self, files: Vec<SourceFile>, format: Arc<dyn FileFormat>) -> Self {
        Self {
            source: Source::Rejects(files),
            // What failed is tried again whenever somebody asks.
            definition: uuid::Uuid::new_v4().to_string(),
            format: Some(format),
            options: FormatOptions::new(),
            mode: match self.mode {
                LoadMode::ReplacePartition => LoadMode::Append,
                mode => mode,
            },
            // All columns are text, and the files are as old as they are.
            rules: Rules {
                max_tries: None,
                min_age: Duration::ZERO,
                type_changes: TypeChanges::Cast,
                ..self.rules
            },
            tags_tell_content: true,
            ..self
        }
    }

    /// The files there are, in the order in which they are loaded: the oldest first, those of a Kafka sink by their
    /// offsets.
    pub(super) async fn files(&self) -> Result<Vec<SourceFile>> {
        match &self.source {
            Source::Files(files) | Source::Rejects(files) => Ok(files.clone()),
            Source::Folder(folder) => Ok(self.in_order(folder.list().await?)),
        }
    }

    /// Those of some files that are there, in the same order.
    pub(super) async fn files_named(&self, names: &HashSet<String>) -> Result<Vec<SourceFile>> {
        match &self.source {
            Source::Folder(folder) => Ok(self.in_order(folder.look_up(names).await?)),
            Source::Files(_) | Source::Rejects(_) => {
                let mut files = self.files().await?;
                files.retain(|file| names.contains(&file.name));
                Ok(files)
            }
        }
    }

    /// Those that the pipe reads, of files that come by age.
    fn in_order(&self, mut files: Vec<SourceFile>) -> Vec<SourceFile> {
        files.retain(|file| self.may_read(&file.meta.location));
        files.sort_by_cached_key(|file| Position::of(&file.name).map_or((1, None), |at| (0, Some(at))));
        files
    }

    /// Whether a file has not changed for as long as the pipe demands.
    pub(super) fn is_settled(&self, file: &SourceFile) -> bool {
        let age = (Utc::now() - file.meta.last_modified).to_std();
        self.rules.min_age.is_zero() || age.is_ok_and(|age| age >= self.rules.min_age)
    }

    /// The same job when its table has got new columns.
    pub(super) fn with_table(mut self, table: Table) -> Self {
        self.table = table;
        self
    }

    /// A file whose name belongs to another format waits for another pipe.
    fn may_read(&self, path: &Path) -> bool {
        match (&self.format, self.formats.by_file_name(path.as_ref())) {
            (Some(format), Ok(claiming)) => format.name() == claiming.name(),
            _ => true,
        }
    }

    pub(super) fn format_of(&self, path: &Path) -> Result<Arc<dyn FileFormat>> {
        match &self.format {
            Some(format) => Ok(Arc::clone(format)),
            None => self.formats.by_file_name(path.as_ref()),
        }
    }
}

fn definition(
    table: &Table,
    format: Option<&str>,
    options: &FormatOptions,
    query: Option<&str>,
) -> Result<String> {
    let parts = serde_json::json!({
        "columns": table.columns,
        "constraints": table.constraints,
        "format": format,
        "options": options,
        "query": query,
    });
    Ok(text_hash(&serde_json::to_string(&parts)?))
}
