//! The bundled example: an invented Chinese online shop, generated from a seed.
//!
//! Three systems know its customers, a shop sells to them, and surveys, reviews, complaints, chats and posts say
//! what they think, in Chinese and English. Nothing is taken from anybody's data: names, identifiers and texts are
//! put together from this project's own lists and sentence patterns. What is planted (late deliveries cost scores
//! and repurchase, one courier got worse, promoters spend more) comes back as [`Truth`], measured on the data.
//!
//! A few rows are deliberately bad, so that a load has something to reject.

mod calendar;
mod dice;
mod feedback;
mod orders;
mod people;
mod service;
#[cfg(test)]
mod tests;
mod truth;
mod verbatims;
mod write;

use bytes::Bytes;
use serde_json::{Value, json};
use voxhouse_engine::Result;

use calendar::MONTHS;
use dice::Dice;
use feedback::{Feedback, Line};
use orders::Order;
use people::Person;
use write::OrderRow;

pub use truth::{Measured, Truth};

/// The seed of the example as it is documented.
pub const SEED: u64 = 42;

/// How much to generate: orders and feedback follow from the number of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub people: usize,
}

impl Default for Size {
    fn default() -> Self {
        Size { people: 5_000 }
    }
}

/// One file as a source system would drop it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoFile {
    /// Path below the example's prefix, for example `orders/2025-03.parquet`.
    pub name: String,
    pub bytes: Bytes,
    /// Rows in the file, bad ones included.
    pub rows: u64,
}

type Sink<'a> = &'a mut dyn FnMut(DemoFile) -> Result<()>;

/// Hands every file of the example to `sink` and returns what is true of them. The same seed and size give the
/// same bytes.
pub fn generate(seed: u64, size: Size, sink: Sink<'_>) -> Result<Truth> {
    let people = people::generate(size.people, &mut Dice::new(seed, 1));
    let orders = orders::generate(&people, &mut Dice::new(seed, 2));
    let mut feedback = feedback::generate(&people, &orders, &mut Dice::new(seed, 3));
    let truth = Truth::of(&people, &orders, &feedback);
    let mut files = Files { sink, truth };
    files.customers(&people, &mut Dice::new(seed, 4))?;
    files.orders(&people, &orders)?;
    files.feedback(&mut feedback)?;
    files.service(&people, &feedback, &mut Dice::new(seed, 5))?;
    Ok(files.truth)
}

/// Passes files on and keeps count of the rows that must load and those that must not.
struct Files<'a> {
    sink: Sink<'a>,
    truth: Truth,
}

