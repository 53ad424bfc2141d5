//! Models learnt from a user's labels, a row of `text.models` each, and taxonomies that are taken over.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::sql::sqlparser::ast::{Ident, SelectItem, TableWithJoins};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, QualifiedName, Table};
use voxhouse_engine::dml::Work;
use voxhouse_engine::{Error, Result};
use voxhouse_udfs::knowledge::{Trained, shipped_taxonomy, train_sentiment};

use super::SCHEMA;
use super::lessons::{self, Model, Rows, SENTIMENT};
use crate::access::writes::{Need, writable_table};
use crate::dialect::build;
use crate::query::QueryContext;
use crate::query::reports;
use crate::session::Session;

/// What was learnt, and under which version.
pub struct Learnt {
    pub version: i64,
    pub trained: Trained,
}

/// Learns from the rows of a relation that have a text and a label, and puts what was learnt in force.
pub async fn train(session: &mut Session, relation: &str, text: &str, label: &str) -> Result<Learnt> {
    session.require_changeable("CALL text.train_sentiment", false)?;
    let context = session.context("CALL text.train_sentiment").await?;
    let table = models_table(&context)?.clone();
    let texts = labelled(&context, relation, text, label).await?;
    let trained = tokio::task::spawn_blocking(move || train_sentiment(&texts))
        .await
        .map_err(|error| Error::internal(error.to_string()))??;
    let version = models(&context, &table).await?.iter().map(|model| model.version).max().unwrap_or(0) + 1;
    let now = chrono::Utc::now().timestamp_micros();
    let moment = || Arc::new(TimestampMicrosecondArray::from(vec![now]).with_timezone("UTC")) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![SENTIMENT]))),
        ("version", Arc::new(Int32Array::from(vec![i32::try_from(version).unwrap_or(i32::MAX)]))),
        ("weights", Arc::new(BinaryArray::from(vec![trained.weights.as_slice()]))),
        ("relation", Arc::new(StringArray::from(vec![relation]))),
        ("n_obs", Arc::new(Int64Array::from(vec![trained.n_obs as i64]))),
        ("accuracy_before", Arc::new(Float64Array::from(vec![trained.accuracy_before]))),
        ("accuracy_after", Arc::new(Float64Array::from(vec![trained.accuracy_after]))),
        ("created_at", moment()),
        ("created_by", Arc::new(StringArray::from(vec![session.role()]))),
        ("in_force_at", moment()),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )?;
    insert(session, &context, &table, rows, "CALL text.train_sentiment").await?;
    Ok(Learnt { version, trained })
}

/// Puts a version in force again: the one asked for, else the one before that in force. 0 is the shipped model.
pub async fn revert(session: &mut Session, asked: Option<i64>) -> Result<i64> {
    let context = session.context("CALL text.revert_sentiment").await?;
    let table = models_table(&context)?.clone();
    let models = models(&context, &table).await?;
    let in_force = models.iter().max_by_key(|model| (model.in_force_at, model.version));
    let in_force = in_force.map_or(0, |model| model.version);
    let before = || models.iter().map(|model| model.version).filter(|version| *version < in_force).max();
    let version = asked.unwrap_or_else(|| before().unwrap_or(0));
    if version != 0 && models.iter().all(|model| model.version != version) {
        return Err(Error::invalid_argument(format!(
            "version {version} of the model of sentiment does not exist"
        ))
        .with_hint(
            "SELECT version, created_at, n_obs FROM text.models WHERE name = 'sentiment' lists them.",
        ));
    }
    // The clock of whoever trained may be ahead.
    let latest = models.iter().map(|model| model.in_force_at).max().unwrap_or(0);
    let now = chrono::Utc::now().timestamp_micros().max(latest + 1);
    let moment = chrono::DateTime::from_timestamp_micros(now).unwrap_or_default();
    let moment = format!("'{}'::timestamptz", moment.format("%Y-%m-%d %H:%M:%S%.6f+00"));
    let statement = match models.iter().any(|model| model.version == version) {
        true => format!(
            "UPDATE text.models SET in_force_at = {moment} WHERE name = '{SENTIMENT}' AND version = {version}"
        ),
        false => format!(
            "INSERT INTO text.models (name, version, created_at, in_force_at) \
             VALUES ('{SENTIMENT}', 0, {moment}, {moment})"
        ),
    };
    session.run(&statement).await?;
    Ok(version)
}

