//! What users taught the text functions, brought up to date before a statement that needs it.
//!
//! A warehouse holds the knowledge once (`voxhouse_udfs::knowledge`). A statement that calls a text function looks
//! whether the tables behind it have new versions, as it does for the tables that it reads; so a commit counts from
//! the next statement on, in every session of every process. A statement in a transaction uses what is committed,
//! not what the transaction itself has changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};
use parking_lot::Mutex;
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName, Table};
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_engine::{Result, Warehouse};
use voxhouse_udfs::knowledge::{Taught, Topic, topics_of};

use super::{SCHEMA, lessons};

/// What the text functions of a warehouse know, and of which versions of its tables.
#[derive(Debug, Default)]
pub struct TextKnowledge {
    taught: Arc<Taught>,
    /// A version that is no longer held is never taken for another one: its place in memory stays reserved.
    versions: Mutex<HashMap<Topic, Weak<TableSnapshot>>>,
    /// One at a time, so that an older version never comes after a newer one.
    turn: tokio::sync::Mutex<()>,
}

/// The table that holds what there is to know of a topic.
fn table_of(topic: Topic) -> QualifiedName {
    let name = match topic {
        Topic::Dictionary => "dictionary",
        Topic::Aspects => "aspects",
        Topic::Taxonomies => "taxonomy",
        Topic::Sentiment => "models",
        Topic::Examples => "examples",
    };
    QualifiedName::new(SCHEMA, name)
}

/// What the functions of a plan need to know.
pub fn topics_in(plan: &LogicalPlan) -> Result<BTreeSet<Topic>> {
    let mut topics = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                let name = match part {
                    Expr::ScalarFunction(call) => Some(call.func.name()),
                    Expr::AggregateFunction(call) => Some(call.func.name()),
                    Expr::WindowFunction(call) => match &call.fun {
                        WindowFunctionDefinition::AggregateUDF(function) => Some(function.name()),
                        WindowFunctionDefinition::WindowUDF(_) => None,
                    },
                    _ => None,
                };
                topics.extend(name.map_or(&[][..], topics_of));
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(topics)
}

impl TextKnowledge {
    pub fn taught(&self) -> &Arc<Taught> {
        &self.taught
    }

    /// Sees to it that the functions know what the tables of these topics say now.
    pub async fn refresh(
        &self,
        warehouse: &Warehouse,
        catalog: &CatalogSnapshot,
        state: &SessionState,
        topics: impl IntoIterator<Item = Topic>,
    ) -> Result<()> {
        for topic in topics {
            // A warehouse is planned over before its shipped tables are there.
            if let Ok(table) = catalog.table(&table_of(topic)) {
                self.refresh_topic(warehouse, table, state, topic).await?;
            }
        }
        Ok(())
    }

    async fn refresh_topic(
        &self,
        warehouse: &Warehouse,
        table: &Table,
        state: &SessionState,
        topic: Topic,
    ) -> Result<()> {
        let delta = warehouse.delta(table)?;
        if self.knows(topic, &delta.snapshot().await?) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let snapshot = delta.snapshot().await?;
        if self.knows(topic, &snapshot) {
            return Ok(());
        }
        let rows = match snapshot.files()?.is_empty() {
            true => Vec::new(),
            false => lessons::rows(warehouse, table, Arc::clone(&snapshot), state).await?,
        };
        let lesson = lessons::lesson(topic, &rows)?;
        self.taught.teach(lesson).map_err(|error| error.in_context(format!("table \"{}\"", table.name)))?;
        self.versions.lock().insert(topic, Arc::downgrade(&snapshot));
        Ok(())
    }

    fn knows(&self, topic: Topic, snapshot: &Arc<TableSnapshot>) -> bool {
        let versions = self.versions.lock();
        versions.get(&topic).is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(snapshot)))
    }
}
