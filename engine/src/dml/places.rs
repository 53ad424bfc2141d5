//! Which rows a statement changes: by data file and number. Found once, so that what becomes of them and what
//! becomes of the others agree however the condition was planned.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::catalog::TableProvider;
use datafusion::common::exec_err;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::error::{Error, Result};
use crate::table::scan::{FILE_COLUMN, ROW_COLUMN, TableScan};

/// The column that tells whether a row is one of those that a statement changes.
pub const AFFECTED_COLUMN: &str = "__affected";

const WORD: u64 = u64::BITS as u64;

/// Rows of one file, a bit each.
#[derive(Debug, Default)]
struct Rows {
    bits: Vec<u64>,
    count: u64,
}

impl Rows {
    /// Whether the row is new here.
    fn insert(&mut self, row: u64) -> bool {
        let (word, bit) = ((row / WORD) as usize, 1u64 << (row % WORD));
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    fn contains(&self, row: u64) -> bool {
        self.bits.get((row / WORD) as usize).is_some_and(|word| word & (1 << (row % WORD)) != 0)
    }
}

/// A set of rows.
#[derive(Debug, Default)]
pub struct Places {
    files: HashMap<String, Rows>,
    /// Whether a row came twice: two rows of a source match it.
    pub twice: bool,
    /// How many of the rows go away, where a statement both changes and deletes.
    pub deleted: u64,
}

impl Places {
    /// Takes a batch of file, row and, with a third column, whether the row goes away.
    pub fn extend(&mut self, batch: &RecordBatch) -> Result<()> {
        let files = arrow::compute::cast(batch.column(0), &DataType::Utf8)?;
        let files = files.as_string::<i32>();
        let rows = arrow::compute::cast(batch.column(1), &DataType::Int64)?;
        let rows = rows.as_primitive::<Int64Type>();
        let mut start = 0;
        // Rows come a file at a time; each file is looked up once.
        while start < batch.num_rows() {
            let file = files.value(start);
            let end =
                (start..batch.num_rows()).find(|at| files.value(*at) != file).unwrap_or(batch.num_rows());
            if !self.files.contains_key(file) {
                self.files.insert(file.to_owned(), Rows::default());
            }
            let Some(known) = self.files.get_mut(file) else { return Err(Error::internal("a file is lost")) };
            for at in start..end {
                let row =
                    u64::try_from(rows.value(at)).map_err(|_| Error::internal("a row before the first"))?;
                self.twice |= !known.insert(row);
            }
            start = end;
        }
        if let Some(goes) = batch.columns().get(2) {
            self.deleted += goes.as_boolean_opt().map_or(0, BooleanArray::true_count) as u64;
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn len(&self) -> u64 {
        self.files.values().map(|rows| rows.count).sum()
    }

    pub fn files(&self) -> HashSet<String> {
        self.files.keys().cloned().collect()
    }

    pub fn rows_in(&self, file: &str) -> u64 {
        self.files.get(file).map_or(0, |rows| rows.count)
    }
}

/// The table with [`AFFECTED_COLUMN`] in place of the columns of a row's place.
pub fn marked(scan: TableScan, places: &Arc<Places>) -> Result<Arc<dyn TableProvider>> {
    let mark = ScalarUDF::from(IsAffected {
        places: Arc::clone(places),
        signature: Signature::exact(vec![DataType::Utf8, DataType::Int64], Volatility::Immutable),
    });
    let scanned = LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(scan)), None)?.build()?;
    let (place, mut columns): (Vec<Expr>, Vec<Expr>) =
        scanned.schema().columns().into_iter().map(Expr::Column).partition(|column| {
            matches!(column, Expr::Column(column) if [FILE_COLUMN, ROW_COLUMN].contains(&column.name.as_str()))
        });
    columns.push(mark.call(place).alias(AFFECTED_COLUMN));
    let plan = LogicalPlanBuilder::from(scanned).project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

#[derive(Debug)]
struct IsAffected {
    places: Arc<Places>,
    signature: Signature,
}

impl PartialEq for IsAffected {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.places, &other.places)
    }
}

impl Eq for IsAffected {}

impl Hash for IsAffected {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.places).hash(state);
    }
}

impl ScalarUDFImpl for IsAffected {
    fn name(&self) -> &str {
        "__is_affected"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let [files, rows] = arrays.as_slice() else { return exec_err!("a place is a file and a row") };
        let (files, rows) = (files.as_string::<i32>(), rows.as_primitive::<Int64Type>());
        let mut known: Option<(&str, Option<&Rows>)> = None;
        let affected = (0..rows.len()).map(|at| {
            let file = files.value(at);
            let affected = match known {
                Some((last, affected)) if last == file => affected,
                _ => self.places.files.get(file),
            };
            known = Some((file, affected));
            Some(affected.is_some_and(|affected| affected.contains(rows.value(at).unsigned_abs())))
        });
        Ok(ColumnarValue::Array(Arc::new(affected.collect::<BooleanArray>()) as ArrayRef))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn batch(files: Vec<&str>, rows: Vec<i64>) -> RecordBatch {
        let files: ArrayRef = Arc::new(StringArray::from(files));
        let rows: ArrayRef = Arc::new(Int64Array::from(rows));
        RecordBatch::try_from_iter([("file", files), ("row", rows)]).unwrap()
    }

    #[test]
    fn a_row_counts_once_and_is_known_to_have_come_twice() {
        let mut places = Places::default();
        places.extend(&batch(vec!["a", "a", "b"], vec![0, 64, 1_000_000])).unwrap();
        assert!(!places.twice);
        assert_eq!((places.len(), places.rows_in("a"), places.rows_in("c")), (3, 2, 0));
        assert!(places.files["a"].contains(64) && !places.files["a"].contains(1));
        assert!(places.files["b"].contains(1_000_000) && !places.files["b"].contains(2_000_000));
        places.extend(&batch(vec!["b", "a"], vec![7, 64])).unwrap();
        assert!(places.twice);
        assert_eq!(places.len(), 4);
    }
}