/// Copies a shipped taxonomy into `text.taxonomy` as a new version, to be edited there. Returns the version.
pub async fn adopt(session: &mut Session, shipped: &str, name: &str) -> Result<i64> {
    session.require_changeable("CALL text.adopt_taxonomy", false)?;
    let rows = shipped_taxonomy(shipped)?;
    let context = session.context("CALL text.adopt_taxonomy").await?;
    let qualified = QualifiedName::new(SCHEMA, "taxonomy");
    let table =
        writable_table(&qualified, &context.visible, |_| Ok(vec![Need::table(Privilege::Insert)]))?.clone();
    let taken = read(&context, &table).await?;
    let mut version = 0;
    for batch in &taken {
        version = version.max(newest_version(batch, name)?);
    }
    version += 1;
    let number =
        i32::try_from(version).map_err(|_| Error::invalid_argument("there are too many versions"))?;
    let text = |cell: fn(&voxhouse_udfs::knowledge::TaxonomyRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(cell).collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("taxonomy", Arc::new(StringArray::from(vec![name; rows.len()]))),
        ("version", Arc::new(Int32Array::from(vec![number; rows.len()]))),
        ("tag", text(|row| Some(&row.tag))),
        ("parent", text(|row| row.parent.as_deref())),
        ("include", text(|row| row.include.as_deref())),
        ("exclude", text(|row| row.exclude.as_deref())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )?;
    insert(session, &context, &table, batch, "CALL text.adopt_taxonomy").await?;
    Ok(version)
}

fn newest_version(batch: &RecordBatch, name: &str) -> Result<i64> {
    let column = |name: &str, data_type| {
        let column = batch.column_by_name(name);
        let column = column
            .ok_or_else(|| Error::invalid_argument(format!("text.taxonomy has no column \"{name}\"")))?;
        Ok::<_, Error>(cast(column, data_type)?)
    };
    let (names, versions) = (column("taxonomy", &DataType::Utf8)?, column("version", &DataType::Int64)?);
    let versions = versions.as_primitive::<arrow::datatypes::Int64Type>().iter();
    let of_name = names.as_string::<i32>().iter().zip(versions).filter(|(other, _)| *other == Some(name));
    Ok(of_name.filter_map(|(_, version)| version).max().unwrap_or(0))
}

fn models_table(context: &QueryContext) -> Result<&Table> {
    let name = QualifiedName::new(SCHEMA, "models");
    writable_table(&name, &context.visible, |_| Ok(vec![Need::table(Privilege::Insert)]))
}

async fn models(context: &QueryContext, table: &Table) -> Result<Vec<Model>> {
    let mut models = Vec::new();
    for batch in &read(context, table).await? {
        models.extend(Rows(batch).models()?);
    }
    Ok(models)
}

async fn read(context: &QueryContext, table: &Table) -> Result<Vec<RecordBatch>> {
    let snapshot = context.snapshots.of(table).await?;
    lessons::rows(&context.warehouse, table, snapshot, &context.base).await
}

/// The texts of a relation and their labels; rows without either do not count.
async fn labelled(
    context: &QueryContext,
    relation: &str,
    text: &str,
    label: &str,
) -> Result<Vec<(String, String)>> {
    let output = |written: &str, alias: &str| -> Result<SelectItem> {
        let expr =
            build::cast(reports::expression(written)?, datafusion::sql::sqlparser::ast::DataType::Text);
        Ok(SelectItem::ExprWithAlias { expr, alias: Ident::new(alias) })
    };
    let from = vec![TableWithJoins { relation: reports::from_text(relation)?, joins: Vec::new() }];
    let query = build::select(vec![output(text, "said")?, output(label, "label")?], from);
    let plan = context.plan_query(&query).await?.plan;
    let mut pairs = Vec::new();
    for batch in DataFrame::new(context.state(), plan).collect().await? {
        let [texts, labels] = [0, 1].map(|column| cast(batch.column(column), &DataType::Utf8));
        let (texts, labels) = (texts?, labels?);
        for (text, label) in texts.as_string::<i32>().iter().zip(labels.as_string::<i32>()) {
            if let (Some(text), Some(label)) = (text, label) {
                pairs.push((text.to_owned(), label.trim().to_lowercase()));
            }
        }
    }
    Ok(pairs)
}

async fn insert(
    session: &mut Session,
    context: &QueryContext,
    table: &Table,
    rows: RecordBatch,
    statement: &str,
) -> Result<()> {
    let rows = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
    let plan = LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(rows)), None)?.build()?;
    let author = Author { role: session.role(), statement: statement.to_owned() };
    session.change_rows(context, &author, table, &Work::Insert(plan)).await?;
    // So that an error of what was stored shows here and not at the next reader.
    let catalog = &context.visible.catalog;
    let topics = [voxhouse_udfs::knowledge::Topic::Sentiment, voxhouse_udfs::knowledge::Topic::Taxonomies];
    context.built_ins.knowledge().refresh(&context.warehouse, catalog, &context.base, topics).await
}
