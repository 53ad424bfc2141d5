//! Files that are damaged, cut off, or lie about themselves, by kind: each is refused, whole or by its rows,
//! with a reason that a person can read; none panics, and none takes more memory than a file of its size may.

use std::collections::BTreeMap;

use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::conformance::{assert_is_for_people, files, gzip, read, sample, zstd};
use crate::writers::{
    AvroCodec, Workbook, avro_file, avro_header, avro_long, avro_text, deflate, zip_archive, zip_parts,
};

/// What a file is called, what it holds, and with which options it is read.
struct Case {
    kind: &'static str,
    name: String,
    bytes: Vec<u8>,
    options: Vec<(&'static str, &'static str)>,
}

#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, kind: &'static str, name: &str, bytes: impl Into<Vec<u8>>) {
        self.with(kind, name, bytes, &[]);
    }

    fn with(
        &mut self,
        kind: &'static str,
        name: &str,
        bytes: impl Into<Vec<u8>>,
        options: &[(&'static str, &'static str)],
    ) {
        self.0.push(Case { kind, name: name.to_owned(), bytes: bytes.into(), options: options.to_vec() });
    }
}

fn good(name: &str) -> Vec<u8> {
    files(&sample(500)).into_iter().find(|(file, _)| *file == name).unwrap().1
}

/// Whether a file that stops early is told from a shorter one.
fn has_an_end(name: &str) -> bool {
    ![".tsv", ".CSV", ".jsonl"].iter().any(|ending| name.ends_with(ending))
}

fn cut_off(cases: &mut Cases) {
    for (name, bytes) in files(&sample(500)).into_iter().filter(|(name, _)| has_an_end(name)) {
        cases.add("footer cut off", name, &bytes[..bytes.len() - 4]);
        cases.add("cut in the middle", name, &bytes[..bytes.len() / 2]);
        cases.add("only a beginning", name, &bytes[..7]);
    }
}

fn empty_and_strange(cases: &mut Cases) {
    let noise: Vec<u8> = {
        let mut random = StdRng::seed_from_u64(1);
        (0..4096).map(|_| random.random()).collect()
    };
    for (name, bytes) in files(&sample(50)) {
        cases.add("empty", name, b"");
        cases.add("noise", name, noise.clone());
        // A file under the name of another.
        let other = if name.contains("json") { good("rows.parquet") } else { good("rows.json") };
        if !name.ends_with("CSV") && !name.ends_with("tsv") {
            cases.add("wrong magic", name, other);
        }
        let mut headless = bytes;
        headless[..4].copy_from_slice(&[0xFF, 0xFE, 0x00, 0xD8]);
        // Parquet is read from its end; what it begins with means nothing.
        if has_an_end(name) && name != "rows.parquet" && name != "rows.pq" {
            cases.add("first bytes overwritten", name, headless);
        }
    }
}

fn bombs(cases: &mut Cases) {
    let zeros = vec![b'0'; 80 << 20];
    let lines = format!("{:a>65535}\n", "").into_bytes().repeat(80 << 4);
    cases.add("bomb of one line", "a.csv.gz", gzip(&zeros));
    cases.add("bomb of one line", "a.csv.zst", zstd(&zeros));
    cases.add("bomb of one line", "a.csv.zip", zip_archive(&[("a.csv", &zeros)]));
    cases.add("bomb of one line", "a.ndjson.gz", gzip(&zeros));
    cases.add("bomb of many lines", "a.csv.gz", gzip(&lines));
    cases.add("bomb of many lines", "a.csv.zst", zstd(&lines));
    cases.add("bomb of many lines", "a.csv.zip", zip_archive(&[("a.csv", &lines)]));
    let blanks = [b"[".as_slice(), &vec![b' '; 80 << 20]].concat();
    cases.add("bomb of blanks", "a.json.zip", zip_archive(&[("a.json", &blanks)]));
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}"#;
    let many = vec![0_u8; 130 << 20];
    cases.add("bomb in a block", "a.avro", avro_file(schema, AvroCodec::Deflate, &[(1, many.clone())]));
    cases.add("bomb in a block", "b.avro", avro_file(schema, AvroCodec::Zstandard, &[(1, many)]));
    let mut book = Workbook::new(&[], &[], &[("s", "")]);
    book.strings = format!("<sst>{}</sst>", "<si><t/></si>".repeat(8 << 20));
    cases.add("bomb in a workbook", "strings.xlsx", book.bytes());
    book.strings = "<sst/>".into();
    book.sheets[0] = format!("<worksheet><sheetData>{}", "<row/>".repeat(14 << 20));
    cases.add("bomb in a workbook", "sheet.xlsx", book.bytes());
    let bomb = deflate(&zeros);
    cases.add("bomb without a directory", "a.csv.zip", bomb);
}

