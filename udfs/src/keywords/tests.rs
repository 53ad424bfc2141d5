use super::*;
use crate::knowledge::UNTAUGHT;

fn top(text: &str, k: usize) -> Vec<String> {
    Ranking::default().top(&UNTAUGHT.knowledge().dictionary.jieba(), text, k).map(str::to_owned).collect()
}

#[test]
fn frequent_in_the_text_comes_first() {
    let words = top("网络太慢了，网络经常掉线，客服说网络没有问题", 3);
    assert_eq!(words[0], "网络");
    assert_eq!(words.len(), 3);
}

#[test]
fn stop_words_single_characters_and_numbers_are_left_out() {
    assert_eq!(top("我的是了在 the and of 12 3.5 好", 5), Vec::<String>::new());
    assert_eq!(top("", 5), Vec::<String>::new());
}

#[test]
fn equal_weights_keep_the_order_of_the_text() {
    assert_eq!(top("Zebra apple mango", 2), ["zebra", "apple"]);
    assert_eq!(top("Apple zebra mango", 2), ["apple", "zebra"]);
}

#[test]
fn ranking_has_no_memory_of_the_text_before() {
    let mut ranking = Ranking::default();
    let jieba = UNTAUGHT.knowledge().dictionary.jieba();
    assert_eq!(ranking.top(&jieba, "delivery delivery courier", 1).collect::<Vec<_>>(), ["delivery"]);
    assert_eq!(ranking.top(&jieba, "courier", 1).collect::<Vec<_>>(), ["courier"]);
}

#[test]
fn stop_words_are_lower_case_and_unique() {
    let text = include_str!("../../data/stop_words.txt");
    assert_eq!(text.split_whitespace().count(), STOP_WORDS.len());
    assert!(STOP_WORDS.iter().all(|word| *word == word.to_lowercase()));
}
