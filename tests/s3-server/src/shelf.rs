//! The store: s3s-fs keeps the bytes, and what it leaves open of S3's contract is kept here.
//!
//! s3s-fs looks whether a key exists and writes afterwards, so two conditional puts could both succeed; it lists
//! without entity tags and cannot go on with a long listing; and it takes folders for objects. S3 does none of this:
//! conditional puts are decided one at a time, and an index of the objects answers listings.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use s3s::dto::*;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use crate::Failure;

/// As many as S3 lists at a time.
const PAGE: usize = 1_000;

struct Entry {
    size: i64,
    etag: Option<ETag>,
    modified: SystemTime,
}

type Index = HashMap<String, BTreeMap<String, Entry>>;

pub struct Shelf {
    files: FileSystem,
    folder: PathBuf,
    index: Mutex<Index>,
    /// Held while a conditional put is decided.
    creating: tokio::sync::Mutex<()>,
    ignores_conditions: AtomicBool,
    refuses_conditions: AtomicBool,
}

impl Shelf {
    pub fn new(folder: &Path, buckets: Vec<String>) -> Result<Self, Failure> {
        for bucket in &buckets {
            std::fs::create_dir(folder.join(bucket))?;
        }
        let files = FileSystem::new(folder).map_err(|error| format!("{error:?}"))?;
        let index = buckets.into_iter().map(|bucket| (bucket, BTreeMap::new())).collect();
        Ok(Self {
            files,
            folder: folder.to_owned(),
            index: Mutex::new(index),
            creating: tokio::sync::Mutex::new(()),
            ignores_conditions: AtomicBool::new(false),
            refuses_conditions: AtomicBool::new(false),
        })
    }

    pub fn ignore_conditions(&self) {
        self.ignores_conditions.store(true, Ordering::Relaxed);
    }

