//! The part of a text that shows why it matches.

use super::query::Query;
use super::tokens::Token;

/// What stands around a match and in the place of what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks<'a> {
    pub(crate) open: &'a str,
    pub(crate) close: &'a str,
    pub(crate) ellipsis: &'a str,
}

impl Default for Marks<'_> {
    fn default() -> Self {
        Self { open: "<b>", close: "</b>", ellipsis: "…" }
    }
}

/// Up to `width` characters of `text` (marks not counted) with every match between marks: the window with the
/// most different words of the query, then the most matches, then the first. Without a match it is the beginning of
/// the text. The text is not escaped.
pub(crate) fn snippet(text: &str, tokens: &[Token], query: &Query, width: usize, marks: Marks<'_>) -> String {
    let length = text.chars().count();
    let leaves = query.leaves(tokens);
    let window = window(&leaves, length, width);
    let window = on_tokens(window, tokens, length, !leaves.is_empty());
    render(text, window, length, &query.highlights(tokens), marks)
}

/// The best window of `width` characters, with the matches in its middle.
fn window(leaves: &[(usize, usize, usize)], length: usize, width: usize) -> (usize, usize) {
    if length <= width {
        return (0, length);
    }
    let mut best = ((0, 0), (0, 0));
    let mut last = 0;
    for (first, &(start, ..)) in leaves.iter().enumerate() {
        last = last.max(first);
        while leaves.get(last).is_some_and(|(_, end, _)| *end <= start + width) {
            last += 1;
        }
        let inside = &leaves[first..last.max(first)];
        // More than so many different words are not told apart.
        let words =
            inside.iter().take(64).fold(0_u64, |seen, (_, _, number)| seen | 1 << (number % 64)).count_ones();
        let value = (words, inside.len());
        if value > best.0 {
            best = (value, (start, inside.iter().map(|(_, end, _)| *end).max().unwrap_or(start)));
        }
    }
    let (start, end) = best.1;
    let spare = width.saturating_sub(end - start);
    let from = start.saturating_sub(spare / 2).min(length - width);
    (from, from + width)
}

/// The window from its first whole token on and without a token cut at its end, unless that leaves nothing.
fn on_tokens((from, to): (usize, usize), tokens: &[Token], length: usize, matched: bool) -> (usize, usize) {
    let start = match tokens.iter().find(|token| token.start >= from) {
        Some(token) if matched && from > 0 => token.start,
        _ => from,
    };
    let cut = tokens.iter().find(|token| token.start < to && to < token.end);
    let end = cut.filter(|_| to < length).map_or(to, |token| token.start);
    if end > start { (start, end) } else { (from, to) }
}

fn render(
    text: &str,
    (from, to): (usize, usize),
    length: usize,
    highlights: &[(usize, usize)],
    marks: Marks<'_>,
) -> String {
    let mut out = String::with_capacity(text.len().min(4 * (to - from)) + 32);
    if from > 0 {
        out.push_str(marks.ellipsis);
    }
    let mut open = false;
    let mut next = highlights.iter().filter(|(start, end)| *end > from && *start < to).peekable();
    for (place, c) in text.chars().enumerate().skip(from).take(to - from) {
        if open && next.peek().is_some_and(|(_, end)| place >= *end) {
            out.push_str(marks.close);
            open = false;
            next.next();
        }
        if !open && next.peek().is_some_and(|(start, _)| place >= *start) {
            out.push_str(marks.open);
            open = true;
        }
        out.push(c);
    }
    if open {
        out.push_str(marks.close);
    }
    if to < length {
        out.push_str(marks.ellipsis);
    }
    out
}
