//! The texts ready for training: read into features, without duplicates, split by the hash of the text.

use std::collections::HashMap;

use crate::features;
use crate::fold::Folding;
use crate::sha1;
use crate::sources::{Gold, Row};
use crate::units::{self, Kind};

/// One text as the model sees it.
#[derive(Debug, Clone)]
pub struct Document {
    pub domain: &'static str,
    pub gold: Gold,
    pub licensed: bool,
    /// Whether it is kept for testing.
    pub test: bool,
    /// Texts of one group are near-duplicates of each other.
    pub group: usize,
    /// Features and their values, by feature; scaled so that longer texts do not count for more.
    pub features: Vec<(u32, f32)>,
}

/// Hashes kept of a text to find near-duplicates by, and how many rows make one band.
const HASHES: usize = 64;
const BAND: usize = 4;

/// The share of equal hashes from which texts are near-duplicates.
const ALIKE: usize = HASHES * 7 / 10;

/// Reads, removes duplicates (and texts whose labels differ) and splits.
pub fn prepare(rows: Vec<Row>) -> Vec<Document> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut documents: Vec<Document> = Vec::new();
    for row in rows {
        let key = normal(&row.text);
        if key.is_empty() {
            continue;
        }
        if let Some(place) = places.get(&key) {
            let first = &mut documents[*place];
            if first.gold == Gold::Unknown && row.gold != Gold::Unknown {
                (first.gold, first.domain, first.licensed) = (row.gold, row.domain, row.licensed);
            } else if row.gold != Gold::Unknown && row.gold != first.gold {
                first.gold = Gold::Unknown;
            } else if row.gold == first.gold {
                first.licensed |= row.licensed;
            }
            continue;
        }
        places.insert(key.clone(), documents.len());
        documents.push(Document {
            domain: row.domain,
            gold: row.gold,
            licensed: row.licensed,
            test: sha1::digest(key.as_bytes())[19] % 5 == 0,
            group: 0,
            features: read(&row.text),
        });
    }
    group(&mut documents);
    documents
}

/// The text without blanks, folded.
fn normal(text: &str) -> String {
    let folding = Folding::new();
    text.chars()
        .map(|c| folding.read(c))
        .filter(|(_, kind)| !matches!(kind, Kind::Blank | Kind::Break))
        .filter_map(|(code, _)| char::from_u32(code))
        .collect()
}

/// The features of `text` with values.
pub fn read(text: &str) -> Vec<(u32, f32)> {
    let mut units = Vec::new();
    units::read(text, &mut units);
    let mut names: Vec<(u32, f32)> = Vec::new();
    let mut count = 0.0_f32;
    features::each(&units, |feature| {
        let weight = f32::from(units[feature.first].weight) / f32::from(units::FULL);
        names.push((feature.name, weight));
        count += weight;
    });
    names.sort_unstable_by_key(|(name, _)| *name);
    let scale = 1.0 / count.max(1.0).sqrt();
    let mut features: Vec<(u32, f32)> = Vec::with_capacity(names.len());
    for (name, weight) in names {
        match features.last_mut() {
            Some(last) if last.0 == name => last.1 += weight * scale,
            _ => features.push((name, weight * scale)),
        }
    }
    features
}

/// Finds near-duplicates by MinHash over the features and gives each cluster one group.
fn group(documents: &mut [Document]) {
    let signatures: Vec<[u32; HASHES]> = documents.iter().map(|d| signature(&d.features)).collect();
    let mut parents: Vec<usize> = (0..documents.len()).collect();
    let mut first: HashMap<(usize, [u32; BAND]), usize> = HashMap::new();
    for (place, signature) in signatures.iter().enumerate() {
        for (band, hashes) in signature.as_chunks::<BAND>().0.iter().enumerate() {
            let other = *first.entry((band, *hashes)).or_insert(place);
            let alike = signature.iter().zip(&signatures[other]).filter(|(a, b)| a == b).count();
            if other != place && alike >= ALIKE {
                let (a, b) = (root(&mut parents, other), root(&mut parents, place));
                parents[a.max(b)] = a.min(b);
            }
        }
    }
    for place in 0..documents.len() {
        documents[place].group = root(&mut parents, place);
    }
}

fn root(parents: &mut [usize], mut place: usize) -> usize {
    while parents[place] != place {
        parents[place] = parents[parents[place]];
        place = parents[place];
    }
    place
}

fn signature(features: &[(u32, f32)]) -> [u32; HASHES] {
    let mut lowest = [u32::MAX; HASHES];
    for (name, _) in features {
        let mut state = u64::from(*name).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
        for low in &mut lowest {
            state = state.wrapping_mul(0xd129_42b5_9b54_3a4d).wrapping_add(0x1405_7b7e_f767_814f);
            *low = (*low).min((state >> 32) as u32);
        }
    }
    lowest
}

/// How many texts of each label every source gives.
pub fn print_counts(documents: &[&Document]) {
    let mut counts: std::collections::BTreeMap<&str, [usize; 4]> = std::collections::BTreeMap::new();
    for document in documents {
        counts.entry(document.domain).or_default()[document.gold as usize] += 1;
    }
    for (domain, [negative, neutral, positive, unknown]) in counts {
        println!(
            "{domain:20} negative {negative:6} neutral {neutral:6} positive {positive:6} unknown {unknown:6}"
        );
    }
}
