//! Counts the requests to a store, and how long they take. It stands right in front of the store's client, so every
//! request of this process passes here; the tries that the client makes of one request count as one.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult, UploadPart,
};

use crate::meter::{Histogram, Reading};

/// What a request asks of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Get,
    Head,
    Put,
    List,
    Delete,
    Copy,
}

const OPERATIONS: [&str; 6] = ["get", "head", "put", "list", "delete", "copy"];

/// How a request ended. What is not there, and what is there already, are answers rather than failures.
const OUTCOMES: [&str; 5] = ["ok", "not_found", "conflict", "denied", "error"];

fn outcome<T>(answer: &StoreResult<T>) -> usize {
    match answer {
        Ok(_) => 0,
        Err(StoreError::NotFound { .. }) => 1,
        Err(
            StoreError::AlreadyExists { .. }
            | StoreError::Precondition { .. }
            | StoreError::NotModified { .. },
        ) => 2,
        Err(StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }) => 3,
        Err(_) => 4,
    }
}

/// The requests of this process to its stores.
#[derive(Debug, Default)]
pub struct StoreMeter {
    outcomes: [[AtomicU64; OUTCOMES.len()]; OPERATIONS.len()],
    durations: [Histogram; OPERATIONS.len()],
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
}

/// The requests of one kind.
#[derive(Debug)]
pub struct OperationReading {
    pub operation: &'static str,
    pub outcomes: Vec<(&'static str, u64)>,
    /// Until the answer began; a listing, until it ended.
    pub durations: Reading,
}

impl StoreMeter {
    pub fn read(&self) -> Vec<OperationReading> {
        let reading = |(place, operation): (usize, &&'static str)| OperationReading {
            operation,
            outcomes: OUTCOMES
                .iter()
                .zip(&self.outcomes[place])
                .map(|(outcome, count)| (*outcome, count.load(Relaxed)))
                .collect(),
            durations: self.durations[place].read(),
        };
        OPERATIONS.iter().enumerate().map(reading).collect()
    }

    /// Of objects that were put.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Relaxed)
    }

    /// Of objects, or parts of them, that the store began to send.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Relaxed)
    }

    fn count<T>(&self, operation: Operation, started: Instant, answer: &StoreResult<T>) {
        self.outcomes[operation as usize][outcome(answer)].fetch_add(1, Relaxed);
        self.durations[operation as usize].add(started.elapsed());
    }

    async fn measure<T>(
        &self,
        operation: Operation,
        request: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        let started = Instant::now();
        let answer = request.await;
        self.count(operation, started, &answer);
        answer
    }
}

#[derive(Debug)]
pub(super) struct Measured {
    inner: Arc<dyn ObjectStore>,
    meter: Arc<StoreMeter>,
}

impl Measured {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, meter: Arc<StoreMeter>) -> Self {
        Self { inner, meter }
    }

    fn listing(&self, objects: BoxStream<'static, StoreResult<ObjectMeta>>) -> Listing {
        let meter = Arc::clone(&self.meter);
        Listing { objects, meter, started: Instant::now(), has_ended: false }
    }
}

/// A listing is one request, however many pages it has.
struct Listing {
    objects: BoxStream<'static, StoreResult<ObjectMeta>>,
    meter: Arc<StoreMeter>,
    started: Instant,
    has_ended: bool,
}

impl Listing {
    fn into_stream(self) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        stream::unfold(self, |mut listing| async move {
            let next = listing.objects.next().await;
            match &next {
                Some(Ok(_)) => {}
                Some(failed @ Err(_)) => listing.end(failed),
                None => listing.end(&Ok(())),
            }
            next.map(|next| (next, listing))
        })
        .boxed()
    }

    fn end<T>(&mut self, answer: &StoreResult<T>) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.meter.count(Operation::List, self.started, answer);
        }
    }
}

