//! Reading feedback for the kept relations: a few files of `x.feedback` at a time, each time in one commit.
//!
//! What was kept of files that are gone is looked through first: an UPDATE, a DELETE and the compaction of files
//! write rows anew whose comments were read before, and those are not read again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::LogicalPlan;
use voxhouse_engine::catalog::{Author, QualifiedName, Table};
use voxhouse_engine::derived::{SOURCE_COLUMN, STAMP_COLUMN, Standing, file_id, kept_of};
use voxhouse_engine::dml::Dml;
use voxhouse_engine::table::jitter;
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_engine::{Error, ErrorKind, Result};
use voxhouse_udfs::knowledge::Topic;

use super::kept::{Kept, SOURCE, qualified};
use crate::instance::{Instance, OWNER};
use crate::query::QueryContext;
use crate::query::pipe::parse_query;
use crate::statement::describe;

/// Files read for one commit.
const FILES_AT_ONCE: usize = 32;

/// Tries of a commit that another writer was quicker than.
const ATTEMPTS: u32 = 8;

/// Which files a refresh reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that were never read.
    New,
    /// Also those whose rows were made with older words, models or taxonomies.
    All,
}

/// Brings a kept relation up to date. Returns how many files of feedback were read.
pub async fn refresh(instance: &Arc<Instance>, kept: &Kept, scope: Scope) -> Result<u64> {
    let (mut files, mut attempt) = (0, 0);
    loop {
        match Step::next(instance, kept, scope).await {
            Ok(None) => return Ok(files),
            Ok(Some(read)) => {
                files += read;
                attempt = 0;
            }
            Err(error) if error.kind() == ErrorKind::SerializationFailure && attempt < ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(jitter(attempt)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// One commit.
struct Step<'a> {
    kept: &'a Kept,
    context: QueryContext,
    source: Table,
    source_version: Arc<TableSnapshot>,
    store: Table,
    store_version: Arc<TableSnapshot>,
    stamp: String,
    /// Files of the store whose source is gone; they may hold what was read of comments that are there again.
    gone: HashSet<String>,
}

impl Step<'_> {
    /// Reads the next files. `None`: there is nothing left to do.
    async fn next(instance: &Arc<Instance>, kept: &Kept, scope: Scope) -> Result<Option<u64>> {
        let context = instance.session(OWNER)?.context(kept.asked_as).await?;
        let catalog = Arc::clone(&context.visible.catalog);
        let knowledge = context.built_ins.knowledge();
        knowledge.refresh(&context.warehouse, &catalog, &context.base, kept.topics.iter().copied()).await?;
        let stamp = kept.stamp(knowledge.taught());
        let (source, store) = (catalog.table(&qualified(SOURCE))?, catalog.table(&qualified(kept.store))?);
        let source_version = context.snapshots.of(source).await?;
        let store_version = context.snapshots.of(store).await?;
        let Standing { unread, stale, gone, .. } = Standing::of(&source_version, &store_version, &stamp)?;
        let mut files = if kept.applies_nothing(&stamp) { Vec::new() } else { unread };
        if scope == Scope::All {
            files.extend(stale);
        }
        if files.is_empty() && gone.is_empty() {
            return Ok(None);
        }
        let is_last = files.len() <= FILES_AT_ONCE;
        files.truncate(FILES_AT_ONCE);
        let mut removed = kept_of(&store_version, &files)?;
        if is_last {
            removed.extend(gone.iter().cloned());
        }
        let (source, store) = (source.clone(), store.clone());
        let step = Step { kept, context, source, source_version, store, store_version, stamp, gone };
        step.read(instance, &files, removed).await?;
        Ok(Some(files.len() as u64))
    }

    async fn read(&self, instance: &Instance, files: &[String], removed: HashSet<String>) -> Result<()> {
        let mut plans = Vec::with_capacity(files.len());
        for file in files {
            plans.push(self.plan(file).await?);
        }
        let author =
            Author { role: OWNER.to_owned(), statement: format!("refresh of {}", self.kept.asked_as) };
        let (planner, state) = (instance.planner(), self.context.state());
        let dml = Dml {
            warehouse: &self.context.warehouse,
            planner: planner.as_ref(),
            state: &state,
            author: &author,
            transaction: None,
            returning: None,
            warned: Default::default(),
        };
        let still_holds = || match self.kept.stamp(self.context.built_ins.knowledge().taught()) == self.stamp
        {
            true => Ok(()),
            // The rows would bear the stamp of words that not all of them were made with.
            false => Err(Error::new(ErrorKind::SerializationFailure, "text knowledge has changed meanwhile")),
        };
        dml.replace_files(&self.store, &self.store_version, removed, plans, still_holds).await?;
        Ok(())
    }

    /// The rows to keep of one file.
    async fn plan(&self, file: &str) -> Result<LogicalPlan> {
        let only = HashSet::from([file.to_owned()]);
        let scan = |table: &Table, version: &Arc<TableSnapshot>, files: &HashSet<String>| {
            let scan = self.context.warehouse.scan_snapshot(table, Arc::clone(version))?.only_files(files);
            Ok::<_, Error>(Arc::new(scan) as Arc<dyn TableProvider>)
        };
        let overrides = HashMap::from([
            (QualifiedName::new("kept", "source"), scan(&self.source, &self.source_version, &only)?),
            (QualifiedName::new("kept", "gone"), scan(&self.store, &self.store_version, &self.gone)?),
        ]);
        let query = parse_query(&self.query(file))?;
        let plan = self.context.plan_query_with(&query, overrides).await?.plan;
        describe::stored(&self.context, plan)
    }

    /// A row of feedback leaves a row even if nothing is found in it: it tells that the comment was read.
    fn query(&self, file: &str) -> String {
        let Kept { function, columns, versions, version_columns, .. } = self.kept;
        let of = |row: &str, names: &str| -> String {
            names.split(", ").filter(|name| !name.is_empty()).map(|name| format!(", {row}.{name}")).collect()
        };
        let head = format!(
            "SELECT '{}' AS {SOURCE_COLUMN}, '{}' AS {STAMP_COLUMN}, f.feedback_id, f.source_system, \
             f.kind AS feedback_kind, f.channel, f.touchpoint, f.occurred_at, md5(f.comment) AS comment_hash",
            file_id(file),
            self.stamp,
        );
        let found = of("o", columns);
        let versions = if versions.is_empty() { String::new() } else { format!(", {versions}") };
        let read = |source: &str| {
            format!("{head}{found}{versions} FROM {source} AS f LEFT JOIN {function}(f.comment) AS o ON true")
        };
        if self.gone.is_empty() {
            return read("kept.source");
        }
        let list =
            format!("{columns}{}{version_columns}", if version_columns.is_empty() { "" } else { ", " });
        let known = format!(
            "SELECT DISTINCT comment_hash, {list} FROM kept.gone \
             WHERE {STAMP_COLUMN} = '{}' AND comment_hash IS NOT NULL",
            self.stamp,
        );
        let again = format!(
            "{head}{} FROM kept.source AS f JOIN ({known}) AS k ON md5(f.comment) = k.comment_hash",
            of("k", &list),
        );
        let new = "(SELECT * FROM kept.source AS s WHERE NOT EXISTS \
                   (SELECT 1 FROM kept.gone AS g WHERE g.comment_hash = md5(s.comment) AND g.stamp = '{stamp}'))"
            .replace("{stamp}", &self.stamp);
        format!("{again} UNION ALL {}", read(&new))
    }
}

impl Kept {
    /// Without taxonomies there are no tags, and nothing to keep.
    fn applies_nothing(&self, stamp: &str) -> bool {
        self.topics == [Topic::Taxonomies] && !stamp.contains('+')
    }
}
