//! A run that goes on from the one before finds what a run over all records finds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{people, record, resolver, task};
use crate::identity::hash::Random;
use crate::identity::resolver::Resolver;
use voxhouse_engine::ErrorKind;
use voxhouse_engine::identity::matching::{COLUMNS, Matcher, Record};

const PLENTY: usize = 1 << 30;

/// Lets a tenth of the records come in batches, while others go or take over a value of somebody else, and people
/// decide; each answer is compared with that of a run that remembers nothing. Tells the pairs that were compared in
/// the batches and in full.
fn go_on(mut all: Vec<Record>, seed: u64, batches: u64) -> (u64, u64) {
    let mut random = Random::new(seed);
    let later: Vec<Record> = all.extract_if(.., |_| random.below(10) == 0).collect();
    let mut here = all;
    sort(&mut here);
    let model = Some(resolver().resolve(&task(here.clone(), None)).unwrap().model);
    let going_on = Resolver::new(PLENTY);
    going_on.resolve(&task(here.clone(), model.clone())).unwrap();
    let mut compared = (0, 0);
    let mut decided: Vec<[(Box<str>, Box<str>); 2]> = Vec::new();
    for batch in later.chunks((later.len() / batches as usize).max(1)) {
        here.retain(|_| random.below(60) > 0);
        for at in 0..here.len() {
            if random.below(60) == 0 {
                let column = random.below(COLUMNS.len() as u64) as usize;
                let from = random.below(here.len() as u64) as usize;
                here[at].values[column] = here[from].values[column].clone();
            }
        }
        here.extend_from_slice(batch);
        sort(&mut here);
        let name = |at: u64| {
            let record = &here[at as usize];
            (record.source_system.clone(), record.record_id.clone())
        };
        let rows = here.len() as u64;
        decided.push([name(random.below(rows)), name(random.below(rows))]);
        decided.retain(|_| random.below(4) > 0);
        let place = |(system, id): &(Box<str>, Box<str>)| {
            let known =
                here.binary_search_by(|record| (&record.source_system, &record.record_id).cmp(&(system, id)));
            known.ok().map(|at| at as u32)
        };
        let pairs = decided.iter().filter_map(|[a, b]| Some((place(a)?, place(b)?))).filter(|(a, b)| a != b);
        let (together, apart) = pairs.partition(|(a, b)| (a + b) % 2 == 0);
        let mut asked = task(here.clone(), model.clone());
        (asked.together, asked.apart) = (together, apart);
        let answer = going_on.resolve(&asked).unwrap();
        let expected = resolver().resolve(&asked).unwrap();
        assert_eq!(answer.labels, expected.labels);
        assert_eq!(answer.pairs, expected.pairs);
        assert_eq!((&answer.rules, &answer.levels), (&expected.rules, &expected.levels));
        compared = (compared.0 + answer.compared, compared.1 + expected.compared);
    }
    compared
}

fn sort(records: &mut [Record]) {
    records.sort_by(|a, b| (&a.source_system, &a.record_id).cmp(&(&b.source_system, &b.record_id)));
}

fn records(rows: usize, seed: u64) -> Vec<Record> {
    let of_person = |(id, values): (String, Vec<Option<String>>)| {
        let named = ["name", "phone", "member_no", "birth_date", "city"].into_iter().zip(&values);
        let held: Vec<(&str, &str)> =
            named.filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        record(&id, &held)
    };
    people(rows, seed).into_iter().map(of_person).collect()
}

#[test]
fn batches_lead_to_the_answer_of_a_run_over_all() {
    for seed in 0..6 {
        let (in_batches, in_full) = go_on(records(900, 40 + seed), seed, 5);
        assert!(in_batches * 2 < in_full, "{in_batches} of {in_full} pairs were compared");
    }
}

#[test]
fn what_was_kept_under_other_terms_is_left() {
    let mut all = records(600, 9);
    sort(&mut all);
    let going_on = Resolver::new(PLENTY);
    let first = going_on.resolve(&task(all.clone(), None)).unwrap();
    let mut asked = task(all, Some(first.model.clone()));
    let again = going_on.resolve(&asked).unwrap();
    assert_eq!((again.labels, again.pairs, again.compared), (first.labels, first.pairs, 0));
    for policy in &mut asked.policies {
        policy.merges = false;
    }
    let other = going_on.resolve(&asked).unwrap();
    assert_eq!(other.pairs, resolver().resolve(&asked).unwrap().pairs);
    assert_eq!(other.compared, first.compared);
    asked.most_pairs = Some(first.compared / 2);
    let refused = going_on.resolve(&asked).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ProgramLimitExceeded);
    assert!(refused.hint().is_some() && refused.detail().is_some());
    let costs = going_on.costs(&asked).unwrap();
    assert_eq!(costs, other.rules);
    asked.most_pairs = None;
    assert_eq!(going_on.resolve(&asked).unwrap().pairs, other.pairs);
}

