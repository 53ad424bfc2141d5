use std::collections::HashMap;

use super::bytes::{Reader, Writer};
use super::generator::Generator;
use super::matrix::{Cholesky, product};
use super::moments::Moments;
use super::rows::Rows;
use super::tally::Tally;

/// Numbers of a golden file by name.
pub(super) struct Golden(HashMap<&'static str, f64>);

impl Golden {
    pub(super) fn new(text: &'static str) -> Self {
        let pair = |line: &'static str| {
            let (name, value) = line.split_once(',').expect("a name and a value");
            (name, value.parse().expect("a number"))
        };
        Self(text.lines().map(pair).collect())
    }

    pub(super) fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no golden number {name}"))
    }

    /// `found` equals the golden number up to a relative (below 1: absolute) `tolerance`.
    pub(super) fn check(&self, name: &str, found: f64, tolerance: f64) {
        near(name, found, self.get(name), tolerance);
    }
}

pub(super) fn near(name: &str, found: f64, wanted: f64, tolerance: f64) {
    let gap = (found - wanted).abs();
    let same = found == wanted || gap <= tolerance * wanted.abs().max(1.0);
    assert!(same, "{name}: found {found}, wanted {wanted}");
}

#[test]
fn damaged_states_are_refused() {
    for bytes in [&[][..], &[1, 2, 3], &[255; 8], &[255; 64]] {
        assert!(Rows::from_bytes(bytes).is_err());
        assert!(Tally::<2>::from_bytes(bytes).is_err());
        assert!(Moments::from_bytes(bytes).is_err());
    }
    let mut writer = Writer::default();
    writer.text("月报").number(0.5);
    let bytes = writer.finish();
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.text().as_deref(), Ok("月报"));
    assert_eq!(reader.number(), Ok(0.5));
    assert!(reader.finish().is_ok());
    assert!(Reader::new(&[2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]).text().is_err());
}

#[test]
fn not_finite_is_refused() {
    assert!(Moments::default().update(f64::NAN).is_err());
    assert!(Tally::<2>::default().update(f64::INFINITY, 0).is_err());
    assert!(Tally::<2>::default().update(1.0, 2).is_err());
    assert!(Rows::new(0, 1).update(&[], &[f64::NAN]).is_err());
    assert!(Rows::new(1, 1).update(&[], &[1.0]).is_err());
}

#[test]
fn tally_counts_whatever_the_split() {
    let mut generator = Generator::new(3);
    let values: Vec<(f64, usize)> =
        (0..20_000).map(|_| (generator.below(700) as f64 / 10.0 - 20.0, generator.below(2))).collect();
    let mut whole = Tally::<2>::default();
    values.iter().for_each(|(value, which)| whole.update(*value, *which).expect("finite"));
    let mut parts = Tally::<2>::default();
    for part in values.rchunks(777) {
        let mut tally = Tally::<2>::default();
        part.iter().rev().for_each(|(value, which)| tally.update(*value, *which).expect("finite"));
        let copy = Tally::from_bytes(&tally.to_bytes()).expect("whole");
        parts.merge(&copy);
    }
    assert_eq!(whole.sorted(), parts.sorted());
    assert_eq!(whole.sorted().len(), 700);
    let counted: u64 = whole.sorted().iter().map(|(_, counts)| counts.iter().sum::<u64>()).sum();
    assert_eq!(counted, 20_000);
    assert!(whole.size() >= 700 * 24);
}

#[test]
fn rows_keep_their_shape_and_order_by_contents() {
    let mut rows = Rows::new(1, 2);
    for (key, a, b) in [(7, 1.0, 2.0), (3, 5.0, 1.0), (7, 1.0, -2.0)] {
        rows.update(&[key], &[a, b]).expect("a row");
    }
    assert_eq!(rows.order(), [1, 2, 0]);
    let copy = Rows::from_bytes(&rows.to_bytes()).expect("whole");
    assert_eq!(copy, rows);
    let mut merged = Rows::default();
    merged.merge(&rows).expect("same shape");
    assert_eq!(merged, rows);
    assert!(
        merged
            .merge(&{
                let mut other = Rows::new(0, 2);
                other.update(&[], &[1.0, 1.0]).expect("a row");
                other
            })
            .is_err()
    );
    assert!(rows.values(99).is_empty() && rows.keys(99).is_empty());
}

#[test]
fn cholesky_solves_and_names_the_first_dependent_column() {
    let matrix = [4.0, 2.0, 0.6, 2.0, 3.0, 0.4, 0.6, 0.4, 1.0];
    let decomposed = Cholesky::new(&matrix, 3).expect("positive definite");
    let identity = product(&matrix, &decomposed.inverse(), 3);
    for (cell, value) in identity.iter().enumerate() {
        near("identity", *value, if cell % 4 == 0 { 1.0 } else { 0.0 }, 1e-14);
    }
    assert_eq!(Cholesky::new(&[1.0, 2.0, 2.0, 4.0], 2).err(), Some(1));
    assert_eq!(Cholesky::new(&[0.0], 1).err(), Some(0));
    assert_eq!(Cholesky::new(&[f64::NAN], 1).err(), Some(0));
}

#[test]
fn generator_is_even() {
    let mut generator = Generator::new(9);
    let mut moments = Moments::default();
    let mut counts = [0; 10];
    for _ in 0..100_000 {
        moments.update(generator.normal()).expect("finite");
        counts[generator.below(10)] += 1;
    }
    near("mean", moments.mean, 0.0, 0.01);
    near("variance", moments.variance().expect("many"), 1.0, 0.015);
    assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    assert_eq!(generator.below(0), 0);
}
