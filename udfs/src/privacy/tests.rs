use std::collections::BTreeMap;

use super::{Kind, find_pii, id_card_valid, mask_pii};

/// True positives, reported and labelled by kind.
#[derive(Default, Clone, Copy)]
struct Counts {
    right: usize,
    reported: usize,
    labelled: usize,
}

impl Counts {
    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (self.reported + self.labelled).max(1) as f64
    }
}

/// Exact spans on one part of the labelled set.
fn evaluate(part: &str) -> BTreeMap<&'static str, Counts> {
    let mut counts: BTreeMap<&'static str, Counts> = BTreeMap::new();
    for line in include_str!("../../golden/texts/pii.tsv").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[0] != part {
            continue;
        }
        let mut labels: Vec<(&str, usize, usize)> = Vec::new();
        for span in fields[3].split(';').filter(|span| !span.is_empty()) {
            let parts: Vec<&str> = span.split(':').collect();
            labels.push((parts[0], parts[1].parse().unwrap(), parts[2].parse().unwrap()));
        }
        let found = find_pii(fields[2]);
        let mut wrong = false;
        for (kind, _, _) in &labels {
            counts.entry(Kind::parse(kind).unwrap().as_str()).or_default().labelled += 1;
        }
        for pii in &found {
            let entry = counts.entry(pii.kind.as_str()).or_default();
            entry.reported += 1;
            if labels.contains(&(pii.kind.as_str(), pii.start, pii.end)) {
                entry.right += 1;
            } else {
                wrong = true;
            }
        }
        if std::env::var("SHOW").is_ok_and(|show| show == part) && (wrong || found.len() != labels.len()) {
            println!("{}\t{}\t{:?}\t{:?}", fields[1], fields[2], labels, found);
        }
    }
    counts
}

fn check(part: &str) {
    let counts = evaluate(part);
    for (kind, count) in &counts {
        let (p, r) = (
            count.right as f64 / count.reported.max(1) as f64,
            count.right as f64 / count.labelled.max(1) as f64,
        );
        println!("{part} {kind}: precision {p:.3} recall {r:.3} f1 {:.3} n {}", count.f1(), count.labelled);
    }
    for (kind, count) in &counts {
        let bar = if matches!(*kind, "name" | "address") { 0.85 } else { 0.97 };
        assert!(count.f1() >= bar, "{part} {kind}: F1 {:.3} below {bar}", count.f1());
    }
}

#[test]
fn labelled_sentences_of_known_templates() {
    check("tune");
}

#[test]
fn labelled_sentences_of_held_out_templates() {
    check("held_out");
}

fn kinds(text: &str) -> Vec<(Kind, String)> {
    find_pii(text).into_iter().map(|pii| (pii.kind, pii.value)).collect()
}

#[test]
fn values_are_normalised() {
    assert_eq!(kinds("电话１３８-００１３-８０００"), [(Kind::Phone, "13800138000".to_owned())]);
    assert_eq!(kinds("手机一三八零零一三八零零零"), [(Kind::Phone, "13800138000".to_owned())]);
    assert_eq!(kinds("身份证11010519491231002x"), [(Kind::IdCard, "11010519491231002X".to_owned())]);
    assert_eq!(kinds("京A·12345"), [(Kind::Plate, "京A12345".to_owned())]);
    let found = &find_pii("😀电话13800138000！")[0];
    assert_eq!((found.start, found.end), (3, 14));
}

#[test]
fn masks_keep_what_the_table_says() {
    for (text, masked) in [
        ("电话138 0013 8000吧", "电话138****8000吧"),
        ("身份证11010519491231002X", "身份证110****2X"),
        ("卡号6222020000000000006", "卡号6222020000000000006"),
        ("信用卡4111 1111 1111 1111", "信用卡****1111"),
        ("车牌京A12345", "车牌京A****"),
        ("护照E12345678", "护照E****78"),
        ("写信wang@qq.com", "写信w***@qq.com"),
        ("微信号：happy_song88", "微信号：ha****"),
        ("登录IP 58.101.7.9", "登录IP 58.101.*.*"),
        ("寄到浙江省杭州市西湖区文一西路12号3栋501室", "寄到浙江省杭州市西湖区****"),
        ("联系人：王小明，男", "联系人：王**，男"),
        ("李先生说", "**先生说"),
        ("My name is John Smith.", "My name is J*** S***."),
        ("My SSN is 123-45-6789", "My SSN is ****6789"),
        ("没有什么", "没有什么"),
    ] {
        assert_eq!(mask_pii(text, &[]), masked, "{text}");
    }
    assert_eq!(mask_pii("李先生13800138000", &[Kind::Name]), "**先生13800138000");
    assert!(Kind::parse("telephone").unwrap_err().hint.unwrap().contains("phone, id_card"));
}

#[test]
fn identity_numbers() {
    assert!(id_card_valid("11010519491231002X"));
    assert!(!id_card_valid("110105194912310021"));
}

/// What the recognisers look for.
const PARTS: &[&str] = &[
    "1",
    "38",
    "0013",
    "8000",
    "-",
    " ",
    "(",
    ")",
    "+86",
    "@",
    "qq",
    ".com",
    "微信",
    "：",
    "王",
    "小明",
    "先生",
    "联系人",
    "京A",
    "E1234",
    "护照",
    "路",
    "号",
    "栋",
    "501",
    "室",
    "浙江省",
    "Mr. ",
    "John ",
    "Smith",
    "name is ",
    "一",
    "二三",
    "０１",
    "X",
    "Oak Street",
    ", ",
    "😀",
    "ß",
    "SSN ",
    "123-45-6789",
    ".",
    "192.168",
    "#",
    "广州市天河区",
    "11010519491231002X",
    "我叫",
    "4111111111111111",
];

/// Random sequences of what the recognisers look for: no panic, findings in order inside the text, and what is
/// masked is no longer found.
#[test]
fn random_texts() {
    let mut state = 17_u64;
    let mut draw = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    for _ in 0..5_000 {
        let text: String = (0..draw(12)).map(|_| PARTS[draw(PARTS.len())]).collect();
        let found = find_pii(&text);
        let length = text.chars().count();
        assert!(found.iter().all(|pii| pii.start < pii.end && pii.end <= length), "{text}");
        assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start), "{text}");
        let masked = mask_pii(&text, &[Kind::IdCard, Kind::BankCard, Kind::Phone]);
        let values: Vec<&str> = found
            .iter()
            .filter(|pii| matches!(pii.kind, Kind::IdCard | Kind::BankCard))
            .map(|pii| pii.value.as_str())
            .collect();
        // Beside other digits the same number may stand unproven.
        let once = |value: &&&str| text.matches(**value).count() <= 1;
        assert!(values.iter().filter(once).all(|value| !masked.contains(value)), "{text} {masked}");
    }
}
