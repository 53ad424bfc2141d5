//! Labelled sentences, read from the data folder.
//!
//! - `x_aspect_zh/dianping_aste.txt`: `tokens####[((a0, a1), (o0, o1), 'POS'), …]`, spans in tokens,
//!   inclusive, −1 where the aspect is implicit;
//! - `x_aspect_zh/{camera,car,notebook,phone,mooc}.train.txt`: three lines a record, the text with `$T$` in
//!   place of the aspect, the aspect, the polarity. Records of the same text become one.

use std::collections::HashMap;
use std::fs;
use std::io::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// Where a text comes from.
pub const SOURCES: [&str; 6] = ["restaurants", "camera", "car", "notebook", "phone", "mooc"];

/// One opinion as the annotators saw it. Spans are in characters of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Gold {
    pub aspect: Option<Range<usize>>,
    /// `None` where opinions were not annotated.
    pub opinion: Option<Range<usize>>,
    pub polarity: i8,
}

#[derive(Debug, Clone)]
pub struct Text {
    pub source: usize,
    pub chars: Vec<char>,
    pub gold: Vec<Gold>,
}

/// Every labelled text below `folder`, in the order of [`SOURCES`] and of the files.
pub fn load(folder: &Path) -> Result<Vec<Text>> {
    let folder = folder.join("x_aspect_zh");
    let mut texts = Vec::new();
    for line in fs::read_to_string(folder.join("dianping_aste.txt"))?.lines() {
        texts.push(triplets(line).ok_or_else(|| malformed("dianping_aste.txt", line))?);
    }
    for (source, name) in SOURCES.iter().enumerate().skip(1) {
        records(&fs::read_to_string(folder.join(format!("{name}.train.txt")))?, source, &mut texts);
    }
    Ok(texts)
}

fn malformed(file: &str, line: &str) -> Error {
    Error::other(format!("malformed line in {file}: {line}"))
}

fn triplets(line: &str) -> Option<Text> {
    let (text, labels) = line.split_once("####")?;
    let mut chars = Vec::new();
    let mut starts = vec![0];
    for token in text.split(' ').filter(|token| !token.is_empty()) {
        chars.extend(token.chars());
        starts.push(chars.len());
    }
    let span = |first: i64, last: i64| -> Option<Range<usize>> {
        let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
        Some(*starts.get(first)?..*starts.get(last + 1)?)
    };
    let mut gold = Vec::new();
    for part in labels.split("((").skip(1) {
        let numbers: Vec<i64> = part
            .split(|c: char| !c.is_ascii_digit() && c != '-')
            .filter_map(|number| number.parse().ok())
            .take(4)
            .collect();
        let [a0, a1, o0, o1] = numbers[..] else { return None };
        let polarity = match part.split('\'').nth(1)? {
            "POS" => 1,
            "NEG" => -1,
            _ => 0,
        };
        gold.push(Gold { aspect: span(a0, a1), opinion: span(o0, o1), polarity });
    }
    Some(Text { source: 0, chars, gold })
}

fn records(file: &str, source: usize, texts: &mut Vec<Text>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let lines: Vec<&str> = file.lines().collect();
    for record in lines.chunks_exact(3) {
        let joined = |line: &str| line.split_whitespace().collect::<String>();
        let (with_mark, aspect) = (joined(record[0]), joined(record[1]));
        let polarity = match record[2].trim() {
            "Positive" => 1,
            "Negative" => -1,
            _ => 0,
        };
        let Some(place) = with_mark.find("$T$") else { continue };
        let text = with_mark.replacen("$T$", &aspect, 1);
        let start = with_mark[..place].chars().count();
        let span = start..start + aspect.chars().count();
        let index = *seen.entry(text).or_insert_with_key(|text| {
            texts.push(Text { source, chars: text.chars().collect(), gold: Vec::new() });
            texts.len() - 1
        });
        let gold = Gold { aspect: Some(span), opinion: None, polarity };
        if !texts[index].gold.contains(&gold) {
            texts[index].gold.push(gold);
        }
    }
}
