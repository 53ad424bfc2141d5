//! What a segmenter must not take apart: web and mail addresses, mentions, topics, emoticons and emoji.

use crate::privacy::is_email;
use crate::script::is_han;

/// Characters between the signs of a topic, and between the brackets of an emoticon.
const LONGEST_TOPIC: usize = 40;
const LONGEST_EMOTICON: usize = 8;

/// Bytes and tag of the special token that `text` begins with; `before` is the character in front of it.
pub(super) fn at(text: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let first = text.chars().next()?;
    let glued = before.is_some_and(|c| c.is_ascii_alphanumeric());
    let length = match first {
        'h' | 'H' | 'w' | 'W' if !glued => {
            return url(text).map(|length| (length, "url")).or_else(|| email(text));
        }
        '@' => return mention(text).map(|length| (length, "mention")),
        '#' => return topic(text).map(|length| (length, "topic")),
        '[' => emoticon(text)?,
        _ if first.is_ascii_alphanumeric() && !glued => return email(text),
        _ if is_emoji(first) => emoji(text),
        _ => return None,
    };
    Some((length, "emoji"))
}

fn url(text: &str) -> Option<usize> {
    let head = ["http://", "https://", "www."]
        .into_iter()
        .find(|head| text.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head)))?;
    let end = text
        .find(|c: char| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '`'))
        .unwrap_or(text.len());
    let trimmed = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    (trimmed.len() > head.len()).then_some(trimmed.len())
}

fn email(text: &str) -> Option<(usize, &'static str)> {
    let in_address = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '@');
    let end = text.find(|c| !in_address(c)).unwrap_or(text.len());
    let address = text[..end].trim_end_matches(['.', '-', '_']);
    (address.contains('@') && is_email(address)).then_some((address.len(), "email"))
}

fn mention(text: &str) -> Option<usize> {
    let name = &text[1..];
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '·');
    let length = name.char_indices().take(30).find(|(_, c)| !in_name(*c)).map_or_else(
        || name.char_indices().nth(30).map_or(name.len(), |(place, _)| place),
        |(place, _)| place,
    );
    (length > 0).then_some(1 + length)
}

/// `#话题#`, or `#hashtag` up to what is no letter.
fn topic(text: &str) -> Option<usize> {
    let inner = &text[1..];
    let closing = inner.char_indices().take(LONGEST_TOPIC + 1).find(|(_, c)| matches!(c, '#' | '\n'));
    match closing {
        Some((place, '#')) if place > 0 && inner[..place].chars().any(char::is_alphanumeric) => {
            Some(1 + place + 1)
        }
        _ => {
            let word = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
            let named = inner[..word].contains(|c: char| c.is_ascii_alphabetic());
            named.then_some(1 + word)
        }
    }
}

fn emoticon(text: &str) -> Option<usize> {
    let inner = &text[1..];
    let (place, _) = inner.char_indices().take(LONGEST_EMOTICON + 1).find(|(_, c)| *c == ']')?;
    let formed = place > 0 && inner[..place].chars().all(|c| is_han(c) || c.is_ascii_alphabetic());
    formed.then_some(1 + place + 1)
}

/// The emoji that `text` begins with, with its joiners, skin tones and the second letter of a flag.
fn emoji(text: &str) -> usize {
    let mut end = 0;
    let mut joined = true;
    let mut flag = 0;
    for (place, c) in text.char_indices() {
        let part = match c {
            '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => place > 0,
            '\u{200d}' => {
                joined = true;
                end = place + c.len_utf8();
                continue;
            }
            '\u{1f1e6}'..='\u{1f1ff}' => {
                flag += 1;
                joined || flag == 2
            }
            c => joined && is_emoji(c),
        };
        if !part {
            break;
        }
        joined = false;
        end = place + c.len_utf8();
    }
    end
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{231a}' | '\u{231b}' | '\u{23e9}'..='\u{23fa}')
}
