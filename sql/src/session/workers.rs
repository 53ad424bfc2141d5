//! Where queries run: a runtime of their own, so that one which never yields does not keep the wire from
//! cancelling it, from accepting others, or from shutting down.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use voxhouse_engine::{Error, Result};

/// Parsing and planning deeply nested statements is recursive; the memory is only reserved.
const STACK_BYTES: usize = 64 << 20;

/// The threads of one instance.
pub struct Workers {
    runtime: Option<Runtime>,
}

impl Workers {
    pub fn new(threads: usize) -> Result<Arc<Self>> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(Error::from)?;
        Ok(Arc::new(Self { runtime: Some(runtime) }))
    }

    /// The same rows, computed by the workers. At most one batch waits for the reader; when the stream is
    /// dropped, the work ends at its next pause.
    pub fn run(&self, mut rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let Some(runtime) = &self.runtime else { return rows };
        let schema = rows.schema();
        let (sender, receiver) = mpsc::channel(1);
        let work = async move {
            while let Some(batch) = rows.next().await {
                if sender.send(batch).await.is_err() {
                    break;
                }
            }
        };
        let task = AbortOnDropHandle::new(runtime.spawn(work.in_current_span()));
        let batches = futures::stream::unfold((receiver, task), |(mut receiver, task)| async move {
            let batch = receiver.recv().await?;
            Some((batch, (receiver, task)))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, batches))
    }
}

impl Drop for Workers {
    /// A runtime may not be awaited where it could be dropped; what still runs is left behind.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
