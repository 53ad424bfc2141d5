//! Taxonomies by name and version: the users' own before those that come with the program.
//!
//! The newest version of a name is in force; an older one is asked for as `name@version`. A version's stamp is
//! its number and a fingerprint of its rows, so that rows which were edited in place show, too.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use super::{fingerprint, stamped};
use crate::opinions::Invalid;
use crate::opinions::tags::{SHIPPED_NAMES, Taxonomy, shipped};

/// What taxonomies that come with the program have for a version.
const SHIPPED: &str = "shipped";

/// A row of a user's taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaxonomyRow {
    pub taxonomy: String,
    pub version: i64,
    pub tag: String,
    pub parent: Option<String>,
    pub include: Option<String>,
    pub exclude: Option<String>,
}

impl TaxonomyRow {
    /// A row of the shipped tables: tag, parent, include, exclude, separated by tabs.
    pub(super) fn of_cells(taxonomy: &str, row: &str) -> Self {
        let mut cells = row.split('\t').map(|cell| cell.trim().to_owned());
        let mut next = || cells.next().filter(|cell| !cell.is_empty());
        Self {
            taxonomy: taxonomy.to_owned(),
            version: 1,
            tag: next().unwrap_or_default(),
            parent: next(),
            include: next(),
            exclude: next(),
        }
    }
}

/// A version of a taxonomy; its queries are compiled when it is first applied.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) stamp: String,
    rows: Vec<TaxonomyRow>,
    compiled: OnceLock<Result<Taxonomy, Invalid>>,
}

impl Applied {
    fn new(name: &str, version: i64, mut rows: Vec<TaxonomyRow>) -> Self {
        rows.sort();
        let cells = rows.iter().flat_map(|row| {
            let optional = [&row.parent, &row.include, &row.exclude];
            std::iter::once(row.tag.as_str()).chain(optional.map(|cell| cell.as_deref().unwrap_or_default()))
        });
        let stamp = format!("{version}+{:08x}", fingerprint(cells));
        Self { name: name.to_owned(), stamp, rows, compiled: OnceLock::new() }
    }

    /// One that comes with the program.
    fn shipped(name: &str) -> Self {
        let (name, stamp) = (name.to_owned(), SHIPPED.to_owned());
        Self { name, stamp, rows: Vec::new(), compiled: OnceLock::new() }
    }

    /// # Errors
    /// A query that is not well formed, with its tag and place.
    pub(crate) fn taxonomy(&self) -> Result<&Taxonomy, Invalid> {
        self.compiled.get_or_init(|| self.compile()).as_ref().map_err(Invalid::clone)
    }

    fn compile(&self) -> Result<Taxonomy, Invalid> {
        if self.stamp == SHIPPED {
            return Taxonomy::from_tsv(&self.name, shipped(&self.name)?);
        }
        let version = self.rows.first().map_or(0, |row| row.version);
        fn cell(cell: &Option<String>) -> &str {
            cell.as_deref().unwrap_or_default().trim()
        }
        let rows = self
            .rows
            .iter()
            .map(|row| (row.tag.trim(), cell(&row.parent), cell(&row.include), cell(&row.exclude)));
        Taxonomy::edited(&format!("{}@{version}", self.name), rows)
    }
}

static SHIPPED_TAXONOMIES: LazyLock<Vec<Arc<Applied>>> =
    LazyLock::new(|| SHIPPED_NAMES.iter().map(|name| Arc::new(Applied::shipped(name))).collect());

#[derive(Debug)]
pub(crate) struct Taxonomies {
    by_name: BTreeMap<String, BTreeMap<i64, Arc<Applied>>>,
    version: String,
}

impl Taxonomies {
    pub(super) fn new(rows: Vec<TaxonomyRow>) -> Self {
        let mut grouped: BTreeMap<(String, i64), Vec<TaxonomyRow>> = BTreeMap::new();
        for row in rows {
            grouped.entry((row.taxonomy.clone(), row.version)).or_default().push(row);
        }
        let mut by_name: BTreeMap<String, BTreeMap<i64, Arc<Applied>>> = BTreeMap::new();
        for ((name, version), rows) in grouped {
            let applied = Arc::new(Applied::new(&name, version, rows));
            by_name.entry(name).or_default().insert(version, applied);
        }
        let all = by_name.values().flat_map(BTreeMap::values);
        let version = stamped("", all.flat_map(|applied| [applied.name.as_str(), applied.stamp.as_str()]));
        Self { by_name, version }
    }

    /// Of all versions of all taxonomies.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// `name`, its newest version, or `name@version`.
    ///
    /// # Errors
    /// A taxonomy that there is not.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Applied>, Invalid> {
        if let Some(newest) = self.by_name.get(name).and_then(|versions| versions.values().next_back()) {
            return Ok(Arc::clone(newest));
        }
        if let Some(shipped) = SHIPPED_TAXONOMIES.iter().find(|shipped| shipped.name == name) {
            return Ok(Arc::clone(shipped));
        }
        let old = name.rsplit_once('@').and_then(|(name, version)| {
            let version: i64 = version.parse().ok()?;
            self.by_name.get(name)?.get(&version)
        });
        old.map(Arc::clone).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Invalid {
        let own = self.by_name.keys().map(String::as_str);
        let names: Vec<&str> = SHIPPED_NAMES.iter().copied().chain(own).take(20).collect();
        let known = names.join(", ");
        Invalid::new(format!("taxonomy \"{name}\" does not exist"))
            .with_hint(format!("The taxonomies are {known}; rows of text.taxonomy make another."))
    }

    /// The newest version of each taxonomy of the users'.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = &Arc<Applied>> {
        self.by_name.values().filter_map(|versions| versions.values().next_back())
    }

    /// One version for all that is in force.
    pub(crate) fn stamp_in_force(&self) -> String {
        stamped("tags.1", self.in_force().flat_map(|applied| [applied.name.as_str(), applied.stamp.as_str()]))
    }
}
