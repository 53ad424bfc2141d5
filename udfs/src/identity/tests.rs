use voxhouse_engine::identity::matching::{self, Matcher, Record, Task};

use super::block::{Key, Limits, Part, Rule};
use super::bridge::bridges;
use super::cluster::{Constraints, Edge, contract};
use super::distance::{Distance, within_one};
use super::document::Document;
use super::hash::Random;
use super::incremental::Incremental;
use super::intern::MISSING;
use super::resolve::resolve_again;
use super::resolve::{Resolution, Settings, resolve};
use super::resolver::{Resolver, bridge_marks};
use super::table::Table;
use super::union_find::UnionFind;
use super::{Kind, block, form};

mod batches;

const COLUMNS: [(&str, Kind); 5] = [
    ("name", Kind::Name),
    ("phone", Kind::Phone),
    ("member_no", Kind::Identifier),
    ("born_on", Kind::Date),
    ("city", Kind::Category),
];

/// People with one to four records each, some of them damaged, and a phone that everybody may give.
fn people(rows: usize, seed: u64) -> Vec<(String, Vec<Option<String>>)> {
    let mut random = Random::new(seed);
    let mut records = Vec::new();
    while records.len() < rows {
        let name = format!("{} {}", word(&mut random), word(&mut random));
        let phone = format!("139{:08}", random.below(100_000_000));
        let member = format!("m{:06}", random.below(1_000_000));
        let born =
            format!("19{:02}-{:02}-{:02}", 50 + random.below(50), 1 + random.below(12), 1 + random.below(28));
        let city = ["上海", "北京", "杭州", "成都"][random.below(4) as usize].to_owned();
        for _ in 0..=random.below(4) {
            let phone = if random.below(12) == 0 { "13800138000".to_owned() } else { phone.clone() };
            let values = [&name, &phone, &member, &born, &city];
            let shown = values.map(|value| (random.below(4) > 0).then(|| value.clone()));
            records.push((format!("r{}", records.len()), shown.to_vec()));
        }
    }
    records.truncate(rows);
    records
}

fn word(random: &mut Random) -> String {
    let part = |random: &mut Random| {
        ["ka", "li", "mo", "ren", "su", "ta", "vi", "zo", "be", "du"][random.below(10) as usize]
    };
    format!("{}{}{}", part(random), part(random), part(random))
}

fn table<'a>(records: impl Iterator<Item = &'a (String, Vec<Option<String>>)>) -> Table {
    let mut table = Table::new(&COLUMNS);
    for (id, values) in records {
        let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
        table.push(0, id, &values).unwrap();
    }
    table.finish();
    table
}

/// The clusters as sorted lists of ids.
fn partition(ids: &[String], labels: &[u32]) -> Vec<Vec<String>> {
    let mut clusters: std::collections::BTreeMap<u32, Vec<String>> = Default::default();
    for (id, label) in ids.iter().zip(labels).filter(|(_, label)| **label != MISSING) {
        clusters.entry(*label).or_default().push(id.clone());
    }
    let mut clusters: Vec<Vec<String>> = clusters.into_values().collect();
    clusters.iter_mut().for_each(|cluster| cluster.sort());
    clusters.sort();
    clusters
}

fn resolved(records: &[(String, Vec<Option<String>>)]) -> (Table, Resolution) {
    let mut table = table(records.iter());
    let found = resolve(&mut table, &Settings::default()).unwrap();
    (table, found)
}

fn ids(records: &[(String, Vec<Option<String>>)]) -> Vec<String> {
    records.iter().map(|(id, _)| id.clone()).collect()
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let records = people(600, 3);
    let (_, forward) = resolved(&records);
    let mut shuffled = records.clone();
    let mut random = Random::new(9);
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at as u64 + 1) as usize);
    }
    let (_, other) = resolved(&shuffled);
    assert_eq!(forward.model, other.model);
    assert_eq!(partition(&ids(&records), &forward.labels), partition(&ids(&shuffled), &other.labels));
    assert!(forward.labels.iter().enumerate().any(|(row, label)| row as u32 != *label));
}

#[test]
fn lines_of_an_explanation_sum_to_the_weight_of_the_edge() {
    let (_, found) = resolved(&people(400, 5));
    for count in &found.counts {
        let steps = found.model.explain(count.pattern);
        let sum: i32 = steps.iter().map(|step| step.weight).sum();
        assert_eq!(sum, found.model.weight(count.pattern));
        assert_eq!(steps.last().map(|step| step.total), Some(sum));
    }
    assert!(!found.counts.is_empty());
}

