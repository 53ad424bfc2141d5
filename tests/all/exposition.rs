//! A strict reader of Prometheus' text format 0.0.4: what it takes, every collector takes.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Name to type.
    families: BTreeMap<String, String>,
    /// Series, as written with its labels in order, to value.
    samples: BTreeMap<String, f64>,
}

impl Page {
    pub(crate) fn families(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.series(&key(name, &labels.collect()))
    }

    pub(crate) fn series(&self, series: &str) -> Option<f64> {
        self.samples.get(series).copied()
    }

    /// The series that must not go down.
    pub(crate) fn counters(&self) -> Vec<(String, f64)> {
        let is_counter = |series: &str| {
            let name = series.split('{').next().unwrap();
            self.families[&family_of(name, &self.families)] != "gauge"
        };
        self.samples
            .iter()
            .filter(|(series, _)| is_counter(series))
            .map(|(series, value)| (series.clone(), *value))
            .collect()
    }
}

fn key(name: &str, labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{name}{{{}}}", labels.join(","))
}

fn family_of(name: &str, families: &BTreeMap<String, String>) -> String {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
    let mut of_histogram =
        of_histogram.filter(|base| families.get(*base).is_some_and(|kind| kind == "histogram"));
    of_histogram.next().unwrap_or(name).to_owned()
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Panics at whatever is not as the format, and the conventions of names, want it.
pub(crate) fn parse(text: &str) -> Page {
    assert!(text.ends_with('\n'), "the last line must end");
    let mut page = Page::default();
    let mut current = String::new();
    let mut histograms: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
            assert!(is_name(name) && words.ends_with('.'), "{line}");
            let kind = lines
                .next()
                .and_then(|next| next.strip_prefix(&format!("# TYPE {name} ")).map(str::to_owned));
            let kind = kind.unwrap_or_else(|| panic!("HELP without TYPE: {line}"));
            assert!(["counter", "gauge", "histogram"].contains(&kind.as_str()), "{name} {kind}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            assert!(page.families.insert(name.to_owned(), kind).is_none(), "{name} comes twice");
            current = name.to_owned();
            continue;
        }
        assert!(!line.starts_with('#'), "{line}");
        let (name, labels, value) = sample(line);
        assert_eq!(family_of(&name, &page.families), current, "{line} stands under another name");
        assert!(value.is_finite() && value >= 0.0, "{line}");
        if let (Some(bound), Some(base)) = (labels.get("le"), name.strip_suffix("_bucket")) {
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
            let mut rest = labels.clone();
            rest.remove("le");
            histograms.entry(key(base, &rest)).or_default().push((bound, value));
        }
        assert!(page.samples.insert(key(&name, &labels), value).is_none(), "{line} comes twice");
    }
    for (series, buckets) in histograms {
        let count = page.samples[&series.replacen('{', "_count{", 1)];
        assert!(page.samples.contains_key(&series.replacen('{', "_sum{", 1)), "{series} has no sum");
        assert!(buckets.is_sorted_by(|(a, x), (b, y)| a < b && x <= y), "{series}: {buckets:?}");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{series}");
    }
    page
}

/// Name, labels and value of a line.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(label), "{line}");
            let (value, behind) = quoted(behind, line);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{label} comes twice: {line}");
            match behind.chars().next() {
                Some(',') => rest = &behind[1..],
                Some('}') => {
                    rest = &behind[1..];
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
}

/// The text up to the closing quote, and what is behind it.
fn quoted<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[place + 1..]),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                other => panic!("{other:?} is escaped: {line}"),
            },
            letter => value.push(letter),
        }
    }
    panic!("no end of a label: {line}")
}
