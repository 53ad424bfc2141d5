use super::*;

fn written(number: &str, template: &str) -> String {
    to_text(&Template::parse(template).unwrap(), &Number::Exact(number.to_owned())).unwrap()
}

/// The answers are PostgreSQL 15's.
#[test]
fn numbers_are_written_as_postgres_writes_them() {
    for (number, template, expected) in [
        ("-0.1", "99.99", "  -.10"),
        ("-0.1", "FM9.99", "-.1"),
        ("0.1", "0.9", " 0.1"),
        ("12", "9990999.9", "    0012.0"),
        ("12", "FM9990999.9", "0012."),
        ("485", "999", " 485"),
        ("-485", "999", "-485"),
        ("485", "9 9 9", " 4 8 5"),
        ("1485", "9,999", " 1,485"),
        ("1485", "9G999", " 1,485"),
        ("148.5", "999.999", " 148.500"),
        ("148.5", "FM999.999", "148.5"),
        ("148.5", "FM999.990", "148.500"),
        ("148.5", "999D999", " 148.500"),
        ("3148.5", "9G999D999", " 3,148.500"),
        ("-485", "999S", "485-"),
        ("-485", "999MI", "485-"),
        ("485", "999MI", "485 "),
        ("485", "FM999MI", "485"),
        ("485", "PL999", "+ 485"),
        ("485", "SG999", "+485"),
        ("-485", "SG999", "-485"),
        ("-485", "9SG99", "4-85"),
        ("-485", "999PR", "<485>"),
        ("485", "RN", "        CDLXXXV"),
        ("485", "FMRN", "CDLXXXV"),
        ("5.2", "FMRN", "V"),
        ("482", "999th", " 482nd"),
        ("485", "\"Good number:\"999", "Good number: 485"),
        ("12", "99V999", " 12000"),
        ("12.4", "99V999", " 12400"),
        ("12.45", "99V9", " 125"),
        ("0.0004859", "9.99EEEE", " 4.86e-04"),
        ("12345", "999", " ###"),
    ] {
        assert_eq!(written(number, template), expected, "{number} {template}");
    }
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    for template in ["9.9.9", "SS9", "9MIS", "9EEEE9", "FM9EEEE", "PR9", "9.9V9"] {
        assert_eq!(Template::parse(template).unwrap_err().sqlstate(), "42601", "{template}");
    }
}

#[test]
fn texts_are_read_as_postgres_reads_them() {
    for (text, template, expected) in [
        ("12,454.8-", "99G999D9S", "-12454.8"),
        ("-34,338,492", "99G999G999", "-34338492"),
        ("0.00001-", "9.999999S", "-0.00001"),
        ("<564646.654564>", "999999.999999PR", "-564646.654564"),
        ("1 2 3", "9 9 9", "123"),
        ("$1,234.5", "L9,999.99", "1234.5"),
        ("42nd", "99th", "42"),
        ("123456", "999V999", "123.456"),
    ] {
        let read = from_text(&Template::parse(template).unwrap(), text).unwrap();
        assert_eq!(read, expected, "{text} {template}");
    }
    let template = Template::parse("99").unwrap();
    assert_eq!(from_text(&template, "").unwrap_err().sqlstate(), "22P02");
}
