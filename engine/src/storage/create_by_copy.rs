//! Creating a key only if it is not there, on a store that refuses to overwrite by a header of its own and only when it
//! copies: the object is put under a name that nobody else has, and copied from there.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

#[derive(Debug)]
pub(super) struct CreateByCopy {
    inner: Arc<dyn ObjectStore>,
    /// Where objects lie on their way; what a process that died left there may be deleted.
    staging: Path,
}

impl CreateByCopy {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, root: &Path) -> Self {
        let staging = root.clone().join("_system").join("staged");
        Self { inner, staging }
    }
}

impl fmt::Display for CreateByCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreateByCopy({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for CreateByCopy {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        if options.mode != PutMode::Create {
            return self.inner.put_opts(path, payload, options).await;
        }
        let staged = self.staging.clone().join(uuid::Uuid::new_v4().to_string());
        let put =
            self.inner.put_opts(&staged, payload, PutOptions { mode: PutMode::Overwrite, ..options }).await?;
        let create = CopyOptions { mode: CopyMode::Create, ..CopyOptions::default() };
        let copied = self.inner.copy_opts(&staged, path, create).await;
        if let Err(error) = self.inner.delete(&staged).await {
            tracing::debug!(path = %staged, %error, "removing a staged object");
        }
        copied.map(|()| put)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