    pub fn refuse_conditions(&self) {
        self.refuses_conditions.store(true, Ordering::Relaxed);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn require_bucket(&self, bucket: &str) -> S3Result<()> {
        match self.index().contains_key(bucket) {
            true => Ok(()),
            false => Err(s3_error!(NoSuchBucket)),
        }
    }

    fn has(&self, bucket: &str, key: &str) -> bool {
        self.index().get(bucket).is_some_and(|objects| objects.contains_key(key))
    }

    fn require(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.require_bucket(bucket)?;
        match self.has(bucket, key) {
            true => Ok(()),
            false => Err(s3_error!(NoSuchKey)),
        }
    }

    /// The object is there from now on.
    fn enter(&self, bucket: &str, key: &str, etag: Option<ETag>) -> S3Result<()> {
        let found = std::fs::metadata(self.folder.join(bucket).join(key))
            .map_err(|error| s3_error!(error, InternalError))?;
        let size = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let modified = found.modified().unwrap_or_else(|_| SystemTime::now());
        if let Some(objects) = self.index().get_mut(bucket) {
            objects.insert(key.to_owned(), Entry { size, etag, modified });
        }
        Ok(())
    }

    fn forget(&self, bucket: &str, key: &str) {
        if let Some(objects) = self.index().get_mut(bucket) {
            objects.remove(key);
        }
    }

    async fn put(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        self.require_bucket(&bucket)?;
        // The body is read before the turn is taken: a slow client must not keep the others waiting.
        if let Some(body) = request.input.body.take() {
            let whole: Vec<Bytes> =
                body.try_collect().await.map_err(|_| s3_error!(IncompleteBody, "the body was cut"))?;
            request.input.body = Some(StreamingBlob::from(Body::from(whole.concat())));
        }
        let condition = request.input.if_none_match.take();
        if condition.is_some() && self.refuses_conditions.load(Ordering::Relaxed) {
            return Err(s3_error!(NotImplemented, "a header implies functionality that is not implemented"));
        }
        let _turn = match condition {
            Some(_) if !self.ignores_conditions.load(Ordering::Relaxed) => {
                let turn = self.creating.lock().await;
                if self.has(&bucket, &key) {
                    return Err(s3_error!(PreconditionFailed, "the object exists"));
                }
                Some(turn)
            }
            _ => None,
        };
        let answer = self.files.put_object(request).await?;
        self.enter(&bucket, &key, answer.output.e_tag.clone())?;
        Ok(answer)
    }

    /// With the header of OSS that forbids to overwrite.
    async fn copy(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        self.require_bucket(&bucket)?;
        let _turn = self.creating.lock().await;
        if request.headers.contains_key("x-oss-forbid-overwrite") && self.has(&bucket, &key) {
            let mut error = s3_error!(InvalidRequest, "the object exists");
            error.set_status_code(hyper::StatusCode::CONFLICT);
            return Err(error);
        }
        let answer = self.files.copy_object(request).await?;
        let result = answer.output.copy_object_result.as_ref();
        self.enter(&bucket, &key, result.and_then(|result| result.e_tag.clone()))?;
        Ok(answer)
    }

    fn list(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        self.require_bucket(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.continuation_token.clone().or(input.start_after.clone()).unwrap_or_default();
        let page = input.max_keys.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).min(PAGE);
        let index = self.index();
        let objects = index.get(&input.bucket).into_iter().flatten();
        let wanted = objects.filter(|(key, _)| key.starts_with(&prefix) && key.as_str() > after.as_str());
        let (mut contents, mut folders, mut last) = (Vec::<Object>::new(), Vec::<String>::new(), None);
        let mut is_truncated = false;
        for (key, entry) in wanted {
            let folder = input.delimiter.as_deref().and_then(|delimiter| {
                let place = key[prefix.len()..].find(delimiter)?;
                Some(key[..prefix.len() + place + delimiter.len()].to_owned())
            });
            // What lies in a folder that was listed already counts no more.
            let is_listed = folder
                .as_ref()
                .is_some_and(|folder| folders.last() == Some(folder) || after.starts_with(folder.as_str()));
            if !is_listed && contents.len() + folders.len() == page {
                is_truncated = true;
                break;
            }
            last = Some(key.clone());
            match folder {
                Some(_) if is_listed => {}
                Some(folder) => folders.push(folder),
                None => contents.push(Object {
                    key: Some(key.clone()),
                    size: Some(entry.size),
                    e_tag: entry.etag.clone(),
                    last_modified: Some(Timestamp::from(entry.modified)),
                    ..Object::default()
                }),
            }
        }
        let folders = folders.into_iter().map(|folder| CommonPrefix { prefix: Some(folder) });
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(contents.len() + folders.len()).ok(),
            max_keys: i32::try_from(page).ok(),
            is_truncated: Some(is_truncated),
            next_continuation_token: last.filter(|_| is_truncated),
            contents: Some(contents),
            common_prefixes: Some(folders.collect()),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            ..ListObjectsV2Output::default()
        })
    }
}

/// The shelf as s3s asks it.
pub struct Store(pub Arc<Shelf>);

#[async_trait::async_trait]
impl S3 for Store {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.0.put(request).await
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        self.0.copy(request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.0.require(&request.input.bucket, &request.input.key)?;
        self.0.files.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let (bucket, key) = (&request.input.bucket, &request.input.key);
        self.0.require_bucket(bucket)?;
        let index = self.0.index();
        let entry =
            index.get(bucket).and_then(|objects| objects.get(key)).ok_or_else(|| s3_error!(NoSuchKey))?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(entry.size),
            e_tag: entry.etag.clone(),
            last_modified: Some(Timestamp::from(entry.modified)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.0.list(request.input).map(S3Response::new)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        self.0.require_bucket(&bucket)?;
        if self.0.has(&bucket, &key) {
            self.0.forget(&bucket, &key);
            self.0.files.delete_object(request).await?;
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.0.require_bucket(&request.input.bucket)?;
        for object in &request.input.delete.objects {
            self.0.forget(&request.input.bucket, &object.key);
        }
        self.0.files.delete_objects(request).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.0.require_bucket(&request.input.bucket)?;
        self.0.files.create_multipart_upload(request).await
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.0.files.upload_part(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let mut answer = self.0.files.complete_multipart_upload(request).await?;
        // s3s-fs tells the tag in the end of its answer.
        if let Some(rest) = answer.output.future.take() {
            answer.output = rest.await?;
        }
        self.0.enter(&bucket, &key, answer.output.e_tag.clone())?;
        Ok(answer)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.0.files.abort_multipart_upload(request).await
    }
}
