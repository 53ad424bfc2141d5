//! Trails: the named steps of many customers, in order.
//!
//! A customer's steps are ordered by time, then by sequence number, then by name. Customers are numbers that
//! the caller gives out; the same number is the same customer when states merge. 32 bytes a step.

use std::collections::HashMap;

use super::Invalid;
use super::bytes::{Reader, put_i64, put_text, put_u64};

/// Names of steps, numbered in the order they were first seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    numbers: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

impl Names {
    /// The number of a name, given out if it is new.
    pub(crate) fn number(&mut self, name: &str) -> Result<u32, Invalid> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = u32::try_from(self.names.len()).map_err(|_| Invalid::new("too many different steps"))?;
        self.numbers.insert(name.into(), number);
        self.names.push(name.into());
        Ok(number)
    }

    /// The number of each of the other's names here.
    pub(crate) fn adopt(&mut self, other: &Self) -> Result<Vec<u32>, Invalid> {
        other.names.iter().map(|name| self.number(name)).collect()
    }

    /// The empty text for a number never given out.
    pub(crate) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The place of each name among all of them in order.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.names.len()).collect();
        order.sort_unstable_by_key(|number| self.name(*number));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            ranks[number as usize] = rank;
        }
        ranks
    }

    pub(crate) fn size(&self) -> usize {
        // Each name is held twice, with its number and the table's slack.
        self.names.iter().map(|name| 2 * name.len() + 64).sum()
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.names.len() as u64);
        self.names.iter().for_each(|name| put_text(out, name));
    }

    pub(crate) fn read(reader: &mut Reader) -> Result<Self, Invalid> {
        let mut names = Self::default();
        for expected in 0..reader.count(8)? {
            let text = reader.text()?;
            if names.number(text)? as usize != expected {
                return Err(reader.damaged());
            }
        }
        Ok(names)
    }
}

/// One step of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) customer: u64,
    /// Microseconds since the epoch.
    pub(crate) time: i64,
    /// Orders steps of the same time.
    pub(crate) sequence: u64,
    /// A number of [`Names`].
    pub(crate) step: u32,
}

/// The steps of many customers, in any order; mergeable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trails {
    names: Names,
    visits: Vec<Visit>,
}

impl Trails {
    pub(crate) fn update(
        &mut self,
        customer: u64,
        time: i64,
        sequence: u64,
        step: &str,
    ) -> Result<(), Invalid> {
        let step = self.names.number(step)?;
        self.visits.push(Visit { customer, time, sequence, step });
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        let numbers = self.names.adopt(&other.names)?;
        let renumbered = |visit: &Visit| Visit { step: numbers[visit.step as usize], ..*visit };
        self.visits.extend(other.visits.iter().map(renumbered));
        Ok(())
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Each customer's visits in order, customers by number.
    pub(crate) fn customers(&mut self) -> impl Iterator<Item = &[Visit]> {
        let ranks = self.names.ranks();
        let key = |visit: &Visit| (visit.customer, visit.time, visit.sequence, ranks[visit.step as usize]);
        if !self.visits.is_sorted_by_key(key) {
            self.visits.sort_unstable_by_key(key);
        }
        self.visits.chunk_by(|left, right| left.customer == right.customer)
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.visits.capacity() * size_of::<Visit>() + self.names.size()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 32 * self.visits.len());
        self.names.put(&mut out);
        put_u64(&mut out, self.visits.len() as u64);
        for visit in &self.visits {
            put_u64(&mut out, visit.customer);
            put_i64(&mut out, visit.time);
            put_u64(&mut out, visit.sequence);
            put_u64(&mut out, u64::from(visit.step));
        }
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "trails");
        let names = Names::read(&mut reader)?;
        let count = reader.count(32)?;
        let mut visits = Vec::with_capacity(count);
        for _ in 0..count {
            let (customer, time, sequence) = (reader.u64()?, reader.i64()?, reader.u64()?);
            let step = u32::try_from(reader.u64()?).map_err(|_| reader.damaged())?;
            if step as usize >= names.len() {
                return Err(reader.damaged());
            }
            visits.push(Visit { customer, time, sequence, step });
        }
        reader.end()?;
        Ok(Self { names, visits })
    }
}

#[cfg(test)]
mod tests;
