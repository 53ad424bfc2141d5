//! Listings that break off go on where they were, and reads begin anew. The client itself sends requests again, and goes
//! on with an object that breaks off; it gives up a listing that ends early, and a refusal (such as "not found") of which
//! only a part arrives.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::failure::broke_off;

const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Resuming {
    inner: Arc<dyn ObjectStore>,
    /// For how long a request may make no progress.
    patience: Duration,
}

impl Resuming {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, patience: Duration) -> Self {
        Self { inner, patience }
    }

    /// Sends a request that changes nothing until its answer arrives whole.
    async fn until_answered<'a, T>(
        &self,
        request: impl Fn() -> BoxFuture<'a, StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        let started = Instant::now();
        loop {
            match request().await {
                Err(error) if broke_off(&error) && started.elapsed() < self.patience => {
                    tracing::info!(%error, "asking again");
                    tokio::time::sleep(PAUSE).await;
                }
                answered => return answered,
            }
        }
    }

    fn listing(
        &self,
        prefix: Option<&Path>,
        after: Option<&Path>,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let mut listing = Listing {
            inner: Arc::clone(&self.inner),
            prefix: prefix.cloned(),
            last: after.cloned(),
            objects: stream::empty().boxed(),
            progress: Instant::now(),
            patience: self.patience,
        };
        listing.open();
        stream::unfold(Some(listing), |listing| async move {
            let mut listing = listing?;
            match listing.next().await? {
                Ok(object) => Some((Ok(object), Some(listing))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

struct Listing {
    inner: Arc<dyn ObjectStore>,
    prefix: Option<Path>,
    last: Option<Path>,
    objects: BoxStream<'static, StoreResult<ObjectMeta>>,
    progress: Instant,
    patience: Duration,
}

impl Listing {
    fn open(&mut self) {
        self.objects = match &self.last {
            Some(last) => self.inner.list_with_offset(self.prefix.as_ref(), last),
            None => self.inner.list(self.prefix.as_ref()),
        };
    }

    async fn next(&mut self) -> Option<StoreResult<ObjectMeta>> {
        loop {
            match self.objects.next().await? {
                Ok(object) => {
                    self.last = Some(object.location.clone());
                    self.progress = Instant::now();
                    return Some(Ok(object));
                }
                Err(error) if broke_off(&error) && self.progress.elapsed() < self.patience => {
                    tracing::info!(%error, "going on with a listing");
                    tokio::time::sleep(PAUSE).await;
                    self.open();
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl fmt::Display for Resuming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resuming({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Resuming {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.until_answered(|| self.inner.get_opts(path, options.clone())).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.until_answered(|| self.inner.get_ranges(path, ranges)).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.listing(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.listing(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.until_answered(|| self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