/// What goes on from a full run over records under a model that was trained on others.
fn going_on(
    records: &[(String, Vec<Option<String>>)],
    trained: &Table,
    found: &Resolution,
    limits: Limits,
) -> Incremental {
    let (table, resolution) = again(records, trained, found, limits);
    let marks = bridge_marks(&resolution, &Settings::default());
    Incremental::new(table, resolution, &marks, &Settings::default()).unwrap()
}

fn again(
    records: &[(String, Vec<Option<String>>)],
    trained: &Table,
    found: &Resolution,
    limits: Limits,
) -> (Table, Resolution) {
    let mut table = table(records.iter());
    table.freeze(trained);
    let (model, rules) = (found.model.clone(), found.rules.clone());
    let resolution = resolve_again(&mut table, model, rules, limits, &Settings::default()).unwrap();
    (table, resolution)
}

#[test]
fn records_that_come_and_go_leave_what_a_full_run_finds() {
    for seed in 0..8 {
        let records = people(500, 100 + seed);
        let (trained, found) = resolved(&records);
        // A small cap: groups cross it in both directions.
        let limits = Limits { group: 5, ..found.limits };
        let mut random = Random::new(seed);
        let mut next = 40;
        let mut changing = going_on(&records[..next], &trained, &found, limits);
        let mut here: Vec<u32> = (0..next as u32).collect();
        while next < records.len() {
            let end = (next + 1 + random.below(120) as usize).min(records.len());
            here.extend(changing.add(&borrowed(&records[next..end]), u64::MAX).unwrap());
            next = end;
            let gone: Vec<u32> = here.iter().copied().filter(|_| random.below(6) == 0).collect();
            here.retain(|row| !gone.contains(row));
            changing.retract(&gone);
            changing.settle();
        }
        let left: Vec<_> = here.iter().map(|row| records[*row as usize].clone()).collect();
        let (_, whole) = again(&left, &trained, &found, limits);
        assert_eq!(
            partition(&ids(&records), changing.labels()),
            partition(&ids(&left), &whole.labels),
            "seed {seed}"
        );
        let mut edges = Vec::new();
        for (row, left) in here.iter().zip(0..) {
            for link in changing.links(*row) {
                let right = here.iter().position(|row| *row == link.other).unwrap() as u32;
                edges.push((left, right, link.weight, link.pattern, link.bridge));
            }
        }
        edges.retain(|(left, right, ..)| left < right);
        edges.sort_unstable();
        let marks = bridge_marks(&whole, &Settings::default());
        let expected: Vec<_> = whole.edges.iter().zip(&whole.patterns).zip(marks).collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|((edge, pattern), bridge)| (edge.left, edge.right, edge.weight, *pattern, bridge))
            .collect();
        assert_eq!(edges, expected, "seed {seed}");
        assert_eq!(changing.reports(), whole.reports, "seed {seed}");
        assert!(whole.reports.iter().any(|report| report.skipped_groups > 0), "the cap is met");
    }
}

type Borrowed<'a> = Vec<(u32, &'a str, Vec<Option<&'a str>>)>;

fn borrowed(records: &[(String, Vec<Option<String>>)]) -> Borrowed<'_> {
    records
        .iter()
        .map(|(id, values)| (0, id.as_str(), values.iter().map(Option::as_deref).collect()))
        .collect()
}

#[test]
fn a_rule_beyond_the_budget_is_refused() {
    let records = people(300, 1);
    let (table, found) = resolved(&records);
    let limits = Limits { pairs: 3, ..found.limits };
    let refused = block::candidates(&table, &found.rules, limits, |_| {}).unwrap_err();
    let pairs: u64 = block::costs(&table, &found.rules, limits).iter().map(|report| report.pairs).sum();
    assert_eq!(refused.message, format!("blocking rules give {pairs} pairs, more than 3"));
    assert!(refused.detail.is_some());
    let told = block::costs(&table, &found.rules, found.limits);
    assert_eq!(told, found.reports, "what it costs is known before it runs");
}

