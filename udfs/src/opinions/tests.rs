use std::sync::LazyLock;

use super::*;

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

fn words(text: &str, span: &Range<usize>) -> String {
    text.chars().skip(span.start).take(span.len()).collect()
}

/// One opinion as `aspect|head:polarity:kind`.
fn shown(text: &str, opinion: &Opinion) -> String {
    let aspect = opinion.aspect.as_ref().map_or_else(String::new, |span| words(text, span));
    let said = words(text, &opinion.opinion);
    format!(
        "{aspect}|{}|{said}:{}:{} ({})",
        opinion.aspect_head,
        opinion.polarity,
        opinion.kind.as_str(),
        opinion.rule
    )
}

/// Whether an opinion is what `aspect:polarity:kind` says. The aspect is a head or a part of the aspect's
/// words, `|` between alternatives; `*` stands for any.
fn fits(text: &str, opinion: &Opinion, expected: &str) -> bool {
    let parts: Vec<&str> = expected.split(':').collect();
    let [aspect, polarity, kind] = parts[..] else { panic!("expectation {expected}") };
    let named = opinion.aspect.as_ref().map_or_else(String::new, |span| words(text, span));
    let aspect =
        aspect.split('|').any(|name| name == "*" || opinion.aspect_head == name || named.contains(name));
    aspect && (polarity == "*" || opinion.polarity.to_string() == polarity) && opinion.kind.as_str() == kind
}

/// What is missing and what is praise without being expected.
fn misses(text: &str, expected: &str) -> Vec<String> {
    let found = opinions(text, &JIEBA);
    let list: Vec<String> = found.iter().map(|opinion| shown(text, opinion)).collect();
    let missing =
        expected.split(';').filter(|expected| !found.iter().any(|opinion| fits(text, opinion, expected)));
    let mut misses: Vec<String> =
        missing.map(|expected| format!("{text}: no {expected} in {list:?}")).collect();
    if !expected.contains("praise") && found.iter().any(|opinion| opinion.kind == Kind::Praise) {
        misses.push(format!("{text}: unexpected praise in {list:?}"));
    }
    misses
}

#[test]
fn behaves_as_expected() {
    let rows: Vec<&str> = terms::rows(include_str!("data/behaviour.tsv")).collect();
    assert!(rows.len() >= 60);
    let misses: Vec<String> = rows
        .iter()
        .filter_map(|row| row.split_once('\t'))
        .flat_map(|(text, expected)| misses(text, expected))
        .collect();
    assert!(misses.is_empty(), "{} misses\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn reads_service_feedback() {
    let list = "1.客户下单后的商品颜色尺码信息 Udesk页面不显示 2.系统经常卡, 客户的订单显示错误 \
                3.接待进入的客户在回复消息的时候, 排队的上下顺序会改变, 希望客户固定客户的排队顺序 \
                4.支持键盘上下键可以上下直接滑动选择客户而不是只能鼠标点击选择 \
                5.对话超过24小时无法发起回话, 希望时间可以延迟";
    for (text, expected) in [
        ("网络连线顺畅一些", "网络连线:-1:request"),
        ("经常断线, 接入客户无通知", "连接:-1:complaint;通知:-1:complaint"),
        ("没有必填项提示", "必填项提示:-1:complaint"),
        (
            list,
            "商品颜色尺码信息:-1:complaint;系统:-1:complaint;订单:-1:complaint;顺序:-1:complaint;\
             选择客户:-1:complaint;对话:-1:complaint;排队顺序:0:request;键盘上下键:0:request;时间:0:request",
        ),
        (
            "留言回复页面没有具体几条, 希望增加具体数值, 客源只管的查看",
            "留言回复页面:-1:complaint;数值:0:request",
        ),
    ] {
        let misses = misses(text, expected);
        assert!(misses.is_empty(), "{}", misses.join("\n"));
    }
}

#[test]
fn places_are_characters_of_the_text() {
    for text in
        ["😀系统经常卡，但是客服很好！\n希望增加夜间模式。", "Ａｐｐ总是闪退", "The  staff were rude!"]
    {
        let length = text.chars().count();
        let found = opinions(text, &JIEBA);
        assert!(!found.is_empty(), "{text}");
        for opinion in found {
            assert!(opinion.start < opinion.end && opinion.end <= length);
            assert!(opinion.evidence.start <= opinion.start && opinion.evidence.end >= opinion.end);
            assert!(!opinion.opinion.is_empty() && opinion.opinion.end <= length);
            assert!((0.0..=1.0).contains(&opinion.intensity));
        }
    }
    let text = "😀系统经常卡";
    assert_eq!(words(text, &opinions(text, &JIEBA)[0].opinion), "经常卡");
}

#[test]
fn other_scripts_have_no_opinions() {
    for text in [
        "",
        " ",
        "1234567",
        "😀👍",
        "서비스가 정말 좋아요",
        "とても良いサービスです",
        "Очень плохо",
        "\u{0}",
        "。。。！！",
    ] {
        assert_eq!(opinions(text, &JIEBA), [], "{text}");
    }
}

/// A seeded row of pieces that rules and model care about.
fn noise(seed: u64, pieces: usize) -> String {
    let parts = [
        "系统",
        "卡",
        "不",
        "没有",
        "希望",
        "，",
        "。",
        " ",
        "1.",
        "很好",
        "的",
        "😀",
        "a",
        "can't",
        "is",
        "只能",
        "而不是",
        "\n",
        "一些",
        "吗",
        "无法",
        "客服",
        "𠮷",
        "é",
        "\u{0}",
        "NEAR",
        "会改变",
        "24",
        "、",
        "'",
    ];
    let mut state = seed;
    let mut text = String::new();
    for _ in 0..pieces {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text += parts[(state >> 33) as usize % parts.len()];
    }
    text
}

#[test]
fn noise_is_read_without_harm_and_alike_each_time() {
    for seed in 0..300 {
        let text = noise(seed, 1 + (seed % 60) as usize);
        let length = text.chars().count();
        let found = opinions(&text, &JIEBA);
        assert_eq!(found, opinions(&text, &JIEBA));
        assert!(
            found.iter().all(|o| o.end <= length && o.evidence.end <= length && o.start < o.end),
            "{text}"
        );
    }
}

#[test]
fn a_kept_reader_gives_what_a_new_one_gives() {
    let mut reader = chinese::Reader::new(Model::shipped(), Heads::shipped());
    for seed in 0..50 {
        let text = noise(seed, 30);
        assert_eq!(read(&text, &JIEBA, &mut reader), opinions(&text, &JIEBA));
    }
}

#[test]
fn the_model_survives_its_file() {
    let model = Model::shipped();
    assert!(model.tagger_scale > 0.0);
    assert_eq!(Model::from_bytes(&model.to_bytes()).as_ref(), Ok(model));
    assert!(Model::from_bytes(b"VHOPIN01").is_err());
    assert!(Model::from_bytes(b"").is_err());
}

#[test]
fn heads_are_editable() {
    let heads =
        Heads::new("term\thead\n送货\t配送\n外送\t配送\n", "opinion\thead\n贵\t价格\n").expect("tables");
    assert_eq!(heads.of("送货"), "配送");
    assert_eq!(heads.of("他们的外送"), "配送");
    assert_eq!(heads.of("屏幕"), "屏幕");
    assert_eq!(heads.implied(&['太', '贵', '了']), Some("价格"));
    assert!(Heads::new("term\thead\n送货\n", "").is_err());
}
