//! What a transaction has done so far, as values: cloned for a savepoint, dropped for a rollback.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Temporary, refused};
use crate::catalog::ddl::{Ddl, Draft, Effect};
use crate::catalog::{Author, CatalogSnapshot, QualifiedName, Table};
use crate::error::Result;
use crate::table::changes::Changes;
use crate::table::snapshot::TableSnapshot;

#[derive(Clone)]
pub(super) struct Staged {
    /// By location: tables that were there before, at most one, and those that the transaction creates.
    pub(super) tables: HashMap<String, StagedTable>,
    pub(super) definitions: Vec<Definition>,
    /// With the definitions; without temporary relations.
    catalog: Arc<CatalogSnapshot>,
    /// Where the tables lie that the definitions create.
    created: HashSet<String>,
    pub(super) temporary: Arc<Temporary>,
}

/// A definition, and what it did when it was staged.
#[derive(Clone)]
pub(super) struct Definition {
    pub(super) author: Author,
    pub(super) ddl: Ddl,
    pub(super) effect: Effect,
}

#[derive(Clone)]
pub(super) struct StagedTable {
    pub(super) table: Table,
    /// The version that the changes are made to.
    pub(super) base: Arc<TableSnapshot>,
    pub(super) changes: Changes,
    /// The version with the changes.
    pub(super) seen: Arc<TableSnapshot>,
    pub(super) role: String,
    pub(super) statements: Vec<String>,
}

impl Staged {
    pub(super) fn new(catalog: Arc<CatalogSnapshot>, temporary: Arc<Temporary>) -> Self {
        Self { tables: HashMap::new(), definitions: Vec::new(), catalog, created: HashSet::new(), temporary }
    }

    pub(super) fn visible_catalog(&self) -> Arc<CatalogSnapshot> {
        self.temporary.over(&self.catalog)
    }

    /// The tables as they will be, without the temporary ones.
    pub(super) fn catalog(&self) -> &Arc<CatalogSnapshot> {
        &self.catalog
    }

    pub(super) fn snapshot(&self, table: &Table) -> Option<Arc<TableSnapshot>> {
        if table.name.is_temporary() {
            return self.temporary.content(&table.location);
        }
        self.tables.get(&table.location).map(|staged| Arc::clone(&staged.seen))
    }

    pub(super) fn creates(&self, location: &str) -> bool {
        self.created.contains(location)
    }

    /// The table of the catalog whose rows are changed.
    pub(super) fn existing(&self) -> Option<&StagedTable> {
        self.tables.values().find(|staged| !self.creates(&staged.table.location))
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.tables.is_empty() || !self.definitions.is_empty()
    }

    pub(super) fn require_writable(&self, table: &Table) -> Result<()> {
        if table.name.is_temporary() || self.creates(&table.location) {
            return Ok(());
        }
        if let Some(other) = self.existing().filter(|other| other.table.location != table.location) {
            return Err(refused(
                "changing the rows of two tables in one transaction is not supported",
                format!("The transaction has changed \"{}\" already.", shown(&other.table.name)),
            )
            .with_hint(format!(
                "Commit before you change \"{}\", or collect the rows in a temporary table first.",
                shown(&table.name)
            )));
        }
        if !self.definitions.is_empty() {
            return Err(mixed(&table.name));
        }
        Ok(())
    }

    pub(super) fn require_definable(&self, ddl: &Ddl) -> Result<()> {
        match self.existing() {
            Some(changed) if !ddl.is_temporary() => Err(mixed(&changed.table.name)),
            _ => Ok(()),
        }
    }

    pub(super) fn change(
        &mut self,
        table: &Table,
        base: Arc<TableSnapshot>,
        changes: Changes,
        author: &Author,
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        if table.name.is_temporary() {
            let seen = base.with_changes(&changes.removed, &changes.added)?;
            Arc::make_mut(&mut self.temporary).set_content(&table.location, Arc::new(seen));
            return Ok(());
        }
        let staged = match self.tables.remove(&table.location) {
            Some(mut staged) => {
                staged.changes.then(changes);
                staged.statements.push(author.statement.clone());
                staged.seen =
                    Arc::new(staged.base.with_changes(&staged.changes.removed, &staged.changes.added)?);
                staged
            }
            None => StagedTable {
                table: table.clone(),
                seen: Arc::new(base.with_changes(&changes.removed, &changes.added)?),
                base,
                changes,
                role: author.role.clone(),
                statements: vec![author.statement.clone()],
            },
        };
        self.tables.insert(table.location.clone(), staged);
        Ok(())
    }

    pub(super) fn define(&mut self, author: &Author, ddl: Ddl) -> Result<Effect> {
        if ddl.is_temporary() {
            let catalog = Arc::clone(&self.catalog);
            return Arc::make_mut(&mut self.temporary).define(&catalog, &author.role, &ddl);
        }
        let mut draft = Draft::new(&self.catalog, &author.role);
        let effect = draft.apply(&ddl)?;
        self.catalog = draft.snapshot();
        match (&ddl, &effect) {
            (Ddl::CreateTable { location, .. }, Effect::Done) => {
                self.created.insert(location.clone());
            }
            (_, Effect::TablesDropped(tables)) => {
                for table in tables {
                    self.tables.remove(&table.location);
                }
            }
            _ => {}
        }
        self.definitions.push(Definition { author: author.clone(), ddl, effect: effect.clone() });
        Ok(effect)
    }
}

fn shown(name: &QualifiedName) -> String {
    if name.schema == "public" { name.name.clone() } else { name.to_string() }
}

fn mixed(table: &QualifiedName) -> crate::Error {
    refused(
        "definitions and changes of the rows of an existing table in one transaction are not supported",
        format!("The catalog and the rows of \"{}\" cannot be committed together.", shown(table)),
    )
    .with_hint(
        "Commit between them. Tables that the transaction creates, also temporary ones, can be filled in it.",
    )
}
