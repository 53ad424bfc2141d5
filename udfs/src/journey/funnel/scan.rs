//! The answer to a funnel from events in order, one instant at a time.
//!
//! State is one start a step (one chain a step when the times are wanted) and the events of the current
//! instant; nothing is kept of the events before.

use super::levels::Levels;
use super::{Funnel, Mode};
use crate::journey::Invalid;
use crate::journey::event::{Event, compare_conditions, first_conditions};

/// One customer's funnel over ordered events. States of different times are not mergeable: a caller that
/// cannot promise the order uses [`super::FunnelState`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    levels: Levels,
    instant: Option<(i64, u64)>,
    /// Events of the current instant: the conditions met by events of one condition, and the other events.
    /// Where events are read one by one all are in `several`.
    single: u64,
    several: Vec<u64>,
    ended: bool,
    deepest: usize,
    winner: Vec<i64>,
}

impl Scan {
    pub(crate) fn with_times() -> Self {
        Self { levels: Levels::new(true), ..Self::default() }
    }

    /// Makes the state ready for another customer.
    pub(crate) fn reset(&mut self) {
        self.levels.clear();
        self.winner.clear();
        self.several.clear();
        (self.instant, self.single, self.ended, self.deepest) = (None, 0, false, 0);
    }

    /// Refuses an event before the one last pushed, by time and sequence number.
    pub(crate) fn push(&mut self, funnel: &Funnel, event: Event) -> Result<(), Invalid> {
        if self.instant.is_some_and(|(time, sequence)| (event.time, event.sequence) < (time, sequence)) {
            return Err(Invalid::new("funnel events are not in the order of time and sequence number"));
        }
        self.take(funnel, event);
        Ok(())
    }

    /// Takes all events of a customer, which are in order, and finishes.
    pub(super) fn read(&mut self, funnel: &Funnel, events: &[Event]) {
        for event in events {
            if self.ended {
                break;
            }
            self.take(funnel, *event);
        }
        self.finish(funnel);
    }

    /// To be called after the last event and before the answer is read.
    pub(crate) fn finish(&mut self, funnel: &Funnel) {
        self.settle(funnel);
    }

    /// The deepest level.
    pub(crate) fn level(&self) -> usize {
        self.deepest
    }

    /// The times of the winning chain; empty unless made by [`Self::with_times`].
    pub(crate) fn times(&self) -> &[i64] {
        &self.winner
    }

    fn take(&mut self, funnel: &Funnel, event: Event) {
        let same = self.instant.is_some_and(|(time, sequence)| {
            time == event.time && (sequence == event.sequence || funnel.modes.has(Mode::StrictIncrease))
        });
        if !same {
            self.settle(funnel);
        }
        self.instant = Some((event.time, event.sequence));
        if self.ended {
            return;
        }
        let conditions = event.conditions & first_conditions(funnel.steps);
        if !funnel.modes.by_row() && conditions.is_power_of_two() {
            self.single |= conditions;
        } else if funnel.needs(conditions) {
            self.several.push(conditions);
        }
    }

    /// Reads the events of the current instant.
    fn settle(&mut self, funnel: &Funnel) {
        let Some((time, _)) = self.instant else { return };
        if self.single == 0 && self.several.is_empty() {
            return;
        }
        let (single, mut several) = (std::mem::take(&mut self.single), std::mem::take(&mut self.several));
        if funnel.modes.by_row() {
            self.take_rows(funnel, &mut several, time);
        } else if funnel.modes.has(Mode::StrictIncrease) {
            let met = several.iter().fold(single, |met, conditions| met | conditions);
            self.levels.take_one(met, time, funnel.window);
        } else {
            match several.as_slice() {
                [] => self.levels.take_in_step_order(single, time, funnel.window),
                [only] if single == 0 => self.levels.take_one(*only, time, funnel.window),
                several => self.levels.take_any_order(single, several, time, funnel.window),
            }
        }
        several.clear();
        self.several = several;
        self.record();
        self.ended |= self.deepest == funnel.steps;
    }

    /// Reads the events of an instant one by one, looking for violations.
    fn take_rows(&mut self, funnel: &Funnel, rows: &mut [u64], time: i64) {
        rows.sort_unstable_by(|left, right| compare_conditions(*left, *right));
        let together = funnel.modes.has(Mode::StrictIncrease);
        let mut met = 0;
        for row in rows {
            if self.violates(funnel, *row) {
                self.levels.take_one(met, time, funnel.window);
                self.record();
                if !funnel.modes.has(Mode::Restart) {
                    self.ended = true;
                    return;
                }
                self.levels.clear();
                met = 0;
            }
            if together {
                met |= *row;
            } else {
                self.levels.take_one(*row, time, funnel.window);
                self.record();
            }
        }
        self.levels.take_one(met, time, funnel.window);
    }

    fn violates(&self, funnel: &Funnel, conditions: u64) -> bool {
        let reach = self.levels.reach();
        let open = first_conditions(reach.saturating_add(1));
        let repeated = first_conditions(reach) & !1;
        (funnel.modes.has(Mode::StrictOrder) && reach > 0 && conditions & open == 0)
            || (funnel.modes.has(Mode::StrictDeduplication) && conditions & repeated != 0)
    }

    fn record(&mut self) {
        if self.levels.reach() > self.deepest {
            self.deepest = self.levels.reach();
            self.winner.clear();
            self.winner.extend_from_slice(self.levels.deepest());
        }
    }
}
