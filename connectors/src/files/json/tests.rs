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

async fn json(text: impl Into<Vec<u8>>, options: &[(&str, &str)]) -> Contents {
    read("a.json", text, options).await.unwrap()
}

#[tokio::test]
async fn documents_in_arrays_and_one_after_the_other() {
    let expected = [(1, row([Some("1"), None])), (2, row([Some("[2]"), Some("}\"]")]))];
    for text in [
        "[{\"a\":1},{\"a\":[2],\"b\":\"}\\\"]\"}]",
        "\u{feff} [\n {\n\"a\" :1\n} , {\"a\":[2],\"b\":\"}\\\"]\"}\n]\n",
        "{\"a\":1}{\"a\":[2],\"b\":\"}\\\"]\"}",
        "{\n\"a\":1\n}\n\n{\"a\":[2],\"b\":\"}\\\"]\"}\n",
        "[{\"a\":1}]\n[]\n[{\"a\":[2],\"b\":\"}\\\"]\"}]",
    ] {
        let found = json(text, &[]).await;
        assert_eq!((found.rows.as_slice(), found.bad_rows.len()), (expected.as_slice(), 0), "{text}");
    }
}

#[tokio::test]
async fn a_million_empty_arrays_are_no_row() {
    let found = json("[]".repeat(1_000_000) + "{\"a\":1}", &[]).await;
    assert_eq!(found.rows, [(1, row([Some("1")]))]);
}

#[tokio::test]
async fn a_path_leads_to_the_rows() {
    let text =
        r#"{"meta":{"data":[9],"next":"x"},"result":{"n":1,"data":[{"a":1},{"a":2}],"rest":[]},"more":"#;
    let found = json(text, &[("path", "result.data")]).await;
    assert_eq!(found.rows, [(1, row([Some("1")])), (2, row([Some("2")]))]);
    let error = read("a.json", text, &[("path", "result.rows")]).await.unwrap_err();
    assert_eq!(error.message(), "file has no key \"result.rows\"");
    let error = read("a.json", text, &[("path", "result.n")]).await.unwrap_err();
    assert_eq!(error.message(), "path leads to neither a JSON array nor a JSON object");
}

#[tokio::test]
async fn a_malformed_document_is_a_bad_row_and_the_rest_goes_on() {
    let found = json("[{\"a\":1},7,{\"a\":tru},null,{\"a\":{\"b\":01}},\"x\",{\"a\":2}]", &[]).await;
    assert_eq!(found.rows, [(1, row([Some("1")])), (7, row([Some("2")]))]);
    let expected = [
        (2, "document is not a JSON object"),
        (3, "document is not valid JSON at byte 9"),
        (4, "document is not a JSON object"),
        (5, "document is not valid JSON at byte 12"),
        (6, "document is not a JSON object"),
    ];
    assert_eq!(reasons(&found), expected);
}

#[tokio::test]
async fn an_array_that_is_cut_off_is_never_a_shorter_array() {
    for (text, message) in [
        ("[{\"a\":1}", "invalid JSON file: it ends inside of its array"),
        ("[{\"a\":1},", "invalid JSON file: it ends inside of its array"),
        ("[{\"a\":1},{\"a\"", "invalid JSON file: it ends inside of row 2"),
        ("[{\"a\":1},{\"a\":\"x}]", "invalid JSON file: it ends inside of row 2"),
        ("[", "invalid JSON file: it ends inside of its array"),
        ("[{\"a\":1} {\"a\":2}]", "row 2: no comma before it"),
        ("[{\"a\":1},]", "row 2: no value where one must be"),
        ("hello", "file is neither a JSON array nor a JSON object"),
        (" ", "file is empty"),
    ] {
        let error = read("a.json", text, &[]).await.unwrap_err();
        assert_eq!(error.message(), message, "{text}");
    }
}