fn large_fields(cases: &mut Cases) {
    let large = "x".repeat((16 << 20) + 1);
    cases.add("field too large", "a.csv", format!("a,b\n1,{large}\n"));
    cases.add("field too large", "a.tsv", format!("a\tb\n1\t\"{large}\n"));
    cases.add("field too large", "a.jsonl", format!("{{\"a\":\"{large}\"}}\n"));
    cases.add("field too large", "a.json", format!("[{{\"a\":\"{large}\"}}]"));
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}"#;
    cases.add("field too large", "a.avro", avro_file(schema, AvroCodec::Null, &[(1, avro_text(&large))]));
    let cell = format!("<row><c t=\"str\"><v>{large}</v></c></row>");
    cases.add("field too large", "a.xlsx", Workbook::new(&[], &[], &[("s", &cell)]).bytes());
    let row = format!("{},", &large[..15 << 20]).repeat(5);
    cases.add("row too large", "a.csv", format!("a,b\n{row}\n"));
    cases.add("row too large", "a.jsonl", format!("{{\"a\":[\"{}", row.replace(',', "\",\"")));
}

fn not_text(cases: &mut Cases) {
    cases.add("invalid UTF-8", "a.csv", b"a,b\n1,\xff\xfe\n");
    cases.add("invalid UTF-8", "a.tsv", b"a\tb\n1\t\xc3\x28\n");
    cases.add("invalid UTF-8", "a.jsonl", b"{\"a\":1}\n{\"a\":\"\xed\xa0\x80\"}\n");
    cases.add("invalid UTF-8", "a.json", b"[{\"a\":1},{\"a\":\"\xf8\"}]");
    cases.add("invalid UTF-8", "header.csv", b"\xb1\xe0,b\n1,2\n");
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}"#;
    let text = [avro_long(2), vec![0xC0, 0x80]].concat();
    cases.add("invalid UTF-8", "a.avro", avro_file(schema, AvroCodec::Null, &[(1, text)]));
    cases.with("invalid in its encoding", "a.csv", b"a\n\x81\x20\n", &[("encoding", "gb18030")]);
    cases.with("invalid in its encoding", "a.csv", b"a\0\n\0\0\xd8\n\0", &[("encoding", "utf-16le")]);
    cases.with("invalid in its encoding", "a.csv", b"a\n\xfd\xfd\n", &[("encoding", "shift_jis")]);
}

fn malformed_text(cases: &mut Cases) {
    for text in ["a,b\n1,\"2\n3,4\n", "\"a,b\n1,2\n"] {
        cases.add("quote left open", "a.csv", text);
    }
    for text in ["a,b\n1\n", "a,b\n1,2,3\n", "a,b\n1,2\n,\n,,\n"] {
        cases.add("ragged rows", "a.csv", text);
    }
    for text in ["{\"a\":1", "{\"a\":01}", "{\"a\" 1}", "{'a':1}", "[1]", "nul", "{\"a\":\"\\ud800\"}"] {
        cases.add("not JSON", "a.jsonl", format!("{{\"a\":0}}\n{text}\n"));
        cases.add("not JSON", "a.json", format!("[{{\"a\":0}},{text}]"));
    }
    cases.with("path to nowhere", "a.json", "{\"a\":{\"b\":1}}", &[("path", "a.c")]);
    let deep = format!("[{{\"a\":{}{{\"$oid\":\"\"}}{}}}]", "[".repeat(5000), "]".repeat(5000));
    cases.with("nested too deep", "a.json", deep, &[("extended", "true")]);
}