/// A folder of the public data; they are not part of the repository. `VOXHOUSE_DATA` names where they are, without it
/// `../shared/data` is looked for.
fn data(folder: &str) -> Option<PathBuf> {
    let given = std::env::var_os("VOXHOUSE_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = given.clone().unwrap_or(beside).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let told =
        format!("the public data {folder} are not there: set VOXHOUSE_DATA to the folder that holds them");
    assert!(given.is_none() && std::env::var("CI").as_deref() != Ok("true"), "{told}");
    eprintln!("NOT TESTED: {told}");
    None
}

/// A file of records: its path, what parts its values, the column of the id, and by column of ours those of the file.
struct File {
    path: &'static str,
    delimiter: char,
    id: &'static str,
    columns: &'static [(&'static str, &'static [&'static str])],
}

const FEBRL: &[(&str, &[&str])] = &[
    ("name", &["given_name", "surname"]),
    ("address", &["street_number", "address_1", "address_2"]),
    ("city", &["suburb"]),
    ("birth_date", &["date_of_birth"]),
    ("id_card", &["soc_sec_id"]),
];

const PRODUCTS: &[(&str, &[&str])] =
    &[("name", &["name"]), ("address", &["description"]), ("city", &["price"])];

const fn febrl(path: &'static str) -> File {
    File { path, delimiter: ',', id: "rec_id", columns: FEBRL }
}

const SETS: [(&str, &[File]); 8] = [
    ("febrl 1", &[febrl("id_febrl/dataset1.csv")]),
    ("febrl 2", &[febrl("id_febrl/dataset2.csv")]),
    ("febrl 4", &[febrl("id_febrl/dataset4a.csv"), febrl("id_febrl/dataset4b.csv")]),
    (
        "fake 1000",
        &[File {
            path: "id_splink/fake_1000.csv",
            delimiter: ',',
            id: "unique_id",
            columns: &[
                ("name", &["first_name", "surname"]),
                ("birth_date", &["dob"]),
                ("city", &["city"]),
                ("email", &["email"]),
            ],
        }],
    ),
    (
        "historical figures",
        &[File {
            path: "id_splink/historical_figures.csv",
            delimiter: ',',
            id: "unique_id",
            columns: &[
                ("name", &["full_name"]),
                ("birth_date", &["dob"]),
                ("city", &["birth_place"]),
                ("address", &["postcode_fake"]),
            ],
        }],
    ),
    (
        "musicbrainz",
        &[File {
            path: "id_musicbrainz/musicbrainz.csv",
            delimiter: ',',
            id: "TID",
            columns: &[
                ("name", &["title"]),
                ("address", &["artist", "album"]),
                ("birth_date", &["year"]),
                ("city", &["language"]),
            ],
        }],
    ),
    (
        "abt-buy",
        &[
            File { path: "id_products/D2_abt.csv", delimiter: '|', id: "id", columns: PRODUCTS },
            File { path: "id_products/D2_buy.csv", delimiter: '|', id: "id", columns: PRODUCTS },
        ],
    ),
    (
        "dedupe",
        &[File {
            path: "id_dedupe/csv_example_input_with_true_ids.csv",
            delimiter: ',',
            id: "Id",
            columns: &[
                ("name", &["Site name"]),
                ("address", &["Address"]),
                ("phone", &["Phone"]),
                ("city", &["Zip"]),
            ],
        }],
    ),
];

#[test]
fn batches_of_public_data_lead_to_the_answer_of_a_run_over_all() {
    for (set, files) in SETS {
        let mut all: BTreeMap<(Box<str>, Box<str>), Record> = BTreeMap::new();
        for file in files {
            let (folder, name) = file.path.split_once('/').unwrap();
            let Some(folder) = data(folder) else { return };
            for record in file.records(&folder.join(name)) {
                all.insert((record.source_system.clone(), record.record_id.clone()), record);
            }
        }
        let all: Vec<Record> = all.into_values().collect();
        assert!(all.len() >= 900, "{set}: {} records", all.len());
        let (in_batches, in_full) = go_on(all, 1, 1);
        assert!(in_batches * 2 < in_full, "{set}: {in_batches} of {in_full} pairs were compared");
    }
}

impl File {
    fn records(&self, path: &Path) -> Vec<Record> {
        let bytes = std::fs::read(path).unwrap();
        let mut lines = lines(&String::from_utf8_lossy(&bytes), self.delimiter).into_iter();
        let heads = lines.next().unwrap();
        let place = |name: &str| {
            heads.iter().position(|head| head.trim() == name).unwrap_or_else(|| panic!("{name} of {path:?}"))
        };
        let id = place(self.id);
        let value = |line: &[String], column: &str| -> Option<Box<str>> {
            let (_, from) = self.columns.iter().find(|(known, _)| *known == column)?;
            let parts: Vec<&str> =
                from.iter().filter_map(|name| line.get(place(name))).map(|part| part.trim()).collect();
            let joined = parts.join(" ");
            (!joined.trim().is_empty()).then(|| joined.trim().into())
        };
        let whole = |line: &Vec<String>| line.len() == heads.len();
        let record = |line: Vec<String>| Record {
            source_system: self.path.into(),
            record_id: line[id].trim().into(),
            values: COLUMNS.iter().map(|(column, _)| value(&line, column)).collect(),
        };
        lines.filter(whole).map(record).collect()
    }
}

/// The values of CSV, line by line.
fn lines(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut value, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' if delimiter == ',' => quoted = !quoted,
            letter if letter == delimiter && !quoted => line.push(std::mem::take(&mut value)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut value));
                lines.push(std::mem::take(&mut line));
            }
            letter => value.push(letter),
        }
    }
    lines
}
