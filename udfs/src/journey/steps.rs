//! Steps and transitions: how many customers reach a step, where they go next, how long that takes and how
//! many stop there.
//!
//! A visit is an event of a step, or all events of it that follow one another. A transition leads from a visit
//! to the customer's next visit; its time runs from the last event of the one to the first of the next.
//! Median and mean of the times are exact. A customer's last visit is
//! * open when its last event is not before `open_from`: the customer may still go on (right-censored);
//! * finished when its step is a goal;
//! * dropped otherwise.
//!
//! Drop rate of a step = customers dropped there / customers who reached it and are not open there, with a
//! Wilson interval; NULL when there is none.

use std::collections::HashMap;

use super::Invalid;
use super::bytes::{Reader, put_i64, put_u64};
use super::trail::{Names, Trails, Visit};
use crate::wilson;

/// What ends a customer's trail.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndRule {
    /// Names of the steps at which a customer has arrived.
    pub(crate) goals: Vec<String>,
    /// Time in microseconds from which on a last event leaves the trail open.
    pub(crate) open_from: Option<i64>,
}

/// Counts of steps and transitions of many customers; mergeable when no customer is in both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    names: Names,
    counts: Vec<Count>,
    /// Times of each transition in microseconds, 8 bytes each.
    transitions: HashMap<(u32, u32), Vec<i64>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    visits: u64,
    customers: u64,
    dropped: u64,
    finished: u64,
    open: u64,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepRow {
    pub(crate) step: String,
    pub(crate) visits: u64,
    pub(crate) customers: u64,
    pub(crate) dropped: u64,
    pub(crate) finished: u64,
    pub(crate) open: u64,
    /// Rate with the ends of its interval.
    pub(crate) drop_rate: Option<(f64, f64, f64)>,
}

/// One transition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TransitionRow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) n: u64,
    /// Of the visits of `from`.
    pub(crate) share: f64,
    pub(crate) median_seconds: f64,
    pub(crate) mean_seconds: f64,
}

impl Steps {
    pub(crate) fn of(trails: &mut Trails, rule: &EndRule) -> Self {
        let names = trails.names().clone();
        let counts = vec![Count::default(); names.len()];
        let mut found = Self { names, counts, transitions: HashMap::new() };
        let goals: Vec<bool> = (0..)
            .take(found.names.len())
            .map(|step| rule.goals.iter().any(|goal| goal == found.names.name(step)))
            .collect();
        let mut last_seen = vec![None; found.names.len()];
        for visits in trails.customers() {
            found.add(visits, &goals, rule.open_from, &mut last_seen);
        }
        found
    }

    /// Adds one customer; `last_seen` tells for each step the last customer there.
    fn add(
        &mut self,
        events: &[Visit],
        goals: &[bool],
        open_from: Option<i64>,
        last_seen: &mut [Option<u64>],
    ) {
        let mut before: Option<Visit> = None;
        for event in events {
            let left = before.replace(*event);
            if left.is_some_and(|left| left.step == event.step) {
                continue;
            }
            let step = event.step as usize;
            self.counts[step].visits += 1;
            if last_seen[step].replace(event.customer) != Some(event.customer) {
                self.counts[step].customers += 1;
            }
            if let Some(left) = left {
                let times = self.transitions.entry((left.step, event.step)).or_default();
                times.push(event.time.saturating_sub(left.time));
            }
        }
        let Some(last) = before else { return };
        let count = &mut self.counts[last.step as usize];
        if open_from.is_some_and(|from| last.time >= from) {
            count.open += 1;
        } else if goals[last.step as usize] {
            count.finished += 1;
        } else {
            count.dropped += 1;
        }
    }

