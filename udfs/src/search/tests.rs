use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::{Detail, Marks, Query, Token, snippet, tokens};

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

fn words(text: &str) -> Vec<Token> {
    tokens(&JIEBA, text, Detail::Words)
}

fn fits(text: &str, query: &str) -> bool {
    let query = Query::parse(query).unwrap();
    let found = query.matches(&words(text));
    assert!(!found || query.may_match(text), "{text} fits but may not");
    found
}

#[test]
fn tokens_keep_their_places() {
    let text =
        "＠小米客服 系统又卡了😤，详见https://a.cn/x?y=1。#充电慢#[怒] I didn't like the Deliveries ＡＢＣ";
    let found = tokens(&JIEBA, text, Detail::Tags);
    let characters: Vec<char> = text.chars().collect();
    for (place, token) in found.iter().enumerate() {
        assert_eq!(token.position, place);
        assert!(token.start < token.end && token.end <= characters.len());
        assert!(place == 0 || found[place - 1].end <= token.start);
    }
    let at = |wanted: &str| {
        found.iter().find(|token| token.text == wanted).unwrap_or_else(|| panic!("no {wanted}: {found:?}"))
    };
    let source = |token: &Token| characters[token.start..token.end].iter().collect::<String>();
    assert_eq!(source(at("deliveri")), "Deliveries");
    assert_eq!(source(at("didn't")), "didn't");
    assert_eq!(source(at("abc")), "ＡＢＣ");
    assert_eq!((source(at("充电慢")), at("充电慢").tag.as_str()), ("#充电慢#".to_owned(), "topic"));
    assert_eq!(at("[怒]").tag, "emoji");
    assert_eq!(at("😤").tag, "emoji");
    assert_eq!(at("https://a.cn/x?y=1").tag, "url");
    assert_eq!(at("系统").tag, "n");
}

#[test]
fn specials_stay_whole() {
    let tagged = |text: &str| {
        tokens(&JIEBA, text, Detail::Words).into_iter().map(|t| (t.text, t.tag)).collect::<Vec<_>>()
    };
    assert_eq!(
        tagged("@张三 mail a.b@c.com"),
        [("张三", "mention"), ("mail", ""), ("a.b@c.com", "email")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    assert_eq!(tagged("👨‍👩‍👧🇨🇳👍🏽").len(), 3);
    assert_eq!(tagged("#hashtag ok")[0].1, "topic");
    assert!(tagged("。，！ ()").is_empty());
    assert!(tagged("").is_empty());
}

#[test]
fn operators() {
    let text = "系统经常卡顿，客服处理很慢，最后退款了";
    for (query, wanted) in [
        ("卡顿", true),
        ("卡顿 客服", true),
        ("卡顿 AND 物流", false),
        ("物流 OR 退款", true),
        ("卡顿 NOT 退款", false),
        ("卡顿 -物流", true),
        ("NOT 物流", true),
        ("(物流 OR 客服) AND (慢 OR 快)", true),
        ("（物流 OR 客服） NOT （慢 OR 快）", false),
        ("\"客服处理\"", true),
        ("“处理客服”", false),
        ("客服 NEAR/2 慢", true),
        ("慢 NEAR/2 客服", true),
        ("系统 NEAR/1 退款", false),
        ("(系统 OR 客服) NEAR/3 慢", true),
    ] {
        assert_eq!(fits(text, query), wanted, "{query}");
    }
}

#[test]
fn chinese_terms_do_not_hang_on_segmentation() {
    assert!(fits("系统卡顿严重", "系统卡"));
    assert!(fits("快递员态度差", "快递"));
    assert!(!fits("产品和服务都好", "和服"));
    assert!(fits("他是网络主播", "网络"));
    assert!(!fits("一点也不快", "快递"));
}

#[test]
fn english_terms_match_by_stem() {
    assert!(fits("The deliveries were delayed", "delivery delay"));
    assert!(fits("It crashes constantly", "\"crash constant\""));
    assert!(!fits("an application", "app"));
    assert!(fits("an application", "app*"));
    assert!(fits("Wi-Fi keeps dropping", "\"wi-fi\""));
}

#[test]
fn bad_queries_are_refused() {
    for query in [
        "",
        "   ",
        "。。",
        "(卡",
        "卡)",
        "()",
        "AND 卡",
        "卡 OR",
        "NOT",
        "\"卡",
        "卡 NEAR/x 慢",
        "卡 NEAR/99999 慢",
        "卡 NEAR/3 (NOT 慢)",
        "\"\"",
    ] {
        let refused = Query::parse(query).unwrap_err();
        assert!(!refused.message.is_empty() && !refused.message.ends_with('.'), "{query}");
    }
    assert!(Query::parse(&"(".repeat(10_000)).is_err());
    assert!(Query::parse(&"NOT ".repeat(10_000)).is_err());
}

#[test]
fn snippets_show_the_match() {
    let text =
        "前面说了很多没有关系的话，写得特别长特别长。系统经常卡顿，客服也没人理。后面又是许多别的内容。";
    let show = |query: &str, width| {
        snippet(text, &words(text), &Query::parse(query).unwrap(), width, Marks::default())
    };
    assert_eq!(show("卡顿 客服", 16), "…系统经常<b>卡顿</b>，<b>客服</b>也没人理。…");
    assert_eq!(show("没有这个词", 8), "前面说了很多没有…");
    let whole = show("系统", 500);
    assert_eq!(whole.replace("<b>", "").replace("</b>", ""), text);
}

/// Any text and any query: no panic, places inside the text, a snippet that is the text.
#[test]
fn random_texts_and_queries() {
    let alphabet: Vec<char> =
        "系统卡顿客服的。，（）()\"*-ANDORT aeb19@#[]“：/.😀👍\u{200d}🇨ＡÉß\n".chars().collect();
    let mut state = 7_u64;
    let mut draw = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    for _ in 0..3_000 {
        let length = draw(40);
        let text: String = (0..length).map(|_| alphabet[draw(alphabet.len())]).collect();
        let length = draw(12);
        let query: String = (0..length).map(|_| alphabet[draw(alphabet.len())]).collect();
        let found = words(&text);
        assert!(found.iter().all(|token| token.end <= text.chars().count()));
        if let Ok(query) = Query::parse(&query) {
            let fits = query.matches(&found);
            assert!(!fits || query.may_match(&text) || text.contains(char::is_uppercase), "{text}");
            let shown =
                snippet(&text, &found, &query, 1 + draw(20), Marks { open: "", close: "", ellipsis: "" });
            assert!(text.contains(&shown), "{text:?} {shown:?}");
        }
    }
}

#[test]
fn stems_agree_with_snowball() {
    for line in include_str!("../../golden/texts/porter.csv").lines().skip(1) {
        let (word, stem) = line.split_once(',').unwrap();
        assert_eq!(words(word)[0].text, stem, "{word}");
    }
}