fn lying_parquet(cases: &mut Cases) {
    let bytes = good("rows.parquet");
    let footer = u32::from_le_bytes(*bytes[..bytes.len() - 4].last_chunk().unwrap()) as usize;
    let body = &bytes[..bytes.len() - 8 - footer];
    for (name, rows) in [("more", 501), ("fewer", 499), ("none", 0), ("negative", -1), ("all", i64::MAX)] {
        let metadata =
            ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).unwrap();
        let mut builder = metadata.into_builder();
        let groups = builder.take_row_groups().into_iter();
        let groups = groups.map(|group| group.into_builder().set_num_rows(rows).build().unwrap());
        let metadata = builder.set_row_groups(groups.collect()).build();
        let mut file = body.to_vec();
        ParquetMetaDataWriter::new(&mut file, &metadata).finish().unwrap();
        cases.add("lying counts", &format!("{name}.parquet"), file);
    }
    let mut long = bytes.clone();
    let end = long.len();
    long[end - 8..end - 4].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes());
    cases.add("lying sizes", "footer.parquet", long);
    let mut encrypted = bytes.clone();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    cases.add("encrypted", "a.parquet", encrypted);
    // A page says that it is larger than it is.
    let mut page = bytes;
    page[6] = 0xFF;
    page[7] = 0xFF;
    cases.add("lying sizes", "page.parquet", page);
}

fn lying_avro(cases: &mut Cases) {
    let schema = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}"#;
    let rows = [avro_text("one"), avro_text("two")].concat();
    for (name, count) in [("more", 3), ("fewer", 1), ("negative", -2), ("all", i64::MAX)] {
        let file = avro_file(schema, AvroCodec::Null, &[(count, rows.clone())]);
        cases.add("lying counts", &format!("{name}.avro"), file);
    }
    for (name, size) in [("long", 9_i64), ("short", 7), ("all", i64::MAX), ("negative", -8)] {
        let mut file = avro_header(schema, "null");
        file.extend([avro_long(2), avro_long(size), rows.clone(), b"0123456789abcdef".to_vec()].concat());
        cases.add("lying sizes", &format!("{name}.avro"), file);
    }
    let mut packed = avro_file(schema, AvroCodec::Snappy, &[(2, rows.clone())]);
    let end = packed.len();
    packed[end - 18] ^= 1;
    cases.add("wrong checksum", "snappy.avro", packed);
    cases.add("unpacked block is none", "a.avro", {
        let mut file = avro_header(schema, "deflate");
        file.extend([avro_long(2), avro_long(8), rows, b"0123456789abcdef".to_vec()].concat());
        file
    });
    for json in ["", "[]", "{}", "{\"type\":\"record\",\"name\":\"r\"}", "\"long\""] {
        cases.add("schema that is none", "a.avro", avro_header(json, "null"));
    }
    let deep = format!("{}\"int\"{}", "{\"type\":\"array\",\"items\":".repeat(100), "}".repeat(100));
    let deep =
        format!("{{\"type\":\"record\",\"name\":\"r\",\"fields\":[{{\"name\":\"a\",\"type\":{deep}}}]}}");
    cases.add("nested too deep", "a.avro", avro_header(&deep, "null"));
    cases.add("unknown compression", "a.avro", avro_header(schema, "lzma"));
}

fn lying_arrow(cases: &mut Cases) {
    let stream = good("rows.arrows");
    let first = u32::from_le_bytes(*stream[4..].first_chunk().unwrap()) as usize;
    let second = 8 + first;
    for (name, at, length) in
        [("schema", 4, u32::MAX), ("schema2", 4, 1 << 30), ("batch", second + 4, 1 << 24)]
    {
        let mut lying = stream.clone();
        lying[at..at + 4].copy_from_slice(&length.to_le_bytes());
        cases.add("lying sizes", &format!("{name}.arrows"), lying);
    }
    let mut metadata = stream.clone();
    metadata[second + 8..second + 24].fill(0xFF);
    cases.add("metadata overwritten", "a.arrows", metadata);
    cases.add("no schema", "a.arrows", [&stream[second..]].concat());
}

