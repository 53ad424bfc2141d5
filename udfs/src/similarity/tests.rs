use super::minhash::PLACES;
use super::minhash::Signature;
use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn text(&mut self, alphabet: &[char], length: usize) -> String {
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

fn alphabet() -> Vec<char> {
    "快递很慢客服态度不好质量可以便宜物流包装破损退款麻烦电池屏幕信号网络卡顿味道新鲜推荐".chars().collect()
}

#[test]
fn distances_count_characters() {
    assert_eq!(levenshtein("张伟", "李伟"), 1);
    assert_eq!(damerau_levenshtein("张伟", "伟张"), 1);
    assert_eq!(levenshtein("张伟", "伟张"), 2);
    assert_eq!(damerau_levenshtein("ca", "abc"), 3);
    assert_eq!(levenshtein("", "张伟"), 2);
    assert!((jaro_winkler_similarity("MARTHA", "MARHTA") - 0.961_111_111_111).abs() < 1e-9);
    assert!((jaro_winkler_similarity("", "") - 1.0).abs() < 1e-12);
    assert!(jaro_winkler_similarity("", "a").abs() < 1e-12);
}

#[test]
fn distances_agree_with_rapidfuzz() {
    for line in include_str!("../../golden/texts/edit.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (a, b) = (fields[0], fields[1]);
        assert_eq!(levenshtein(a, b).to_string(), fields[2], "{a} {b}");
        assert_eq!(damerau_levenshtein(a, b).to_string(), fields[3], "{a} {b}");
        let wanted: f64 = fields[4].parse().unwrap();
        assert!(
            (jaro_winkler_similarity(a, b) - wanted).abs() < 1e-9,
            "{a} {b} {}",
            jaro_winkler_similarity(a, b)
        );
    }
}

/// Symmetric, zero on itself, and the triangle inequality of Levenshtein.
#[test]
fn distances_are_metrics() {
    let mut random = Random(3);
    let letters: Vec<char> = "ab张李".chars().collect();
    for _ in 0..500 {
        let mut draw = || {
            let length = random.below(9);
            random.text(&letters, length)
        };
        let (a, b, c) = (draw(), draw(), draw());
        assert_eq!(levenshtein(&a, &b), levenshtein(&b, &a));
        assert_eq!(damerau_levenshtein(&a, &b), damerau_levenshtein(&b, &a));
        assert!(damerau_levenshtein(&a, &b) <= levenshtein(&a, &b));
        assert_eq!(levenshtein(&a, &a), 0);
        assert!(levenshtein(&a, &c) <= levenshtein(&a, &b) + levenshtein(&b, &c));
        let similar = jaro_winkler_similarity(&a, &b);
        assert!((0.0..=1.0).contains(&similar));
        assert!((similar - jaro_winkler_similarity(&b, &a)).abs() < 1e-12);
    }
}

#[test]
fn similarity_is_jaccard_of_three_characters() {
    // 快递太慢 has 快递太, 递太慢; 快递太快 has 快递太, 递太快: one of three.
    assert!((text_similarity("快递太慢", "快递太快！") - 1.0 / 3.0).abs() < 1e-12);
    assert!((text_similarity("ABC def", "ａｂｃＤＥＦ") - 1.0).abs() < 1e-12);
    assert!((text_similarity("", "") - 1.0).abs() < 1e-12);
    assert!(text_similarity("", "好").abs() < 1e-12);
    assert!((text_similarity("好", "好！") - 1.0).abs() < 1e-12);
    assert!(text_similarity("好", "差").abs() < 1e-12);
}

/// The share of equal places estimates the similarity: the mean error over many pairs is near zero.
#[test]
fn signatures_estimate_similarity() {
    let mut random = Random(11);
    let letters = alphabet();
    let (mut error, mut square) = (0.0, 0.0);
    let pairs = 800;
    for _ in 0..pairs {
        let length = 8 + random.below(50);
        let a = random.text(&letters, length);
        let mut b: Vec<char> = a.chars().collect();
        for _ in 0..1 + random.below(4) {
            let place = random.below(b.len());
            b[place] = letters[random.below(letters.len())];
        }
        let b: String = b.into_iter().collect();
        let (left, right) = (minhash(&a), minhash(&b));
        let equal = left.iter().zip(&right).filter(|(x, y)| x == y).count() as f64 / PLACES as f64;
        let difference = equal - text_similarity(&a, &b);
        error += difference;
        square += difference * difference;
    }
    assert!((error / f64::from(pairs)).abs() < 0.01, "bias {}", error / f64::from(pairs));
    assert!((square / f64::from(pairs)).sqrt() < 0.09, "error {}", (square / f64::from(pairs)).sqrt());
}

fn grouped(texts: &[&str], threshold: f64) -> Vec<usize> {
    let signatures: Vec<Signature> = texts.iter().map(|text| minhash(text)).collect();
    near_duplicates(texts, &signatures, threshold).unwrap()
}

#[test]
fn duplicates_share_a_group() {
    let texts = [
        "快递太慢了，等了整整三天才送到，客服也联系不上",
        "味道不错，下次还会再来",
        "快递太慢了，等了整整三天才送到,客服也联系不上！！",
        "快递太慢了，等了整整四天才送到，客服也联系不上",
        "",
        "。。。",
        "味道不错 下次还会再来",
    ];
    assert_eq!(grouped(&texts, 0.7), [0, 1, 0, 0, 4, 5, 1]);
    assert_eq!(grouped(&texts, 1.0), [0, 1, 0, 3, 4, 5, 1]);
    assert!(near_duplicates(&texts, &[], 0.8).is_err());
    assert!(near_duplicates(&[], &[], f64::NAN).is_err());
    assert!(near_duplicates(&[], &[], 0.0).is_err());
}

/// Banding finds nearly every pair that comparing all with all finds, and none besides.
#[test]
fn duplicates_agree_with_all_pairs() {
    let mut random = Random(5);
    let letters = alphabet();
    let mut texts: Vec<String> = Vec::new();
    for _ in 0..150 {
        let length = 15 + random.below(30);
        let text = random.text(&letters, length);
        for _ in 0..random.below(4) {
            let mut copy: Vec<char> = text.chars().collect();
            let place = random.below(copy.len());
            copy[place] = letters[random.below(letters.len())];
            texts.push(copy.into_iter().collect());
        }
        texts.push(text);
    }
    let views: Vec<&str> = texts.iter().map(String::as_str).collect();
    let groups = grouped(&views, 0.7);
    let (mut right, mut all) = (0, 0);
    for i in 0..views.len() {
        for j in 0..i {
            if text_similarity(views[i], views[j]) >= 0.7 {
                all += 1;
                right += usize::from(groups[i] == groups[j]);
            }
        }
        let alike = |j: usize| j != i && text_similarity(views[i], views[j]) >= 0.7;
        assert!(groups[i] == i || (0..views.len()).any(alike));
    }
    assert!(all > 100 && right as f64 / f64::from(all) > 0.99, "{right} of {all}");
}

/// The same rows share a group in whatever order they come.
#[test]
fn duplicates_do_not_depend_on_order() {
    let mut random = Random(9);
    let letters: Vec<char> = "很好吃慢".chars().collect();
    let texts: Vec<String> = (0..400).map(|_| random.text(&letters, 9)).collect();
    let forward: Vec<&str> = texts.iter().map(String::as_str).collect();
    let backward: Vec<&str> = forward.iter().rev().copied().collect();
    let (a, b) = (grouped(&forward, 0.5), grouped(&backward, 0.5));
    let n = texts.len();
    for i in 0..n {
        for j in 0..i {
            assert_eq!(a[i] == a[j], b[n - 1 - i] == b[n - 1 - j]);
        }
    }
}

/// A template with a changing number is the worst case of a band.
#[test]
fn boilerplate_stays_fast() {
    let texts: Vec<String> =
        (0..4_000).map(|n| format!("您好，您的订单{n}已经发货，请注意查收，谢谢您的支持与理解")).collect();
    let views: Vec<&str> = texts.iter().map(String::as_str).collect();
    let groups = grouped(&views, 0.6);
    assert!(groups.iter().filter(|group| **group == 0).count() > 3_900);
}

#[test]
fn summaries_quote_the_texts() {
    let texts = [
        "快递送得太慢了。包装倒是完好。",
        "快递太慢，等了一个星期才送到。",
        "  送货慢，快递员态度也差！ 味道不错。",
        "价格便宜，质量也不错。",
        "价格便宜质量不错，推荐购买。",
        "The delivery was very slow. The price is fine.",
    ];
    let picks = summarize(&texts, 3).unwrap();
    assert_eq!(picks.len(), 3);
    for pick in &picks {
        let quote: String = texts[pick.source].chars().skip(pick.start).take(pick.end - pick.start).collect();
        assert_eq!(quote, pick.sentence);
        assert!((0.0..=1.0).contains(&pick.score));
    }
    assert!(picks.iter().any(|pick| pick.sentence.contains("快递")), "{picks:?}");
    assert!(picks.iter().any(|pick| pick.sentence.contains("价格便宜")), "{picks:?}");
    let mut backward = texts;
    backward.reverse();
    let other = summarize(&backward, 3).unwrap();
    let quotes = |picks: &[Pick]| picks.iter().map(|pick| pick.sentence.clone()).collect::<Vec<_>>();
    assert_eq!(quotes(&picks), quotes(&other));
    assert!(summarize(&texts, 0).is_err());
    assert!(summarize(&["", "。"], 3).unwrap().is_empty());
}

#[test]
fn clusters_part_subjects() {
    let subjects = [
        ["快递太慢", "快递慢死了", "送快递很慢"],
        ["客服态度很差", "客服的态度差", "这客服态度真差"],
        ["the battery is dead", "battery dead again", "dead battery"],
    ];
    let mut texts: Vec<&str> = subjects.iter().flatten().copied().collect();
    texts.push("！！！");
    let found = cluster_verbatims(&texts, 3, 4).unwrap();
    assert_eq!(found.clusters.len(), 3);
    for subject in 0..3 {
        let labels = &found.labels[subject * 3..subject * 3 + 3];
        assert!(labels[0].is_some() && labels.iter().all(|label| *label == labels[0]), "{found:?}");
    }
    assert_eq!(found.labels[9], None);
    let mut backward = texts.clone();
    backward.reverse();
    let other = cluster_verbatims(&backward, 3, 4).unwrap();
    let mut labels = other.labels.clone();
    labels.reverse();
    assert_eq!(found.labels, labels);
    assert_eq!(texts[found.clusters[0].representative], backward[other.clusters[0].representative]);
    assert!(cluster_verbatims(&texts, 0, 1).is_err());
    assert!(cluster_verbatims(&texts, 257, 1).is_err());
    assert!(cluster_verbatims(&[], 3, 1).unwrap().clusters.is_empty());
    assert_eq!(cluster_verbatims(&["好的", "好的"], 5, 1).unwrap().clusters.len(), 1);
}