#[tokio::test]
async fn canonical_and_relaxed_documents_of_mongodb_are_the_same_rows() {
    let canonical = r#"{"_id":{"$oid":"65a1f0c2d4e5f60718293a4b"},"n":{"$numberInt":"5"},"big":{"$numberLong":"9007199254740993"},
        "price":{"$numberDecimal":"1234567890123456789.10"},"rate":{"$numberDouble":"0.5"},"at":{"$date":{"$numberLong":"1704449109120"}},
        "who":{"age":{"$numberInt":"44"},"seen":{"$date":{"$numberLong":"0"}},"tags":[{"$numberLong":"1"},"x",null]},
        "uid":{"$binary":{"base64":"ASNFZ4mrze8BI0VniavN7w==","subType":"04"}},"raw":{"$binary":{"base64":"AP8=","subType":"00"}},
        "no":{"$undefined":true},"ts":{"$timestamp":{"t":1704449109,"i":1}},"re":{"$regularExpression":{"pattern":"^a","options":"i"}},
        "ref":{"$ref":"c","$id":{"$oid":"65a1f0c2d4e5f60718293a4b"}},"max":{"$maxKey":1},"nan":{"$numberDouble":"NaN"},"plain":{"a":1}}"#;
    let relaxed = r#"{"_id":{"$oid":"65a1f0c2d4e5f60718293a4b"},"n":5,"big":9007199254740993,
        "price":{"$numberDecimal":"1234567890123456789.10"},"rate":0.5,"at":{"$date":"2024-01-05T10:05:09.120Z"},
        "who":{"age":44,"seen":{"$date":"1970-01-01T00:00:00Z"},"tags":[1,"x",null]},
        "uid":{"$uuid":"01234567-89ab-cdef-0123-456789abcdef"},"raw":{"$binary":"AP8=","$type":"00"},
        "no":null,"ts":{"$timestamp":{"t":1704449109,"i":1}},"re":{"$regularExpression":{"pattern":"^a","options":"i"}},
        "ref":{"$ref":"c","$id":{"$oid":"65a1f0c2d4e5f60718293a4b"}},"max":{"$maxKey":1},"nan":{"$numberDouble":"NaN"},"plain":{"a":1}}"#;
    let found = json(format!("[{canonical},{relaxed}]"), &[("extended", "true")]).await;
    let expected = row([
        Some("65a1f0c2d4e5f60718293a4b"),
        Some("5"),
        Some("9007199254740993"),
        Some("1234567890123456789.10"),
        Some("0.5"),
        Some("2024-01-05T10:05:09.120Z"),
        Some(r#"{"age":44,"seen":"1970-01-01T00:00:00Z","tags":[1,"x",null]}"#),
        Some("01234567-89ab-cdef-0123-456789abcdef"),
        Some("\\x00ff"),
        None,
        Some("2024-01-05T10:05:09Z"),
        Some("/^a/i"),
        Some(r#"{"$ref":"c","$id":"65a1f0c2d4e5f60718293a4b"}"#),
        Some("maxKey"),
        Some("NaN"),
        Some(r#"{"a":1}"#),
    ]);
    assert_eq!(found.bad_rows, []);
    assert_eq!(found.rows[0].1, expected);
    let plain = |row: &Vec<Option<String>>| {
        row.iter().flatten().map(|cell| cell.replace(' ', "")).collect::<Vec<_>>()
    };
    assert_eq!(plain(&found.rows[1].1), plain(&expected));
    // Without the option everything stays JSON.
    let found = json("[{\"a\":{\"$numberLong\":\"5\"}}]", &[]).await;
    assert_eq!(found.rows[0].1, row([Some("{\"$numberLong\":\"5\"}")]));
    // And one document a line, as mongoexport writes.
    let lines = read("a.jsonl", "{\"a\":{\"$numberLong\":\"5\"}}\n", &[("extended", "true")]).await.unwrap();
    assert_eq!(lines.rows[0].1, row([Some("5")]));
}

#[tokio::test]
async fn a_broken_wrapper_is_a_bad_row() {
    let deep = format!("{}{{\"$oid\":\"0\"}}{}", "[".repeat(150), "]".repeat(150));
    let text = format!(
        "[{{\"a\":{{\"$numberLong\":\"5.5\"}}}},{{\"a\":{{\"$date\":{{\"$numberLong\":\"x\"}}}}}},{{\"a\":{{\"$binary\":{{\"base64\":\"?\",\"subType\":\"00\"}}}}}},{{\"a\":{deep}}}]"
    );
    let found = json(text, &[("extended", "true")]).await;
    let expected = [
        (1, "key \"a\": value of $numberLong is not a whole number"),
        (2, "key \"a\": value of $numberLong is not a whole number"),
        (3, "key \"a\": value of $binary is not base64 with a subType"),
        (4, "key \"a\": a document is nested more than 100 levels deep"),
    ];
    assert_eq!(reasons(&found), expected);
}
