use super::*;
use crate::journey::dice::Dice;

/// The path of one customer whose steps are the letters of `text`.
fn path(text: &str, steps: usize, loops: &str) -> String {
    let mut names = Names::default();
    let visit = |(time, letter): (i64, char)| Visit {
        customer: 1,
        time,
        sequence: 0,
        step: names.number(&letter.to_string()).unwrap(),
    };
    let visits: Vec<Visit> = (0..).zip(text.chars()).map(visit).collect();
    PathRule::new(steps, Loops::parse(loops).unwrap()).unwrap().path(&visits, &names)
}

#[test]
fn loops_and_length() {
    let cases = [
        ("", 3, "keep", ""),
        ("aab", 3, "keep", "a > a > b"),
        ("aabc", 3, "keep", "a > a > b > …"),
        ("aabbac", 9, "steps", "a > b > a > c"),
        ("abb", 2, "steps", "a > b"),
        ("abbc", 2, "steps", "a > b > …"),
        ("ababc", 9, "cycles", "a > b > c"),
        ("abab", 2, "cycles", "a > b"),
        ("abac", 2, "cycles", "a > b > …"),
        ("abcabcabd", 9, "cycles", "a > b > c > a > b > d"),
        ("abcabc", 9, "cycles", "a > b > c"),
    ];
    for (text, steps, loops, expected) in cases {
        assert_eq!(path(text, steps, loops), expected, "{text} {steps} {loops}");
    }
    assert!(PathRule::new(0, Loops::Keep).is_err());
    assert!(PathRule::new(101, Loops::Keep).is_err());
    assert!(Loops::parse("all").is_err());
}

#[test]
fn the_most_taken_paths() {
    let mut counts = PathCounts::new(3);
    for path in ["b", "a > b", "a > b", "", "a"] {
        counts.add(path.to_owned(), 1).unwrap();
    }
    let row = |path: &str, customers, share| PathCount { path: path.to_owned(), customers, share };
    assert_eq!(counts.top(2), [row("a > b", 2, 0.5), row("a", 1, 0.25)]);
    assert!(counts.clone().add("c".to_owned(), 1).is_err());
    assert_eq!(PathCounts::new(3).top(2), []);
}

#[test]
fn order_and_splits_make_no_difference() {
    let mut dice = Dice::new(6);
    for _ in 0..200 {
        let mut rows: Vec<String> = (0..dice.below(40)).map(|_| dice.below(9).to_string()).collect();
        let gather = |rows: &[String]| {
            let mut counts = PathCounts::new(10);
            rows.iter().for_each(|row| counts.add(row.clone(), 1).unwrap());
            counts
        };
        let whole = gather(&rows);
        dice.shuffle(&mut rows);
        let cut = dice.below(rows.len() as u64 + 1) as usize;
        let mut merged = gather(&rows[..cut]);
        merged.merge(&PathCounts::from_bytes(&gather(&rows[cut..]).to_bytes()).unwrap()).unwrap();
        assert_eq!(merged, whole);
    }
}
