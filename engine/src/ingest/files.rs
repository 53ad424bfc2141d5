//! The files under a prefix: which are there, what they are called, and what tells one version from another.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use url::Url;

use super::notify::Arrival;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;

/// Endings under which programs write files that are not complete yet.
const UNFINISHED: [&str; 5] = [".tmp", ".part", ".partial", ".crdownload", "._copying_"];

/// Objects that are asked for side by side.
const LOOKS_AT_ONCE: usize = 16;

const HASH_READ_BYTES: u64 = 8 << 20;

/// One version of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    size: i64,
    etag: Option<String>,
    /// To the microsecond, as tables keep it.
    modified_at: DateTime<Utc>,
    /// `None` where the store's entity tag tells the content.
    pub(super) content_hash: Option<String>,
}

impl Identity {
    /// What a listing tells.
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        let modified_at = meta.last_modified.duration_trunc(TimeDelta::microseconds(1));
        Self {
            size: i64::try_from(meta.size).unwrap_or(i64::MAX),
            etag: meta.e_tag.clone(),
            modified_at: modified_at.unwrap_or(meta.last_modified),
            content_hash: None,
        }
    }

    /// Of no file: a moment.
    pub(super) fn at(moment: DateTime<Utc>) -> Self {
        Self { size: 0, etag: None, modified_at: moment, content_hash: None }
    }

    pub(super) fn modified_at(&self) -> DateTime<Utc> {
        self.modified_at
    }

    /// Whether a listing, or a look at the object alone, shows it unchanged. The latter may tell times by the second.
    pub(super) fn is_same_object(&self, other: &Identity) -> bool {
        let is_whole = |time: &DateTime<Utc>| time.timestamp_subsec_nanos() == 0;
        let (one, two) = (&self.modified_at, &other.modified_at);
        let is_same_second = one.timestamp() == two.timestamp() && (is_whole(one) || is_whole(two));
        self.size == other.size
            && self.etag == other.etag
            && (one == two || self.etag.is_some() && is_same_second)
    }

    /// Whether the bytes are the same, by hash or else by the entity tag of the store.
    pub(super) fn is_same_content(&self, other: &Identity) -> bool {
        self.size == other.size
            && match (&self.content_hash, &other.content_hash) {
                (Some(one), Some(two)) => one == two,
                (None, None) => self.etag.is_some() && self.etag == other.etag,
                _ => false,
            }
    }
}

#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    /// How people know it: the path under the root, or a URL.
    pub(super) name: String,
    pub(super) meta: ObjectMeta,
}

/// A folder of an object store.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) store: Arc<dyn ObjectStore>,
    path: Path,
    /// What a name has in place of these first parts of a path.
    base: Path,
    label: String,
    /// `None` where there are no buckets.
    bucket: Option<String>,
    /// Whether equal entity tags mean equal bytes, however often the object was written. S3 derives the tag from
    /// the content; the tags of other stores change with each write.
    pub(super) tags_tell_content: bool,
}

impl Folder {
    /// A path under the root, or a URL.
    pub(super) fn open(storage: &Storage, from: &str) -> Result<Self> {
        if !from.contains("://") {
            let tags_tell_content = is_s3(storage.url());
            return Ok(Self {
                store: storage.store(),
                path: storage.path(from),
                base: storage.path(""),
                label: String::new(),
                bucket: storage.url().host_str().map(str::to_owned),
                tags_tell_content,
            });
        }
        let invalid = |reason: String| Error::invalid_argument(format!("invalid URL \"{from}\": {reason}"));
        let url = Url::parse(from).map_err(|error| invalid(error.to_string()))?;
        let label = format!("{}://{}/", url.scheme(), url.authority());
        let bucket = url.host_str().map(str::to_owned);
        if url.scheme() == "file" {
            // Unlike a warehouse root it is not made when it is missing.
            let (store, path) = object_store::parse_url(&url).map_err(|error| invalid(error.to_string()))?;
            let (store, base) = (Arc::from(store), Path::default());
            return Ok(Self { store, path, base, label, bucket, tags_tell_content: false });
        }
        let other = storage.elsewhere(from)?;
        let (store, path) = (other.store(), other.path(""));
        Ok(Self { store, path, base: Path::default(), label, bucket, tags_tell_content: is_s3(&url) })
    }

