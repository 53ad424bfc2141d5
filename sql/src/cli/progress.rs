//! Progress of a load, for people who watch and for logs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use voxhouse_engine::ingest::{FileOutcome, Progress};

/// One bar over all files of a load: rows so far, and files done.
pub(super) struct LoadBar {
    bar: ProgressBar,
}

impl LoadBar {
    /// Without a terminal nothing is drawn; finished files are printed instead.
    pub(super) fn new(label: &str, files: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files), ProgressDrawTarget::stderr());
        let template = "{prefix:>16} [{bar:28}] {pos}/{len} files  {msg}  {elapsed}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    pub(super) fn finish(&self, message: impl Into<std::borrow::Cow<'static, str>>) {
        self.bar.finish_with_message(message);
    }
}

impl Progress for LoadBar {
    fn file_started(&self, name: &str, bytes: u64) {
        self.bar.set_message(format!("{} ({})", last_part(name), size(bytes)));
    }

    fn file_finished(&self, name: &str, outcome: &FileOutcome) {
        self.bar.inc(1);
        let said = match outcome {
            FileOutcome::Loaded { rows, rejected: 0 } => format!("{rows} rows"),
            FileOutcome::Loaded { rows, rejected } => format!("{rows} rows, {rejected} rejected"),
            FileOutcome::Skipped => "loaded before, skipped".to_owned(),
            FileOutcome::Failed(error) => format!("failed: {error}"),
        };
        if self.bar.is_hidden() || matches!(outcome, FileOutcome::Failed(_)) {
            self.bar.suspend(|| eprintln!("{}: {said}", last_part(name)));
        }
        self.bar.set_message(format!("{}: {said}", last_part(name)));
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 1_000.0 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!([size(12), size(1_500), size(2_600_000)], ["12 B", "1.5 kB", "2.6 MB"]);
    }
}
