//! RFM scores: recency, frequency and monetary value in equal parts from 1 (worst) to `buckets` (best).
//!
//! Hughes (1994), *Strategic Database Marketing*. Customers are put in order and cut into equal parts as SQL's
//! `ntile` does, the larger parts first from the worst end. Ties of a measure are broken by the other two
//! (recency, then frequency, then monetary value) and at last by the customer's key, so scores depend on
//! neither row order nor threads. With [`Ties::Together`] customers of equal measure have the same score: that
//! of the part in which their middle falls.

use std::cmp::Ordering;

use crate::inference::{Invalid, finite};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    pub(crate) key: String,
    /// Time since the last purchase: less is better.
    pub(crate) recency: f64,
    pub(crate) frequency: f64,
    pub(crate) monetary: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    Apart,
    Together,
}

/// Scores of a customer, each from 1 to `buckets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scores {
    pub(crate) recency: u32,
    pub(crate) frequency: u32,
    pub(crate) monetary: u32,
}

/// Scores in the order of `customers`, whose keys are distinct.
pub(crate) fn scores(customers: &[Customer], buckets: u32, ties: Ties) -> Result<Vec<Scores>, Invalid> {
    if !(2..=100).contains(&buckets) {
        return Err(Invalid::new(format!("number of parts {buckets} is not from 2 to 100")));
    }
    for customer in customers {
        finite(customer.recency, "recency")?;
        finite(customer.frequency, "frequency")?;
        finite(customer.monetary, "monetary value")?;
    }
    let recencies = rank(customers, buckets, ties, [recency, frequency, monetary]);
    let frequencies = rank(customers, buckets, ties, [frequency, recency, monetary]);
    let values = rank(customers, buckets, ties, [monetary, recency, frequency]);
    let joined = recencies.into_iter().zip(frequencies).zip(values);
    Ok(joined.map(|((recency, frequency), monetary)| Scores { recency, frequency, monetary }).collect())
}

/// Compares two customers, the worse first.
type Compare = fn(&Customer, &Customer) -> Ordering;

fn recency(a: &Customer, b: &Customer) -> Ordering {
    (b.recency + 0.0).total_cmp(&(a.recency + 0.0))
}

fn frequency(a: &Customer, b: &Customer) -> Ordering {
    (a.frequency + 0.0).total_cmp(&(b.frequency + 0.0))
}

fn monetary(a: &Customer, b: &Customer) -> Ordering {
    (a.monetary + 0.0).total_cmp(&(b.monetary + 0.0))
}

fn rank(customers: &[Customer], buckets: u32, ties: Ties, [first, second, third]: [Compare; 3]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..customers.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        let (a, b) = (&customers[a], &customers[b]);
        first(a, b).then_with(|| second(a, b)).then_with(|| third(a, b)).then_with(|| a.key.cmp(&b.key))
    });
    let mut scores = vec![0; customers.len()];
    let mut start = 0;
    for same in order.chunk_by(|&a, &b| first(&customers[a], &customers[b]).is_eq()) {
        let together = part(start + (same.len() - 1) / 2, customers.len(), buckets);
        for (offset, &row) in same.iter().enumerate() {
            scores[row] = match ties {
                Ties::Apart => part(start + offset, customers.len(), buckets),
                Ties::Together => together,
            };
        }
        start += same.len();
    }
    scores
}

/// The part, from 1, of position `place` of `n` cut into `buckets`, the larger parts first.
fn part(place: usize, n: usize, buckets: u32) -> u32 {
    let buckets = buckets as usize;
    let (size, larger) = (n / buckets, n % buckets);
    let edge = larger * (size + 1);
    let part = if place < edge { place / (size + 1) } else { larger + (place - edge) / size.max(1) };
    part as u32 + 1
}
