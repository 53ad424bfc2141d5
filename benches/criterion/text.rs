//! Text functions over the verbatims of the bundled example, without a table or a query around them.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use criterion::{Criterion, Throughput};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, cast, col};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use voxhouse_benches::house::House;
use voxhouse_engine::Result;
use voxhouse_sql::demo::{SEED, Size, generate};
use voxhouse_udfs::Implementation;

const PIPES: &str = include_str!("../../examples/demo/pipes.sql");
const VERBATIMS: &str = "SELECT comment FROM x.feedback WHERE comment IS NOT NULL LIMIT 5000";

pub(crate) fn benches(criterion: &mut Criterion) {
    let texts = verbatims().expect("the verbatims of the example");
    let mut group = criterion.benchmark_group("text");
    group.throughput(Throughput::Elements(texts.num_rows() as u64));
    for name in ["tokenize", "keywords", "sentiment"] {
        let function = call(name, &texts).expect("a function over a text");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(function.evaluate(&texts).expect("a value for each text")));
        });
    }
    group.finish();
}

/// A record batch of one column of text.
fn verbatims() -> Result<RecordBatch> {
    let mut house = House::open()?;
    generate(SEED, Size { people: 2_000 }, &mut |file| {
        house.drop_in(&format!("landing/demo/{}", file.name), file.bytes.to_vec())
    })?;
    house.run(PIPES)?;
    for pipe in ["demo_surveys", "demo_reviews", "demo_complaints", "demo_chats", "demo_posts"] {
        house.run_pipe(pipe)?;
    }
    let batches = house.run(VERBATIMS)?;
    let text = |batch: &RecordBatch| arrow::compute::cast(batch.column(0), &DataType::Utf8);
    let parts = batches.iter().map(text).collect::<std::result::Result<Vec<_>, _>>()?;
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(|part| part as _).collect();
    let texts: ArrayRef = arrow::compute::concat(&parts)?;
    assert!(texts.as_string::<i32>().iter().flatten().all(|text| !text.is_empty()));
    Ok(RecordBatch::try_from_iter([("comment", texts)])?)
}

/// A function of ours over the column of the batch.
fn call(name: &str, texts: &RecordBatch) -> Result<Arc<dyn PhysicalExpr>> {
    let entry = voxhouse_udfs::entries().into_iter().find(|entry| entry.name == name);
    let Some(Implementation::Scalar(function)) = entry.map(|entry| entry.implementation) else {
        return Err(voxhouse_engine::Error::internal(format!("no scalar function {name}")));
    };
    let expression: Expr = function.call(vec![cast(col("comment"), DataType::Utf8)]);
    let schema = DFSchema::try_from(texts.schema())?;
    Ok(SessionContext::new().create_physical_expr(expression, &schema)?)
}
