//! Files through a pipe into a table: reading, the contract, Parquet writing and the commit.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use voxhouse_benches::house::House;
use voxhouse_benches::orders;
use voxhouse_engine::Result;

const FILES: usize = 2;
const ROWS: usize = 100_000;

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut house = prepared().expect("a warehouse with files to load");
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Elements((FILES * ROWS) as u64));
    let mut loads = 0;
    for (name, key) in [("parquet", ""), ("parquet, primary key", ", PRIMARY KEY (order_no)")] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let each = (0..iterations).map(|_| {
                    loads += 1;
                    load(&mut house, loads, key).expect("a load")
                });
                each.sum()
            });
        });
    }
    group.finish();
}

fn prepared() -> Result<House> {
    let mut house = House::open()?;
    house.run("CREATE SCHEMA bench")?;
    for file in 0..FILES {
        let bytes = orders::parquet_file(ROWS, file as u64)?;
        house.drop_in(&format!("landing/orders/{file}.parquet"), bytes)?;
    }
    Ok(house)
}

/// The same files are new to a new pipe.
fn load(house: &mut House, number: usize, key: &str) -> Result<Duration> {
    let (table, pipe) = (format!("bench.orders_{number}"), format!("orders_{number}"));
    house.run(&format!("CREATE TABLE {table} ({}{key})", orders::COLUMNS))?;
    house.run(&format!("CREATE PIPE {pipe} FROM 'landing/orders/' INTO {table} FORMAT parquet ON CALL"))?;
    let started = Instant::now();
    let rows = house.run_pipe(&pipe)?;
    let took = started.elapsed();
    assert_eq!(rows, (FILES * ROWS) as u64);
    house.run(&format!("DROP PIPE {pipe}; DROP TABLE {table}"))?;
    Ok(took)
}
