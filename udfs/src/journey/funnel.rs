//! Funnels: how many steps of a given order a customer takes within a window of time.
//!
//! A *chain* of level L is L different events, the k-th meeting the k-th condition, whose times do not fall
//! and of which the last is at most the window after the first. The answer is the deepest level of any chain.
//! One event fills one step of a chain, however many conditions it meets.
//!
//! Ties: events of the same time and sequence number may be taken in any order that helps; with different
//! sequence numbers they follow them. Under `strict_increase` the times of a chain rise strictly, so events
//! of the same time are never two steps of one chain.
//!
//! `strict_order` and `strict_deduplication` read the events one by one in the order of [`super::event`], and
//! a chain takes its events in that order. The first violation ends the reading: what came before it counts.
//! * `strict_order`: an event after a first step was seen that meets no condition, or only steps whose
//!   preceding step was not reached so far.
//! * `strict_deduplication`: an event that meets a step, from the second on, that was reached before.
//!
//! A step is reached when a chain of that level was completed, even if its window has passed since. Together
//! with `strict_increase`, events of one time are simultaneous whatever their sequence numbers, and are judged
//! by what was reached before that time. `restart` forgets the chains under way at a violation and reads on from the violating event instead of ending.
//!
//! The winning chain completes the deepest level earliest, by time and sequence number (where
//! events are read one by one: by their order); of those it starts at the latest time; of those it takes each
//! next step earliest.
//!
//! The modes are those of ClickHouse's `windowFunnel`; the rule for ties and the one event, one step rule
//! (its `strict_once`) are stricter there where its answers are disputed (issues 21835, 52844, 93789).

mod assignment;
mod levels;
mod modes;
mod scan;

use super::Invalid;
use super::event::{Event, Events, MAX_CONDITIONS};

pub(crate) use modes::{Mode, Modes};
pub(crate) use scan::Scan;

/// What is asked: the number of steps, the window and the modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Funnel {
    steps: usize,
    window: i64,
    modes: Modes,
}

impl Funnel {
    /// `window` is in microseconds.
    pub(crate) fn new(steps: usize, window: i64, modes: Modes) -> Result<Self, Invalid> {
        if !(1..=MAX_CONDITIONS).contains(&steps) {
            return Err(Invalid::new(format!("funnel has {steps} steps, it needs 1 to {MAX_CONDITIONS}")));
        }
        if window < 0 {
            return Err(Invalid::new("funnel window is negative"));
        }
        modes.check()?;
        Ok(Self { steps, window, modes })
    }

    /// Whether an event that meets `conditions` can bear on the answer.
    fn needs(&self, conditions: u64) -> bool {
        conditions != 0 || self.modes.has(Mode::StrictOrder)
    }
}

/// The events of one customer, in any order; mergeable.
#[derive(Debug, Clone, Default)]
pub(crate) struct FunnelState {
    events: Events,
}

impl FunnelState {
    pub(crate) fn update(&mut self, funnel: &Funnel, event: Event) {
        if funnel.needs(event.conditions) {
            self.events.push(event);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.events.merge(&other.events);
    }

    /// The deepest level: 0 without a first step, at most the number of steps.
    pub(crate) fn level(&mut self, funnel: &Funnel) -> usize {
        self.scan(funnel, Scan::default()).level()
    }

    /// The times of the winning chain, as many as [`Self::level`].
    pub(crate) fn times(&mut self, funnel: &Funnel) -> Vec<i64> {
        self.scan(funnel, Scan::with_times()).times().to_vec()
    }

    fn scan(&mut self, funnel: &Funnel, mut scan: Scan) -> Scan {
        scan.read(funnel, self.events.sorted());
        scan
    }

    pub(crate) fn size(&self) -> usize {
        self.events.size()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.events.to_bytes()
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        Ok(Self { events: Events::from_bytes(bytes)? })
    }
}

#[cfg(test)]
mod tests;
