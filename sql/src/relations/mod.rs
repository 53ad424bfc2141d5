//! The virtual relations of `system` and `id`: what the process and the catalog know, as tables.
//!
//! The definitions are a list; it only grows at its end, because a relation's OID is its place in it.

mod pipes;
mod queries;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use voxhouse_engine::catalog::{Oid, QualifiedName};
use voxhouse_engine::identity::matching::Matcher;
use voxhouse_engine::identity::{self, Identity};
use voxhouse_engine::maintenance::Maintenance;
use voxhouse_engine::{Error, Result};

use crate::instance::Background;
use crate::pg_catalog::{BuiltInRelation, FunctionRow};
use crate::query::catalog::Relations;
use crate::query::context::with_catalog;
use crate::text::knowledge::TextKnowledge;

const FIRST_OID: Oid = 12_000;
const FIRST_FUNCTION_OID: Oid = 15_000;

/// How the rows of a relation come about.
#[derive(Debug, Clone, Copy)]
enum Content {
    Functions,
    Pipes,
    Tables,
    Loads,
    Rejects,
    Identity(&'static str),
    Queries,
    QueriesInfo,
    Maintenance,
    Quality,
    Rules,
}

struct Definition {
    schema: &'static str,
    name: &'static str,
    comment: &'static str,
    content: Content,
}

const fn system(name: &'static str, comment: &'static str, content: Content) -> Definition {
    Definition { schema: "system", name, comment, content }
}

/// In the order of their OIDs.
fn definitions() -> Vec<Definition> {
    let mut all = vec![
        system(
            "functions",
            "The functions that Voxhouse adds to SQL, with an example of each",
            Content::Functions,
        ),
        system("pipes", "The pipes, how they stand and what waits for them", Content::Pipes),
        system("loads", "Every file that was loaded or refused, with its fate", Content::Loads),
        system(
            "rejects",
            "Rows that could not be loaded, with the reason and the row itself",
            Content::Rejects,
        ),
        system("tables", "Size, rows and version of every table", Content::Tables),
    ];
    all.extend(identity::RELATIONS.iter().map(identity_definition));
    all.extend([
        system(
            "queries",
            "What statements have cost since the server started, by their text without literals and by role",
            Content::Queries,
        ),
        system(
            "queries_info",
            "How many statements system.queries holds and had to forget",
            Content::QueriesInfo,
        ),
        system(
            "maintenance",
            "What was done to keep tables fast: compactions, checkpoints, vacuums",
            Content::Maintenance,
        ),
        system(
            "quality",
            "How each rule of a table fared with each load: rows checked, rows that broke it, and one of them",
            Content::Quality,
        ),
        system("rules", "What each table asks of its rows and its loads", Content::Rules),
    ]);
    all.extend(identity::LATER_RELATIONS.iter().map(identity_definition));
    all
}

fn identity_definition(
    (name, _, comment): &(&'static str, &'static [&'static str], &'static str),
) -> Definition {
    Definition { schema: "id", name, comment, content: Content::Identity(name) }
}

/// The virtual relations of one instance.
pub struct BuiltIns {
    definitions: Vec<Definition>,
    background: Arc<Background>,
    identity: Identity,
    identity_turn: Arc<tokio::sync::Mutex<()>>,
    matcher: Arc<dyn Matcher>,
    knowledge: Arc<TextKnowledge>,
    listed: Arc<Vec<BuiltInRelation>>,
    functions: Arc<Vec<FunctionRow>>,
}

impl BuiltIns {
    pub async fn new(
        background: Arc<Background>,
        knowledge: Arc<TextKnowledge>,
        matcher: Arc<dyn Matcher>,
    ) -> Result<Self> {
        let definitions = definitions();
        let mut listed = Vec::with_capacity(definitions.len());
        for (place, definition) in definitions.iter().enumerate() {
            listed.push(BuiltInRelation {
                schema: definition.schema.to_owned(),
                name: definition.name.to_owned(),
                oid: FIRST_OID + place as Oid,
                columns: schema(definition.content, &background).await?,
                comment: definition.comment.to_owned(),
            });
        }
        Ok(Self {
            definitions,
            background,
            identity: Identity::default(),
            identity_turn: Arc::default(),
            matcher,
            knowledge,
            listed: Arc::new(listed),
            functions: Arc::new(function_rows()),
        })
    }

    /// What the text functions of this warehouse know.
    pub fn knowledge(&self) -> &TextKnowledge {
        &self.knowledge
    }

    /// For `pg_class` and `pg_attribute`.
    pub fn listed(&self) -> Arc<Vec<BuiltInRelation>> {
        Arc::clone(&self.listed)
    }

    /// For `pg_proc`.
    pub fn functions(&self) -> Arc<Vec<FunctionRow>> {
        Arc::clone(&self.functions)
    }

    pub fn contains(&self, name: &QualifiedName) -> bool {
        self.content(name).is_some()
    }

    fn content(&self, name: &QualifiedName) -> Option<Content> {
        self.definitions
            .iter()
            .find(|definition| definition.schema == name.schema && definition.name == name.name)
            .map(|definition| definition.content)
    }

    /// One of the relations of identity resolution.
    pub async fn identity_batch(&self, relation: &str, relations: &Arc<Relations>) -> Result<RecordBatch> {
        let state = with_catalog(&relations.base, Arc::clone(relations));
        let resolved = self.identity.resolve(&relations.snapshots, relations.catalog(), &state).await?;
        resolved
            .relation(relation)
            .cloned()
            .ok_or_else(|| Error::internal(format!("identity relation {relation} is missing")))
    }

    /// Tells which records are one person.
    pub fn matcher(&self) -> &Arc<dyn Matcher> {
        &self.matcher
    }

    /// Held by whoever changes what identity resolution keeps: one at a time.
    pub async fn identity_turn(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.identity_turn).lock_owned().await
    }

    pub async fn provider(
        &self,
        name: &QualifiedName,
        relations: &Arc<Relations>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(content) = self.content(name) else { return Ok(None) };
        if relations.snapshots.is_of_a_moment() && !matches!(content, Content::Identity(_)) {
            return Err(no_past(name));
        }
        let batch = match content {
            Content::Loads => return Ok(Some(self.background.ingestion()?.loads_provider().await?)),
            Content::Rejects => return Ok(Some(self.background.ingestion()?.rejects_provider().await?)),
            Content::Quality => return Ok(Some(self.background.ingestion()?.quality_provider().await?)),
            Content::Rules => rules::batch(relations.catalog())?,
            Content::Functions => functions_batch()?,
            Content::Pipes => return Ok(Some(Arc::new(pipes::Pipes::new(relations, &self.background)))),
            Content::Tables => tables_batch(relations).await?,
            Content::Queries => queries::batch(&self.background.observer, relations.visible.access())?,
            Content::QueriesInfo => queries::info_batch(&self.background.observer)?,
            Content::Maintenance => self.background.maintenance()?.actions(relations.catalog()).await?,
            Content::Identity(relation) => self.identity_batch(relation, relations).await?,
        };
        Ok(Some(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?)))
    }
}

