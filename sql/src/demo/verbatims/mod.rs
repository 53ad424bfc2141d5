//! Verbatims: what the invented customers write, put together from the project's own sentence patterns.
//!
//! A pattern holds alternatives `[a|b|c]` and slots `{product}`. One verbatim is an opener, one or two
//! expanded patterns and a closer, with now and then the carelessness of real typing.

mod en;
mod zh;

use super::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Delivery,
    Packaging,
    Quality,
    Price,
    Service,
    App,
    Refund,
    Invoice,
}

impl Topic {
    /// The word a complaint form uses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Topic::Delivery => "delivery",
            Topic::Packaging => "packaging",
            Topic::Quality => "quality",
            Topic::Price => "price",
            Topic::Service => "service",
            Topic::App => "app",
            Topic::Refund => "refund",
            Topic::Invoice => "invoice",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    Positive,
    Neutral,
    Negative,
}

struct Pattern(Topic, Polarity, &'static str);

/// What the slots of a pattern are filled with.
pub(super) struct Slots<'a> {
    pub(super) chinese: bool,
    pub(super) product: &'a str,
    pub(super) city: &'a str,
    pub(super) courier: &'a str,
    pub(super) days: i64,
}

struct Voice {
    patterns: &'static [Pattern],
    openers: &'static [&'static str],
    closers: [&'static [&'static str]; 3],
    agents: &'static [&'static str],
    joint: &'static str,
}

const CHINESE: Voice = Voice {
    patterns: zh::PATTERNS,
    openers: zh::OPENERS,
    closers: [zh::CLOSERS_POSITIVE, zh::CLOSERS_NEUTRAL, zh::CLOSERS_NEGATIVE],
    agents: &["小林", "小周", "小雅", "木木", "阿杰", "工号1027", "工号2210"],
    joint: "。",
};

const ENGLISH: Voice = Voice {
    patterns: en::PATTERNS,
    openers: en::OPENERS,
    closers: [en::CLOSERS_POSITIVE, en::CLOSERS_NEUTRAL, en::CLOSERS_NEGATIVE],
    agents: &["Lily", "Kevin", "Mia", "agent 1027", "agent 2210"],
    joint: ". ",
};

/// What a buyer is taken to have said who left the review form empty.
pub(super) fn default_review(chinese: bool) -> String {
    if chinese { zh::DEFAULT_REVIEW } else { en::DEFAULT_REVIEW }.to_owned()
}

/// One verbatim about `topic`. A quarter of them touch a second topic as well.
pub(super) fn write(topic: Topic, polarity: Polarity, slots: &Slots<'_>, dice: &mut Dice) -> String {
    let voice = if slots.chinese { &CHINESE } else { &ENGLISH };
    let mut text = String::new();
    expand(dice.pick(voice.openers), voice, slots, dice, &mut text);
    sentence(topic, polarity, voice, slots, dice, &mut text);
    if polarity != Polarity::Neutral && dice.chance(0.25) {
        let second = second_topic(topic, dice);
        text.push_str(voice.joint);
        sentence(second, polarity, voice, slots, dice, &mut text);
    }
    text.push_str(dice.pick(voice.closers[polarity as usize]));
    careless(text, dice)
}

fn second_topic(first: Topic, dice: &mut Dice) -> Topic {
    let other = dice.pick(&[Topic::Quality, Topic::Service, Topic::Packaging, Topic::Price]);
    if other == first { Topic::App } else { other }
}

fn sentence(
    topic: Topic,
    polarity: Polarity,
    voice: &Voice,
    slots: &Slots<'_>,
    dice: &mut Dice,
    text: &mut String,
) {
    let fitting: Vec<&str> =
        voice.patterns.iter().filter(|p| p.0 == topic && p.1 == polarity).map(|p| p.2).collect();
    if !fitting.is_empty() {
        expand(dice.pick(&fitting), voice, slots, dice, text);
    }
}

/// Appends `pattern` with one of each alternatives taken and every slot filled. An alternative may hold a slot.
fn expand(pattern: &str, voice: &Voice, slots: &Slots<'_>, dice: &mut Dice, text: &mut String) {
    let mut rest = pattern;
    while let Some(at) = rest.find(['[', '{']) {
        text.push_str(&rest[..at]);
        let opened = &rest[at + 1..];
        let (close, alternatives) = if rest.as_bytes()[at] == b'[' { (']', true) } else { ('}', false) };
        let Some(end) = opened.find(close) else { break };
        if alternatives {
            let choices: Vec<&str> = opened[..end].split('|').collect();
            expand(dice.pick(&choices), voice, slots, dice, text);
        } else {
            fill(&opened[..end], voice, slots, dice, text);
        }
        rest = &opened[end + 1..];
    }
    text.push_str(rest);
}

fn fill(slot: &str, voice: &Voice, slots: &Slots<'_>, dice: &mut Dice, text: &mut String) {
    match slot {
        "product" => text.push_str(slots.product),
        "city" => text.push_str(slots.city),
        "courier" => text.push_str(slots.courier),
        "agent" => text.push_str(dice.pick(voice.agents)),
        "days" => text.push_str(&slots.days.max(2).to_string()),
        "price" => text.push_str(&(dice.between(1, 12) * 5).to_string()),
        _ => {}
    }
}

/// Typing as people do it: most texts stay, some lose their punctuation, are in lower case or shout.
fn careless(text: String, dice: &mut Dice) -> String {
    match dice.between(0, 19) {
        0 => text.replace('，', " ").replace(", ", " "),
        1 => text.to_lowercase(),
        2 => text.replace('！', "!").replace('，', ","),
        3 => text.replace('。', "\n"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_every_polarity_in_both_languages() {
        use Polarity::*;
        use Topic::*;
        for topic in [Delivery, Packaging, Quality, Price, Service, App, Refund, Invoice] {
            for polarity in [Positive, Neutral, Negative] {
                for voice in [&CHINESE, &ENGLISH] {
                    let found = voice.patterns.iter().any(|p| p.0 == topic && p.1 == polarity);
                    assert!(found, "no {polarity:?} pattern about {topic:?}");
                }
            }
        }
        assert!(zh::PATTERNS.len() >= 60 && en::PATTERNS.len() >= 40);
    }

    #[test]
    fn no_bracket_is_left_over() {
        let mut dice = Dice::new(1, 0);
        for chinese in [true, false] {
            let slots = Slots { chinese, product: "P", city: "C", courier: "K", days: 3 };
            for pattern in if chinese { zh::PATTERNS } else { en::PATTERNS } {
                let text = write(pattern.0, pattern.1, &slots, &mut dice);
                assert!(!text.contains(['[', ']', '{', '}', '|']), "{text}");
            }
        }
    }
}
