//! Wishes: 希望网络能顺畅一些 asks for something and praises nothing, whatever its words are worth elsewhere.

/// What a wish is told by, in lower case.
const CUES: [&str; 13] = [
    "希望",
    "建议",
    "但愿",
    "要是能",
    "如果能",
    "能不能",
    "可不可以",
    "可否",
    "最好能",
    "please",
    "i wish",
    "i hope",
    "would be nice",
];

/// `text` without the sentences that wish for something; `None` if there is none.
pub(super) fn without(text: &str) -> Option<String> {
    if !text.split_inclusive(ends_sentence).any(is_wish) {
        return None;
    }
    Some(text.split_inclusive(ends_sentence).filter(|sentence| !is_wish(sentence)).collect())
}

fn ends_sentence(letter: char) -> bool {
    matches!(letter, '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n')
}

fn is_wish(sentence: &str) -> bool {
    if sentence.is_ascii() {
        let lower = sentence.to_ascii_lowercase();
        return CUES.iter().any(|cue| lower.contains(cue));
    }
    CUES.iter().any(|cue| sentence.contains(cue))
}
