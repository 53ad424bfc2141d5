//! Questions to a loaded table, from the text of the statement to the last record batch.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use voxhouse_benches::house::House;

const ROWS: usize = 1_000_000;

const STATEMENTS: [(&str, &str); 5] = [
    ("count", "SELECT count(*) FROM bench.orders"),
    ("sum", "SELECT sum(amount), avg(weight) FROM bench.orders"),
    ("group by", "SELECT city, count(*), sum(amount) FROM bench.orders GROUP BY city"),
    ("point filter", "SELECT * FROM bench.orders WHERE order_no = 'SO001000765432'"),
    ("top 10", "SELECT order_no, amount FROM bench.orders ORDER BY amount DESC LIMIT 10"),
];

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut house = House::with_orders(ROWS).expect("a table to scan");
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, sql) in STATEMENTS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let batches = house.run(sql).expect("an answer");
                assert!(batches.iter().any(|batch| batch.num_rows() > 0), "{name} found nothing");
                black_box(batches)
            });
        });
    }
    group.finish();
}
