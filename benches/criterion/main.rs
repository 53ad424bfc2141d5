//! `cargo bench`: the four things a warehouse does all day, small enough to run after every change.

mod encode;
mod load;
mod scan;
mod text;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

/// Short runs: a change of ten per cent shows, and the whole takes less than two minutes.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! {
    name = benches;
    config = short();
    targets = load::benches, scan::benches, text::benches, encode::benches
}
criterion_main!(benches);
