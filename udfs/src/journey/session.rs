//! Sessions: visits of one customer, parted by silence.
//!
//! A new session begins with the first event and with every event more than the gap after the one before.
//! Events of the same time are in the same session. An event without a time is in no session and parts none.

use super::Invalid;

/// Session numbers from 1 on for one customer's events; `times` and `gap` are microseconds, the times must not
/// fall.
pub(crate) fn sessionize(times: &[Option<i64>], gap: i64) -> Result<Vec<Option<u64>>, Invalid> {
    if gap < 0 {
        return Err(Invalid::new("session gap is negative"));
    }
    let mut session = 0;
    let mut before: Option<i64> = None;
    let mut number = |time: i64| {
        let Some(last) = before.replace(time) else {
            session = 1;
            return Ok(session);
        };
        if time < last {
            return Err(Invalid::new("session times are not in ascending order")
                .with_hint("Order the window by the same time, ascending."));
        }
        // The distance of two times may not fit an i64, but always fits a u64.
        if time.abs_diff(last) > gap.unsigned_abs() {
            session += 1;
        }
        Ok(session)
    };
    times.iter().map(|time| time.map(&mut number).transpose()).collect()
}

#[cfg(test)]
mod tests;
