use deltalake_core::kernel::Add;

use super::*;

fn source(path: &str) -> DataFile {
    DataFile::added(&Add { path: path.to_owned(), ..Add::default() })
}

fn kept(path: &str, of: &str, stamp: &str) -> DataFile {
    let partition_values =
        [(SOURCE_COLUMN.to_owned(), Some(file_id(of))), (STAMP_COLUMN.to_owned(), Some(stamp.to_owned()))];
    DataFile::added(&Add {
        path: path.to_owned(),
        partition_values: partition_values.into(),
        ..Add::default()
    })
}

#[test]
fn files_are_unread_stale_kept_or_gone() {
    let sources = [source("a.parquet"), source("b.parquet"), source("c.parquet")];
    let files =
        [kept("k1", "a.parquet", "2"), kept("k2", "b.parquet", "1"), kept("k3", "dropped.parquet", "2")];
    let standing = Standing::of_files(&sources, &files, "2");
    assert_eq!(standing.unread, ["c.parquet"]);
    assert_eq!(standing.stale, ["b.parquet"]);
    assert_eq!(standing.kept, ["k1".to_owned(), "k2".to_owned()].into());
    assert_eq!(standing.gone, ["k3".to_owned()].into());
}

#[test]
fn a_file_id_has_nothing_that_a_path_must_escape() {
    let id = file_id("kind=a%20b/part-1.parquet");
    assert!(id.len() == 32 && id.chars().all(|letter| letter.is_ascii_hexdigit()), "{id}");
    assert_ne!(id, file_id("part-1.parquet"));
}
