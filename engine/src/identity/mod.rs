//! Identity: which records, orders and answers belong to one person.
//!
//! A [`refresh`] weighs records against each other with a [`matching::Matcher`] and keeps whose each is. What else
//! names a person, and records that came since, link by exactly shared identifiers. That is worked out from the
//! tables when a query asks, and kept until one of the tables has a new version: the answer is always in step with
//! the data, and source rows are never rewritten.

pub mod components;
pub mod decisions;
pub mod explain;
pub mod graph;
pub mod households;
pub mod key;
pub mod matching;
pub mod policy;
pub mod reading;
pub mod refresh;
pub mod stable;
pub mod stored;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SessionState;

use crate::catalog::{CatalogSnapshot, QualifiedName};
use crate::error::{Error, Result};
use crate::table::snapshot::TableSnapshot;
use crate::transaction::Snapshots;
use graph::{Graph, Identifier, Persons};
use reading::Reader;
use stored::Stored;

/// The relations of the schema `id`, with their columns.
pub const RELATIONS: [(&str, &[&str], &str); 6] = [
    (
        "identifiers",
        &["key_type", "source_system", "key_value", "customer_id"],
        "Every identifier, in its normal form, and the person it belongs to",
    ),
    ("records", &["source_system", "record_id", "customer_id"], "Every row of o.customers and its person"),
    ("order_customers", &["source_system", "order_id", "customer_id"], "Every order and its person"),
    (
        "feedback_customers",
        &["source_system", "feedback_id", "customer_id"],
        "Every feedback row and its person",
    ),
    ("case_customers", &["source_system", "case_id", "customer_id"], "Every case and its person"),
    (
        "subscription_customers",
        &["source_system", "subscription_id", "customer_id"],
        "Every subscription and its person",
    ),
];

/// More of them, which came later.
pub const LATER_RELATIONS: [(&str, &[&str], &str); 2] = [
    (
        "shared_identifiers",
        &["key_type", "source_system", "key_value", "customer_id"],
        "Identifiers that several persons have, a row for each of them",
    ),
    ("redirects", &["old_id", "customer_id"], "Every id that a customer has or had, and whose it is now"),
];

/// The columns of `o.customers` that identify a person, beside the record's own number.
const RECORD_KEYS: [&str; 6] = ["phone", "email", "wechat_openid", "wechat_unionid", "member_no", "id_card"];

/// The schema of one of [`RELATIONS`].
pub fn relation_schema(relation: &str) -> Option<SchemaRef> {
    let mut all = RELATIONS.iter().chain(&LATER_RELATIONS);
    let (_, columns, _) = all.find(|(name, _, _)| *name == relation)?;
    let fields: Vec<Field> = columns.iter().map(|column| Field::new(*column, DataType::Utf8, true)).collect();
    Some(Arc::new(Schema::new(fields)))
}

/// What the tables say at one version of each.
#[derive(Debug)]
pub struct Resolved {
    versions: Versions,
    relations: HashMap<&'static str, RecordBatch>,
}

/// The snapshots that were read. Not their numbers: a transaction changes a table without a new one.
type Versions = Vec<Arc<TableSnapshot>>;

impl Resolved {
    pub fn relation(&self, name: &str) -> Option<&RecordBatch> {
        self.relations.get(name)
    }
}

/// Keeps the newest answer, and the last one of a past moment.
#[derive(Debug, Default)]
pub struct Identity {
    latest: tokio::sync::Mutex<Option<Arc<Resolved>>>,
    past: tokio::sync::Mutex<Option<Arc<Resolved>>>,
}

/// A table whose rows name a person: how its rows are found again, and which columns say who it is.
struct Carrier {
    table: &'static str,
    row_id: &'static str,
    relation: &'static str,
    /// Beside the row's own `key_type` and `key_value`.
    order_column: Option<&'static str>,
}

const CARRIERS: [Carrier; 4] = [
    Carrier {
        table: "orders",
        row_id: "order_id",
        relation: "order_customers",
        order_column: Some("order_id"),
    },
    Carrier {
        table: "feedback",
        row_id: "feedback_id",
        relation: "feedback_customers",
        order_column: Some("order_id"),
    },
    Carrier { table: "cases", row_id: "case_id", relation: "case_customers", order_column: None },
    Carrier {
        table: "subscriptions",
        row_id: "subscription_id",
        relation: "subscription_customers",
        order_column: None,
    },
];

