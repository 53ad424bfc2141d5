//! Files that Kafka Connect's S3 sink has written: `topic+partition+offset.ending`. The names tell the order of the
//! files, and whether one is missing.

use std::collections::BTreeMap;

/// What such a name tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    topic: String,
    partition: u32,
    /// Of the first record.
    offset: u64,
}

impl Position {
    /// A topic may contain dots and plus signs.
    pub(super) fn of(file: &str) -> Option<Self> {
        let name = file.rsplit('/').next().unwrap_or(file);
        let (rest, last) = name.rsplit_once('+')?;
        let (topic, partition) = rest.rsplit_once('+')?;
        let offset = last.split('.').next()?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if topic.is_empty() || !digits(partition) || !digits(offset) {
            return None;
        }
        Some(Self {
            topic: topic.to_owned(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    }
}

/// The offsets between files that were loaded and in none of them, a line a gap. Each file comes with the number of
/// its records.
pub(super) fn gaps(files: impl IntoIterator<Item = (Position, u64)>) -> Vec<String> {
    let sorted: BTreeMap<Position, u64> = files.into_iter().collect();
    let mut gaps = Vec::new();
    let mut end: Option<(&str, u32, u64)> = None;
    for (position, records) in &sorted {
        let Position { topic, partition, offset } = position;
        let mut reached = offset + records;
        if let Some((before, number, end)) = end
            && (before, number) == (topic.as_str(), *partition)
        {
            if end < *offset {
                gaps.push(format!("{topic}/{partition}: {end} to {}", offset - 1));
            }
            reached = reached.max(end);
        }
        end = Some((topic, *partition, reached));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(topic: &str, partition: u32, offset: u64) -> Position {
        Position { topic: topic.into(), partition, offset }
    }

    #[test]
    fn names_of_the_sink_are_known() {
        let known = Position::of("landing/topics/shop.orders/partition=3/shop.orders+3+0000000120.json.gz");
        assert_eq!(known, Some(at("shop.orders", 3, 120)));
        assert_eq!(Position::of("a+b+0+7.parquet"), Some(at("a+b", 0, 7)));
        for other in
            ["orders.json", "orders+0.json", "orders+x+1.json", "+0+1.json", "orders+0+.json", "a+1+-2.json"]
        {
            assert_eq!(Position::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_gap_lies_between_two_files_of_a_partition() {
        assert!(
            gaps([(at("a", 0, 10), 5), (at("a", 0, 15), 1), (at("a", 1, 40), 2), (at("b", 0, 0), 1)])
                .is_empty()
        );
        let found =
            gaps([(at("a", 0, 20), 5), (at("a", 0, 10), 5), (at("a", 0, 26), 1), (at("a", 0, 21), 2)]);
        assert_eq!(found, ["a/0: 15 to 19", "a/0: 25 to 25"]);
    }
}
