//! The text format in which Prometheus reads metrics, version 0.0.4.

use std::fmt::{Display, Write as _};

use voxhouse_engine::meter::{BOUNDS, Reading};

/// The Content-Type of a [`Page`].
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Families of samples, one below the other.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// The samples of one name.
pub(super) struct Family<'a> {
    page: &'a mut String,
    name: &'a str,
}

type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        put(&mut self.0, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: &mut self.0, name }
    }

    /// A family of one sample without labels.
    pub(super) fn one(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    pub(super) fn histogram(&mut self, labels: Labels<'_>, reading: &Reading) {
        for (bound, count) in BOUNDS.iter().zip(reading.up_to) {
            self.line("_bucket", labels, Some(&bound.to_string()), count);
        }
        self.line("_bucket", labels, Some("+Inf"), reading.count);
        self.line("_sum", labels, None, reading.sum_seconds);
        self.line("_count", labels, None, reading.count);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        put(self.page, format_args!("{}{suffix}", self.name));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let mut opener = '{';
        for (name, value) in all {
            put(self.page, format_args!("{opener}{name}=\"{}\"", escaped(value)));
            opener = ',';
        }
        let closer = if opener == ',' { "}" } else { "" };
        put(self.page, format_args!("{closer} {value}\n"));
    }
}

/// Writing to a text cannot fail.
fn put(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_histograms_cumulate() {
        let mut page = Page::default();
        page.family("a_total", Kind::Counter, "What\nit is").sample(&[("b", "x\"\\\n"), ("c", "")], 1);
        let histogram = voxhouse_engine::meter::Histogram::default();
        histogram.add(std::time::Duration::from_millis(2));
        page.family("d_seconds", Kind::Histogram, "D").histogram(&[], &histogram.read());
        let text = page.text();
        assert!(text.starts_with(
            "# HELP a_total What\\nit is\n# TYPE a_total counter\na_total{b=\"x\\\"\\\\\\n\",c=\"\"} 1\n"
        ));
        assert!(text.contains("d_seconds_bucket{le=\"0.001\"} 0\nd_seconds_bucket{le=\"0.0025\"} 1\n"));
        assert!(text.ends_with("d_seconds_bucket{le=\"+Inf\"} 1\nd_seconds_sum 0.002\nd_seconds_count 1\n"));
    }
}
