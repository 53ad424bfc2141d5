//! Funnels by enumeration of every chain.

use std::ops::Range;

use crate::journey::event::Event;
use crate::journey::funnel::{Funnel, Mode};

/// The times of the winning chain, from the definitions alone.
pub(super) fn winner(funnel: &Funnel, events: &[Event]) -> Vec<i64> {
    let mut events = events.to_vec();
    if funnel.modes.has(Mode::StrictIncrease) {
        events.iter_mut().for_each(|event| event.sequence = 0);
    }
    events.sort();
    let oracle = Oracle { funnel, events: &events };
    let mut found = Vec::new();
    for reading in oracle.readings() {
        oracle.grow(&reading, &mut Vec::new(), &mut found);
    }
    oracle.best(found)
}

struct Oracle<'a> {
    funnel: &'a Funnel,
    events: &'a [Event],
}

impl Oracle<'_> {
    /// The events that are read, in one or, with restarts, several pieces.
    fn readings(&self) -> Vec<Range<usize>> {
        let mut begin = 0;
        let mut found = Vec::new();
        for place in 0..self.events.len() {
            if self.funnel.modes.by_row() && self.violates(begin..place, place) {
                found.push(begin..place);
                if !self.funnel.modes.has(Mode::Restart) {
                    return found;
                }
                begin = place;
            }
        }
        found.push(begin..self.events.len());
        found
    }

    fn violates(&self, before: Range<usize>, place: usize) -> bool {
        let event = self.events[place];
        let increase = self.funnel.modes.has(Mode::StrictIncrease);
        let judged = before.start
            ..before.end.min(
                before
                    .clone()
                    .find(|at| increase && self.events[*at].time == event.time)
                    .unwrap_or(before.end),
            );
        let mut chains = Vec::new();
        self.grow(&judged, &mut Vec::new(), &mut chains);
        let reached = chains.iter().map(Vec::len).max().unwrap_or(0);
        let steps: Vec<usize> =
            (1..=self.funnel.steps).filter(|step| event.conditions & (1 << (step - 1)) != 0).collect();
        let out_of_order = reached > 0 && steps.iter().all(|step| *step > reached + 1);
        let repeated = steps.iter().any(|step| *step > 1 && *step <= reached);
        (self.funnel.modes.has(Mode::StrictOrder) && out_of_order)
            || (self.funnel.modes.has(Mode::StrictDeduplication) && repeated)
    }

    /// Earliest completion, then latest start, then earliest next steps, of the longest chains.
    fn best(&self, chains: Vec<Vec<usize>>) -> Vec<i64> {
        let longest = chains.iter().map(Vec::len).max().unwrap_or(0);
        let times = |chain: &Vec<usize>| chain.iter().map(|at| self.events[*at].time).collect::<Vec<i64>>();
        let ends = |chain: &Vec<usize>| {
            let last = chain.last().map(|at| (self.events[*at].time, self.events[*at].sequence, *at));
            last.map(|(time, sequence, at)| (time, sequence, if self.in_turn() { at } else { 0 }))
        };
        let key =
            |chain: &Vec<usize>| (ends(chain), chain.first().map(|at| -self.events[*at].time), times(chain));
        let candidates = chains.into_iter().filter(|chain| chain.len() == longest && longest > 0);
        candidates.min_by_key(key).map(|chain| times(&chain)).unwrap_or_default()
    }

    /// Whether a chain takes simultaneous events in their order.
    fn in_turn(&self) -> bool {
        self.funnel.modes.by_row() && !self.funnel.modes.has(Mode::StrictIncrease)
    }

    /// Adds all chains of all levels that begin with `chain`.
    fn grow(&self, reading: &Range<usize>, chain: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if !chain.is_empty() {
            found.push(chain.clone());
        }
        if chain.len() == self.funnel.steps {
            return;
        }
        for place in reading.clone() {
            let meets = self.events[place].conditions & (1 << chain.len()) != 0;
            if meets && !chain.contains(&place) && self.follows(chain, place) {
                chain.push(place);
                self.grow(reading, chain, found);
                chain.pop();
            }
        }
    }

    fn follows(&self, chain: &[usize], place: usize) -> bool {
        let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return true };
        let next = self.events[place];
        let (start, before) = (self.events[*first], self.events[*last]);
        let ordered = if self.in_turn() {
            *last < place
        } else {
            (before.time, before.sequence) <= (next.time, next.sequence)
        };
        let rises = !self.funnel.modes.has(Mode::StrictIncrease) || before.time < next.time;
        ordered && rises && next.time - start.time <= self.funnel.window
    }
}