#[test]
fn a_block_of_a_million_records_costs_no_pair() {
    let mut table = Table::new(&[("phone", Kind::Phone), ("city", Kind::Category)]);
    for row in 0..1_000_000 {
        let phone = if row % 10_000 == 0 { "13912345678" } else { "4008001234" };
        table.push(0, &row.to_string(), &[Some(phone), Some("上海")]).unwrap();
    }
    table.finish();
    let rules: Vec<Rule> =
        (0..2).map(|column| Rule { keys: vec![Key { column, part: Part::Whole }] }).collect();
    let limits = Limits { group: 100, pairs: 4950, across_sources: false };
    let costs = block::costs(&table, &rules, limits);
    let told: Vec<_> =
        costs.iter().map(|cost| (cost.pairs, cost.skipped_groups, cost.skipped_records)).collect();
    assert_eq!(told, [(4950, 1, 999_900), (0, 1, 1_000_000)]);
    let found = block::candidates(&table, &rules, limits, |_| {}).unwrap();
    assert_eq!(found.pairs.len(), 4950);
    let less = Limits { pairs: 4949, ..limits };
    assert!(block::candidates(&table, &rules, less, |_| {}).is_err());
}

#[test]
fn decisions_of_people_come_before_the_model() {
    let records = people(300, 2);
    let (mut table, found) = resolved(&records);
    let joined = found.labels.iter().enumerate().find(|(row, label)| *row as u32 != **label);
    let (row, label) = joined.map(|(row, label)| (row as u32, *label)).unwrap();
    let apart = (0..300).find(|other| found.labels[*other as usize] != label).unwrap();
    let settings = Settings { must: vec![(label, apart)], cannot: vec![(row, label)], ..Settings::default() };
    let decided = resolve(&mut table, &settings).unwrap();
    assert_eq!(decided.labels[label as usize], decided.labels[apart as usize]);
    assert_ne!(decided.labels[row as usize], decided.labels[label as usize]);
}

#[test]
fn contraction_cuts_where_the_evidence_is_against() {
    let edge = |left, right, weight| Edge { left, right, weight };
    let edges = [edge(0, 1, 9000), edge(1, 2, 3000), edge(0, 2, -8000), edge(3, 4, 10)];
    let limits = Constraints { strongest: 20_000, ..Constraints::default() };
    assert_eq!(contract(5, &edges, &limits), [0, 0, 2, 3, 3]);
    let apart = Constraints { cannot: vec![(0, 1)], ..limits.clone() };
    assert_eq!(contract(5, &edges, &apart), [0, 1, 1, 3, 3]);
    let together = Constraints { must: vec![(2, 4)], ..limits.clone() };
    assert_eq!(contract(5, &edges, &together), [0, 0, 2, 2, 2]);
    // Somebody has decided that 0 and 1 are one: 2 is like 1, and that it is unlike 0 does not matter.
    let unlike = [edge(0, 1, -9000), edge(1, 2, 5000), edge(0, 2, -9000)];
    let decided = Constraints { must: vec![(0, 1)], ..limits.clone() };
    assert_eq!(contract(3, &unlike, &decided), [0, 0, 0]);
    let small = Constraints { largest: 1, ..limits };
    assert_eq!(contract(5, &edges, &small), [0, 1, 2, 3, 4]);
}

#[test]
fn components_are_named_by_their_least_node() {
    let mut forest = UnionFind::new(6);
    assert!(forest.join(5, 3) && forest.join(3, 4) && !forest.join(4, 5) && forest.join(2, 0));
    assert!(!forest.join(1, 99));
    assert_eq!(forest.into_labels(), [0, 1, 0, 3, 3, 3]);
}

#[test]
fn bridges_are_the_only_way() {
    let edge = |left, right| Edge { left, right, weight: 1 };
    let edges = [edge(0, 1), edge(1, 2), edge(2, 0), edge(2, 3), edge(3, 4), edge(9, 1), edge(4, 3)];
    assert_eq!(bridges(5, &edges), [3]);
}

#[test]
fn distances_count_characters() {
    let mut distance = Distance::default();
    assert_eq!(distance.osa("张伟", "李伟"), 1);
    assert_eq!(distance.osa("13812345678", "13812345687"), 1);
    assert_eq!(distance.osa("kitten", "sitting"), 3);
    assert_eq!(distance.osa("", "ab"), 2);
    assert!((distance.jaro_winkler("martha", "marhta") - 0.961_111).abs() < 1e-6);
    assert!((distance.jaro_winkler("dixon", "dicksonx") - 0.813_333).abs() < 1e-6);
    assert!(
        within_one("ab", "ba")
            && within_one("ab", "abc")
            && within_one("a", "b")
            && !within_one("abc", "cba")
    );
}