impl Files<'_> {
    fn put(
        &mut self,
        table: &'static str,
        name: String,
        bytes: Bytes,
        rows: usize,
        bad: usize,
    ) -> Result<()> {
        *self.truth.rows.entry(table).or_default() += (rows - bad) as u64;
        *self.truth.rejects.entry(table).or_default() += bad as u64;
        (self.sink)(DemoFile { name, bytes, rows: rows as u64 })
    }

    /// A CSV file with `bad` rows put in after the first few good ones.
    fn put_csv(&mut self, sheet: Sheet, bad: Vec<Vec<String>>) -> Result<()> {
        let Sheet { table, name, header, mut rows, delimiter } = sheet;
        let count = bad.len();
        let at = rows.len().min(6);
        rows.splice(at..at, bad);
        let bytes = write::csv(header, &rows, delimiter);
        self.put(table, name.to_owned(), bytes, rows.len(), count)
    }

    fn customers(&mut self, people: &[Person], dice: &mut Dice) -> Result<()> {
        let rows = people::shop_rows(people, dice);
        let unnamed = rows.iter().take(2).cloned().map(|row| changed(row, 0, "")).collect();
        let header = people::SHOP_HEADER;
        let table = "o.customers";
        let name = "customers/shop/members.csv";
        self.put_csv(Sheet { table, name, header, rows, delimiter: ',' }, unnamed)?;
        let (header, rows) = (people::WECHAT_HEADER, people::wechat_rows(people, dice));
        let name = "customers/wechat/followers.csv";
        self.put_csv(Sheet { table, name, header, rows, delimiter: ',' }, Vec::new())?;
        let (header, rows) = (people::HOTLINE_HEADER, people::hotline_rows(people, dice));
        let name = "customers/hotline/contacts.csv";
        self.put_csv(Sheet { table, name, header, rows, delimiter: ';' }, Vec::new())
    }

    /// A Parquet file a month; the last one holds three bad rows.
    fn orders(&mut self, people: &[Person], orders: &[Order]) -> Result<()> {
        let mut months: Vec<Vec<OrderRow<'_>>> = (0..MONTHS).map(|_| Vec::new()).collect();
        let row =
            |order, order_id, currency| OrderRow { order, person: &people[order.person], order_id, currency };
        for order in orders {
            months[calendar::month_index(order.ordered_at)].push(row(order, Some(order.id()), Some("CNY")));
        }
        let mut bad = 0;
        if let (Some(order), Some(last)) = (orders.last(), months.last_mut()) {
            last.push(row(order, None, Some("CNY")));
            last.push(row(order, Some("9999999998".to_owned()), None));
            last.push(row(order, None, Some("CNY")));
            bad = 3;
        }
        for (index, rows) in months.iter().enumerate() {
            let bad = if index == MONTHS - 1 { bad } else { 0 };
            let name = format!("orders/{}.parquet", calendar::month_name(index));
            self.put("o.orders", name, write::orders_parquet(rows)?, rows.len(), bad)?;
        }
        Ok(())
    }

    fn feedback(&mut self, feedback: &mut Feedback) -> Result<()> {
        let surveys = [("answer", json!(11)), ("answer", json!("ten")), ("response_id", Value::Null)];
        self.lines("surveys", 1, &feedback.surveys, &surveys)?;
        let reviews = [("stars", json!(0)), ("stars", json!(6)), ("posted_at", json!("last Tuesday"))];
        self.lines("reviews", 3, &feedback.reviews, &reviews)?;
        self.lines("complaints", 3, &feedback.complaints, &[("created_at", json!("2026-02-30T25:61:00"))])?;
        self.lines("chats", 3, &feedback.chats, &[("chat_id", Value::Null)])?;
        self.lines("social", 3, &feedback.posts, &[])
    }

    /// A gzipped NDJSON file every `months` months. The first line of all comes again in the last file once for
    /// each of `spoils`, with that field made bad.
    fn lines(&mut self, kind: &str, months: usize, lines: &[Line], spoils: &[(&str, Value)]) -> Result<()> {
        let count = MONTHS / months;
        let mut parts: Vec<Vec<Value>> = vec![Vec::new(); count];
        for line in lines {
            parts[calendar::month_index(line.at) / months].push(line.json.clone());
        }
        let spoiled: Vec<Value> = lines.first().map_or(Vec::new(), |line| {
            spoils.iter().enumerate().map(|(i, spoil)| spoiled(&line.json, i, spoil)).collect()
        });
        let bad = spoiled.len();
        if let Some(last) = parts.last_mut() {
            let at = last.len().min(6);
            last.splice(at..at, spoiled);
        }
        for (index, part) in parts.iter().enumerate() {
            let period =
                if months == 1 { calendar::month_name(index) } else { calendar::quarter_name(index) };
            let name = format!("feedback/{kind}/{period}.ndjson.gz");
            let bad = if index == count - 1 { bad } else { 0 };
            self.put("x.feedback", name, write::ndjson_gz(part.iter())?, part.len(), bad)?;
        }
        Ok(())
    }

    fn service(&mut self, people: &[Person], feedback: &Feedback, dice: &mut Dice) -> Result<()> {
        let (table, name) = ("o.cases", "cases/cases.csv");
        let (header, rows) = (service::CASES_HEADER, service::case_rows(&feedback.cases));
        let bad = rows.iter().take(2).cloned().map(|row| changed(row, 2, "31/06/2026 25:00")).collect();
        self.put_csv(Sheet { table, name, header, rows, delimiter: ',' }, bad)?;

        let (table, name) = ("o.subscriptions", "subscriptions/memberships.csv");
        let (header, rows) = (service::SUBSCRIPTIONS_HEADER, service::subscription_rows(people, dice));
        let bad = rows.first().map_or(Vec::new(), |row| {
            vec![changed(row.clone(), 6, "free"), changed(row.clone(), 5, "2019-12-31")]
        });
        self.put_csv(Sheet { table, name, header, rows, delimiter: ',' }, bad)?;

        let (table, name) = ("o.costs", "costs/bookings.csv");
        let (header, rows) = (service::COSTS_HEADER, service::cost_rows(dice));
        let bad = rows.iter().take(1).cloned().map(|row| changed(row, 1, "")).collect();
        self.put_csv(Sheet { table, name, header, rows, delimiter: ',' }, bad)
    }
}

struct Sheet {
    table: &'static str,
    name: &'static str,
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
    delimiter: char,
}

fn changed(mut row: Vec<String>, field: usize, value: &str) -> Vec<String> {
    row[field] = value.to_owned();
    row
}

/// `line` under an identifier of its own, with one field made bad.
fn spoiled(line: &Value, index: usize, (field, value): &(&str, Value)) -> Value {
    let mut line = line.clone();
    if let Some(fields) = line.as_object_mut() {
        if let Some(id) = fields.values_mut().next() {
            *id = json!(format!("bad-{}", index + 1));
        }
        fields.insert((*field).to_owned(), value.clone());
    }
    line
}