    /// The files under it, oldest first; hidden and unfinished ones left out. The folder may be a file itself.
    pub(super) async fn list(&self) -> Result<Vec<SourceFile>> {
        let listed: Result<Vec<ObjectMeta>, _> = self.store.list(Some(&self.path)).try_collect().await;
        let mut found = match listed {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if found.is_empty()
            && !self.path.as_ref().is_empty()
            && let Ok(file) = self.store.head(&self.path).await
        {
            return Ok(vec![self.named(file)]);
        }
        found.retain(|meta| self.is_complete(&meta.location));
        Ok(self.by_age(found))
    }

    /// Those of some files, by name, that are there; oldest first.
    pub(super) async fn look_up(&self, names: &HashSet<String>) -> Result<Vec<SourceFile>> {
        let paths = names.iter().filter_map(|name| self.path_of(name));
        let looks: Vec<BoxFuture<'_, _>> = paths.map(|path| self.look_at(path).boxed()).collect();
        let found: Vec<Option<ObjectMeta>> =
            futures::stream::iter(looks).buffer_unordered(LOOKS_AT_ONCE).try_collect().await?;
        Ok(self.by_age(found.into_iter().flatten().collect()))
    }

    async fn look_at(&self, path: Path) -> Result<Option<ObjectMeta>> {
        match self.store.head(&path).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn by_age(&self, mut found: Vec<ObjectMeta>) -> Vec<SourceFile> {
        found.sort_by(|one, two| (one.last_modified, &one.location).cmp(&(two.last_modified, &two.location)));
        found.into_iter().map(|meta| self.named(meta)).collect()
    }

    /// What a file is called of which an event tells, if it is one that the folder shows. Where there are no buckets
    /// the key is a path under the root.
    pub(super) fn name_of(&self, arrival: &Arrival) -> Option<String> {
        let key = Path::parse(&arrival.key).unwrap_or_else(|_| Path::from(arrival.key.as_str()));
        let path = match &self.bucket {
            Some(bucket) if *bucket != arrival.bucket => return None,
            Some(_) => key,
            None => key.parts().fold(self.base.clone(), |path, part| path.join(part)),
        };
        self.is_complete(&path).then(|| self.shown(&path))
    }

    fn path_of(&self, name: &str) -> Option<Path> {
        let under_base = Path::parse(name.strip_prefix(&self.label)?).ok()?;
        Some(under_base.parts().fold(self.base.clone(), |path, part| path.join(part)))
    }

    fn is_complete(&self, path: &Path) -> bool {
        let Some(mut parts) = path.prefix_match(&self.path) else { return false };
        let visible = parts.all(|part| !part.as_ref().starts_with(['_', '.']));
        let name = path.as_ref().to_lowercase();
        visible && !UNFINISHED.iter().any(|ending| name.ends_with(ending))
    }

    fn named(&self, meta: ObjectMeta) -> SourceFile {
        SourceFile { name: self.shown(&meta.location), meta }
    }

    fn shown(&self, path: &Path) -> String {
        let parts: Option<Vec<_>> = path.prefix_match(&self.base).map(Iterator::collect);
        let path = match &parts {
            Some(parts) => parts.iter().map(|part| part.as_ref()).collect::<Vec<_>>().join("/"),
            None => path.to_string(),
        };
        format!("{}{path}", self.label)
    }
}

fn is_s3(url: &Url) -> bool {
    matches!(url.scheme(), "s3" | "s3a")
}

/// Whether an object is another than the one listed. Answers tell times by the second, listings of some stores more
/// finely.
fn is_changed(now: &ObjectMeta, listed: &ObjectMeta) -> bool {
    now.size != listed.size
        || match (&now.e_tag, &listed.e_tag) {
            (Some(now), Some(listed)) => now != listed,
            _ => now.last_modified.timestamp() != listed.last_modified.timestamp(),
        }
}

/// The BLAKE3 digest of an object, as text: two files that differ never share it, even on purpose.
pub(super) async fn content_hash(store: &dyn ObjectStore, meta: &ObjectMeta) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut start = 0;
    while start < meta.size {
        let end = meta.size.min(start + HASH_READ_BYTES);
        let range = Some(GetRange::Bounded(start..end));
        let answer = store.get_opts(&meta.location, GetOptions { range, ..GetOptions::default() }).await?;
        let changed = is_changed(&answer.meta, meta);
        let bytes = answer.bytes().await?;
        if changed || bytes.len() as u64 != end - start {
            return Err(Error::new(
                ErrorKind::StorageIo,
                format!("object \"{}\" changed after it was listed", meta.location),
            )
            .with_hint("It is read again as a new file."));
        }
        hasher.update(&bytes);
        start = end;
    }
    Ok(hexadecimal(&hasher.finalize().as_bytes()[..16]))
}

/// A short digest of a text.
pub(super) fn text_hash(text: &str) -> String {
    hexadecimal(&blake3::hash(text.as_bytes()).as_bytes()[..8])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(etag: &str, second: i64, content_hash: Option<&str>) -> Identity {
        Identity {
            size: 1,
            etag: Some(etag.into()),
            modified_at: DateTime::from_timestamp(second, 0).unwrap_or_default(),
            content_hash: content_hash.map(str::to_owned),
        }
    }

    #[test]
    fn a_tag_tells_content_only_where_nothing_was_hashed() {
        let first = identity("a", 1, None);
        assert!(
            first.is_same_content(&identity("a", 2, None)) && !first.is_same_object(&identity("a", 2, None))
        );
        assert!(!first.is_same_content(&identity("b", 1, None)));
        let hashed = identity("a", 1, Some("x"));
        assert!(hashed.is_same_content(&identity("b", 2, Some("x"))));
        assert!(!hashed.is_same_content(&identity("a", 1, Some("y"))));
        assert!(!hashed.is_same_content(&first) && hashed.is_same_object(&first));
    }

    #[tokio::test]
    async fn the_hash_covers_every_byte_in_order() {
        let store = object_store::memory::InMemory::new();
        let mut bytes = vec![7_u8; 2 * HASH_READ_BYTES as usize + 5];
        let mut seen = std::collections::HashSet::new();
        for change in [0, HASH_READ_BYTES as usize, bytes.len() - 1] {
            bytes[change] += 1;
            let path = Path::from("file");
            store.put(&path, bytes.clone().into()).await.unwrap();
            let hash = content_hash(&store, &store.head(&path).await.unwrap()).await.unwrap();
            let expected = hexadecimal(&blake3::hash(&bytes).as_bytes()[..16]);
            assert_eq!(hash, expected);
            assert!(seen.insert(hash));
        }
    }

    #[tokio::test]
    async fn a_file_that_changed_since_it_was_listed_has_no_hash() {
        let store = object_store::memory::InMemory::new();
        let path = Path::from("file");
        store.put(&path, "one".into()).await.unwrap();
        let listed = store.head(&path).await.unwrap();
        store.put(&path, "longer".into()).await.unwrap();
        assert_eq!(content_hash(&store, &listed).await.unwrap_err().kind(), ErrorKind::StorageIo);
    }
}
