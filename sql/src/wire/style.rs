//! How a session writes values as text and reads what is ambiguous: the parameters `DateStyle`, `IntervalStyle`,
//! `bytea_output`, `extra_float_digits` and `TimeZone`.

use chrono_tz::Tz;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    pub zone: Tz,
    pub dates: DateStyle,
    pub order: DateOrder,
    pub intervals: IntervalStyle,
    pub bytes: ByteaStyle,
    pub extra_float_digits: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateStyle {
    #[default]
    Iso,
    Sql,
    Postgres,
    German,
}

/// In which order day, month and year stand where a text does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    MonthDayYear,
    DayMonthYear,
    YearMonthDay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalStyle {
    #[default]
    Postgres,
    Verbose,
    SqlStandard,
    Iso8601,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteaStyle {
    #[default]
    Hex,
    Escape,
}

/// The defaults, in a zone.
impl From<Tz> for TextStyle {
    fn from(zone: Tz) -> Self {
        Self {
            zone,
            dates: DateStyle::default(),
            order: DateOrder::default(),
            intervals: IntervalStyle::default(),
            bytes: ByteaStyle::default(),
            extra_float_digits: 1,
        }
    }
}