impl Carrier {
    fn name(&self) -> QualifiedName {
        QualifiedName::new(if self.table == "feedback" { "x" } else { "o" }, self.table)
    }

    fn columns(&self) -> Vec<&'static str> {
        let mut columns = vec!["source_system", self.row_id, "key_type", "key_value"];
        columns.extend(self.order_column.filter(|column| *column != self.row_id));
        columns
    }
}

impl Identity {
    /// The persons as of the versions that a statement reads.
    pub async fn resolve(
        &self,
        snapshots: &Snapshots,
        catalog: &CatalogSnapshot,
        state: &SessionState,
    ) -> Result<Arc<Resolved>> {
        let kept = if snapshots.is_of_a_moment() { &self.past } else { &self.latest };
        let mut latest = kept.lock().await;
        let versions = versions(snapshots, catalog).await?;
        if let Some(known) = latest.as_ref()
            && known.versions.len() == versions.len()
            && known.versions.iter().zip(&versions).all(|(known, now)| Arc::ptr_eq(known, now))
        {
            return Ok(Arc::clone(known));
        }
        let relations = work_out(snapshots, catalog, state).await?;
        let resolved = Arc::new(Resolved { versions, relations });
        *latest = Some(Arc::clone(&resolved));
        Ok(resolved)
    }
}

fn sources() -> Vec<QualifiedName> {
    let mut names = vec![QualifiedName::new("o", "customers"), QualifiedName::new("x", "events")];
    names.extend(CARRIERS.iter().map(Carrier::name));
    names.extend(["history", "runs", "identifier_policy", "blocked_values"].map(stored::table));
    names
}

async fn versions(snapshots: &Snapshots, catalog: &CatalogSnapshot) -> Result<Versions> {
    let mut versions = Vec::new();
    for name in sources() {
        if let Ok(table) = catalog.table(&name) {
            versions.push(snapshots.of(table).await?);
        }
    }
    Ok(versions)
}

async fn work_out(
    snapshots: &Snapshots,
    catalog: &CatalogSnapshot,
    state: &SessionState,
) -> Result<HashMap<&'static str, RecordBatch>> {
    let reader = Reader { snapshots, catalog, state };
    let stored = Stored::read(&reader).await?;
    let mut graph = Graph::new(stored.policies.clone(), stored.blocked_by_user.clone());
    let mut carried = vec![("records", add_records(&reader, &mut graph, &stored).await?)];
    for carrier in &CARRIERS {
        carried.push((carrier.relation, add_carrier(&reader, &mut graph, carrier).await?));
    }
    add_events(&reader, &mut graph).await?;
    let persons = graph.into_persons();
    let mut relations = HashMap::new();
    relations.insert("identifiers", identifiers("identifiers", persons.identifiers())?);
    relations.insert("shared_identifiers", identifiers("shared_identifiers", persons.shared())?);
    relations.insert("redirects", redirects(&stored, &persons, &carried[0].1)?);
    for (relation, rows) in carried {
        let (mut systems, mut row_ids, mut ids) = Default::default();
        for row in rows {
            if let Some(customer_id) = persons.customer_id(row.number) {
                push(&mut systems, Some(&row.source_system));
                push(&mut row_ids, Some(&row.row_id));
                push(&mut ids, Some(customer_id));
            }
        }
        relations.insert(relation, batch(relation, vec![systems, row_ids, ids])?);
    }
    Ok(relations)
}

fn identifiers<'a>(
    relation: &str,
    rows: impl Iterator<Item = (&'a Identifier, &'a str)>,
) -> Result<RecordBatch> {
    let (mut types, mut systems, mut values, mut ids) = Default::default();
    for (identifier, customer_id) in rows {
        push(&mut types, Some(&identifier.key_type));
        push(&mut systems, identifier.source_system.as_deref());
        push(&mut values, Some(&identifier.value));
        push(&mut ids, Some(customer_id));
    }
    batch(relation, vec![types, systems, values, ids])
}