/// A relation of which only the present is known.
pub fn no_past(name: &QualifiedName) -> Error {
    Error::not_supported(format!("relation \"{name}\" keeps no past versions"))
}

async fn schema(content: Content, background: &Background) -> Result<SchemaRef> {
    Ok(match content {
        Content::Quality => background.ingestion()?.quality_provider().await?.schema(),
        Content::Rules => rules::schema(),
        Content::Functions => functions_schema(),
        Content::Pipes => pipes::schema(),
        Content::Tables => tables_schema(),
        Content::Queries => queries::schema(),
        Content::QueriesInfo => queries::info_schema(),
        Content::Maintenance => Maintenance::actions_schema(),
        Content::Loads => background.ingestion()?.loads_provider().await?.schema(),
        Content::Rejects => background.ingestion()?.rejects_provider().await?.schema(),
        Content::Identity(relation) => identity::relation_schema(relation)
            .ok_or_else(|| Error::internal(format!("identity relation {relation} is missing")))?,
    })
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn bigint(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn function_rows() -> Vec<FunctionRow> {
    voxhouse_udfs::entries()
        .iter()
        .enumerate()
        .map(|(place, entry)| FunctionRow {
            oid: FIRST_FUNCTION_OID + place as Oid,
            name: entry.name.to_owned(),
            arguments: entry.arguments.to_owned(),
            returns: entry.returns.to_owned(),
            kind: match entry.kind {
                voxhouse_udfs::Kind::Aggregate => 'a',
                voxhouse_udfs::Kind::Window => 'w',
                voxhouse_udfs::Kind::Scalar | voxhouse_udfs::Kind::Table => 'f',
            },
            description: entry.description.to_owned(),
        })
        .collect()
}

fn functions_schema() -> SchemaRef {
    let columns = ["name", "kind", "arguments", "returns", "description", "example", "example_result"];
    Arc::new(Schema::new(columns.map(text).to_vec()))
}

fn functions_batch() -> Result<RecordBatch> {
    let entries = voxhouse_udfs::entries();
    let column = |value: fn(&voxhouse_udfs::Entry) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(entries.iter().map(value)))
    };
    let columns = vec![
        column(|entry| entry.name),
        column(|entry| entry.kind.as_str()),
        column(|entry| entry.arguments),
        column(|entry| entry.returns),
        column(|entry| entry.description),
        column(|entry| entry.example),
        column(|entry| entry.example_result),
    ];
    Ok(RecordBatch::try_new(functions_schema(), columns)?)
}

