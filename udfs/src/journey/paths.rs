//! Paths: a customer's first steps as one text, and how many customers take each path.
//!
//! A path is the names of the steps joined by ` > `; ` > …` at its end says that the customer went on beyond
//! the longest path that was asked for. Loops:
//! * `keep`: every step is told;
//! * `steps`: a step that follows itself is told once (a a b a is a > b > a);
//! * `cycles`: any run of steps that follows itself is told once (a b a b c is a > b > c). After each step the
//!   shortest run that ends the path twice is taken off, until there is none; reading ends when twice the
//!   longest path is left.
//!
//! Counts are exact. The number of different paths has a bound; a count that would pass it is refused rather
//! than rounded, whatever the order of customers.

use std::collections::BTreeMap;

use super::Invalid;
use super::bytes::{Reader, put_text, put_u64};
use super::trail::{Names, Visit};

/// Longest path, in steps.
pub(crate) const MAX_STEPS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loops {
    Keep,
    Steps,
    Cycles,
}

impl Loops {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "keep" => Ok(Loops::Keep),
            "steps" => Ok(Loops::Steps),
            "cycles" => Ok(Loops::Cycles),
            other => Err(Invalid::new(format!("path loop rule \"{other}\" does not exist"))
                .with_hint("The rules are keep, steps and cycles.")),
        }
    }
}

/// How a customer's steps become a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathRule {
    steps: usize,
    loops: Loops,
}

impl PathRule {
    /// `steps` is the longest path.
    pub(crate) fn new(steps: usize, loops: Loops) -> Result<Self, Invalid> {
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(Invalid::new(format!("path length is {steps}, it must be 1 to {MAX_STEPS}")));
        }
        Ok(Self { steps, loops })
    }

    /// The path of one customer's visits, which are in order; empty without a visit.
    pub(crate) fn path(&self, visits: &[Visit], names: &Names) -> String {
        let mut steps: Vec<u32> = Vec::with_capacity(self.steps + 1);
        for visit in visits {
            steps.push(visit.step);
            self.unloop(&mut steps);
            if steps.len() > self.horizon() {
                break;
            }
        }
        let mut told: Vec<&str> = steps.iter().take(self.steps).map(|step| names.name(*step)).collect();
        if steps.len() > self.steps {
            told.push("…");
        }
        told.join(" > ")
    }

    /// Steps after which no more are read: a run as long as the path may still turn out to follow itself.
    fn horizon(&self) -> usize {
        if self.loops == Loops::Cycles { 2 * self.steps } else { self.steps }
    }

    /// Takes runs off the end that the path ends with twice.
    fn unloop(&self, steps: &mut Vec<u32>) {
        let longest = match self.loops {
            Loops::Keep => 0,
            Loops::Steps => 1,
            Loops::Cycles => self.steps,
        };
        let doubled = |steps: &[u32]| {
            (1..=longest.min(steps.len() / 2)).find(|run| {
                let end = &steps[steps.len() - 2 * run..];
                end[..*run] == end[*run..]
            })
        };
        while let Some(run) = doubled(steps) {
            steps.truncate(steps.len() - run);
        }
    }
}

/// Customers by path; mergeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathCounts {
    counts: BTreeMap<String, u64>,
    most_paths: usize,
}

/// One path with its customers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PathCount {
    pub(crate) path: String,
    pub(crate) customers: u64,
    /// Of all customers with a path.
    pub(crate) share: f64,
}

impl PathCounts {
    /// Refuses to hold more than `most_paths` different paths.
    pub(crate) fn new(most_paths: usize) -> Self {
        Self { counts: BTreeMap::new(), most_paths }
    }

    /// Counts `customers` more on a path; the empty path is none.
    pub(crate) fn add(&mut self, path: String, customers: u64) -> Result<(), Invalid> {
        if path.is_empty() {
            return Ok(());
        }
        *self.counts.entry(path).or_default() += customers;
        if self.counts.len() > self.most_paths {
            let message = format!("paths are more than {} different ones", self.most_paths);
            return Err(Invalid::new(message).with_hint("Ask for shorter paths or collapse their loops."));
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        other.counts.iter().try_for_each(|(path, customers)| self.add(path.clone(), *customers))
    }

    /// The `k` paths with the most customers, in falling order; equal ones by path.
    pub(crate) fn top(&self, k: usize) -> Vec<PathCount> {
        let total: u64 = self.counts.values().sum();
        let mut order: Vec<(&String, &u64)> = self.counts.iter().collect();
        order.sort_by(|left, right| right.1.cmp(left.1));
        let row = |(path, customers): (&String, &u64)| PathCount {
            path: path.clone(),
            customers: *customers,
            share: *customers as f64 / total as f64,
        };
        order.into_iter().take(k).map(row).collect()
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.counts.keys().map(|path| path.capacity() + 64).sum::<usize>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_u64(&mut out, self.most_paths as u64);
        put_u64(&mut out, self.counts.len() as u64);
        for (path, customers) in &self.counts {
            put_text(&mut out, path);
            put_u64(&mut out, *customers);
        }
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "paths");
        let most_paths = usize::try_from(reader.u64()?).map_err(|_| reader.damaged())?;
        let mut found = Self::new(most_paths);
        for _ in 0..reader.count(16)? {
            let path = reader.text()?.to_owned();
            found.add(path, reader.u64()?)?;
        }
        reader.end()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
