use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use voxhouse_engine::ErrorKind;

use crate::conformance::{Contents, Row, gzip, read, row, zstd};

async fn csv(text: impl Into<Vec<u8>>) -> Contents {
    read("a.csv", text, &[]).await.unwrap()
}

async fn csv_with(text: impl Into<Vec<u8>>, options: &[(&str, &str)]) -> Contents {
    read("a.csv", text, options).await.unwrap()
}

fn rows(contents: &Contents) -> Vec<Row> {
    contents.rows.iter().map(|(_, row)| row.clone()).collect()
}

fn reasons(contents: &Contents) -> Vec<(u64, &str)> {
    contents.bad_rows.iter().map(|bad| (bad.row_number, bad.reason.as_str())).collect()
}

#[tokio::test]
async fn an_empty_field_is_null_and_a_quoted_one_is_text() {
    let found = csv("a,b,c\n,\"\",007\n").await;
    assert_eq!(rows(&found), [row([None, Some(""), Some("007")])]);
}

#[tokio::test]
async fn another_null_marker_takes_the_place_of_the_empty_field() {
    let found = csv_with("a,b,c\nNA,\"NA\",\n", &[("null", "NA")]).await;
    assert_eq!(rows(&found), [row([None, Some("NA"), Some("")])]);
}

