//! Which places a pipe may read.

use super::CatalogSnapshot;
use crate::error::{Error, ErrorKind, Result};

/// The folder of the warehouse's own state, and that for loaders, under the root.
pub(super) const FOLDERS: [&str; 3] = ["_system", "landing", "_temp"];

/// Whether a location is a URL, rather than a folder under the root.
pub fn is_outside_of_root(from: &str) -> bool {
    from.contains("://")
}

/// Without what may be secret in it: user, password, query.
pub(super) fn shown_location(from: &str) -> String {
    match url::Url::parse(from) {
        Ok(url) => format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path()),
        Err(_) => from.to_owned(),
    }
}

fn parts(folder: &str) -> Vec<&str> {
    folder.split('/').filter(|part| !part.is_empty()).collect()
}

/// The files of tables and of the catalog are not to be had as files: that would pass by every privilege.
pub fn refuse_warehouse_files(catalog: &CatalogSnapshot, from: &str) -> Result<()> {
    if is_outside_of_root(from) {
        return Ok(());
    }
    let wanted = parts(from);
    let overlaps = |folder: &str| parts(folder).iter().zip(&wanted).all(|(one, two)| one == two);
    let refused = |what: String| {
        Err(Error::new(ErrorKind::InsufficientPrivilege, format!("a pipe cannot read {what}"))
            .with_hint("Drop files under landing/, and let the pipe read there."))
    };
    if overlaps(FOLDERS[0]) || overlaps(FOLDERS[2]) {
        return refused("the warehouse's own state".to_owned());
    }
    match catalog.tables().find(|table| overlaps(&table.location)) {
        Some(table) => refused(format!("the files of table \"{}\"", table.name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_the_warehouse_is_no_source() {
        let catalog = CatalogSnapshot::default();
        for from in ["_system", "/_system/catalog", "//_system//loads/", "", "/"] {
            assert_eq!(refuse_warehouse_files(&catalog, from).unwrap_err().sqlstate(), "42501", "{from}");
        }
        for from in ["landing/orders/", "_systems", "exports/_system", "s3://bucket/_system"] {
            refuse_warehouse_files(&catalog, from).unwrap();
        }
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        assert_eq!(shown_location("s3://key:secret@bucket/folder?token=x"), "s3://bucket/folder");
    }
}
