use super::*;

const PERIODS: [Period; 5] = [Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year];

#[test]
fn known_days() {
    // Days since the epoch by Python's datetime: 2000-02-29, 2024-12-30 (a Monday), 1969-12-31, 1900-03-01.
    let cases = [
        (11_016, [11_016, 1_574, 361, 120, 30]),
        (20_087, [20_087, 2_870, 659, 219, 54]),
        (-1, [-1, 0, -1, -1, -1]),
        (-25_508, [-25_508, -3_644, -838, -280, -70]),
    ];
    for (day, numbers) in cases {
        let found = PERIODS.map(|period| period.number(day * DAY + 1));
        assert_eq!(found, numbers, "day {day}");
    }
}

#[test]
fn a_period_begins_where_its_number_does() {
    for day in (-200_000..200_000).step_by(13) {
        for period in PERIODS {
            let number = period.number(day * DAY);
            let start = period.start(number);
            assert_eq!(period.number(start), number, "{period:?} {day}");
            assert_eq!(period.number(start - 1), number - 1, "{period:?} {day}");
            assert!(start <= day * DAY && day * DAY < period.start(number + 1));
        }
    }
}

#[test]
fn extreme_times_have_periods() {
    for period in PERIODS {
        for time in [i64::MIN, i64::MAX] {
            let number = period.number(time);
            period.start(number);
        }
        period.start(i64::MIN);
        period.start(i64::MAX);
        assert_eq!(period, Period::parse(&format!("{period:?}").to_lowercase()).unwrap());
    }
    assert!(Period::parse("fortnight").is_err());
}
