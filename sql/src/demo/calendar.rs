//! The demo's own time: eighteen months of China Standard Time that end on a fixed date, never on today's.

use chrono::{DateTime, Datelike, FixedOffset};

/// Seconds since the Unix epoch.
pub(super) type Second = i64;

pub(super) const HOUR: Second = 3_600;
pub(super) const DAY: Second = 86_400;

/// 2025-01-01T00:00:00+08:00.
pub(super) const START: Second = 1_735_660_800;

/// 2026-07-01T00:00:00+08:00: the last whole day is 2026-06-30.
pub(super) const END: Second = 1_782_835_200;

/// 2026-04-01T00:00:00+08:00: the quarter in which one city's courier got worse.
pub(super) const LAST_QUARTER: Second = 1_774_972_800;

/// Months from [`START`] to [`END`].
pub(super) const MONTHS: usize = 18;

fn local(at: Second) -> DateTime<FixedOffset> {
    let zone = FixedOffset::east_opt(8 * 3_600);
    let utc = DateTime::from_timestamp(at, 0).unwrap_or_default();
    zone.map_or_else(|| utc.fixed_offset(), |zone| utc.with_timezone(&zone))
}

/// `2025-03-04T05:06:07+08:00`.
pub(super) fn instant(at: Second) -> String {
    local(at).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2025-03-04`.
pub(super) fn date(at: Second) -> String {
    local(at).format("%Y-%m-%d").to_string()
}

/// Calendar month, 1 to 12.
pub(super) fn month(at: Second) -> u32 {
    local(at).month()
}

/// Months since [`START`]; the last month for anything later.
pub(super) fn month_index(at: Second) -> usize {
    let at = local(at);
    let months = (at.year() - 2025) * 12 + at.month0() as i32;
    (months.max(0) as usize).min(MONTHS - 1)
}

/// `2025-03` for the month of that index.
pub(super) fn month_name(index: usize) -> String {
    format!("{}-{:02}", 2025 + index / 12, index % 12 + 1)
}

/// `2025-q1` for the quarter of that index.
pub(super) fn quarter_name(index: usize) -> String {
    format!("{}-q{}", 2025 + index / 4, index % 4 + 1)
}