    /// Adds the counts of other customers.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        let numbers = self.names.adopt(&other.names)?;
        self.counts.resize(self.names.len(), Count::default());
        for (number, more) in numbers.iter().zip(&other.counts) {
            let count = &mut self.counts[*number as usize];
            count.visits += more.visits;
            count.customers += more.customers;
            count.dropped += more.dropped;
            count.finished += more.finished;
            count.open += more.open;
        }
        for ((from, to), times) in &other.transitions {
            let key = (numbers[*from as usize], numbers[*to as usize]);
            self.transitions.entry(key).or_default().extend_from_slice(times);
        }
        Ok(())
    }

    /// The steps by customers, most first; equal ones by name. `conf` is the confidence level.
    pub(crate) fn steps(&self, conf: f64) -> Vec<StepRow> {
        let row = |(step, count): (u32, &Count)| {
            let n = (count.customers - count.open.min(count.customers)) as f64;
            let dropped = count.dropped as f64;
            let (low, high) = wilson::interval(dropped, n, conf);
            StepRow {
                step: self.names.name(step).to_owned(),
                visits: count.visits,
                customers: count.customers,
                dropped: count.dropped,
                finished: count.finished,
                open: count.open,
                drop_rate: (n > 0.0).then(|| (dropped / n, low, high)),
            }
        };
        let mut rows: Vec<StepRow> = (0..).zip(&self.counts).map(row).collect();
        rows.sort_by(|left, right| {
            right.customers.cmp(&left.customers).then_with(|| left.step.cmp(&right.step))
        });
        rows
    }

    /// The transitions by number, most first; equal ones by name.
    pub(crate) fn transitions(&mut self) -> Vec<TransitionRow> {
        let mut rows = Vec::with_capacity(self.transitions.len());
        for ((from, to), times) in &mut self.transitions {
            let n = times.len();
            let sum: i128 = times.iter().map(|time| i128::from(*time)).sum();
            rows.push(TransitionRow {
                from: self.names.name(*from).to_owned(),
                to: self.names.name(*to).to_owned(),
                n: n as u64,
                share: n as f64 / self.counts[*from as usize].visits as f64,
                median_seconds: median(times) / 1e6,
                mean_seconds: sum as f64 / n as f64 / 1e6,
            });
        }
        rows.sort_by(|left, right| {
            let names = |row: &TransitionRow| (row.from.clone(), row.to.clone());
            right.n.cmp(&left.n).then_with(|| names(left).cmp(&names(right)))
        });
        rows
    }

    pub(crate) fn size(&self) -> usize {
        let times: usize = self.transitions.values().map(|times| 40 + 8 * times.capacity()).sum();
        size_of::<Self>() + self.names.size() + self.counts.capacity() * size_of::<Count>() + times
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.names.put(&mut out);
        for count in &self.counts {
            let fields = [count.visits, count.customers, count.dropped, count.finished, count.open];
            fields.iter().for_each(|field| put_u64(&mut out, *field));
        }
        put_u64(&mut out, self.transitions.len() as u64);
        for ((from, to), times) in &self.transitions {
            put_u64(&mut out, u64::from(*from));
            put_u64(&mut out, u64::from(*to));
            put_u64(&mut out, times.len() as u64);
            times.iter().for_each(|time| put_i64(&mut out, *time));
        }
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "steps");
        let names = Names::read(&mut reader)?;
        let mut counts = Vec::with_capacity(names.len());
        for _ in 0..names.len() {
            counts.push(Count {
                visits: reader.u64()?,
                customers: reader.u64()?,
                dropped: reader.u64()?,
                finished: reader.u64()?,
                open: reader.u64()?,
            });
        }
        let mut transitions = HashMap::new();
        for _ in 0..reader.count(24)? {
            let (from, to) = (step_number(&mut reader, &names)?, step_number(&mut reader, &names)?);
            let count = reader.count(8)?;
            let times = (0..count).map(|_| reader.i64()).collect::<Result<Vec<i64>, _>>()?;
            transitions.insert((from, to), times);
        }
        reader.end()?;
        Ok(Self { names, counts, transitions })
    }
}

fn step_number(reader: &mut Reader, names: &Names) -> Result<u32, Invalid> {
    let number = u32::try_from(reader.u64()?).map_err(|_| reader.damaged())?;
    if number as usize >= names.len() {
        return Err(reader.damaged());
    }
    Ok(number)
}

/// The middle value, or the mean of the two; NaN of none.
fn median(times: &mut [i64]) -> f64 {
    let middle = times.len() / 2;
    if times.is_empty() {
        return f64::NAN;
    }
    let even = times.len().is_multiple_of(2);
    let (below, upper, _) = times.select_nth_unstable(middle);
    let upper = *upper as f64;
    match below.iter().max() {
        Some(lower) if even => f64::midpoint(*lower as f64, upper),
        _ => upper,
    }
}

#[cfg(test)]
mod tests;
