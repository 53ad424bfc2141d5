use super::*;

fn detail(text: &str) -> String {
    let error = check(text).unwrap_err();
    assert_eq!(error.sqlstate(), "22P02", "{text}");
    error.detail().unwrap_or_default().to_owned()
}

#[test]
fn what_is_json_passes() {
    for text in [
        "1",
        " -0.5e+3 ",
        "\"\\u00e9\\n\"",
        "[]",
        "{}",
        "{\"a\" : [1, {\"b\": null}], \"a\": true}",
        "\"\\u0000\"",
    ] {
        check(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn errors_say_what_postgres_says() {
    let cases = [
        ("", "The input string ended unexpectedly."),
        ("{\"a\":1", "The input string ended unexpectedly."),
        ("{a:1}", "Token \"a\" is invalid."),
        ("[1,]", "Expected JSON value, but found \"]\"."),
        ("[,1]", "Expected array element or \"]\", but found \",\"."),
        ("{\"a\" 1}", "Expected \":\", but found \"1\"."),
        ("{\"a\":1,}", "Expected string, but found \"}\"."),
        ("{1:2}", "Expected string or \"}\", but found \"1\"."),
        ("1 2", "Expected end of input, but found \"2\"."),
        ("01", "Token \"01\" is invalid."),
        ("1a", "Token \"1a\" is invalid."),
        ("\"abc", "Token \"\"abc\" is invalid."),
        ("\"\\q\"", "Escape sequence \"\\q\" is invalid."),
        ("\"\\u12\"", "\"\\u\" must be followed by four hexadecimal digits."),
        ("nul", "Token \"nul\" is invalid."),
    ];
    for (text, expected) in cases {
        assert_eq!(detail(text), expected, "{text}");
    }
}

#[test]
fn parts_are_as_they_are_written() {
    assert_eq!(elements("[ 1,  {\"a\" : 2} ]").unwrap(), ["1", "{\"a\" : 2}"]);
    assert_eq!(member("{\"a\": 1, \"\\u0061\": [ 2 ]}", "a").unwrap(), Some("[ 2 ]"));
    assert_eq!(decoded("\"\\ud83d\\ude00 \\\"\"").unwrap(), "😀 \"");
    assert_eq!(decoded("\"\\u0000\"").unwrap_err().sqlstate(), "22P05");
    assert!(decoded("\"\\ud83d\"").is_err());
}

#[test]
fn depth_has_an_end_that_is_an_error() {
    assert!(check(&("[".repeat(1000) + &"]".repeat(1000))).is_ok());
    assert_eq!(check(&"[".repeat(100_000)).unwrap_err().sqlstate(), "54001");
}
