//! The texts of a file: one, or those of a zip archive's members, one after the other.

use std::collections::VecDeque;
use std::sync::Arc;

use encoding_rs::Encoding;
use object_store::{ObjectMeta, ObjectStore};
use tokio::runtime::Handle;
use voxhouse_engine::source::FormatOptions;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::compression::Compression;
use super::limits::Limits;
use super::object::{Object, ObjectReader};
use super::options;
use super::rows::in_member;
use super::text::Text;
use super::zip::{self, Entry};

/// Options of every text format:
///
/// - `encoding`: default utf-8
/// - `member`: which members of a zip archive are read, `*` standing for anything; default those whose name
///   is of the format, or the only one
/// - `max_ratio`, `max_bytes`: see [`Limits`]
pub(super) const TEXT_OPTIONS: [&str; 4] = ["encoding", "member", "max_ratio", "max_bytes"];

/// A text file as an object, its compression and its stated encoding.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    object: Object,
    compression: Compression,
    settings: TextSettings,
}

/// The options as values.
#[derive(Debug, Clone)]
pub(super) struct TextSettings {
    encoding: &'static Encoding,
    member: Option<String>,
    limits: Limits,
    /// Of the names of the format's files.
    endings: &'static [&'static str],
}

impl TextSettings {
    pub(super) fn new(options: &FormatOptions, endings: &'static [&'static str]) -> Result<Self> {
        Ok(Self {
            encoding: options::encoding(options)?,
            member: options.get("member").cloned(),
            limits: Limits::new(options)?,
            endings,
        })
    }
}

impl TextFile {
    pub(super) fn new(store: Arc<dyn ObjectStore>, file: &ObjectMeta, settings: TextSettings) -> Self {
        let compression = Compression::of(file.location.as_ref());
        Self { object: Object::new(store, file), compression, settings }
    }

    pub(super) async fn texts(&self) -> Result<Texts> {
        let (settings, runtime) = (self.settings.clone(), Handle::current());
        let pending = if self.compression == Compression::Zip {
            let entries = zip::entries(&self.object).await?;
            Pending::Members(chosen(entries, &settings)?.into())
        } else {
            Pending::Whole(Some(self.object.reader().await?))
        };
        Ok(Texts { object: self.object.clone(), compression: self.compression, settings, runtime, pending })
    }
}

/// The members to read.
fn chosen(entries: Vec<Entry>, settings: &TextSettings) -> Result<Vec<Entry>> {
    let count = entries.len();
    let wanted = |entry: &Entry| match &settings.member {
        Some(pattern) => matches(pattern, &entry.name),
        None => {
            let base = entry.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            // Finder's archives have a shadow of every file.
            !entry.name.starts_with("__MACOSX/")
                && !base.starts_with('.')
                && (count == 1 || settings.endings.iter().any(|ending| base.ends_with(ending)))
        }
    };
    let names: Vec<String> = entries.iter().take(5).map(|entry| format!("\"{}\"", entry.name)).collect();
    let chosen: Vec<Entry> = entries.into_iter().filter(wanted).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let message = match &settings.member {
        Some(pattern) => format!("zip archive has no member \"{pattern}\""),
        None => "zip archive has no member of this format".to_owned(),
    };
    let error = Error::new(ErrorKind::InvalidText, message);
    Err(match names.is_empty() {
        true => error.with_detail("It has no members."),
        false => error
            .with_detail(format!("It has {count} members, among them {}.", names.join(", ")))
            .with_hint("The option member names the one to read."),
    })
}

/// Whether a name is that of the pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(tail)
}

/// Texts that are still to be read, on a thread that may block.
pub(super) struct Texts {
    object: Object,
    compression: Compression,
    settings: TextSettings,
    runtime: Handle,
    pending: Pending,
}

enum Pending {
    /// A decoder reads as soon as it is made, so it is made where that may block.
    Whole(Option<ObjectReader>),
    Members(VecDeque<Entry>),
}

impl Texts {
    /// The next text, with the name of its member if the file is an archive.
    pub(super) fn next(&mut self) -> Result<Option<(Option<String>, Text)>> {
        let (member, source) = match &mut self.pending {
            Pending::Whole(reader) => {
                let Some(reader) = reader.take() else { return Ok(None) };
                let unpacked = self.compression.decoder(reader, self.object.size(), self.settings.limits);
                (None, unpacked.map_err(|error| self.compression.error(error))?)
            }
            Pending::Members(members) => {
                let Some(entry) = members.pop_front() else { return Ok(None) };
                let opened = self.runtime.block_on(zip::open(&self.object, &entry, self.settings.limits));
                let source = opened.map_err(|error| in_member(error, Some(&entry.name)))?;
                (Some(entry.name), source)
            }
        };
        let text = Text::new(source, self.compression, self.settings.encoding)
            .map_err(|error| in_member(error, member.as_deref()))?;
        Ok(Some((member, text)))
    }

    /// The first text, of which there is at least one.
    pub(super) fn first(&mut self) -> Result<(Option<String>, Text)> {
        self.next()?.ok_or_else(|| Error::internal("a file without a text"))
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("a.csv", "a.csv", true),
            ("a.csv", "b/a.csv", false),
            ("*.csv", "b/a.csv", true),
            ("data/*.csv", "data/2024.csv", true),
            ("data/*-*.csv", "data/2024-01.csv", true),
            ("data/*-*.csv", "data/2024.csv", false),
            ("*", "anything", true),
            ("a*a", "a", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