fn lying_zip(cases: &mut Cases) {
    let archive = good("rows.csv.zip");
    let at = archive.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let end = archive.len() - 22;
    let changes: [(&'static str, usize, &[u8]); 9] = [
        ("lying sizes", at + 24, &[1, 0, 0, 0]),
        ("lying sizes", at + 24, &[0xFE, 0xFF, 0xFF, 0xFF]),
        ("lying sizes", at + 20, &[5, 0, 0, 0]),
        ("lying sizes", at + 20, &[0xFE, 0xFF, 0xFF, 0xFF]),
        ("wrong checksum", at + 16, &[1, 2, 3, 4]),
        ("unknown compression", at + 10, &[99, 0]),
        ("encrypted", at + 8, &[1, 0]),
        ("lying directory", at + 42, &[9, 0, 0, 0]),
        ("lying directory", end + 10, &[9, 0]),
    ];
    for (kind, at, bytes) in changes {
        let mut file = archive.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        cases.add(kind, "rows.csv.zip", file);
    }
    cases.add("member of another format", "a.csv.zip", zip_archive(&[("a.png", b"x"), ("b.png", b"y")]));
    cases.add(
        "members that disagree",
        "a.csv.zip",
        zip_archive(&[("a.csv", b"a\n1\n"), ("b.csv", b"b\n1\n")]),
    );
    let mut gz = good("rows.csv.gz");
    let end = gz.len();
    gz[end - 6] ^= 1;
    cases.add("wrong checksum", "rows.csv.gz", gz);
}

fn broken_workbooks(cases: &mut Cases) {
    let book = |rows: &str| {
        let header = "<row><c t=\"str\"><v>a</v></c></row>";
        Workbook::new(&["a"], &["yyyy"], &[("s", &format!("{header}{rows}"))])
    };
    for part in ["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"] {
        let parts: Vec<_> = book("").parts().into_iter().filter(|(name, _)| name != part).collect();
        cases.add("part missing", "a.xlsx", zip_parts(&parts));
    }
    for rows in [
        "<row><c>",
        "</row>",
        "<row><c r=\"\"><v>1</v></c></row>",
        "&boom;<row>",
        "<row><c t=\"str\"><v>&boom;",
    ] {
        cases.add("broken XML", "a.xlsx", book(rows).bytes());
    }
    for cell in [
        "<c t=\"e\"><v>#REF!</v></c>",
        "<c t=\"s\"><v>7</v></c>",
        "<c t=\"b\"><v>2</v></c>",
        "<c s=\"1\"><v>99999999</v></c>",
        "<c><v>1,5</v></c>",
        "<c t=\"z\"><v>1</v></c>",
        "<c r=\"ZZZZZZ1\"><v>1</v></c>",
        "<c r=\"D1\"><v>1</v></c>",
    ] {
        cases.add("broken cells", "a.xlsx", book(&format!("<row>{cell}</row>")).bytes());
    }
    cases.add("nested too deep", "a.xlsx", book(&"<x>".repeat(1000)).bytes());
    cases.with("sheet missing", "a.xlsx", book("").bytes(), &[("sheet", "May")]);
    let old = [[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1].as_slice(), &[0; 512]].concat();
    cases.add("encrypted", "a.xlsx", old);
}

/// The most memory that the process ever had, in MiB; none where the system does not tell.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? >> 10)
}

#[tokio::test]
async fn every_corrupt_file_is_refused_with_its_reason_in_bounded_memory() {
    let mut cases = Cases::default();
    for make in [
        cut_off,
        empty_and_strange,
        bombs,
        large_fields,
        not_text,
        malformed_text,
        lying_parquet,
        lying_avro,
        lying_arrow,
        lying_zip,
        broken_workbooks,
    ] {
        make(&mut cases);
    }
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for Case { kind, name, bytes, options } in cases.0 {
        *kinds.entry(kind).or_default() += 1;
        let told = match read(&name, bytes, &options).await {
            Err(error) => {
                assert_ne!(error.sqlstate(), "XX000", "{kind}, {name}: {error}");
                error.message().to_owned()
            }
            Ok(found) => match found.bad_rows.first() {
                Some(bad_row) => bad_row.reason.clone(),
                None => panic!("{kind}, {name}: {} rows were read", found.rows.len()),
            },
        };
        assert_is_for_people(&told);
    }
    let files: u32 = kinds.values().sum();
    assert!(kinds.len() >= 20 && files >= 100, "{files} files of {} kinds", kinds.len());
    if let Some(peak) = peak_mib() {
        assert!(peak < 1536, "{peak} MiB");
    }
}

/// What lies but does not matter: statistics of a column are not believed, so no row is missed.
#[tokio::test]
async fn statistics_that_lie_lose_no_row() {
    let bytes = good("rows.parquet");
    let mut lying = bytes.clone();
    let (smallest, largest) = (b"000000", b"000499");
    let footer =
        bytes.len() - 8 - u32::from_le_bytes(*bytes[..bytes.len() - 4].last_chunk().unwrap()) as usize;
    for value in [smallest, largest] {
        let places: Vec<usize> =
            (footer..bytes.len() - 6).filter(|at| bytes[*at..].starts_with(value)).collect();
        assert!(!places.is_empty());
        for at in places {
            lying[at..at + 6].copy_from_slice(b"zzzzzz");
        }
    }
    assert_eq!(read("a.parquet", lying, &[]).await.unwrap(), read("a.parquet", bytes, &[]).await.unwrap());
}
