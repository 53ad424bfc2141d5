//! Survival: how long customers stay, what sets groups apart, and what makes them leave.
//!
//! A duration is a number of at least 0 in any unit; an event at its end is a departure, no event means that
//! the customer was still there when last seen (right-censored).

pub(crate) mod cox;
pub(crate) mod kaplan_meier;
pub(crate) mod log_rank;

use super::tally::Tally;
use super::{Invalid, finite};

/// Events and censorings by duration.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Durations {
    tally: Tally<2>,
}

impl Durations {
    /// Refuses a negative duration, NaN and infinity.
    pub(crate) fn update(&mut self, duration: f64, event: bool) -> Result<(), Invalid> {
        if finite(duration, "duration")? < 0.0 {
            return Err(Invalid::new(format!("duration {duration} is negative")));
        }
        self.tally.update(duration, usize::from(event))
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.tally.to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        Ok(Self { tally: Tally::from_bytes(bytes)? })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        self.tally.size()
    }

    /// Every distinct duration with how many were at risk at it, left at it and were censored at it.
    fn steps(&mut self) -> Vec<Step> {
        let counts = self.tally.sorted();
        let mut at_risk: f64 = counts.iter().map(|(_, [censored, events])| (censored + events) as f64).sum();
        let mut steps = Vec::with_capacity(counts.len());
        for (time, [censored, events]) in counts {
            let (censored, events) = (*censored as f64, *events as f64);
            steps.push(Step { time: *time, at_risk, events, censored });
            at_risk -= events + censored;
        }
        steps
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    time: f64,
    at_risk: f64,
    events: f64,
    censored: f64,
}

#[cfg(test)]
mod tests;
