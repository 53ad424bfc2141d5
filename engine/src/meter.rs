//! Counters that many threads add to and a monitoring system reads: how often, and how long.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of a histogram's buckets, in seconds; one more has no bound.
pub const BOUNDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0];

/// Durations by size.
#[derive(Debug, Default)]
pub struct Histogram {
    /// As many as there are bounds, and the one without.
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// How many durations were at most as long as each of [`BOUNDS`].
    pub up_to: [u64; BOUNDS.len()],
    pub count: u64,
    pub sum_seconds: f64,
}

impl Histogram {
    pub fn add(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub fn read(&self) -> Reading {
        let mut count = 0;
        let up_to = std::array::from_fn(|bucket| {
            count += self.counts[bucket].load(Relaxed);
            count
        });
        count += self.counts[BOUNDS.len()].load(Relaxed);
        Reading { up_to, count, sum_seconds: self.nanos.load(Relaxed) as f64 / 1e9 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_every_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for milliseconds in [1, 2, 400_000] {
            histogram.add(Duration::from_millis(milliseconds));
        }
        let reading = histogram.read();
        assert_eq!(reading.up_to[..3], [1, 2, 2]);
        assert_eq!((reading.up_to[BOUNDS.len() - 1], reading.count), (2, 3));
        assert!((reading.sum_seconds - 400.003).abs() < 1e-9);
    }
}
