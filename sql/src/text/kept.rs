//! `x.opinions` and `x.tags`: rows that are kept, and feedback that is not read yet.
//!
//! Each is a view with two halves: what a table keeps of the data files of `x.feedback`, and the analysis of
//! `x.feedback` itself. The planner gives each half its part: the first the rows of files that still belong to
//! `x.feedback`, the second the files of which nothing is kept. So a read between a load and the refresh misses
//! nothing and counts nothing twice; it only takes longer. Rows that were made with older words, models or
//! taxonomies count until a refresh redoes them; each row tells its versions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{QualifiedName, View};
use voxhouse_engine::derived::Standing;
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_udfs::knowledge::{Taught, Topic};

use crate::query::catalog::{Relations, StandsFor};

/// A relation that is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// The view with the two halves.
    pub view: (&'static str, &'static str),
    /// The relations that a user asks to have refreshed.
    pub asked_as: &'static str,
    /// The table with what is kept.
    pub store: (&'static str, &'static str),
    /// The function that reads a comment.
    pub function: &'static str,
    /// The columns of the function's rows, under the names they are kept by.
    pub columns: &'static str,
    /// Of the row, as the store has it: what it was made with.
    pub versions: &'static str,
    pub version_columns: &'static str,
    pub topics: &'static [Topic],
}

/// Where the comments stand.
pub const SOURCE: (&str, &str) = ("x", "feedback");

pub const KEPT: [Kept; 2] = [
    Kept {
        view: ("x", "opinions"),
        asked_as: "x.opinions",
        store: ("text", "kept_opinions"),
        function: "opinions",
        columns: "aspect, aspect_text, opinion, polarity, intensity, kind, start_at, end_at, evidence, rule",
        versions: "dictionary_version() AS dictionary_version, opinions_version() AS model_version",
        version_columns: "dictionary_version, model_version",
        topics: &[Topic::Dictionary, Topic::Aspects],
    },
    Kept {
        view: ("text", "automatic_tags"),
        asked_as: "x.tags",
        store: ("text", "kept_tags"),
        function: "tags",
        columns: "taxonomy, taxonomy_version, tag, parent, start_at, end_at, words, rule",
        versions: "",
        version_columns: "",
        topics: &[Topic::Taxonomies],
    },
];

pub fn qualified((schema, name): (&str, &str)) -> QualifiedName {
    QualifiedName::new(schema, name)
}

impl Kept {
    /// The one that a user calls so.
    pub fn asked(name: &QualifiedName) -> Option<&'static Kept> {
        KEPT.iter().find(|kept| name.to_string() == kept.asked_as)
    }

    /// The one behind a view, as long as the view is what the program ships.
    fn behind(view: &View) -> Option<&'static Kept> {
        KEPT.iter().find(|kept| view.name == qualified(kept.view) && view.query.contains(kept.store.1))
    }

    /// What rows of now are made with.
    pub fn stamp(&self, taught: &Taught) -> String {
        taught.derived_stamp(self.topics)
    }
}

/// What the two halves of a view read.
pub struct Halves {
    pub overrides: HashMap<QualifiedName, Arc<dyn TableProvider>>,
    pub stands_for: HashMap<QualifiedName, StandsFor>,
    pub snapshots: Vec<(QualifiedName, Arc<TableSnapshot>)>,
}

impl Halves {
    /// Those of a view; `None`: it is a view like any other.
    pub async fn of(view: &View, relations: &Relations) -> Result<Option<Self>> {
        let Some(kept) = Kept::behind(view) else { return Ok(None) };
        let (source, store) = (qualified(SOURCE), qualified(kept.store));
        let (Ok(source_table), Ok(store_table)) =
            (relations.catalog().table(&source), relations.catalog().table(&store))
        else {
            return Ok(None);
        };
        let source_version = relations.snapshots.of(source_table).await?;
        let store_version = relations.snapshots.of(store_table).await?;
        // Which stamp is the current one does not matter: older rows count, too.
        let standing = Standing::of(&source_version, &store_version, "")?;
        let unread: HashSet<String> = standing.unread.into_iter().collect();
        let scan = |table,
                    version: &Arc<TableSnapshot>,
                    files: &HashSet<String>|
         -> Result<Arc<dyn TableProvider>> {
            Ok(Arc::new(relations.warehouse.scan_snapshot(table, Arc::clone(version))?.only_files(files)))
        };
        let overrides = HashMap::from([
            (source.clone(), scan(source_table, &source_version, &unread)?),
            (store.clone(), scan(store_table, &store_version, &standing.kept)?),
        ]);
        let shown = |name: &QualifiedName| StandsFor { relation: name.clone(), is_target: false };
        let stands_for = [&source, &store].map(|name| (name.clone(), shown(name))).into();
        let snapshots = vec![(source, source_version), (store, store_version)];
        Ok(Some(Self { overrides, stands_for, snapshots }))
    }
}
