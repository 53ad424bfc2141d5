use std::collections::HashSet;

use super::lexicon::{LEXICON, Role, modifiers, polarities, rows};
use super::*;

fn score(text: &str) -> f64 {
    Scorer::new(&LEXICON).score(text)
}

#[test]
fn labels() {
    let cases = [
        ("配送很快，味道不错", "positive"),
        ("系统经常卡", "negative"),
        ("网络顺畅", "positive"),
        ("不好吃", "negative"),
        ("不是不好", "positive"),
        ("没有不满意", "positive"),
        ("没有异味、破损", "positive"),
        ("没有想象中的好", "negative"),
        ("希望网络能顺畅一些", "neutral"),
        ("希望快递快一点", "neutral"),
        ("建议增加优惠", "neutral"),
        ("送餐速度太慢了", "negative"),
        ("味道好，但是送得太慢", "negative"),
        ("送得太慢，但是味道好", "positive"),
        ("好像是周三买的", "neutral"),
        ("2024年5月1日", "neutral"),
        ("服务态度恶劣", "negative"),
        ("不贵", "positive"),
        ("The delivery was very fast", "positive"),
        ("the food is not good", "negative"),
        ("I don't like this, it doesn't work", "negative"),
        ("Never disappoints", "positive"),
        ("Great food but terrible service", "negative"),
        ("I hope the app gets faster", "neutral"),
        ("my flight was delayed again", "negative"),
        ("no problem at all, thanks!", "positive"),
        ("客服 very 耐心", "positive"),
        ("see https://example.com/good?bad=:( today", "neutral"),
        ("", "neutral"),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .filter(|(text, expected)| label(score(text)) != *expected)
        .map(|(text, _)| (text, score(text)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn degree_words_scale() {
    assert!(score("非常满意") > score("满意") && score("满意") > score("还算满意"));
    assert!(score("太慢了") < score("慢") && score("慢") < score("有点慢"));
    assert!(score("very good") > score("good") && score("slightly slow") > score("slow"));
}

#[test]
fn the_score_stays_between_minus_one_and_one() {
    for text in ["满意".repeat(20_000), "terrible ".repeat(20_000), "不".repeat(20_000), "很".repeat(20_000)]
    {
        assert!((-1.0..=1.0).contains(&score(&text)));
    }
}

#[test]
fn the_tables_are_whole_and_without_duplicates() {
    let polarity_rows = rows(include_str!("../../data/sentiment.tsv")).count();
    let modifier_rows = rows(include_str!("../../data/sentiment_modifiers.tsv")).count();
    assert_eq!((polarities().count(), modifiers().count()), (polarity_rows, modifier_rows));
    let terms: HashSet<_> = polarities().chain(modifiers()).map(|(term, _)| term).collect();
    assert_eq!(terms.len(), polarity_rows + modifier_rows);
    for (term, role) in polarities() {
        assert!(matches!(role, Role::Polarity(polarity) if (-1.0..=1.0).contains(&polarity)), "{term}");
        assert_eq!(term, term.trim().to_ascii_lowercase());
    }
}
