use super::taxonomy::TagHit;
use super::*;

fn compile(include: &str, exclude: &str) -> Taxonomy {
    Taxonomy::compile("t", [("tag", "", include, exclude)]).expect("query")
}

/// The words at the places where the query holds.
fn found(text: &str, include: &str, exclude: &str) -> Vec<String> {
    let taxonomy = compile(include, exclude);
    let place = |hit: TagHit<'_>| text.chars().skip(hit.start).take(hit.end - hit.start).collect();
    tags(text, &taxonomy).into_iter().map(place).collect()
}

#[test]
fn queries_hold_where_they_say() {
    for (text, include, exclude, expected) in [
        ("客服态度好，客服专业", "客服", "", vec!["客服", "客服"]),
        ("客服态度好", "客服 AND 态度", "", vec!["客服", "态度"]),
        ("客服态度好", "客服 态度", "", vec!["客服", "态度"]),
        ("客服态度好", "客服 AND 价格", "", vec![]),
        ("客服态度好", "价格 OR 态度", "", vec!["态度"]),
        ("客服态度好", "客服 NOT 价格", "", vec!["客服"]),
        ("客服态度好", "客服 AND NOT 态度", "", vec![]),
        ("客服态度好", "NOT 价格", "", vec!["客服态度好"]),
        ("客服态度好", "客服", "态度", vec![]),
        ("快递三天才到，很慢", "快递 NEAR/8 慢", "", vec!["快递三天才到，很慢"]),
        ("快递三天才到，很慢", "快递 NEAR/3 慢", "", vec![]),
        ("慢，快递", "快递 NEAR/0 慢", "", vec!["慢，快递"]),
        ("the app is slow", "app NEAR/1 slow", "", vec!["app is slow"]),
        ("the app is so slow", "app NEAR/1 slow", "", vec![]),
        ("an apple a day", "app", "", vec![]),
        ("ＡＰＰ打不开", "app", "", vec!["ＡＰＰ"]),
        ("the check in desk", "\"check in\"", "", vec!["check in"]),
        ("5G信号", "5g", "", vec!["5G"]),
        ("a b", "\"OR\" OR b", "", vec!["b"]),
        ("没有问题", "(问题 OR 毛病) NOT 没有", "", vec![]),
        ("上下上", "上下 OR 下上 OR 上", "", vec!["上", "上下", "下上", "上"]),
    ] {
        assert_eq!(found(text, include, exclude), expected, "{include} NOT {exclude} in {text}");
    }
}

#[test]
fn queries_that_are_not_well_formed_are_refused() {
    for query in
        ["(a", "a)", "a OR", "AND a", "a NEAR/x b", "a NEAR/999 b", "\"a", "\"\"", "a NEAR/2", "NOT", "()"]
    {
        let refused = Taxonomy::compile("t", [("tag", "", query, "")]).expect_err(query);
        assert!(refused.message.contains("tag query"), "{}", refused.message);
        assert!(refused.message.contains(" at character "), "{}", refused.message);
        assert!(refused.hint.is_some());
    }
    let deep = "(".repeat(5000) + "a" + &")".repeat(5000);
    assert!(Taxonomy::compile("t", [("tag", "", deep.as_str(), "")]).is_err());
    assert!(Taxonomy::compile("t", [("", "", "a", "")]).is_err());
    assert!(Taxonomy::compile("t", [("a", "lost", "a", "")]).is_err());
}

#[test]
fn shipped_taxonomies_compile_and_tag() {
    for (name, text, tag) in [
        ("retail", "尺码偏小，想退货", "size"),
        ("retail", "The delivery was really slow", "late_delivery"),
        ("food_delivery", "汤洒了一半", "spilled"),
        ("hotel", "隔音太差，早餐不错", "noise"),
        ("telecom", "地铁里没有信号", "coverage"),
        ("telecom", "Charged twice this month", "wrong_charge"),
        ("dealer", "保养太贵", "repair_price"),
    ] {
        let taxonomy = Taxonomy::from_tsv(name, shipped(name).expect("name")).expect("taxonomy");
        assert!(taxonomy.tags().count() >= 24, "{name}");
        let hits = tags(text, &taxonomy);
        assert!(hits.iter().any(|hit| hit.tag == tag), "{text}: {hits:?}");
        assert!(hits.iter().all(|hit| hit.rule.starts_with(name) && hit.end <= text.chars().count()));
    }
    assert!(shipped("bank").is_err());
}

/// The automaton finds what a search term by term finds.
#[test]
fn finds_what_a_plain_search_finds() {
    let letters = ['上', '下', '中', '左'];
    let mut state = 7u64;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for _ in 0..200 {
        let terms: Vec<String> = (0..6).map(|_| (0..=next(4)).map(|_| letters[next(4)]).collect()).collect();
        let text: Vec<char> = (0..40).map(|_| letters[next(4)]).collect();
        let mut plain = Vec::new();
        for term in &terms {
            let term: Vec<char> = term.chars().collect();
            plain.extend(
                (0..text.len()).filter(|&at| text[at..].starts_with(&term)).map(|at| (at, at + term.len())),
            );
        }
        plain.sort_unstable();
        plain.dedup();
        let taxonomy = compile(&terms.join(" OR "), "");
        let text: String = text.into_iter().collect();
        let found: Vec<_> = tags(&text, &taxonomy).iter().map(|hit| (hit.start, hit.end)).collect();
        assert_eq!(found, plain);
    }
}
