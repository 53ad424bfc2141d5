//! What users taught the text functions, brought up to date before a statement that needs it.
//!
//! The process holds the knowledge once (`voxhouse_udfs::knowledge`). A statement that calls a text function looks
//! whether the tables behind it have new versions, as it does for the tables that it reads; so a commit counts from
//! the next statement on, in every session of every process. A statement in a transaction uses what is committed,
//! not what the transaction itself has changed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Weak};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};
use parking_lot::Mutex;
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName, Table};
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_engine::{Result, Warehouse};
use voxhouse_udfs::knowledge::{Topic, teach, topics_of};

use super::{SCHEMA, lessons};

/// The versions of the tables that the process has been taught. A version that is no longer held is never taken for
/// another one: its place in memory stays reserved.
static TAUGHT: LazyLock<Mutex<HashMap<Topic, Weak<TableSnapshot>>>> = LazyLock::new(Mutex::default);

/// One at a time, so that an older version never comes after a newer one.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

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

/// Sees to it that the process knows what the tables of these topics say now.
pub async fn refresh(
    warehouse: &Warehouse,
    catalog: &CatalogSnapshot,
    state: &SessionState,
    topics: impl IntoIterator<Item = Topic>,
) -> Result<()> {
    for topic in topics {
        // A warehouse is planned over before its shipped tables are there.
        if let Ok(table) = catalog.table(&table_of(topic)) {
            refresh_topic(warehouse, table, state, topic).await?;
        }
    }
    Ok(())
}

async fn refresh_topic(
    warehouse: &Warehouse,
    table: &Table,
    state: &SessionState,
    topic: Topic,
) -> Result<()> {
    let delta = warehouse.delta(table)?;
    if is_taught(topic, &delta.snapshot().await?) {
        return Ok(());
    }
    let _turn = TURN.lock().await;
    let snapshot = delta.snapshot().await?;
    if is_taught(topic, &snapshot) {
        return Ok(());
    }
    let rows = match snapshot.files()?.is_empty() {
        true => Vec::new(),
        false => lessons::rows(warehouse, table, Arc::clone(&snapshot), state).await?,
    };
    let lesson = lessons::lesson(topic, &rows)?;
    teach(lesson).map_err(|error| error.in_context(format!("table \"{}\"", table.name)))?;
    TAUGHT.lock().insert(topic, Arc::downgrade(&snapshot));
    Ok(())
}

fn is_taught(topic: Topic, snapshot: &Arc<TableSnapshot>) -> bool {
    let taught = TAUGHT.lock();
    taught.get(&topic).is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(snapshot)))
}