fn tables_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("schema_name"),
        text("name"),
        text("location"),
        bigint("version"),
        bigint("files"),
        bigint("bytes"),
        bigint("rows"),
        Field::new("created_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        text("options"),
    ]))
}

async fn tables_batch(relations: &Relations) -> Result<RecordBatch> {
    // Whether the store of an external table answers must not matter here.
    let tables: Vec<_> = relations.catalog().tables().filter(|table| table.external.is_none()).collect();
    let mut sizes = Vec::with_capacity(tables.len());
    let mut options = Vec::with_capacity(tables.len());
    for table in &tables {
        let snapshot = relations.snapshots.of(table).await?;
        let files = snapshot.files()?;
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        sizes.push((snapshot.version() as i64, files.len() as i64, bytes as i64, snapshot.row_count()?));
        options.push(shown_options(&snapshot.shown_options()));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(tables.iter().map(|table| &table.name.schema))),
        Arc::new(StringArray::from_iter_values(tables.iter().map(|table| &table.name.name))),
        Arc::new(StringArray::from_iter_values(tables.iter().map(|table| &table.location))),
        Arc::new(Int64Array::from_iter_values(sizes.iter().map(|size| size.0))),
        Arc::new(Int64Array::from_iter_values(sizes.iter().map(|size| size.1))),
        Arc::new(Int64Array::from_iter_values(sizes.iter().map(|size| size.2))),
        Arc::new(Int64Array::from_iter(sizes.iter().map(|size| size.3.map(|rows| rows as i64)))),
        Arc::new(
            arrow::array::TimestampMicrosecondArray::from_iter_values(
                tables.iter().map(|table| table.created_at.timestamp_micros()),
            )
            .with_timezone("UTC"),
        ),
        Arc::new(StringArray::from(options)),
    ];
    Ok(RecordBatch::try_new(tables_schema(), columns)?)
}

/// `bloom='a,b', compaction='off'`, as `ALTER TABLE … SET` would take them; nothing if all have their defaults.
fn shown_options(options: &BTreeMap<&'static str, String>) -> Option<String> {
    let written: Vec<String> = options.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    (!written.is_empty()).then(|| written.join(", "))
}
