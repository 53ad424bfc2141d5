use serde_json::json;
use voxhouse_engine::ErrorKind;

use super::object::{Malformed, Members};
use crate::conformance::{Contents, read, row};

async fn ndjson(text: impl Into<Vec<u8>>) -> Contents {
    read("a.ndjson", text, &[]).await.unwrap()
}

fn reasons(contents: &Contents) -> Vec<(u64, &str)> {
    contents.bad_rows.iter().map(|bad| (bad.row_number, bad.reason.as_str())).collect()
}

#[tokio::test]
async fn values_keep_their_text() {
    let text = r#" {"n": 1.10, "big":12345678901234567890123, "e":1E5, "t":true, "s":"a\u4e2d\n\"", "z":"007", "x":null}
{"n":-0, "o": {"k": [1, 2.0]}, "s":"😀", "l":[ ], "z":""}"#;
    let found = ndjson(text).await;
    assert_eq!(found.columns, ["n", "big", "e", "t", "s", "z", "x", "o", "l"]);
    let first = [
        Some("1.10"),
        Some("12345678901234567890123"),
        Some("1E5"),
        Some("true"),
        Some("a中\n\""),
        Some("007"),
        None,
        None,
        None,
    ];
    let second =
        [Some("-0"), None, None, None, Some("😀"), Some(""), None, Some(r#"{"k": [1, 2.0]}"#), Some("[ ]")];
    assert_eq!(found.rows, [(1, row(first)), (2, row(second))]);
}

#[tokio::test]
async fn blank_lines_and_carriage_returns_do_not_count() {
    let found = ndjson("\u{feff}\r\n{\"a\":1}\r\n\n  \t\r\n{\"a\":2}\r\n{\"a\":3}").await;
    assert_eq!(found.rows, [(1, row([Some("1")])), (2, row([Some("2")])), (3, row([Some("3")]))]);
}

#[tokio::test]
async fn a_line_that_is_no_object_is_a_bad_row() {
    let lines = [
        r#"{"a":1}"#,
        "[1]",
        "42",
        r#"{"a":1"#,
        r#"{"a":1}{"a":2}"#,
        r#"{"a":01}"#,
        r#"{"a" 1}"#,
        r#"{"a":tru}"#,
        r#"{'a':1}"#,
        r#"{"a":1,}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"x"y}"#,
        r#"{"a":2}"#,
    ];
    let found = ndjson(lines.join("\n")).await;
    assert_eq!(found.rows, [(1, row([Some("1")])), (13, row([Some("2")]))]);
    let expected = [
        (2, "line is not a JSON object"),
        (3, "line is not a JSON object"),
        (4, "line is not valid JSON at byte 8"),
        (5, "line is not valid JSON at byte 8"),
        (6, "line is not valid JSON at byte 7"),
        (7, "line is not valid JSON at byte 6"),
        (8, "line is not valid JSON at byte 9"),
        (9, "line is not valid JSON at byte 2"),
        (10, "line is not valid JSON at byte 8"),
        (11, "value of key \"a\" has an escape that is no character"),
        (12, "line is not valid JSON at byte 9"),
    ];
    assert_eq!(reasons(&found), expected);
    assert_eq!(found.bad_rows[0].raw, json!("[1]"));
}

#[tokio::test]
async fn bytes_that_are_not_text_spoil_their_line_only() {
    let found = ndjson(b"{\"a\":1}\n{\"a\":\"\xff\"}\n{\"a\":2}\n".to_vec()).await;
    assert_eq!(found.rows, [(1, row([Some("1")])), (3, row([Some("2")]))]);
    assert_eq!(reasons(&found), [(2, "invalid byte sequence for encoding utf-8: 0xff at byte 14")]);
    let (bytes, _, _) = encoding_rs::GBK.encode("{\"名\":\"送货\"}\n");
    let found = read("a.jsonl", bytes.into_owned(), &[("encoding", "gbk")]).await.unwrap();
    assert_eq!((found.columns[0].as_str(), &found.rows[0].1), ("名", &row([Some("送货")])));
}

#[tokio::test]
async fn a_key_that_the_sample_did_not_have_is_named() {
    let text = "{\"a\":1}\n{\"b\":2,\"a\":3}\n{\"a\":4}\n";
    let found = read("a.ndjson", text, &[("sample_rows", "1")]).await.unwrap();
    assert_eq!(found.rows, [(1, row([Some("1")])), (3, row([Some("4")]))]);
    let reason = "key \"b\" does not occur in the first 1 lines; raise sample_rows to make it a column";
    assert_eq!(reasons(&found), [(2, reason)]);
    let found = read("a.ndjson", text, &[("sample_rows", "2")]).await.unwrap();
    assert_eq!((found.columns.len(), found.bad_rows.len()), (2, 0));
    let error = read("a.ndjson", text, &[("sample_rows", "0")]).await.unwrap_err();
    assert_eq!(error.sqlstate(), "22023");
}

#[tokio::test]
async fn keys_come_in_any_order_and_the_last_of_two_counts() {
    let found = ndjson("{\"a\":1,\"b\":2}\n{\"b\":3,\"a\":4}\n{\"a\":5,\"a\":6}\n{}\n").await;
    let expected = [
        (1, row([Some("1"), Some("2")])),
        (2, row([Some("4"), Some("3")])),
        (3, row([Some("6"), None])),
        (4, row([None, None])),
    ];
    assert_eq!(found.rows, expected);
}

#[tokio::test]
async fn a_file_without_objects_is_refused() {
    let error = read("a.ndjson", "[{\"a\":1}]\n", &[]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::InvalidText, "file has no line that is a JSON object")
    );
    let error = read("a.ndjson", "\n \n", &[]).await.unwrap_err();
    assert_eq!(error.message(), "file is empty");
}

#[tokio::test]
async fn a_line_beyond_the_limit_is_an_error_with_its_row() {
    let long = "x".repeat(16 << 20);
    let error = read("a.ndjson", format!("{{\"a\":1}}\n{{\"a\":\"{long}x\"}}\n"), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(error.message(), "row 2: value of key \"a\" is larger than 16 MiB");
    let error =
        read("a.ndjson", format!("{{\"a\":1}}\n{{\"a\":\"{}\n", long.repeat(5)), &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LimitExceeded, "row 2 is larger than 64 MiB"));
}

/// The walk over members agrees with a whole JSON parser about what is an object.
#[test]
fn members_are_those_of_a_json_parser() {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    let mut random = StdRng::seed_from_u64(1);
    let pieces = [
        "{", "}", "[", "]", "\"a\"", "\"\\n\"", ":", ":", ",", " ", "1", "-2.5", "null", "true", "\"中\"",
        "x",
    ];
    for _ in 0..100_000 {
        let length = random.random_range(1..9);
        let line: String = (0..length).map(|_| pieces[random.random_range(0..pieces.len())]).collect();
        let line = if random.random_bool(0.7) { format!("{{\"k\":{line}}}") } else { line };
        let expected =
            serde_json::from_str::<serde_json::Value>(&line).ok().filter(serde_json::Value::is_object);
        let found: Result<Vec<_>, Malformed> = Members::new(&line).collect();
        assert_eq!(found.is_ok(), expected.is_some(), "{line}");
        for (key, value) in found.into_iter().flatten() {
            assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{line}: {key} {value}");
        }
    }
}
