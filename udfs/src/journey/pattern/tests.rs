use super::*;

const SECOND: i64 = 1_000_000;

fn message(text: &str) -> String {
    Pattern::parse(text, 3).unwrap_err().message
}

#[test]
fn a_pattern_becomes_events_and_gaps() {
    let found = Pattern::parse("(?1)(?t<=3600)(?2).*(?3) .", 3).unwrap();
    assert_eq!(found.items, [1, 2, 4, u64::MAX]);
    let within = Gap { skips: true, least: 0, most: 3600 * SECOND };
    let anywhere = Gap { skips: true, ..ADJACENT };
    assert_eq!(found.gaps, [within, anywhere, ADJACENT]);
    assert_eq!(found.required, 7);
}

#[test]
fn time_conditions_bound_and_combine() {
    let gap = |text: &str| {
        let found = Pattern::parse(&format!("(?1){text}(?2)"), 3).unwrap().gaps[0];
        (found.least, found.most)
    };
    assert_eq!(gap("(?t<5)"), (0, 5 * SECOND - 1));
    assert_eq!(gap("(?t>5)"), (5 * SECOND + 1, i64::MAX));
    assert_eq!(gap("(?t==0.25)"), (250_000, 250_000));
    assert_eq!(gap("(?t>=60)(?t<=90.5)"), (60 * SECOND, 90_500_000));
    assert_eq!(gap(".*(?t>=60).*"), (60 * SECOND, i64::MAX));
    assert_eq!(gap("(?t<0)"), (0, -1));
}

#[test]
fn skips_at_the_ends_add_nothing() {
    assert_eq!(Pattern::parse(".*(?1).*", 3).unwrap(), Pattern::parse("(?1)", 3).unwrap());
}

#[test]
fn errors_tell_where() {
    let cases = [
        ("", "sequence pattern has no event"),
        (".*", "sequence pattern has no event"),
        ("(?1)x", "sequence pattern has an unexpected \"x\" at position 5"),
        ("(?1", "sequence pattern lacks a closing parenthesis at position 4"),
        ("(?1)(?4)", "sequence pattern names condition 4, there are 3 at position 7"),
        ("(?0)", "sequence pattern names condition 0, there are 3 at position 3"),
        (
            "(?99999999999999999999)",
            "sequence pattern names condition 99999999999999999999, there are 3 at position 3",
        ),
        ("(?)", "sequence pattern lacks the number of a condition at position 3"),
        ("(?1)(?t=5)(?2)", "sequence pattern has an unknown comparison of times at position 8"),
        ("(?1)(?t<=)(?2)", "sequence pattern lacks a number of seconds at position 10"),
        ("(?1)(?t<=5.)(?2)", "sequence pattern lacks a number of seconds at position 10"),
        ("(?1)(?t<=.5)(?2)", "sequence pattern lacks a number of seconds at position 10"),
        (
            "(?1)(?t<=0.1234567)(?2)",
            "sequence pattern has seconds with more than six decimals at position 10",
        ),
        (
            "(?1)(?t<=99999999999999)(?2)",
            "sequence pattern has a number of seconds that is out of range at position 10",
        ),
        ("(?t<=5)(?1)", "sequence pattern has a time condition without an event before it at position 1"),
        ("(?1) (?t<=5).*", "sequence pattern has a time condition without an event after it at position 6"),
        ("(?1)。", "sequence pattern has an unexpected \"。\" at position 5"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text}");
    }
    assert!(Pattern::parse(&".".repeat(257), 1).is_err());
    assert!(Pattern::parse("(?1)", 0).is_err());
    assert!(Pattern::parse("(?64)", 64).is_ok());
}
