//! Households: customers who share an address with a house number, or a telephone number, and yet are not one.
//!
//! A value that more than a few customers share is an office, a dormitory or a hotline, and makes no household.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::components::Components;
use super::key::normalise;
use super::matching::{COLUMNS, Record};
use super::stored::Columns;
use crate::error::Result;

/// Customers who may share one value.
const MOST_CUSTOMERS: usize = 8;

/// A row a member: the household, named by the least of its customers' ids, and what it shares with another.
pub fn households(records: &[Record], ids: &[String], version: i64) -> Result<RecordBatch> {
    let mut holders: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for (record, id) in records.iter().zip(ids) {
        for ((column, _), value) in COLUMNS.iter().zip(&record.values) {
            if let Some(shared) = value.as_deref().and_then(|value| shared(column, value)) {
                holders.entry((column, shared)).or_default().insert(id);
            }
        }
    }
    holders.retain(|_, customers| (2..=MOST_CUSTOMERS).contains(&customers.len()));
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut evidence: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut components = Components::default();
    for ((column, _), customers) in &holders {
        let mut first = None;
        for customer in customers {
            let number = *numbers.entry(customer).or_insert_with(|| components.add());
            components.join(*first.get_or_insert(number), number);
            evidence.entry(customer).or_default().insert(column);
        }
    }
    // The ids come in order, so the first of a component is its least.
    let mut names: BTreeMap<u32, &str> = BTreeMap::new();
    let mut members: Vec<(&str, &str, String)> = Vec::new();
    for (customer, number) in &numbers {
        let household = *names.entry(components.find(*number)).or_insert(customer);
        let shares = evidence.get(customer).into_iter().flatten().copied().collect::<Vec<_>>().join(", ");
        members.push((household, customer, shares));
    }
    members.sort_unstable();
    Columns::default()
        .text("household_id", members.iter().map(|(household, _, _)| Some(*household)))
        .text("customer_id", members.iter().map(|(_, customer, _)| Some(*customer)))
        .text("evidence", members.iter().map(|(_, _, shares)| Some(shares.as_str())))
        .bigint("version", members.iter().map(|_| version))
        .batch()
}

/// What two customers of a household have in common.
fn shared(column: &str, value: &str) -> Option<String> {
    match column {
        "phone" => normalise("phone", value).filter(|number| number.len() >= 7),
        "address" => {
            let plain: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            plain.chars().any(|c| c.is_numeric()).then_some(plain)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn record(id: &str, phone: Option<&str>, address: Option<&str>) -> Record {
        let value = |name: &str| match name {
            "phone" => phone.map(Into::into),
            "address" => address.map(Into::into),
            _ => None,
        };
        let values = COLUMNS.iter().map(|(name, _)| value(name)).collect();
        Record { source_system: "shop".into(), record_id: id.into(), values }
    }

    fn told(records: &[Record], ids: &[&str]) -> Vec<String> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let batch = households(records, &ids, 1).unwrap();
        let column = |at: usize| batch.column(at).as_string::<i32>();
        (0..batch.num_rows())
            .map(|row| format!("{} {} {}", column(0).value(row), column(1).value(row), column(2).value(row)))
            .collect()
    }

    #[test]
    fn who_shares_a_door_or_a_telephone_is_a_household() {
        let records = [
            record("1", Some("13912345678"), Some("人民路 12 号 301 室")),
            record("2", None, Some("人民路12号301室")),
            record("3", Some("+86 13912345678"), None),
            record("4", Some("13912345679"), Some("人民路")),
            record("5", None, Some("人民路")),
        ];
        let found = told(&records, &["a", "b", "c", "d", "e"]);
        assert_eq!(found, ["a a address, phone", "a b address", "a c phone"]);
        assert!(told(&records, &["a", "a", "a", "d", "e"]).is_empty(), "one person is no household");
    }

    #[test]
    fn an_office_is_no_household() {
        let records: Vec<Record> =
            (0..9).map(|n| record(&n.to_string(), Some("02151234567"), None)).collect();
        let ids: Vec<String> = (0..9).map(|n| format!("c{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        assert!(told(&records, &ids).is_empty());
        assert_eq!(told(&records[..8], &ids[..8]).len(), 8);
    }
}
