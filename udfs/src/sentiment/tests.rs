use super::*;

fn label(text: &str) -> &'static str {
    score(text).label.name()
}

/// Sentences of our own with the label that a careful reader gives.
const SENTENCES: [(&str, &str); 66] = [
    ("配送很快，味道不错", "positive"),
    ("包装精美，客服耐心，下次还会买", "positive"),
    ("网络顺畅，通话清楚", "positive"),
    ("性价比很高，推荐给大家", "positive"),
    ("老师讲得生动有趣", "positive"),
    ("房间干净整洁，前台态度热情", "positive"),
    ("物超所值，家里人都喜欢", "positive"),
    ("办理业务很方便，十分钟就搞定了", "positive"),
    ("系统经常卡", "negative"),
    ("服务态度恶劣", "negative"),
    ("质量太差了，用两天就坏了", "negative"),
    ("等了一个小时还没送到", "negative"),
    ("经常断线，根本没法用", "negative"),
    ("乱扣费，客服一直推脱", "negative"),
    ("页面打不开，点了没反应", "negative"),
    ("再也不会来了", "negative"),
    ("房间有一股霉味，床单也不干净", "negative"),
    ("退款拖了半个月，太让人失望了", "negative"),
    ("不好吃", "negative"),
    ("味道不怎么样", "negative"),
    ("一点都不好用", "negative"),
    ("没有想象中的好", "negative"),
    ("客服不专业，也不耐心", "negative"),
    ("并不值这个价", "negative"),
    ("不是不好", "positive"),
    ("没有不满意", "positive"),
    ("一点都不慢", "positive"),
    ("味道一点也不差", "positive"),
    ("价格不贵", "positive"),
    ("没有异味", "positive"),
    ("从来没有让我失望过", "positive"),
    ("无可挑剔", "positive"),
    ("好得没话说", "positive"),
    ("不得不说，真的很好用", "positive"),
    ("虽然有点贵，但是质量很好", "positive"),
    ("虽然送得慢，但味道特别棒", "positive"),
    ("虽然便宜，但是质量太差", "negative"),
    ("外观不错，但是用起来很卡，太失望了", "negative"),
    ("呵呵，这就是你们所谓的优质服务", "negative"),
    ("真是服了，又给我送错了", "negative"),
    ("太好了，又断网了，投诉都没人理", "negative"),
    ("花钱买罪受", "negative"),
    ("", "neutral"),
    ("2024年5月1日", "neutral"),
    ("13800000000", "neutral"),
    ("……", "neutral"),
    ("请问营业时间是几点到几点？", "neutral"),
    ("附近有地铁站吗？", "neutral"),
    ("怎么修改收货地址？", "neutral"),
    ("帮我查一下订单号", "neutral"),
    ("我想预订明天的酒店", "neutral"),
    ("這家店的服務態度很好", "positive"),
    ("質量太差，退貨還不給退", "negative"),
    ("ＶＥＲＹ ＧＯＯＤ，非常满意！", "positive"),
    ("👍👍👍", "positive"),
    ("The delivery was very fast and the staff were friendly", "positive"),
    ("terrible service, my flight was cancelled", "negative"),
    ("the food is not good", "negative"),
    ("Great product, I love it", "positive"),
    ("thank you so much, excellent service", "positive"),
    ("worst experience ever", "negative"),
    ("What time does the store open?", "neutral"),
    ("how do I change my address", "neutral"),
    ("菜很好吃，环境也好。可是服务员态度极差，等了很久。", "mixed"),
    ("拍照效果很棒，手感也好。电池太差，经常死机。", "mixed"),
    ("the room was lovely and clean. the staff were rude and the food was terrible.", "mixed"),
];

/// How many of them the model must get right; a linear model cannot get all.
const RIGHT: usize = 60;

#[test]
fn sentences_are_read_as_a_careful_reader_does() {
    let wrong: Vec<_> = SENTENCES.iter().filter(|(text, expected)| label(text) != *expected).collect();
    assert!(SENTENCES.len() - wrong.len() >= RIGHT, "{wrong:?}");
}

#[test]
fn nothing_is_neutral() {
    for text in ["", " \n\t", "0", "2024-05-01 12:30", "……", "https://example.com/good?bad=1", "。，！？"]
    {
        let found = score(text);
        assert_eq!((found.score, found.probability, found.label), (0.0, 0.5, Label::Neutral), "{text:?}");
    }
}

#[test]
fn forms_of_one_character_read_alike() {
    for (one, other) in [
        ("服务态度很好！", "服務態度很好！"),
        ("very good", "ＶＥＲＹ　ｇｏｏｄ"),
        ("快, 好", "快，好"),
        ("I don't like it", "I don’t like it"),
        ("好https://example.com/x吃", "好吃"),
    ] {
        assert_eq!(score(one), score(other), "{one} {other}");
    }
}

