use voxhouse_engine::ErrorKind;

use crate::conformance::{Contents, read, row};
use crate::writers::{Workbook, zip_parts};

const HEADER: &str = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>";

fn book(rows: &str) -> Workbook {
    let formats = ["yyyy\\-mm\\-dd", "d/m/yy h:mm", "00000", "[h]:mm"];
    let strings = ["id", "note", "007", "a_x000D_\nb &amp <x>"];
    Workbook::new(&strings, &formats, &[("Data", &format!("{HEADER}{rows}"))])
}

async fn xlsx(rows: &str) -> Contents {
    read("a.xlsx", book(rows).bytes(), &[]).await.unwrap()
}

#[tokio::test]
async fn cells_of_every_kind() {
    let rows = [
        ("<c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"B2\" t=\"s\"><v>3</v></c>", "007", "a\r\nb &amp <x>"),
        ("<c><v>5</v></c><c><v>1.1000000000000001</v></c>", "5", "1.1"),
        (
            "<c s=\"1\"><v>45296</v></c><c s=\"2\"><v>45296.545243055555</v></c>",
            "2024-01-05",
            "2024-01-05 13:05:09",
        ),
        ("<c s=\"3\"><v>123</v></c><c s=\"4\"><v>1.5</v></c>", "00123", "36:00:00"),
        ("<c t=\"b\"><v>1</v></c><c t=\"str\"><f>1&lt;2</f><v>x&#228;&apos;</v></c>", "true", "xä'"),
        (
            "<c t=\"inlineStr\"><is><r><t>a</t></r><r><t> b</t></r><rPh><t>c</t></rPh></is></c><c t=\"d\"><v>2024-01-05</v></c>",
            "a b",
            "2024-01-05",
        ),
        ("<c><v>12345678901234567890</v></c><c><v>1E+3</v></c>", "12345678901234567890", "1000"),
    ];
    let text: String = rows.iter().map(|(cells, _, _)| format!("<row>{cells}</row>")).collect();
    let found = xlsx(&text).await;
    assert_eq!(found.columns, ["id", "note"]);
    let expected: Vec<_> =
        (1..).zip(&rows).map(|(number, (_, id, note))| (number, row([Some(id), Some(note)]))).collect();
    assert_eq!(found.rows, expected);
}

#[tokio::test]
async fn empty_cells_and_rows() {
    let found =
        xlsx("<row r=\"2\"/><row r=\"3\"><c r=\"B3\"><v>1</v></c></row><row><c r=\"A4\"/></row>").await;
    assert_eq!(found.rows, [(1, row([None, Some("1")]))]);
}

#[tokio::test]
async fn cells_without_a_value_make_bad_rows() {
    let found = xlsx(
        "<row><c t=\"e\"><v>#DIV/0!</v></c></row><row><c><v>1</v></c><c/><c r=\"C3\"><v>2</v></c></row>\
         <row><c s=\"1\"><v>-4</v></c></row><row><c t=\"s\"><v>99</v></c></row><row><c><v>ok?</v></c></row>",
    )
    .await;
    let reasons: Vec<&str> = found.bad_rows.iter().map(|bad| bad.reason.as_str()).collect();
    let expected = [
        "column \"id\": the cell has the error #DIV/0!",
        "row has 3 cells, the header has 2",
        "column \"id\": the cell is not a date of the calendar",
        "column \"id\": the cell refers to a string that is not there",
        "column \"id\": the cell is not a number",
    ];
    assert_eq!(reasons, expected);
    let rows = "<row><c t=\"e\"><v>#N/A</v></c><c><v>1</v></c></row>";
    let found = read("a.xlsx", book(rows).bytes(), &[("null_markers", "#N/A, -")]).await.unwrap();
    assert_eq!(found.rows, [(1, row([None, Some("1")]))]);
}

