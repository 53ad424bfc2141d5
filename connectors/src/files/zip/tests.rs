use voxhouse_engine::ErrorKind;

use super::directory;
use crate::conformance::{assert_is_for_people, read, row};
use crate::writers::{zip_archive, zip_of_bytes};

const CSV: &[u8] = b"a,b\n1,x\n2,\xe9\x80\x81\n";

#[tokio::test]
async fn members_of_a_format_are_read_one_after_the_other() {
    let other = b"a,b\n3,y\n";
    let archive =
        zip_archive(&[("one.csv", CSV), ("readme.md", b"no table"), ("data/", b""), ("data/two.CSV", other)]);
    let found = read("export.csv.zip", archive.clone(), &[]).await.unwrap();
    let expected = [
        (1, row([Some("1"), Some("x")])),
        (2, row([Some("2"), Some("送")])),
        (3, row([Some("3"), Some("y")])),
    ];
    assert_eq!(found.rows, expected);
    let found = read("export.csv.zip", archive.clone(), &[("member", "data/*")]).await.unwrap();
    assert_eq!(found.rows, [(1, row([Some("3"), Some("y")]))]);
    let error = read("export.csv.zip", archive, &[("member", "two.csv")]).await.unwrap_err();
    assert_eq!(error.message(), "zip archive has no member \"two.csv\"");
    assert!(error.detail().is_some_and(|detail| detail.contains("\"data/two.CSV\"")));
}

#[tokio::test]
async fn the_only_member_may_have_any_name() {
    let found = read("a.ndjson.zip", zip_archive(&[("dump", b"{\"a\":1}\n")]), &[]).await.unwrap();
    assert_eq!(found.rows, [(1, row([Some("1")]))]);
    let several = zip_archive(&[("a", b"{}"), ("b", b"{}")]);
    let error = read("a.ndjson.zip", several, &[]).await.unwrap_err();
    assert_eq!(error.message(), "zip archive has no member of this format");
}

#[tokio::test]
async fn a_bad_row_says_its_member_and_members_must_agree() {
    let ragged = zip_archive(&[("one.csv", CSV), ("two.csv", b"a,b\n3\n")]);
    let found = read("a.csv.zip", ragged, &[]).await.unwrap();
    assert_eq!(found.bad_rows[0].row_number, 3);
    assert_eq!(found.bad_rows[0].reason, "member \"two.csv\": row has 1 field, the header has 2");
    let other = zip_archive(&[("one.csv", CSV), ("two.csv", b"b,a\n3,4\n")]);
    let error = read("a.csv.zip", other, &[]).await.unwrap_err();
    assert_eq!(error.message(), "member \"two.csv\": header differs from the first member's");
}

#[tokio::test]
async fn names_of_chinese_windows() {
    let (name, _, _) = encoding_rs::GB18030.encode("评价.csv");
    let archive = zip_of_bytes(&[(&name, CSV)]);
    let found = read("a.csv.zip", archive, &[("member", "评价.csv")]).await.unwrap();
    assert_eq!(found.rows.len(), 2);
}

#[tokio::test]
async fn a_bomb_ends_early() {
    // Lines of one column, so that rows stay small while the file grows.
    let bomb = zip_archive(&[("a.csv", &format!("{:a>65535}\n", "").into_bytes().repeat(100 << 4))]);
    assert!(bomb.len() < 1 << 20);
    let error = read("a.csv.zip", bomb.clone(), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(error.message(), "member \"a.csv\": file unpacks to more than 200 times its size");
    let error = read("a.csv.zip", bomb, &[("max_ratio", "5000"), ("max_bytes", "1000")]).await.unwrap_err();
    assert_eq!(error.message(), "member \"a.csv\": file unpacks to more than 1000 bytes");
    let gz = crate::conformance::gzip(&format!("{:a>65535}\n", "").into_bytes().repeat(100 << 4));
    let error = read("a.csv.gz", gz, &[]).await.unwrap_err();
    assert_eq!(error.message(), "file unpacks to more than 200 times its size");
}

#[tokio::test]
async fn what_the_directory_says_is_checked() {
    let good = zip_archive(&[("a.csv", CSV)]);
    let at = good.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    let cases: [(usize, &[u8], &str); 6] = [
        (8, &[1, 0], "encrypted members of zip archives are not supported"),
        (10, &[12, 0], "compression method 12 of zip is not supported"),
        (16, &[0, 0, 0, 0], "invalid zip data: a member has another checksum"),
        (24, &[5, 0, 0, 0], "invalid zip data: a member is longer than it says"),
        (24, &[99, 0, 0, 0], "invalid zip data: a member is shorter than it says"),
        (42, &[1, 0, 0, 0], "invalid zip data: a member is not where the directory says"),
    ];
    for (offset, bytes, message) in cases {
        let mut bad = good.clone();
        bad[at + offset..at + offset + bytes.len()].copy_from_slice(bytes);
        let error = read("a.csv.zip", bad, &[]).await.unwrap_err();
        assert_eq!(error.message(), format!("member \"a.csv\": {message}"));
        assert_is_for_people(error.message());
    }
    for length in [0, 10, good.len() - 30, good.len() - 1] {
        let error = read("a.csv.zip", good[..length].to_vec(), &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataCorrupted, "{error}");
    }
}

#[test]
fn large_archives_have_their_numbers_elsewhere() {
    let mut tail = Vec::new();
    tail.extend(b"PK\x06\x06");
    tail.extend([0; 28]);
    for number in [7_u64, 300, 5_000_000_000] {
        tail.extend(number.to_le_bytes());
    }
    tail.extend(b"PK\x06\x07\0\0\0\0");
    tail.extend(1_000_u64.to_le_bytes());
    tail.extend([0; 4]);
    tail.extend(b"PK\x05\x06\0\0\0\0");
    tail.extend([0xFF; 12]);
    tail.extend([0; 2]);
    let place = directory::place(&tail, 1_000).unwrap();
    assert_eq!((place.entries, place.bytes, place.at), (7, 300, 5_000_000_000));
    assert!(directory::place(&tail, 2_000).is_err());
}
