use super::*;
use crate::knowledge::UNTAUGHT;

fn tokens(text: &str, mode: Mode) -> Vec<String> {
    let mut tokens = Vec::new();
    for_each_token(&UNTAUGHT.knowledge().dictionary.jieba(), text, mode, |token| {
        tokens.push(token.to_owned())
    });
    tokens
}

#[test]
fn accurate_mode() {
    let cases: [(&str, &[&str]); 14] = [
        ("", &[]),
        ("  ，。！ 😀 ", &[]),
        ("我来到北京清华大学", &["我", "来到", "北京", "清华大学"]),
        ("买了一件T恤", &["买", "了", "一件", "t恤"]),
        ("用iPhone15拍照 in Beijing", &["用", "iphone15", "拍照", "in", "beijing"]),
        ("I don't LIKE it", &["i", "don't", "like", "it"]),
        ("It’s 'fine'", &["it's", "fine"]),
        ("Café naïve Привет", &["café", "naïve", "привет"]),
        ("ＡＰＰ版本３．５", &["app", "版本", "3.5"]),
        ("便宜了50%", &["便宜", "了", "50%"]),
        ("C++ 和 C#", &["c++", "和", "c#"]),
        ("型号WES-5.4.5", &["型号", "wes-5.4.5"]),
        ("快递👍很快", &["快递", "很快"]),
        ("a\0b", &["a", "b"]),
    ];
    for (text, expected) in cases {
        assert_eq!(tokens(text, Mode::Accurate), expected, "{text:?}");
    }
}

#[test]
fn search_mode_adds_the_words_inside() {
    assert_eq!(tokens("北京清华大学", Mode::Search), ["北京", "清华", "华大", "大学", "清华大学"]);
}

#[test]
fn all_mode_gives_every_word() {
    let found = tokens("北京清华大学 don't", Mode::All);
    assert_eq!(
        found,
        ["北", "北京", "京", "清", "清华", "清华大学", "华", "华大", "大", "大学", "学", "don't"]
    );
}

#[test]
fn the_modes_are_named_in_the_hint() {
    let error = Mode::parse("Fast").unwrap_err();
    assert_eq!((error.sqlstate(), error.hint()), ("22023", Some("The modes are accurate, search and all.")));
}

#[test]
fn a_swapped_dictionary_is_used_by_the_next_call() {
    let mut own = Jieba::new();
    own.add_word("云南白药酒店", Some(100_000), None);
    let text = "云南白药酒店";
    let mut found = Vec::new();
    for_each_token(&own, text, Mode::Accurate, |token| found.push(token.to_owned()));
    assert_eq!(found, [text]);
}