#[tokio::test]
async fn sheets_are_chosen_by_name_or_number() {
    let cell = |text: &str| format!("<row><c t=\"str\"><v>{text}</v></c></row><row><c><v>1</v></c></row>");
    let sheets = [("One", cell("a")), ("Zwei", cell("b"))];
    let sheets: Vec<(&str, &str)> = sheets.iter().map(|(name, data)| (*name, data.as_str())).collect();
    let mut book = Workbook::new(&[], &[], &sheets);
    for (sheet, column) in [(None, "a"), (Some("Zwei"), "b"), (Some("2"), "b"), (Some("1"), "a")] {
        let options: Vec<(&str, &str)> = sheet.iter().map(|sheet| ("sheet", *sheet)).collect();
        assert_eq!(read("a.xlsx", book.bytes(), &options).await.unwrap().columns, [column], "{sheet:?}");
    }
    let error = read("a.xlsx", book.bytes(), &[("sheet", "Drei")]).await.unwrap_err();
    assert_eq!(error.message(), "workbook has no sheet \"Drei\"");
    assert_eq!(error.detail(), Some("Its sheets are \"One\", \"Zwei\"."));
    book.workbook = book.workbook.replace("name=\"One\"", "name=\"One\" state=\"hidden\"");
    assert_eq!(read("a.xlsx", book.bytes(), &[]).await.unwrap().columns, ["b"]);
}

#[tokio::test]
async fn options_say_where_the_table_begins() {
    let text = |text: &str| format!("<row><c t=\"str\"><v>{text}</v></c></row>");
    let rows = ["Export of May", "id", "the number of the case", "1"].map(text).concat();
    let book = Workbook::new(&[], &[], &[("s", &rows)]);
    let options = [("skip_rows", "1"), ("skip_after_header", "1")];
    let found = read("a.xlsx", book.bytes(), &options).await.unwrap();
    assert_eq!((found.columns[0].as_str(), found.rows), ("id", vec![(1, row([Some("1")]))]));
    let found = read("a.xlsx", book.bytes(), &[("header", "false"), ("skip_rows", "3")]).await.unwrap();
    assert_eq!((found.columns[0].as_str(), found.rows), ("column1", vec![(1, row([Some("1")]))]));
}

#[tokio::test]
async fn days_of_old_macintoshes() {
    let mut book = book("<row><c s=\"1\"><v>1</v></c></row>");
    book.workbook = book.workbook.replace("<workbookPr/>", "<workbookPr date1904=\"1\"/>");
    let found = read("a.xlsx", book.bytes(), &[]).await.unwrap();
    assert_eq!(found.rows, [(1, row([Some("1904-01-02"), None]))]);
}

#[tokio::test]
async fn what_is_no_workbook_is_refused() {
    let good = book("").parts();
    let without = |name: &str| {
        let parts: Vec<_> = good.iter().filter(|(part, _)| part != name).cloned().collect();
        zip_parts(&parts)
    };
    let mut broken = book("<row><c><v>1</v></row>");
    for (bytes, message) in [
        (without("_rels/.rels"), "it has no workbook"),
        (without("xl/workbook.xml"), "it has no workbook"),
        (without("xl/_rels/workbook.xml.rels"), "a sheet is missing"),
        (without("xl/worksheets/sheet1.xml"), "a sheet is missing"),
        (b"id,note\n".to_vec(), "it is not a zip archive"),
        (broken.bytes(), "a part is not well-formed XML"),
    ] {
        let error = read("a.xlsx", bytes, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataCorrupted);
        assert_eq!(error.message(), format!("invalid xlsx file: {message}"));
    }
    broken.sheets[0] = format!("<worksheet><sheetData><row><c t=\"str\"><v>{}", "x".repeat(9 << 20));
    let error = read("a.xlsx", broken.bytes(), &[]).await.unwrap_err();
    assert_eq!(error.message(), "a value of the workbook is larger than 8 MiB");
    let old = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0];
    let error = read("a.xlsx", old.to_vec(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}