impl Drop for Listing {
    /// Whoever has seen enough does not read on.
    fn drop(&mut self) {
        self.end(&Ok(()));
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Measured({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Measured {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        let bytes = payload.content_length() as u64;
        let put = self.meter.measure(Operation::Put, self.inner.put_opts(path, payload, options)).await?;
        self.meter.sent_bytes.fetch_add(bytes, Relaxed);
        Ok(put)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        let upload = self.meter.measure(Operation::Put, self.inner.put_multipart_opts(path, options)).await?;
        Ok(Box::new(MeasuredUpload { inner: upload, meter: Arc::clone(&self.meter) }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let operation = if options.head { Operation::Head } else { Operation::Get };
        let got = self.meter.measure(operation, self.inner.get_opts(path, options)).await?;
        if operation == Operation::Get {
            self.meter.received_bytes.fetch_add(got.range.end.saturating_sub(got.range.start), Relaxed);
        }
        Ok(got)
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        let got = self.meter.measure(Operation::Get, self.inner.get_ranges(path, ranges)).await?;
        let bytes: usize = got.iter().map(Bytes::len).sum();
        self.meter.received_bytes.fetch_add(bytes as u64, Relaxed);
        Ok(got)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let meter = Arc::clone(&self.meter);
        let mut asked_at = Instant::now();
        self.inner
            .delete_stream(paths)
            .inspect(move |deleted| {
                // Stores delete many objects with one request: each has its share of the time.
                meter.count(Operation::Delete, asked_at, deleted);
                asked_at = Instant::now();
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.listing(self.inner.list(prefix)).into_stream()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.listing(self.inner.list_with_offset(prefix, offset)).into_stream()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.meter.measure(Operation::List, self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.meter.measure(Operation::Copy, self.inner.copy_opts(from, to, options)).await
    }
}

/// Each part of an upload is a request, and so is its end.
#[derive(Debug)]
struct MeasuredUpload {
    inner: Box<dyn MultipartUpload>,
    meter: Arc<StoreMeter>,
}

#[async_trait]
impl MultipartUpload for MeasuredUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (meter, bytes) = (Arc::clone(&self.meter), data.content_length() as u64);
        let part = self.inner.put_part(data);
        Box::pin(async move {
            meter.measure(Operation::Put, part).await?;
            meter.sent_bytes.fetch_add(bytes, Relaxed);
            Ok(())
        })
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.meter.measure(Operation::Put, self.inner.complete()).await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.meter.measure(Operation::Delete, self.inner.abort()).await
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn every_request_is_counted_by_what_became_of_it() {
        let meter = Arc::new(StoreMeter::default());
        let store = Measured::new(Arc::new(InMemory::new()), Arc::clone(&meter));
        let path = Path::from("a");
        let create = || PutOptions { mode: object_store::PutMode::Create, ..PutOptions::default() };
        store.put_opts(&path, "12345".into(), create()).await.unwrap();
        store.put_opts(&path, "12345".into(), create()).await.unwrap_err();
        store.get(&path).await.unwrap();
        store.get_range(&path, 1..3).await.unwrap();
        store.head(&path).await.unwrap();
        store.get(&Path::from("b")).await.unwrap_err();
        store.list(None).try_collect::<Vec<_>>().await.unwrap();
        drop(store.list(None));
        store.delete(&path).await.unwrap();
        let counts: Vec<(&str, Vec<u64>, u64)> = meter
            .read()
            .into_iter()
            .map(|one| {
                let outcomes = one.outcomes.iter().map(|(_, count)| *count).collect();
                (one.operation, outcomes, one.durations.count)
            })
            .collect();
        let expected = [
            ("get", vec![2, 1, 0, 0, 0], 3),
            ("head", vec![1, 0, 0, 0, 0], 1),
            ("put", vec![1, 0, 1, 0, 0], 2),
            ("list", vec![2, 0, 0, 0, 0], 2),
            ("delete", vec![1, 0, 0, 0, 0], 1),
            ("copy", vec![0, 0, 0, 0, 0], 0),
        ];
        assert_eq!(counts, expected);
        assert_eq!((meter.sent_bytes(), meter.received_bytes()), (5, 7));
    }
}
