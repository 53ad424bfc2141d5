//! Z-order: rows that are near each other in several columns come to lie in the same files.
//!
//! Each column's values are replaced by their rank among a sample, from 0 to 1023, so that columns of any type and any
//! distribution count alike; the bits of the ranks, interleaved from the highest, are the row's place on the curve
//! (Morton 1966). Rank and interleaving are pure; the sample is taken in one pass over the columns alone.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::Column;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, Volatility, create_udf,
};
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;

use crate::error::{Error, Result};

const RANK_BITS: u32 = 10;
/// So many fit into 64 bits.
pub const MOST_COLUMNS: usize = 6;
/// Values kept of each column; they are thinned out when there are twice as many.
const SAMPLE: usize = 8 * 1024;
const PLACE_COLUMN: &str = "__place";

/// The curve through the values of some columns.
#[derive(Debug)]
pub struct Curve {
    columns: Vec<(String, DataType)>,
    samples: Arc<Vec<Sample>>,
}

/// Some values of a column, in order.
#[derive(Debug)]
struct Sample {
    data_type: DataType,
    values: Vec<OwnedRow>,
}

impl Sample {
    /// The rank of each value: equal values have equal ranks.
    fn ranks(&self, column: &ArrayRef) -> Result<Vec<u64>> {
        let converter = converter(&self.data_type)?;
        let rows = converter.convert_columns(&[Arc::clone(column)])?;
        let rank = |row: arrow::row::Row<'_>| {
            let below = self.values.partition_point(|value| value.row() < row);
            ((below as u64) << RANK_BITS) / (self.values.len() as u64 + 1)
        };
        Ok(rows.iter().map(rank).collect())
    }
}

fn converter(data_type: &DataType) -> Result<RowConverter> {
    Ok(RowConverter::new(vec![SortField::new(data_type.clone())])?)
}

/// The bits of the ranks, the highest of all first.
fn interleave(ranks: &[u64]) -> u64 {
    let mut place = 0;
    for bit in (0..RANK_BITS).rev() {
        for rank in ranks {
            place = (place << 1) | ((rank >> bit) & 1);
        }
    }
    place
}

fn places(samples: &[Sample], columns: &[ArrayRef]) -> Result<UInt64Array> {
    let ranks = samples
        .iter()
        .zip(columns)
        .map(|(sample, column)| sample.ranks(column))
        .collect::<Result<Vec<_>>>()?;
    let rows = columns.first().map_or(0, |column| column.len());
    let mut of_row = vec![0; ranks.len()];
    let place = |row: usize| {
        for (rank, column) in of_row.iter_mut().zip(&ranks) {
            *rank = column[row];
        }
        interleave(&of_row)
    };
    Ok(UInt64Array::from_iter_values((0..rows).map(place)))
}

impl Curve {
    /// Learns from the rows of a plan how the values of some of its columns are distributed.
    pub async fn learn(plan: LogicalPlan, columns: &[String], state: &SessionState) -> Result<Self> {
        if columns.len() > MOST_COLUMNS {
            return Err(Error::invalid_argument(format!("ZORDER BY takes at most {MOST_COLUMNS} columns")));
        }
        let wanted: Vec<Expr> = columns.iter().map(|name| Expr::Column(Column::from_name(name))).collect();
        let plan = LogicalPlanBuilder::from(plan).project(wanted)?.build()?;
        let physical = state.create_physical_plan(&plan).await?;
        let types: Vec<DataType> =
            physical.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        for (name, data_type) in columns.iter().zip(&types) {
            if !RowConverter::supports_fields(&[SortField::new(data_type.clone())]) || data_type.is_nested() {
                return Err(Error::not_supported(format!(
                    "ZORDER BY cannot use column \"{name}\" of this type"
                )));
            }
        }
        let samples = sample(execute_stream(physical, state.task_ctx())?, &types).await?;
        let columns = columns.iter().cloned().zip(types).collect();
        Ok(Self { columns, samples: Arc::new(samples) })
    }

    /// The rows of a plan along the curve.
    pub fn sorted(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let schema = Arc::clone(plan.schema());
        let columns = || schema.columns().into_iter().map(Expr::Column);
        let inputs = self.columns.iter().map(|(name, _)| Expr::Column(Column::from_name(name))).collect();
        let place = self.function().call(inputs).alias(PLACE_COLUMN);
        let plan = LogicalPlanBuilder::from(plan)
            .project(columns().chain([place]))?
            .sort([Expr::Column(Column::from_name(PLACE_COLUMN)).sort(true, false)])?
            .project(columns())?;
        Ok(plan.build()?)
    }

