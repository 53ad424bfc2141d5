use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use datafusion::scalar::ScalarValue;

use super::column::Profile;
use super::distinct::Distinct;
use super::frequent::Frequent;
use super::quantiles::Quantiles;
use crate::hash::of_text;

fn text(row: &[ScalarValue], place: usize) -> String {
    if row[place].is_null() { "NULL".to_owned() } else { row[place].to_string() }
}

fn profiled(column: ArrayRef) -> Vec<ScalarValue> {
    let mut profile = Profile::of(column.data_type());
    profile.update(&column).unwrap();
    profile.answer()
}

#[test]
fn values_are_written_as_their_type_writes_them() {
    let amounts =
        Decimal128Array::from(vec![Some(-5), Some(1234), None]).with_precision_and_scale(18, 2).unwrap();
    let row = profiled(Arc::new(amounts));
    assert_eq!(
        (text(&row, 1).as_str(), text(&row, 4).as_str(), text(&row, 5).as_str()),
        ("1", "-0.05", "12.34")
    );
    let days = profiled(Arc::new(Date32Array::from(vec![0, 20_000])));
    assert_eq!((text(&days, 4), text(&days, 5)), ("1970-01-01".into(), "2024-10-04".into()));
    // A double cannot tell these two apart.
    let ids = profiled(Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 9_007_199_254_740_992])));
    assert_eq!((text(&ids, 4), text(&ids, 2)), ("9007199254740992".into(), "2".into()));
}

#[test]
fn quantiles_are_those_of_percentile_cont_while_there_are_few() {
    let row = profiled(Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 10.0])));
    assert_eq!((text(&row, 6), text(&row, 9), text(&row, 10)), ("4".into(), "2.5".into(), "4.75".into()));
}

#[test]
fn parts_that_are_merged_say_what_the_whole_says() {
    let whole: Vec<Option<String>> =
        (0..3_000).map(|n| (n % 7 != 0).then(|| format!("customer {}", n % 600))).collect();
    let mut parts = Profile::of(&arrow::datatypes::DataType::Utf8);
    for part in whole.chunks(700) {
        let mut profile = Profile::of(&arrow::datatypes::DataType::Utf8);
        let column: ArrayRef = Arc::new(StringArray::from(part.to_vec()));
        profile.update(&column).unwrap();
        parts.merge(&profile.save()).unwrap();
    }
    assert_eq!(parts.answer(), profiled(Arc::new(StringArray::from(whole))));
}

#[test]
fn many_distinct_values_are_estimated_within_three_percent() {
    let mut distinct = Distinct::default();
    let mut other = Distinct::default();
    for n in 0..100_000 {
        if n % 2 == 0 { &mut distinct } else { &mut other }.add(of_text(&n.to_string()));
    }
    distinct.merge(&other.save()).unwrap();
    assert!(!distinct.is_exact());
    assert!((97_000..103_000).contains(&distinct.count()), "{}", distinct.count());
}

#[test]
fn quantiles_of_many_numbers_are_near() {
    let mut quantiles = Quantiles::default();
    for n in 0..200_000_u64 {
        // Every number below 200,000 once, in no order.
        quantiles.add((n * 7_919 % 200_000) as f64);
    }
    for (share, found) in [0.05, 0.5, 0.95].into_iter().zip(quantiles.at(&[0.05, 0.5, 0.95])) {
        assert!((found.unwrap() / 200_000.0 - share).abs() < 0.005, "{share}: {found:?}");
    }
}

#[test]
fn a_value_in_every_tenth_row_is_found_among_many() {
    let mut frequent = Frequent::default();
    for n in 0..50_000 {
        if n % 10 == 0 { frequent.add("often") } else { frequent.add(&n.to_string()) }
    }
    let shown = frequent.shown().unwrap();
    assert!(shown.starts_with("[{\"value\":\"often\",\"count\":4"), "{shown}");
}

#[test]
fn personal_data_is_suspected_where_values_show_it() {
    let contacts = StringArray::from(vec!["13800138000", "li.wei@example.com", "13912345678"]);
    assert_eq!(text(&profiled(Arc::new(contacts)), 13), "phone, email");
    assert_eq!(text(&profiled(Arc::new(Int64Array::from(vec![13_800_138_000]))), 13), "phone");
    assert_eq!(text(&profiled(Arc::new(StringArray::from(vec!["good", "late"]))), 13), "NULL");
}
