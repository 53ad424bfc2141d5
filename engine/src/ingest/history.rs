//! What is remembered of the files of one pipe and target, from the events that the ledger has of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::files::Identity;
use super::kafka::{Position, gaps};
use super::ledger::{Event, State};

/// What is known of one version of a file.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) identity: Identity,
    pub(super) fate: Fate,
    /// How often it failed.
    pub(super) tries: u32,
    records: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// Its rows are in the table.
    Loaded,
    Failed {
        definition: String,
        retry: bool,
        error: Option<String>,
    },
    Dead,
}

/// How a file stands to what was loaded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    New,
    /// This very object was dealt with.
    Known,
    /// This object failed before, for a reason that may have passed.
    Retry,
    /// The object is new, and its content is that of a file loaded before.
    Repeated {
        first: String,
    },
}

/// What is remembered of one pipe and target.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// The last batch whose outcome is recorded.
    pub(super) finished: i64,
    pub(super) files: HashMap<String, Vec<Seen>>,
    /// Content and the name under which it was loaded first.
    pub(super) contents: HashMap<String, String>,
    pub(super) begun: HashMap<String, Event>,
    last_loaded_at: Option<DateTime<Utc>>,
    /// When a file last failed, and why.
    last_failure: Option<(DateTime<Utc>, String)>,
}

/// What is remembered of a pipe, in numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    pub(super) files_loaded: u64,
    pub(super) files_failed: u64,
    pub(super) files_dead: u64,
    pub(super) last_loaded_at: Option<DateTime<Utc>>,
    /// Why a file failed, if none was loaded since.
    pub(super) last_error: Option<String>,
    pub(super) gaps: Vec<String>,
}

impl History {
    pub(super) fn apply(&mut self, event: Event) {
        if event.state == State::Replay {
            return self.forget_since(event.identity.modified_at());
        }
        if event.state == State::Started {
            // Another process may have begun a file that was finished just before.
            if !self.has_object(&event) {
                self.begun.insert(event.file.clone(), event);
            }
            return;
        }
        self.begun.remove(&event.file);
        self.note(&event);
        let records = event.records.and_then(|records| u64::try_from(records).ok());
        let fate = match event.state {
            State::Failed => {
                Fate::Failed { definition: event.definition, retry: event.retry, error: event.error }
            }
            State::Dead => Fate::Dead,
            _ => Fate::Loaded,
        };
        let failed = u32::from(!matches!(fate, Fate::Loaded));
        if event.state == State::Loaded {
            self.finished = self.finished.max(event.batch);
            if let Some(content) = &event.identity.content_hash {
                self.contents.entry(content.clone()).or_insert_with(|| event.file.clone());
            }
        }
        let versions = self.files.entry(event.file).or_default();
        // A file that was loaded stays loaded, whatever another process says of it later.
        match versions.iter_mut().find(|seen| seen.identity == event.identity) {
            Some(seen) if matches!(seen.fate, Fate::Loaded) => {}
            Some(seen) => {
                seen.fate = fate;
                seen.tries += failed;
                seen.records = records;
            }
            None => versions.push(Seen { identity: event.identity, fate, tries: failed, records }),
        }
    }

    fn note(&mut self, event: &Event) {
        let at = event.finished_at.unwrap_or(event.recorded_at);
        match event.state {
            State::Loaded => self.last_loaded_at = self.last_loaded_at.max(Some(at)),
            State::Failed | State::Dead => {
                self.last_failure = Some((at, event.error.clone().unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// Files that changed since a moment count as new.
    fn forget_since(&mut self, moment: DateTime<Utc>) {
        for versions in self.files.values_mut() {
            versions.retain(|seen| seen.identity.modified_at() < moment);
        }
        self.files.retain(|_, versions| !versions.is_empty());
    }

    pub(super) fn summary(&self) -> Summary {
        let newest = |versions: &Vec<Seen>| versions.last().map(|seen| seen.fate.clone());
        let (mut loaded, mut failed, mut dead) = (0, 0, 0);
        for fate in self.files.values().filter_map(newest) {
            match fate {
                Fate::Loaded => loaded += 1,
                Fate::Failed { .. } => failed += 1,
                Fate::Dead => dead += 1,
            }
        }
        let last_error = self.last_failure.as_ref().filter(|(at, _)| Some(*at) > self.last_loaded_at);
        Summary {
            files_loaded: loaded,
            files_failed: failed,
            files_dead: dead,
            last_loaded_at: self.last_loaded_at,
            last_error: last_error.map(|(_, error)| error.clone()),
            gaps: gaps(self.kafka_files()),
        }
    }

    fn kafka_files(&self) -> impl Iterator<Item = (Position, u64)> {
        self.files.iter().filter_map(|(file, versions)| {
            let loaded = versions.iter().rfind(|seen| matches!(seen.fate, Fate::Loaded))?;
            Some((Position::of(file)?, loaded.records?))
        })
    }

    fn has_object(&self, event: &Event) -> bool {
        let versions = self.files.get(&event.file).into_iter().flatten();
        versions.map(|seen| &seen.identity).any(|identity| identity.is_same_object(&event.identity))
    }

    pub(super) fn standing(&self, file: &str, object: &Identity, definition: &str) -> Standing {
        let mut standing = Standing::New;
        let versions = self.files.get(file).into_iter().flatten();
        for seen in versions.filter(|seen| seen.identity.is_same_object(object)) {
            match &seen.fate {
                Fate::Failed { definition: then, retry, .. } if *retry || then != definition => {
                    standing = Standing::Retry;
                }
                _ => return Standing::Known,
            }
        }
        standing
    }
}
