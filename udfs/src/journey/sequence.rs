//! Sequences: whether, how often and when a customer's events follow a pattern.
//!
//! Events that meet no condition at all are left out first, so that "next" means the next event that meets
//! one. The others are in the order of [`super::event`]: time, sequence number, lowest condition. An event
//! meets an item of the pattern whatever other conditions it meets.
//!
//! Of all matches the first is the one that begins earliest, then takes its second event earliest, and so on.
//! Counting goes on behind the last event of a match: matches never share or interleave events. These are the
//! rules of ClickHouse's `sequenceMatch`, `sequenceCount` and `sequenceMatchEvents`.
//!
//! Method: from the last item to the first, mark the events from which the rest of the pattern can be
//! completed; times only rise, so one moving place an item finds the nearest event that is late enough. Work
//! is events × items for any pattern, memory one bit for each of them. Matches are then read off forwards.

use super::Invalid;
use super::event::{Event, Events};
use super::pattern::{Gap, Pattern};

/// The events of one customer, in any order; mergeable.
#[derive(Debug, Clone, Default)]
pub(crate) struct SequenceState {
    events: Events,
    met: u64,
}

impl SequenceState {
    pub(crate) fn update(&mut self, event: Event) {
        if event.conditions != 0 {
            self.met |= event.conditions;
            self.events.push(event);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.met |= other.met;
        self.events.merge(&other.events);
    }

    /// Makes the state ready for another customer.
    pub(crate) fn clear(&mut self) {
        self.met = 0;
        self.events.clear();
    }

    pub(crate) fn matches(&mut self, pattern: &Pattern) -> bool {
        self.can_match(pattern) && Marks::new(pattern, self.events.sorted()).any
    }

    /// Matches that follow one another.
    pub(crate) fn count(&mut self, pattern: &Pattern) -> u64 {
        if !self.can_match(pattern) {
            return 0;
        }
        let marks = Marks::new(pattern, self.events.sorted());
        let mut count = 0;
        let mut from = 0;
        while let Some(last) = marks.first_match(from, |_| {}) {
            count += 1;
            from = last + 1;
        }
        count
    }

    /// The times of the events of the first match; empty without one.
    pub(crate) fn times(&mut self, pattern: &Pattern) -> Vec<i64> {
        let mut times = Vec::new();
        if self.can_match(pattern) {
            let marks = Marks::new(pattern, self.events.sorted());
            marks.first_match(0, |event| times.push(event.time));
        }
        times
    }

    fn can_match(&self, pattern: &Pattern) -> bool {
        pattern.required & self.met == pattern.required && self.events.len() >= pattern.items.len()
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.events.size()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.events.to_bytes()
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut events = Events::from_bytes(bytes)?;
        let met = events.sorted().iter().fold(0, |met, event| met | event.conditions);
        Ok(Self { events, met })
    }
}

/// For each item, the events that can be it with all later items behind them.
struct Marks<'a> {
    pattern: &'a Pattern,
    events: &'a [Event],
    /// A row of bits for each item.
    bits: Vec<u64>,
    any: bool,
}

impl<'a> Marks<'a> {
    fn new(pattern: &'a Pattern, events: &'a [Event]) -> Self {
        let words = events.len().div_ceil(64);
        let mut marks = Self { pattern, events, bits: vec![0; words * pattern.items.len()], any: false };
        // For each place the nearest marked event there or behind, or the number of events.
        let mut next = vec![events.len(); events.len() + 1];
        let mut nearest = next.clone();
        for item in (0..pattern.items.len()).rev() {
            marks.mark(item, &next, &mut nearest);
            std::mem::swap(&mut next, &mut nearest);
        }
        marks.any = next[0] < events.len();
        marks
    }

    /// Marks the events for `item` and notes the nearest of them; `next` are the nearest of the next item.
    fn mark(&mut self, item: usize, next: &[usize], nearest: &mut [usize]) {
        let end = self.events.len();
        let wanted = self.pattern.items[item];
        let gap = self.pattern.gaps.get(item);
        let row = item * end.div_ceil(64);
        let mut found = end;
        // The first event that is late enough, or the one after this if any is.
        let mut late = end;
        for (place, event) in self.events.iter().enumerate().rev() {
            let follows = match gap {
                None => true,
                Some(Gap { skips: false, .. }) => place + 1 < end && next[place + 1] == place + 1,
                Some(gap) => {
                    while late > place + 1 && distance(event, &self.events[late - 1]) >= gap.least {
                        late -= 1;
                    }
                    self.events.get(next[late]).is_some_and(|other| distance(event, other) <= gap.most)
                }
            };
            if follows && event.conditions & wanted != 0 {
                found = place;
                self.bits[row + place / 64] |= 1 << (place % 64);
            }
            nearest[place] = found;
        }
    }

    fn marked(&self, item: usize, place: usize) -> bool {
        let row = item * self.events.len().div_ceil(64);
        self.bits[row + place / 64] & (1 << (place % 64)) != 0
    }

    /// Calls `emit` with the events of the first match from the place `from` on; gives the place of the last.
    fn first_match(&self, from: usize, mut emit: impl FnMut(&Event)) -> Option<usize> {
        let end = self.events.len();
        let mut place = (from..end).find(|place| self.marked(0, *place))?;
        emit(&self.events[place]);
        for (gap, item) in self.pattern.gaps.iter().zip(1..) {
            let event = &self.events[place];
            place = (place + 1..end).find(|behind| {
                self.marked(item, *behind) && distance(event, &self.events[*behind]) >= gap.least
            })?;
            emit(&self.events[place]);
        }
        Some(place)
    }
}

/// Microseconds from one event to a later one, held at the greatest.
fn distance(event: &Event, later: &Event) -> i64 {
    later.time.saturating_sub(event.time)
}

#[cfg(test)]
mod tests;