/// Every id that a customer has or had, and whose it is now: of an id that is no more, the customer who has most
/// of the records that had it last. NULL when none of them is left.
fn redirects(stored: &Stored, persons: &Persons, records: &[PersonRow]) -> Result<RecordBatch> {
    let now: HashMap<(&str, &str), &str> = records
        .iter()
        .filter_map(|row| {
            Some(((row.source_system.as_str(), row.row_id.as_str()), persons.customer_id(row.number)?))
        })
        .collect();
    let living: BTreeSet<&str> = persons.identifiers().map(|(_, id)| id).collect();
    let mut last: BTreeMap<&str, (i64, BTreeMap<&str, u32>)> = BTreeMap::new();
    for held in stored.history.iter().filter(|held| !living.contains(held.customer_id.as_str())) {
        let until = held.valid_to.unwrap_or(i64::MAX);
        let (latest, heirs) = last.entry(&held.customer_id).or_insert((until, BTreeMap::new()));
        if until > *latest {
            (*latest, *heirs) = (until, BTreeMap::new());
        }
        let record = (held.source_system.as_str(), held.record_id.as_str());
        if let Some(heir) = now.get(&record).filter(|_| until == *latest) {
            *heirs.entry(heir).or_default() += 1;
        }
    }
    let (mut old, mut new) = Default::default();
    for id in &living {
        push(&mut old, Some(id));
        push(&mut new, Some(id));
    }
    for (id, (_, heirs)) in &last {
        let heir = heirs.iter().max_by_key(|(heir, records)| (**records, std::cmp::Reverse(**heir)));
        push(&mut old, Some(id));
        push(&mut new, heir.map(|(heir, _)| *heir));
    }
    batch("redirects", vec![old, new])
}

fn push(builder: &mut StringBuilder, value: Option<&str>) {
    builder.append_option(value);
}

fn batch(relation: &str, columns: Vec<StringBuilder>) -> Result<RecordBatch> {
    let schema = relation_schema(relation).ok_or_else(|| Error::internal("unknown identity relation"))?;
    let columns = columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// A row of a table, and its number in the graph.
struct PersonRow {
    source_system: String,
    row_id: String,
    number: u32,
}

async fn add_records(reader: &Reader<'_>, graph: &mut Graph, stored: &Stored) -> Result<Vec<PersonRow>> {
    let mut columns = vec!["source_system", "record_id"];
    columns.extend(RECORD_KEYS);
    let customers = stored.customers();
    let mut rows = Vec::new();
    reader
        .each_row(&QualifiedName::new("o", "customers"), &columns, |values| {
            let (Some(system), Some(record)) = (values[0], values[1]) else { return };
            let keys = RECORD_KEYS
                .iter()
                .zip(&values[2..])
                .filter_map(|(key_type, value)| Identifier::new(key_type, system, (*value)?));
            let identifiers = Identifier::new("record_id", system, record).into_iter().chain(keys);
            let person = customers.get(&(system, record)).copied();
            let number = graph.add_record(system, identifiers, person);
            rows.push(PersonRow { source_system: system.to_owned(), row_id: record.to_owned(), number });
        })
        .await?;
    Ok(rows)
}

async fn add_carrier(reader: &Reader<'_>, graph: &mut Graph, carrier: &Carrier) -> Result<Vec<PersonRow>> {
    let columns = carrier.columns();
    let order_at = carrier.order_column.and_then(|order| columns.iter().position(|column| *column == order));
    let mut rows = Vec::new();
    reader
        .each_row(&carrier.name(), &columns, |values| {
            let (Some(system), Some(row_id)) = (values[0], values[1]) else { return };
            let key = match (values[2], values[3]) {
                (Some(key_type), Some(value)) => Identifier::new(key_type, system, value),
                _ => None,
            };
            let order = order_at
                .and_then(|at| values[at])
                .and_then(|order| Identifier::new("order_id", system, order));
            if key.is_none() && (order.is_none() || carrier.row_id == "order_id") {
                return;
            }
            let number = graph.add_row(system, key.into_iter().chain(order));
            rows.push(PersonRow { source_system: system.to_owned(), row_id: row_id.to_owned(), number });
        })
        .await?;
    Ok(rows)
}

async fn add_events(reader: &Reader<'_>, graph: &mut Graph) -> Result<()> {
    let columns = ["source_system", "key_type", "key_value"];
    reader
        .each_row(&QualifiedName::new("x", "events"), &columns, |values| {
            if let (Some(system), Some(key_type), Some(value)) = (values[0], values[1], values[2]) {
                graph.add_row(system, Identifier::new(key_type, system, value));
            }
        })
        .await
}
