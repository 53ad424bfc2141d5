use std::collections::HashMap;

use super::*;

fn files(seed: u64, people: usize) -> (Vec<DemoFile>, Truth) {
    let mut files = Vec::new();
    let mut sink = |file| {
        files.push(file);
        Ok(())
    };
    let truth = generate(seed, Size { people }, &mut sink).unwrap();
    (files, truth)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, truth_one) = files(7, 120);
    let (two, truth_two) = files(7, 120);
    assert_eq!(one, two);
    assert_eq!(truth_one, truth_two);
    let (other, _) = files(8, 120);
    assert_ne!(one, other);
}

#[test]
fn every_row_is_either_to_load_or_to_reject() {
    let (files, truth) = files(1, 300);
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    assert_eq!(rows, truth.rows.values().sum::<u64>() + truth.rejects.values().sum::<u64>());
    assert_eq!(truth.rejects.values().sum::<u64>(), 18);
    let names: std::collections::HashSet<_> = files.iter().map(|file| &file.name).collect();
    assert_eq!(names.len(), files.len());
}

#[test]
fn what_is_planted_can_be_measured() {
    let (_, truth) = files(SEED, Size::default().people);
    assert!((17_000..24_000).contains(&truth.rows["o.orders"]), "{truth:#?}");
    assert!((10_500..14_500).contains(&truth.rows["x.feedback"]), "{truth:#?}");
    assert!((truth.repurchase_on_time.value - truth.planted_repurchase_on_time).abs() < 0.02, "{truth:#?}");
    assert!((truth.repurchase_late.value - truth.planted_repurchase_late).abs() < 0.04, "{truth:#?}");
    assert!(truth.rating_on_time.value - truth.rating_late.value > 1.2, "{truth:#?}");
    assert!(truth.worse_since.value - truth.worse_before.value > 0.2, "{truth:#?}");
    assert!(truth.promoter_spend.value > truth.detractor_spend.value * 1.2, "{truth:#?}");
    assert_eq!(truth.complaint_topics[0].0, "delivery");
    assert!((15.0..55.0).contains(&truth.nps.value), "{truth:#?}");
}

/// Prefixes of the pipes of `examples/demo`, below the example's own.
fn prefixes() -> Vec<&'static str> {
    let pipes = include_str!("../../../examples/demo/pipes.sql");
    let quoted = pipes.split("FROM '").skip(1).filter_map(|rest| rest.split('\'').next());
    quoted.filter_map(|prefix| prefix.strip_prefix("landing/demo/")).collect()
}

#[test]
fn every_file_has_its_pipe_and_every_pipe_its_files() {
    let (files, _) = files(1, 50);
    let prefixes = prefixes();
    for file in &files {
        let pipes = prefixes.iter().filter(|prefix| file.name.starts_with(**prefix)).count();
        assert_eq!(pipes, 1, "{}", file.name);
    }
    for prefix in &prefixes {
        assert!(files.iter().any(|file| file.name.starts_with(prefix)), "{prefix}");
    }
}

#[test]
fn the_readme_tells_the_numbers_of_the_default_data() {
    let readme = include_str!("../../../examples/demo/README.md");
    let (files, truth) = files(SEED, Size::default().people);
    let rows = |prefix: &str| -> u64 {
        files.iter().filter(|file| file.name.starts_with(prefix)).map(|file| file.rows).sum()
    };
    let thousands = |n: u64| format!("{},{:03}", n / 1_000, n % 1_000);
    let percent = |share: Measured| format!("{:.0}%", share.value * 100.0);
    let expected = [
        format!("{} records of {} people", thousands(rows("customers/")), thousands(truth.people)),
        format!("| {} | `o.orders` |", thousands(rows("orders/"))),
        format!("| {} | `x.feedback` |", thousands(rows("feedback/"))),
        format!("| {}, {}, {} |", rows("cases/"), rows("subscriptions/"), rows("costs/")),
        format!("late deliveries ({} of all)", percent(truth.late_share)),
        format!("about {:.1} stars", truth.rating_on_time.value - truth.rating_late.value),
        format!("from {} to {}", percent(truth.repurchase_on_time), percent(truth.repurchase_late)),
        format!(
            "late in {} of cases, after {} before",
            percent(truth.worse_since),
            percent(truth.worse_before)
        ),
    ];
    for sentence in expected {
        assert!(readme.contains(&sentence), "{sentence}");
    }
}

/// The records of one person hang together by identifiers, and no identifier is shared by two people.
#[test]
fn records_resolve_to_people() {
    let mut dice = Dice::new(3, 1);
    let people = people::generate(2_000, &mut dice);
    let mut owner: HashMap<String, usize> = HashMap::new();
    for (index, person) in people.iter().enumerate() {
        let wechat = person.wechat.iter().flat_map(|(openid, unionid)| [openid.clone(), unionid.clone()]);
        let member = person.member_no.iter().map(|number| format!("member {number}"));
        for key in wechat.chain(member).chain([person.phone.clone(), person.email.clone()]) {
            assert_eq!(*owner.entry(key).or_insert(index), index);
        }
        assert_eq!(person.phone.len(), 11);
    }
    let records = people::shop_rows(&people, &mut dice).len()
        + people::wechat_rows(&people, &mut dice).len()
        + people::hotline_rows(&people, &mut dice).len();
    assert!(records > people.len());
}

#[test]
fn nobody_needs_anybody() {
    let (files, truth) = files(1, 0);
    assert_eq!(truth.people, 0);
    assert_eq!(truth.rows["o.orders"], 0);
    assert!(files.iter().all(|file| !file.bytes.is_empty()));
}
