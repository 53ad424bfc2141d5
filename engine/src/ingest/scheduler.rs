//! Runs every pipe that has a schedule when it is due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Ingestion;
use crate::catalog::{Oid, Pipe};
use crate::error::Result;

/// How often the catalog is asked for pipes that are new, changed or due.
const TICK: Duration = Duration::from_secs(1);

/// A pipe as the scheduler sees it.
#[derive(Default)]
struct Turn {
    started: Option<Instant>,
    running: Option<JoinHandle<()>>,
}

impl Turn {
    /// A pipe that runs longer than its interval is not run twice at once; it runs again as soon as it ends.
    fn is_due(&self, every: Duration) -> bool {
        let idle = self.running.as_ref().is_none_or(JoinHandle::is_finished);
        idle && self.started.is_none_or(|started| started.elapsed() >= every)
    }
}

/// Stops the runs when the scheduler itself is dropped.
#[derive(Default)]
struct Turns(HashMap<Oid, Turn>);

impl Drop for Turns {
    fn drop(&mut self) {
        for running in self.0.values().filter_map(|turn| turn.running.as_ref()) {
            running.abort();
        }
    }
}

impl Ingestion {
    /// Runs until `shutdown` turns true or its sender is gone. Runs in progress are then stopped where they
    /// are; what they had not committed is loaded after the next start.
    pub async fn run_scheduler(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut turns = Turns::default();
        loop {
            if let Err(error) = self.run_due(&mut turns).await {
                tracing::warn!(%error, "looking for pipes that are due");
            }
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn run_due(self: &Arc<Self>, turns: &mut Turns) -> Result<()> {
        let catalog = self.warehouse.catalog().await?;
        turns.0.retain(|oid, turn| {
            catalog.object(*oid).is_some() || turn.running.as_ref().is_some_and(|run| !run.is_finished())
        });
        for pipe in catalog.pipes().filter(|pipe| !pipe.paused) {
            let Some(seconds) = pipe.every_seconds else { continue };
            let turn = turns.0.entry(pipe.oid).or_default();
            if turn.is_due(Duration::from_secs(seconds)) {
                turn.started = Some(Instant::now());
                turn.running = Some(tokio::spawn(Arc::clone(self).run_logged(pipe.clone())));
            }
        }
        Ok(())
    }

    async fn run_logged(self: Arc<Self>, pipe: Pipe) {
        match self.run_pipe(&pipe.name, None).await {
            Ok(report) if report.files_loaded + report.files_failed > 0 => tracing::info!(
                pipe = %pipe.name,
                loaded = report.files_loaded,
                failed = report.files_failed,
                rows = report.rows,
                rejected = report.rejected,
                "pipe ran"
            ),
            Ok(_) => {}
            Err(error) => tracing::warn!(pipe = %pipe.name, %error, "pipe failed"),
        }
    }
}
