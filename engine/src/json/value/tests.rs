use super::*;

fn read(text: &str) -> Value<'_> {
    Value::read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn keys_and_numbers_are_normal() {
    let cases = [
        ("{\"bb\":1, \"a\":2, \"bb\":3}", "{\"a\": 2, \"bb\": 3}"),
        ("[ 1.50, 1e2, 1.5E1, 12e-1, -0, -0.0, 1e-3 ]", "[1.50, 100, 15, 1.2, 0, 0.0, 0.001]"),
        ("\"\\u0041\\/\\u0001\"", "\"A/\\u0001\""),
        ("{}", "{}"),
        ("1.50e1", "15.0"),
        ("0.00e-1", "0.000"),
    ];
    for (text, expected) in cases {
        assert_eq!(normal(text).unwrap(), expected, "{text}");
    }
    assert_eq!(normal("1e200000").unwrap_err().sqlstate(), "22003");
}

#[test]
fn numbers_compare_by_value() {
    let ordered = ["-10", "-9.5", "-0.1", "0", "0.05", "0.1", "2", "10", "10.5"];
    for pair in ordered.windows(2) {
        assert_eq!(compare_numbers(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    assert_eq!(compare_numbers("1.0", "1"), Ordering::Equal);
    assert_eq!(compare_numbers("-0.0", "0"), Ordering::Equal);
}

#[test]
fn kinds_have_an_order() {
    let ordered = ["[]", "null", "\"a\"", "1", "false", "true", "[1]", "[1,2]", "{}", "{\"a\":1}"];
    for pair in ordered.windows(2) {
        assert_eq!(read(pair[0]).compare(&read(pair[1])), Ordering::Less, "{pair:?}");
    }
}

#[test]
fn containment_is_that_of_postgres() {
    let cases = [
        ("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}", true),
        ("[1,2,[3,4]]", "[[4],2,2]", true),
        ("[\"foo\",\"bar\"]", "\"bar\"", true),
        ("\"bar\"", "[\"bar\"]", false),
        ("[[\"bar\"]]", "\"bar\"", false),
        ("[[1]]", "[1]", false),
        ("{\"a\":[1]}", "{\"a\":1}", false),
        ("1.0", "1", true),
    ];
    for (whole, part, expected) in cases {
        assert_eq!(read(whole).contains(&read(part)), expected, "{whole} @> {part}");
    }
}