#[test]
fn distance_agrees_with_the_textbook() {
    let mut random = Random::new(4);
    let mut distance = Distance::default();
    for _ in 0..3000 {
        let text = |random: &mut Random| -> String {
            (0..random.below(9)).map(|_| ['a', 'b', '张', 'd'][random.below(4) as usize]).collect()
        };
        let (a, b) = (text(&mut random), text(&mut random));
        let expected = textbook(&a, &b);
        assert_eq!(distance.osa(&a, &b), expected, "{a} {b}");
        assert_eq!(within_one(&a, &b), expected <= 1, "{a} {b}");
    }
}

fn textbook(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            d[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = usize::from(a[i - 1] != b[j - 1]);
                let mut least = (d[i - 1][j] + 1).min(d[i][j - 1] + 1).min(d[i - 1][j - 1] + same);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(d[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    d[a.len()][b.len()]
}

#[test]
fn values_are_compared_in_one_form() {
    let mut out = String::new();
    for (kind, value, expected) in [
        (Kind::Phone, "+86 139-1234-5678", "13912345678"),
        (Kind::Phone, "008613912345678", "13912345678"),
        (Kind::Date, "1990/2/3", "19900203"),
        (Kind::Date, "03.02.1990", "19900203"),
        (Kind::Name, " 张伟先生 ", "张伟"),
        (Kind::Name, "Ms. Grace O'Brien", "grace obrien"),
        (Kind::Email, " A@B.cn", "a@b.cn"),
        (Kind::Address, "人民路 12 号（后门）", "人民路12号后门"),
    ] {
        assert!(form::normalise(kind, value, &mut out));
        assert_eq!(out, expected);
    }
    for (kind, value) in
        [(Kind::Phone, "无"), (Kind::Name, " "), (Kind::Identifier, "NULL"), (Kind::Phone, "***")]
    {
        assert!(!form::normalise(kind, value, &mut out), "{value}");
    }
    assert!(form::aspect(Kind::Name, "张小明", &mut out) && out == "zhangxiaoming");
}

#[test]
fn a_model_that_was_written_down_finds_the_same() {
    let records = people(600, 11);
    let (trained, found) = resolved(&records);
    let (model, rules) = (found.model.clone(), found.rules.clone());
    let text = Document::new(model, rules, found.limits, &trained).write();
    let read = Document::read(&text).unwrap();
    assert_eq!((&read.rules, read.limits.group), (&found.rules, found.limits.group));
    let mut again = table(records.iter());
    again.freeze_at(read.frequencies);
    let settings = Settings::default();
    let second = resolve_again(&mut again, read.model, read.rules, read.limits, &settings).unwrap();
    assert_eq!((second.edges, second.patterns), (found.edges, found.patterns));
    assert_eq!(second.labels, found.labels);
    assert!(Document::read("{}").is_err() && Document::read(&text[..text.len() / 2]).is_err());
}

#[test]
fn identifiers_that_decide_by_themselves_outweigh_the_model_and_yield_to_people() {
    let records = people(400, 12);
    let rules = Settings {
        merging: vec!["member_no".to_owned()],
        separating: vec!["member_no".to_owned()],
        ..Settings::default()
    };
    let mut ruled = table(records.iter());
    let found = resolve(&mut ruled, &rules).unwrap();
    let member = |row: u32| records[row as usize].1[2].as_deref();
    let (mut merged, mut separated) = (0, 0);
    for (edge, pattern) in found.edges.iter().zip(&found.patterns) {
        let steps = found.model.explain(*pattern);
        assert_eq!(steps.iter().map(|step| step.weight).sum::<i32>(), edge.weight);
        assert_eq!(steps.last().map(|step| step.total), Some(edge.weight));
        match (member(edge.left), member(edge.right)) {
            (Some(a), Some(b)) if a == b => {
                assert!(edge.weight >= 10_000);
                merged += 1;
            }
            (Some(_), Some(_)) => separated += usize::from(edge.weight <= -20_000),
            _ => {}
        }
    }
    assert!(merged > 0 && separated == 0, "{merged} {separated}: what is separated is not kept");
    let edge = found
        .edges
        .iter()
        .find(|edge| member(edge.left).is_some() && member(edge.left) == member(edge.right));
    let (left, right) = edge.map(|edge| (edge.left, edge.right)).unwrap();
    let apart = Settings { cannot: vec![(left, right)], ..rules };
    let decided = resolve(&mut table(records.iter()), &apart).unwrap();
    assert_ne!(decided.labels[left as usize], decided.labels[right as usize]);
}

fn record(id: &str, values: &[(&str, &str)]) -> Record {
    let value =
        |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
    Record {
        source_system: "shop".into(),
        record_id: id.into(),
        values: matching::COLUMNS.iter().map(|(name, _)| value(name)).collect(),
    }
}

fn task(records: Vec<Record>, model: Option<String>) -> Task {
    let policies = voxhouse_engine::identity::policy::defaults();
    Task { records, policies, together: Vec::new(), apart: Vec::new(), model, most_pairs: None }
}

/// One that remembers nothing.
fn resolver() -> Resolver {
    Resolver::new(0)
}

#[test]
fn records_that_say_nothing_or_all_the_same_stay_apart() {
    let nothing: Vec<Record> = (0..50).map(|n| record(&format!("{n:03}"), &[])).collect();
    let found = resolver().resolve(&task(nothing, None)).unwrap();
    assert_eq!(found.labels, (0..50).collect::<Vec<u32>>());
    assert!(found.pairs.is_empty());
    let alike: Vec<Record> =
        (0..300).map(|n| record(&format!("{n:03}"), &[("phone", "4008001234"), ("city", "上海")])).collect();
    let found = resolver().resolve(&task(alike, None)).unwrap();
    assert_eq!(found.labels, (0..300).collect::<Vec<u32>>());
    let none = resolver().resolve(&task(Vec::new(), None)).unwrap();
    assert!(none.labels.is_empty() && none.pairs.is_empty());
    let one = resolver().resolve(&task(vec![record("1", &[("name", "Ann")])], None)).unwrap();
    assert_eq!(one.labels, [0]);
}

#[test]
fn two_equal_records_are_one_person_even_if_there_are_no_others() {
    let values = [("name", "Ann Lee"), ("phone", "13912345678")];
    let found = resolver().resolve(&task(vec![record("1", &values), record("2", &values)], None)).unwrap();
    assert_eq!(found.labels, [0, 0]);
}

#[test]
fn a_date_is_one_date_in_three_formats() {
    let mut records = Vec::new();
    for n in 0..60 {
        let name = format!("Person {}", word(&mut Random::new(n)));
        let (day, month, year) = (1 + n % 28, 1 + n % 12, 1950 + n % 50);
        let dates = [
            format!("{year}-{month:02}-{day:02}"),
            format!("{year}/{month}/{day}"),
            format!("{day}.{month}.{year}"),
        ];
        for (at, date) in dates.iter().enumerate() {
            records.push(record(&format!("{n:03}{at}"), &[("name", &name), ("birth_date", date)]));
        }
    }
    let found = resolver().resolve(&task(records.clone(), None)).unwrap();
    for (left, right) in [(0, 1), (1, 2), (0, 2)] {
        let steps = resolver().explain(&found.model, &records[left], &records[right], None).unwrap();
        let date = steps.iter().find(|step| step.column == "birth_date").unwrap();
        assert_eq!(date.level, "equal");
    }
    assert_eq!(
        found.labels.chunks(3).filter(|labels| labels[0] == labels[1] && labels[1] == labels[2]).count(),
        60
    );
}

#[test]
fn what_is_explained_is_what_was_weighed() {
    let mut random = Random::new(3);
    let records: Vec<Record> = people(300, 21)
        .into_iter()
        .map(|(id, values)| {
            let named = ["name", "phone", "member_no", "birth_date", "city"].into_iter().zip(&values);
            let held: Vec<(&str, &str)> =
                named.filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
            record(&id, &held)
        })
        .collect();
    let found = resolver().resolve(&task(records.clone(), None)).unwrap();
    assert!(found.trained && !found.pairs.is_empty());
    for _ in 0..200 {
        let pair = found.pairs[random.below(found.pairs.len() as u64) as usize];
        let (left, right) = (&records[pair.left as usize], &records[pair.right as usize]);
        let kept = resolver().explain(&found.model, left, right, Some(pair.pattern)).unwrap();
        assert_eq!(kept.iter().map(|step| step.weight).sum::<i32>(), pair.weight);
        assert_eq!(resolver().explain(&found.model, left, right, None).unwrap(), kept);
    }
    let again = resolver().resolve(&task(records, Some(found.model.clone()))).unwrap();
    assert!(!again.trained);
    assert_eq!((again.labels, again.pairs), (found.labels, found.pairs));
}