#[test]
fn contributions_sum_to_the_margin_exactly() {
    let mut dice = Dice(7);
    for _ in 0..300 {
        let text = dice.text();
        let forward: f64 = explain(&text).iter().map(|c| c.weight).sum();
        let backward: f64 = explain(&text).iter().rev().map(|c| c.weight).sum();
        assert!(forward == backward && forward == margin(&text), "{text}");
        let length = text.chars().count();
        assert!(explain(&text).iter().all(|c| c.start_char <= c.end_char && c.end_char <= length), "{text}");
    }
}

#[test]
fn the_margin_is_what_the_score_is_made_of() {
    for (text, _) in SENTENCES.iter().filter(|(text, _)| score(text).probability != 0.5) {
        let scale = super::score::MODEL.scale;
        let bent = margin(text).signum() * margin(text).abs().powf(f64::from(scale.bend));
        let logit = f64::from(scale.slope) * bent + f64::from(scale.offset);
        let probability = 1.0 / (1.0 + (-logit).exp());
        assert!((probability - f64::from(score(text).probability)).abs() < 1e-3, "{text}");
    }
}

#[test]
fn contributions_point_at_the_words_that_judge() {
    let weight = |text: &str, from: usize, to: usize| -> f64 {
        explain(text).iter().filter(|c| c.start_char >= from && c.end_char <= to).map(|c| c.weight).sum()
    };
    assert!(weight("配送很快，客服差劲", 2, 4) > 0.0);
    assert!(weight("配送很快，客服差劲", 7, 9) < 0.0);
}

#[test]
fn any_text_has_a_score_between_its_ends() {
    let mut dice = Dice(11);
    let mut scorer = Scorer::new();
    for _ in 0..2000 {
        let text = dice.text();
        let found = scorer.score(&text);
        assert!((-1.0..=1.0).contains(&found.score) && (0.0..=1.0).contains(&found.probability), "{text}");
        assert_eq!(found, score(&text));
    }
}

#[test]
fn long_texts_take_linear_time() {
    for unit in ["不是不", "但是", "，", "a", "http://", "@a", "好"] {
        let found = score(&unit.repeat(300_000));
        assert!(found.score.is_finite());
    }
}

const TAUGHT: [(&str, Label); 8] = [
    ("这次的胶囊舱太赛博了", Label::Positive),
    ("赛博感拉满", Label::Positive),
    ("真的很赛博", Label::Positive),
    ("赛博味十足", Label::Positive),
    ("整个流程很土味", Label::Negative),
    ("土味界面", Label::Negative),
    ("土味十足", Label::Negative),
    ("太土味了", Label::Negative),
];

#[test]
fn an_adaptation_learns_new_words_and_keeps_the_old() {
    let adaptation = adapt(&TAUGHT).expect("both labels are there");
    let mut scorer = Scorer::new();
    assert_eq!(adaptation.score(&mut scorer, "界面很赛博").label, Label::Positive);
    assert_eq!(adaptation.score(&mut scorer, "界面土味").label, Label::Negative);
    assert_eq!(adaptation.score(&mut scorer, "质量太差，退款").label, Label::Negative);
    assert_eq!(adaptation.score(&mut scorer, "").label, Label::Neutral);
}

#[test]
fn an_adaptation_does_not_depend_on_order_and_survives_writing() {
    let adaptation = adapt(&TAUGHT).expect("both labels are there");
    let mut turned = TAUGHT;
    turned.reverse();
    assert_eq!(adaptation, adapt(&turned).expect("both labels are there"));
    let bytes = adaptation.to_bytes();
    assert_eq!(bytes.len(), adaptation.size());
    assert_eq!(Adaptation::from_bytes(&bytes), Ok(adaptation));
    for cut in 0..bytes.len() {
        assert!(Adaptation::from_bytes(&bytes[..cut]).is_err());
    }
}

#[test]
fn an_adaptation_needs_both_sides() {
    let error = adapt(&[("好", Label::Positive)]).expect_err("nothing negative");
    assert_eq!(error.message, "training texts hold no negative one");
}

/// Draws texts from a seed (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap_or(0)
    }

    /// Up to 60 characters: words that mean something, and anything at all.
    fn text(&mut self) -> String {
        const WORDS: [&str; 16] = [
            "不",
            "没有",
            "好",
            "差",
            "但是",
            "，",
            "。",
            "is not",
            " ",
            "@me",
            "http://a ",
            "不是不",
            "'",
            "👍🏽",
            "7",
            "覺",
        ];
        let mut text = String::new();
        for _ in 0..self.below(40) {
            if self.below(4) > 0 {
                text.push_str(WORDS[self.below(WORDS.len())]);
            } else if let Some(character) = char::from_u32(self.below(0x11_0000) as u32) {
                text.push(character);
            }
        }
        text
    }
}
