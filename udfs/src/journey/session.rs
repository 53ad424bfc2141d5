//! Sessions: visits of one customer, parted by silence.
//!
//! A new session begins with the first event and with every event more than the gap after the one before.
//! Events of the same time are in the same session. An event without a time is in no session and parts none.

use super::Invalid;

/// Numbers the events of one customer as they come.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    gap: u64,
    session: u64,
    before: Option<i64>,
}

impl Sessions {
    /// `gap` is in microseconds.
    pub(crate) fn new(gap: i64) -> Result<Self, Invalid> {
        let gap = u64::try_from(gap).map_err(|_| Invalid::new("session gap is negative"))?;
        Ok(Self { gap, session: 0, before: None })
    }

    /// The session, from 1 on, of the next event; its time must not be before the last one's.
    pub(crate) fn number(&mut self, time: i64) -> Result<u64, Invalid> {
        let last = self.before.replace(time);
        if last.is_some_and(|last| time < last) {
            return Err(Invalid::new("session times are not in ascending order")
                .with_hint("Order the window by the same time, ascending."));
        }
        // The distance of two times may not fit an i64, but always fits a u64.
        if last.is_none_or(|last| time.abs_diff(last) > self.gap) {
            self.session += 1;
        }
        Ok(self.session)
    }
}

#[cfg(test)]
mod tests;