    fn function(&self) -> ScalarUDF {
        let samples = Arc::clone(&self.samples);
        let call = move |arguments: &[ColumnarValue]| -> DataFusionResult<ColumnarValue> {
            let columns = ColumnarValue::values_to_arrays(arguments)?;
            let places =
                places(&samples, &columns).map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(ColumnarValue::Array(Arc::new(places)))
        };
        let types = self.columns.iter().map(|(_, data_type)| data_type.clone()).collect();
        create_udf("place_on_curve", types, DataType::UInt64, Volatility::Immutable, Arc::new(call))
    }
}

/// Every n-th row, with n doubled whenever there are too many.
async fn sample(mut rows: SendableRecordBatchStream, types: &[DataType]) -> Result<Vec<Sample>> {
    let converters = types.iter().map(converter).collect::<Result<Vec<_>>>()?;
    let mut samples: Vec<Vec<OwnedRow>> = vec![Vec::new(); types.len()];
    let (mut seen, mut stride) = (0_usize, 1_usize);
    while let Some(batch) = rows.try_next().await? {
        let first = (stride - seen % stride) % stride;
        for ((column, converter), values) in batch.columns().iter().zip(&converters).zip(&mut samples) {
            let converted = converter.convert_columns(&[Arc::clone(column)])?;
            values.extend(converted.iter().skip(first).step_by(stride).map(|row| row.owned()));
        }
        seen += batch.num_rows();
        while samples.first().is_some_and(|values| values.len() > 2 * SAMPLE) {
            stride *= 2;
            for values in &mut samples {
                *values = std::mem::take(values).into_iter().step_by(2).collect();
            }
        }
    }
    let sorted = |(data_type, mut values): (&DataType, Vec<OwnedRow>)| {
        values.sort_unstable();
        Sample { data_type: data_type.clone(), values }
    };
    Ok(types.iter().zip(samples).map(sorted).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{Field, Schema};
    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn bits_are_interleaved_from_the_highest() {
        assert_eq!(interleave(&[0b10_0000_0000, 0]), 0b10 << 18);
        assert_eq!(interleave(&[0, 0b10_0000_0000]), 0b01 << 18);
        assert_eq!(interleave(&[1, 1]), 0b11);
        assert_eq!(interleave(&[1023; 6]), (1 << 60) - 1);
        assert_eq!(interleave(&[5]), 5);
    }

    /// 64 x 64 points, one coordinate a text with a long common start: in a quarter of the curve lies a quarter of the
    /// square.
    #[tokio::test]
    async fn a_quarter_of_the_curve_is_a_quarter_of_the_square() {
        let points: Vec<(i64, i64)> = (0..64 * 64).map(|n| ((n * 37) % 64, (n * 37) / 64 % 64)).collect();
        let schema = Arc::new(Schema::new(vec![
            Field::new("x", DataType::Int64, true),
            Field::new("y", DataType::Utf8, true),
        ]));
        let x = Int64Array::from_iter_values(points.iter().map(|point| point.0 * 1_000_000_007));
        let y = StringArray::from_iter_values(points.iter().map(|point| format!("门店编号-{:04}", point.1)));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(x), Arc::new(y)]).unwrap();
        let context = SessionContext::new();
        let plan = context.read_batch(batch).unwrap().into_unoptimized_plan();
        let columns = ["x".to_owned(), "y".to_owned()];
        let curve = Curve::learn(plan.clone(), &columns, &context.state()).await.unwrap();
        let sorted = curve.sorted(plan).unwrap();
        let rows = context.execute_logical_plan(sorted).await.unwrap().collect().await.unwrap();
        let rows = arrow::compute::concat_batches(&rows[0].schema(), &rows).unwrap();
        assert_eq!((rows.num_rows(), rows.num_columns()), (4096, 2));
        let quarter = rows.slice(0, 1024);
        for column in quarter.columns() {
            let distinct: std::collections::HashSet<String> = (0..1024)
                .map(|row| arrow::util::display::array_value_to_string(column, row).unwrap())
                .collect();
            assert!(distinct.len() <= 34, "{} values", distinct.len());
        }
    }
}
