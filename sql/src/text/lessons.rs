//! The rows of the tables of text knowledge, as the text functions take them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use voxhouse_engine::catalog::Table;
use voxhouse_engine::table::snapshot::TableSnapshot;
use voxhouse_engine::{Error, ErrorKind, Result, Warehouse};
use voxhouse_udfs::knowledge::{AspectTerm, Example, Lesson, TaxonomyRow, Topic, Word};

/// The name under which the model of sentiment is kept among the models.
pub(super) const SENTIMENT: &str = "sentiment";

/// All rows of a table at one version.
pub(super) async fn rows(
    warehouse: &Warehouse,
    table: &Table,
    snapshot: Arc<TableSnapshot>,
    state: &SessionState,
) -> Result<Vec<RecordBatch>> {
    let scan = warehouse.scan_snapshot(table, snapshot)?;
    let plan = LogicalPlanBuilder::scan("knowledge", provider_as_source(Arc::new(scan)), None)?.build()?;
    Ok(DataFrame::new(state.clone(), plan).collect().await?)
}

/// What the rows of a topic's table say.
pub(super) fn lesson(topic: Topic, batches: &[RecordBatch]) -> Result<Lesson> {
    let rows = || batches.iter().map(Rows);
    Ok(match topic {
        Topic::Dictionary => Lesson::Dictionary(gathered(rows(), Rows::words)?),
        Topic::Aspects => Lesson::Aspects(gathered(rows(), Rows::aspects)?),
        Topic::Taxonomies => Lesson::Taxonomies(gathered(rows(), Rows::taxonomy)?),
        Topic::Examples => Lesson::Examples(gathered(rows(), Rows::examples)?),
        Topic::Sentiment => {
            let models = gathered(rows(), Rows::models)?;
            let in_force = models.into_iter().max_by_key(|model| (model.in_force_at, model.version));
            Lesson::Sentiment(in_force.and_then(|model| Some((model.version, model.weights?))))
        }
    })
}

fn gathered<'a, T>(
    batches: impl Iterator<Item = Rows<'a>>,
    read: fn(&Rows<'a>) -> Result<Vec<T>>,
) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(read(&batch)?);
    }
    Ok(all)
}

/// A row of `text.models`.
pub(super) struct Model {
    pub(super) version: i64,
    /// Microseconds; the latest counts.
    pub(super) in_force_at: i64,
    pub(super) weights: Option<Vec<u8>>,
}

pub(super) struct Rows<'a>(pub(super) &'a RecordBatch);

impl Rows<'_> {
    fn column(&self, name: &str, data_type: &DataType) -> Result<ArrayRef> {
        let column = self.0.column_by_name(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedColumn, format!("column \"{name}\" of the table does not exist"))
                .with_hint("The tables of schema text need the columns that they come with.")
        })?;
        Ok(cast(column, data_type)?)
    }

    fn text(&self, name: &str) -> Result<StringArray> {
        Ok(self.column(name, &DataType::Utf8)?.as_string::<i32>().clone())
    }

    fn integer(&self, name: &str) -> Result<Int64Array> {
        Ok(self.column(name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
    }

    fn words(&self) -> Result<Vec<Word>> {
        let (words, weights, tags) = (self.text("word")?, self.integer("weight")?, self.text("tag")?);
        let weight = |row| weights.is_valid(row).then(|| u64::try_from(weights.value(row)).ok()).flatten();
        let word = |row| Some(Word { word: cell(&words, row)?, weight: weight(row), tag: cell(&tags, row) });
        Ok((0..self.0.num_rows()).filter_map(word).collect())
    }

    fn aspects(&self) -> Result<Vec<AspectTerm>> {
        let (words, aspects) = (self.text("word")?, self.text("aspect")?);
        let term = |row| Some(AspectTerm { word: cell(&words, row)?, aspect: cell(&aspects, row)? });
        Ok((0..self.0.num_rows()).filter_map(term).collect())
    }

    fn taxonomy(&self) -> Result<Vec<TaxonomyRow>> {
        let [names, tags, parents] = ["taxonomy", "tag", "parent"].map(|name| self.text(name));
        let [includes, excludes] = ["include", "exclude"].map(|name| self.text(name));
        let (names, tags, parents, includes, excludes) = (names?, tags?, parents?, includes?, excludes?);
        let versions = self.integer("version")?;
        let row = |row| {
            Some(TaxonomyRow {
                taxonomy: cell(&names, row)?,
                version: versions.is_valid(row).then(|| versions.value(row))?,
                tag: cell(&tags, row)?,
                parent: cell(&parents, row),
                include: cell(&includes, row),
                exclude: cell(&excludes, row),
            })
        };
        Ok((0..self.0.num_rows()).filter_map(row).collect())
    }

    fn examples(&self) -> Result<Vec<Example>> {
        let (labels, texts) = (self.text("label")?, self.text("text")?);
        let example = |row| Some(Example { label: cell(&labels, row)?, text: cell(&texts, row)? });
        Ok((0..self.0.num_rows()).filter_map(example).collect())
    }

    pub(super) fn models(&self) -> Result<Vec<Model>> {
        let (names, versions) = (self.text("name")?, self.integer("version")?);
        let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let moments = cast(&self.column("in_force_at", &moment)?, &DataType::Int64)?;
        let moments = moments.as_primitive::<Int64Type>().clone();
        let weights = self.column("weights", &DataType::Binary)?;
        let weights: &BinaryArray = weights.as_binary();
        let model = |row| {
            (cell(&names, row).as_deref() == Some(SENTIMENT)).then(|| Model {
                version: versions.value(row),
                in_force_at: moments.value(row),
                weights: weights.is_valid(row).then(|| weights.value(row).to_vec()),
            })
        };
        Ok((0..self.0.num_rows()).filter_map(model).collect())
    }
}

fn cell(texts: &StringArray, row: usize) -> Option<String> {
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}