#[tokio::test]
async fn line_ends_of_every_system() {
    let expected = [row([Some("1"), Some("x\ny")]), row([None, Some("2")])];
    for end in ["\n", "\r\n", "\r"] {
        for tail in ["", end] {
            let text = format!("a,b{end}1,\"x\ny\"{end},2{tail}");
            let found = csv(text.clone()).await;
            assert_eq!(found.columns, ["a", "b"], "{text:?}");
            assert_eq!(rows(&found), expected, "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_lone_carriage_return_is_data_among_line_feeds() {
    assert_eq!(rows(&csv("a,b\n1\r2,3\n").await), [row([Some("1\r2"), Some("3")])]);
}

#[tokio::test]
async fn a_quote_is_special_at_the_start_of_a_field_only() {
    let found = csv("a,b\n5\" pipe,\"say \"\"hi\"\"\"\n\"x\"y\"z,\" q\" \n").await;
    let expected = [row([Some("5\" pipe"), Some("say \"hi\"")]), row([Some("xy\"z"), Some(" q ")])];
    assert_eq!(rows(&found), expected);
}

#[tokio::test]
async fn an_empty_line_is_a_row_in_a_file_of_one_column_only() {
    assert_eq!(rows(&csv("\n\na,b\n\n1,2\n\r\n\n").await), [row([Some("1"), Some("2")])]);
    assert_eq!(rows(&csv("a\n1\n\n2\n").await), [row([Some("1")]), row([None]), row([Some("2")])]);
}

#[tokio::test]
async fn header_names_are_trimmed_and_made_distinct() {
    let found = csv("\u{feff} id ,id,,\"id\",id_2,\u{3000}名\u{3000},\n").await;
    assert_eq!(found.columns, ["id", "id_3", "column3", "id_4", "id_2", "名", "column7"]);
    assert_eq!(found.rows, []);
}

#[tokio::test]
async fn without_a_header_columns_are_numbered() {
    let found = csv_with("1,2\n3,4\n5\n", &[("header", "false")]).await;
    assert_eq!(found.columns, ["column1", "column2"]);
    assert_eq!(rows(&found), [row([Some("1"), Some("2")]), row([Some("3"), Some("4")])]);
    assert_eq!(reasons(&found), [(3, "row has 1 field, the first row has 2")]);
    assert_eq!(csv_with("", &[("header", "false")]).await, Contents::default());
}

#[tokio::test]
async fn a_ragged_row_is_a_bad_row_and_the_rest_goes_on() {
    let found = csv("a,b,c\n1,2,3\n1,2\n1,\"x\"\"y\",3,4,5\n6,,\n").await;
    assert_eq!(found.rows, [(1, row([Some("1"), Some("2"), Some("3")])), (4, row([Some("6"), None, None]))]);
    let expected = [(2, "row has 2 fields, the header has 3"), (3, "row has 5 fields, the header has 3")];
    assert_eq!(reasons(&found), expected);
    assert_eq!(found.bad_rows[0].raw, json!({"a": "1", "b": "2"}));
    assert_eq!(found.bad_rows[1].raw, json!({"a": "1", "b": "x\"y", "c": "3", "extra": ["4", "5"]}));
}

#[tokio::test]
async fn a_quote_left_open_is_a_bad_row() {
    let found = csv("a,b\n1,2\n3,\"4\n5,6\n").await;
    assert_eq!(found.rows, [(1, row([Some("1"), Some("2")]))]);
    assert_eq!(reasons(&found), [(2, "quoted field of column \"b\" is not closed at the end of the file")]);
}

#[tokio::test]
async fn bytes_that_are_not_text_spoil_their_row_only() {
    let found = csv(b"a,b\nx,y\n1,\xb0\xa1\n2,z\n".to_vec()).await;
    assert_eq!(found.rows, [(1, row([Some("x"), Some("y")])), (3, row([Some("2"), Some("z")]))]);
    assert_eq!(reasons(&found), [(2, "invalid byte sequence for encoding utf-8: 0xb0 at byte 10")]);
    assert_eq!(found.bad_rows[0].raw, json!({"a": "1", "b": "\u{fffd}\u{fffd}"}));
}

#[tokio::test]
async fn other_encodings_are_decoded_and_their_errors_found() {
    let (bytes, _, _) = encoding_rs::GB18030.encode("编号,留言\n001,送货很快𠮷\n");
    for label in ["gb18030", "GBK", "gb2312"] {
        let found = csv_with([&bytes[..], b"002,\xff\n003,ok\n"].concat(), &[("encoding", label)]).await;
        assert_eq!(found.columns, ["编号", "留言"]);
        assert_eq!(
            found.rows,
            [(1, row([Some("001"), Some("送货很快𠮷")])), (3, row([Some("003"), Some("ok")]))]
        );
        let name = if label == "gb18030" { "gb18030" } else { "gbk" };
        let reason = format!("invalid byte sequence for encoding {name}: 0xff at byte {}", bytes.len() + 4);
        assert_eq!(reasons(&found), [(2, reason.as_str())]);
    }
    let error = read("a.csv", bytes.into_owned(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidText);
    assert_eq!(error.message(), "header: invalid byte sequence for encoding utf-8: 0xb1 at byte 0");
    assert!(error.hint().is_some_and(|hint| hint.contains("gb18030")));
}

#[tokio::test]
async fn a_long_file_in_another_encoding_keeps_its_places() {
    let (line, _, _) = encoding_rs::GB18030.encode("一二三四五六七八九十,x\n");
    let count = 30_000;
    let mut bytes = b"a,b\n".to_vec();
    bytes.extend(line.repeat(count));
    let at = bytes.len();
    bytes.extend(b"\x81,y\n\x81");
    let found = csv_with(bytes, &[("encoding", "gb18030")]).await;
    assert_eq!(found.rows.len(), count);
    assert!(found.rows.iter().all(|(_, cells)| *cells == row([Some("一二三四五六七八九十"), Some("x")])));
    let expected = [
        (count as u64 + 1, format!("invalid byte sequence for encoding gb18030: 0x81 at byte {at}")),
        (count as u64 + 2, format!("invalid byte sequence for encoding gb18030 at byte {}", at + 4)),
    ];
    let found: Vec<_> = found.bad_rows.iter().map(|bad| (bad.row_number, bad.reason.clone())).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_byte_order_mark_wins() {
    let utf16: Vec<u8> = "\u{feff}a\tb\n1\t你好\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = read("a.tsv", utf16, &[]).await.unwrap();
    assert_eq!(found.columns, ["a", "b"]);
    assert_eq!(rows(&found), [row([Some("1"), Some("你好")])]);
    let found = csv_with("\u{feff}a\n你好\n", &[("encoding", "gbk")]).await;
    assert_eq!((found.columns[0].as_str(), rows(&found)), ("a", vec![row([Some("你好")])]));
}

#[tokio::test]
async fn options_change_the_dialect() {
    let found = csv_with(
        "junk \"\r\n\r\na;b\r\n'x;''y';2\r\n",
        &[("skip_rows", "2"), ("delimiter", ";"), ("quote", "'")],
    );
    assert_eq!(rows(&found.await), [row([Some("x;'y"), Some("2")])]);
    let found = csv_with("a\tb\n\"1\t2\n", &[("delimiter", "\\t"), ("quote", "none")]).await;
    assert_eq!(rows(&found), [row([Some("\"1"), Some("2")])]);
    let found = csv_with("a|b\n\"x\\\"y\\\\z\\n\"|2\n", &[("delimiter", "|"), ("escape", "\\")]).await;
    assert_eq!(rows(&found), [row([Some("x\"y\\z\\n"), Some("2")])]);
    let found = read("a.tsv", "a,b\tc\n1,2\t3\n", &[]).await.unwrap();
    assert_eq!(found.columns, ["a,b", "c"]);
    let error = read("a.csv", "a,b\n", &[("skip_rows", "1")]).await.unwrap_err();
    assert_eq!(error.message(), "file is empty");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    use voxhouse_engine::source::FileFormat;
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("delimiter", "ab")], "option \"delimiter\" must be one single-byte character, not \"ab\""),
        (&[("delimiter", "，")], "option \"delimiter\" must be one single-byte character, not \"，\""),
        (&[("delimiter", "\n")], "option \"delimiter\" must be one single-byte character, not \"\n\""),
        (&[("delimiter", "\"")], "delimiter must differ from quote and escape"),
        (&[("quote", "none"), ("escape", "\\")], "option \"escape\" needs a quote"),
        (&[("header", "maybe")], "option \"header\" must be true or false, not \"maybe\""),
        (&[("skip_rows", "-1")], "option \"skip_rows\" must be a whole number, not \"-1\""),
        (&[("encoding", "klingon")], "encoding \"klingon\" does not exist"),
        (&[("encoding", "iso-2022-cn")], "encoding \"iso-2022-cn\" does not exist"),
    ];
    for (options, message) in cases {
        let error = super::Csv.check_options(&crate::conformance::format_options(options)).unwrap_err();
        assert_eq!((error.sqlstate(), error.message()), ("22023", message));
    }
    for label in ["UTF8", "GBK", "EUC_KR", "BIG5", "latin1", "Shift_JIS"] {
        let options = crate::conformance::format_options(&[("encoding", label)]);
        assert!(super::Csv.check_options(&options).is_ok(), "{label}");
    }
}

#[tokio::test]
async fn a_field_beyond_the_limit_is_an_error_with_its_row() {
    let long = "x".repeat(16 << 20);
    let error = read("a.csv", format!("a,b\n1,{long}\n2,\"{long}x\n3,y\n"), &[]).await.unwrap_err();
    let message = "row 2: a field is larger than 16 MiB";
    assert_eq!((error.kind(), error.message()), (ErrorKind::LimitExceeded, message));
    let wide = format!("{},", &long[1..]).repeat(5);
    let error = read("a.csv", format!("a,b\n1,2\n{wide}\n"), &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::LimitExceeded, "row 2 is larger than 64 MiB"));
}

#[tokio::test]
async fn a_bad_row_shows_no_more_than_a_page() {
    let found = csv(format!("a,b\n{}\n", "x".repeat(100_000))).await;
    let shown = found.bad_rows[0].raw["a"].as_str().unwrap();
    assert!(shown.len() < 5000 && shown.ends_with("x… (100000 bytes)"), "{}", shown.len());
}

#[tokio::test]
async fn members_and_frames_are_one_text() {
    for (name, pack) in [("a.csv.gz", gzip as fn(&[u8]) -> Vec<u8>), ("a.csv.zst", zstd)] {
        let bytes = [pack(b"a,b\n1,"), pack(b"2\n"), pack(b""), pack(b"3,4\n")].concat();
        let found = read(name, bytes.clone(), &[]).await.unwrap();
        assert_eq!(rows(&found), [row([Some("1"), Some("2")]), row([Some("3"), Some("4")])]);
        let mut corrupt = bytes;
        let end = corrupt.len();
        corrupt.extend(b"not packed");
        let error = read(name, corrupt.clone(), &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataCorrupted, "{error}");
        crate::conformance::assert_is_for_people(error.message());
        corrupt.truncate(end);
        corrupt[end - 6] ^= 0x55;
        let found = read(name, corrupt, &[]).await;
        assert!(found.is_err() || name.ends_with("zst"), "gzip data has a checksum");
    }
}

/// Fields from the characters that mean something, written by the rules, come back as they were.
#[tokio::test]
async fn what_is_written_by_the_rules_is_read_back() {
    let mut random = StdRng::seed_from_u64(20_260_101);
    for round in 0..200 {
        let delimiter = [',', ';', '\t', '|'][random.random_range(0..4)];
        let end = ["\n", "\r\n"][random.random_range(0..2)];
        let columns = random.random_range(1..6);
        let count = random.random_range(0..40);
        let rows: Vec<Row> =
            (0..count).map(|_| (0..columns).map(|_| random_cell(&mut random, delimiter)).collect()).collect();
        let names: Vec<String> = (0..columns).map(|index| format!("c{index}")).collect();
        let mut text = names.join(&delimiter.to_string()) + end;
        for row in &rows {
            let fields: Vec<String> =
                row.iter().map(|cell| written(&mut random, cell.as_deref(), delimiter)).collect();
            text += &(fields.join(&delimiter.to_string()) + end);
        }
        let delimiter = delimiter.to_string();
        let found = csv_with(text.clone(), &[("delimiter", &delimiter)]).await;
        assert_eq!(found.columns, names, "round {round}");
        assert_eq!(found.bad_rows, [], "round {round}: {text:?}");
        assert_eq!(self::rows(&found), rows, "round {round}: {text:?}");
    }
}

fn random_cell(random: &mut StdRng, delimiter: char) -> Option<String> {
    let letters = ['a', '"', '\n', '\r', delimiter, '中', ' ', '\'', '\\', '7'];
    let length = random.random_range(0..8);
    random
        .random_bool(0.85)
        .then(|| (0..length).map(|_| letters[random.random_range(0..letters.len())]).collect())
}

fn written(random: &mut StdRng, cell: Option<&str>, delimiter: char) -> String {
    let Some(text) = cell else { return String::new() };
    let special = text.is_empty() || text.contains(['"', '\n', '\r', delimiter]);
    if special || random.random_bool(0.3) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Rows cut anywhere by the reader's buffer are put together again.
#[tokio::test]
async fn rows_longer_than_a_buffer() {
    let mut random = StdRng::seed_from_u64(7);
    let notes: Vec<String> = (0..40)
        .map(|index| {
            let text: String = (0..random.random_range(1..40_000))
                .map(|_| ['q', '"', '\n', '中'][random.random_range(0..4)])
                .collect();
            format!("{index}{text}")
        })
        .collect();
    let mut text = String::from("note,end\n");
    for note in &notes {
        text += &format!("\"{}\",e\n", note.replace('"', "\"\""));
    }
    let found = csv(text).await;
    let expected: Vec<Row> = notes.iter().map(|note| row([Some(note), Some("e")])).collect();
    assert!(rows(&found) == expected);
}

#[tokio::test]
async fn numbers_and_dates_of_named_columns_get_sqls_form() {
    let text = "id;amount;day;note\n007;1.234,50;05.01.2024;1.234,50\n008;\"\";2024/1/6;05.01.2024\n";
    let options = [
        ("delimiter", ";"),
        ("decimal", ","),
        ("thousands", "."),
        ("numeric_columns", "amount"),
        ("date_format", "DD.MM.YYYY | YYYY/MM/DD"),
        ("date_columns", "day"),
    ];
    let found = csv_with(text, &options).await;
    let expected = [
        row([Some("007"), Some("1234.50"), Some("2024-01-05"), Some("1.234,50")]),
        row([Some("008"), None, Some("2024-01-06"), Some("05.01.2024")]),
    ];
    assert_eq!(rows(&found), expected);
    let found = csv_with("id;amount;day;note\n1;12,3,4;1.1.2024;\n2;1;31.02.2024;\n", &options).await;
    let expected = [
        (1, "column \"amount\": \"12,3,4\" is not a number like 1.234,5"),
        (2, "column \"day\": \"31.02.2024\" is not a date like DD.MM.YYYY | YYYY/MM/DD"),
    ];
    assert_eq!(reasons(&found), expected);
    let error = read("a.csv", "id\n1\n", &options[1..4]).await.unwrap_err();
    assert_eq!(
        (error.message(), error.detail()),
        ("file has no column \"amount\"", Some("Its columns are id."))
    );
}

#[tokio::test]
async fn three_header_rows_and_many_markers_of_null() {
    let text = "Q1,Q2\n\"How likely,\nto recommend?\",Why\n\"{\"\"ImportId\"\":\"\"QID1\"\"}\",\"{\"\"ImportId\"\":\"\"QID2\"\"}\"\n9,NA\n-,\"N/A\"\n";
    let found = csv_with(text, &[("skip_after_header", "2"), ("null_markers", "NA, N/A, -")]).await;
    assert_eq!(found.columns, ["Q1", "Q2"]);
    assert_eq!(found.rows, [(1, row([Some("9"), None])), (2, row([None, None]))]);
}

#[test]
fn forms_without_columns_are_refused() {
    use voxhouse_engine::source::FileFormat;
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[("decimal", ",")],
            "option \"numeric_columns\" must say which columns are meant by decimal or thousands",
        ),
        (&[("numeric_columns", "a")], "option \"numeric_columns\" needs decimal or thousands"),
        (&[("date_columns", "a")], "option \"date_columns\" needs date_format"),
        (
            &[("decimal", ","), ("thousands", ","), ("numeric_columns", "a")],
            "option \"thousands\" must differ from decimal",
        ),
        (&[("decimal", "5"), ("numeric_columns", "a")], "option \"decimal\" must be one mark, not \"5\""),
        (
            &[("date_format", "MM/YY"), ("date_columns", "a")],
            "date format \"MM/YY\" has no year, month and day",
        ),
        (&[("max_ratio", "0")], "option \"max_ratio\" must be at least 1"),
    ];
    for (options, message) in cases {
        let error = super::Csv.check_options(&crate::conformance::format_options(options)).unwrap_err();
        assert_eq!((error.sqlstate(), error.message()), ("22023", message));
    }
}
