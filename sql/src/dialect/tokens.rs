//! Clauses that are taken out of the tokens before sqlparser sees them.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};
use voxhouse_engine::{Error, Result};

/// A table to be read as it was. Queries name it by `alias`, which no user can create.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The last part of the table's name, as written.
    pub table: String,
    pub alias: String,
    pub at: At,
}

#[derive(Debug, Clone, PartialEq)]
pub enum At {
    Version(u64),
    /// The text of a timestamp.
    Timestamp(String),
}

fn is_word(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

/// Positions of the tokens that are not blank.
fn solid(tokens: &[TokenWithSpan]) -> Vec<usize> {
    (0..tokens.len()).filter(|index| !matches!(tokens[*index].token, Token::Whitespace(_))).collect()
}

/// Writes what sqlparser does not know of transactions in words that it knows: ABORT is ROLLBACK, and whether a
/// transaction is DEFERRABLE makes no difference here.
pub(super) fn plain_transaction_words(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let places = solid(&tokens);
    let at = |order: usize, text: &str| places.get(order).is_some_and(|place| is_word(&tokens[*place], text));
    if at(0, "abort") {
        let rollback = Word { value: "ROLLBACK".into(), quote_style: None, keyword: Keyword::ROLLBACK };
        tokens[places[0]].token = Token::Word(rollback);
        return tokens;
    }
    let has_modes =
        at(0, "begin") || at(0, "start") || (at(0, "set") && (at(1, "transaction") || at(1, "session")));
    let Some(order) = (1..places.len()).find(|order| has_modes && at(*order, "deferrable")) else {
        return tokens;
    };
    let first = if at(order - 1, "not") { order - 1 } else { order };
    let follows_comma = tokens[places[first - 1]].token == Token::Comma;
    let start = if follows_comma { places[first - 1] } else { places[first] };
    tokens.drain(start..=places[order]);
    tokens
}

/// `TABLE t` is `SELECT * FROM t`, also behind WITH or a set operator, where no column can be called so.
pub(super) fn table_as_query(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let places = solid(&tokens);
    let begins_query = |order: usize| {
        let before = order.checked_sub(1).and_then(|before| places.get(before)).map(|place| &tokens[*place]);
        before.is_none_or(|before| {
            ["union", "all", "except", "intersect"].iter().any(|word| is_word(before, word))
        })
    };
    let found: Vec<usize> = (0..places.len())
        .filter(|order| is_word(&tokens[places[*order]], "table") && begins_query(*order))
        .map(|order| places[order])
        .collect();
    let keyword =
        |text: &str, keyword| Token::Word(Word { value: text.to_owned(), quote_style: None, keyword });
    for place in found.into_iter().rev() {
        let span = tokens[place].span;
        let words = [keyword("SELECT", Keyword::SELECT), Token::Mul, keyword("FROM", Keyword::FROM)];
        tokens.splice(place..=place, words.map(|token| TokenWithSpan { token, span }));
    }
    tokens
}

/// Writes the text of a COMMENT in dollar quotes, which sqlparser does not expect there, in single ones.
pub(super) fn plain_comment(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let places = solid(&tokens);
    if !places.first().is_some_and(|first| is_word(&tokens[*first], "comment")) {
        return tokens;
    }
    let last = places.into_iter().rev().find(|place| tokens[*place].token != Token::EOF);
    if let Some(last) = last.map(|place| &mut tokens[place])
        && let Token::DollarQuotedString(text) = &last.token
    {
        last.token = Token::SingleQuotedString(text.value.clone());
    }
    tokens
}

/// Takes `CLUSTER BY (a, b)` out of a CREATE TABLE or CREATE MATERIALIZED VIEW.
pub(super) fn take_cluster_by(mut tokens: Vec<TokenWithSpan>) -> (Vec<TokenWithSpan>, Vec<String>) {
    let places = solid(&tokens);
    let creates = places.first().is_some_and(|first| is_word(&tokens[*first], "create"));
    let mut depth = 0usize;
    for (order, place) in places.iter().enumerate() {
        match tokens[*place].token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let follows = |offset: usize| places.get(order + offset).map(|next| &tokens[*next]);
        if !creates
            || depth > 0
            || !is_word(&tokens[*place], "cluster")
            || !follows(1).is_some_and(|next| is_word(next, "by"))
            || follows(2).is_none_or(|next| next.token != Token::LParen)
        {
            continue;
        }
        let Some(end) = places[order..].iter().find(|next| tokens[**next].token == Token::RParen) else {
            break;
        };
        let columns = tokens[*place..*end]
            .iter()
            .skip(1)
            .filter_map(|token| match &token.token {
                Token::Word(word) if !is_word(token, "by") => Some(folded(word)),
                _ => None,
            })
            .collect();
        tokens.drain(*place..=*end);
        return (tokens, columns);
    }
    (tokens, Vec::new())
}

/// Puts `WITH (…)` of CREATE TABLE before PARTITION BY, where sqlparser expects it; PostgreSQL has it behind.
pub(super) fn options_first(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let places = solid(&tokens);
    if !places.first().is_some_and(|first| is_word(&tokens[*first], "create")) {
        return tokens;
    }
    let mut depth = 0usize;
    let mut partition = None;
    for (order, place) in places.iter().enumerate() {
        match tokens[*place].token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 {
            continue;
        }
        let next = places.get(order + 1).map(|next| &tokens[*next]);
        if is_word(&tokens[*place], "as") {
            break;
        }
        if is_word(&tokens[*place], "partition") && next.is_some_and(|next| is_word(next, "by")) {
            partition = Some(*place);
        }
        let has_options =
            is_word(&tokens[*place], "with") && next.is_some_and(|next| next.token == Token::LParen);
        if let Some(partition) = partition.filter(|_| has_options) {
            let end = places[order..].iter().copied().find(|at| tokens[*at].token == Token::RParen);
            if let Some(end) = end {
                let options: Vec<TokenWithSpan> = tokens.drain(*place..=end).collect();
                tokens.splice(partition..partition, options);
            }
            break;
        }
    }
    tokens
}

/// Replaces `t VERSION AS OF 3` and `t TIMESTAMP AS OF '2026-01-01'` by a table of another name.
pub(super) fn take_moments(mut tokens: Vec<TokenWithSpan>) -> Result<(Vec<TokenWithSpan>, Vec<Moment>)> {
    let mut moments: Vec<Moment> = Vec::new();
    loop {
        let places = solid(&tokens);
        let found = places.windows(5).position(|window| {
            matches!(&tokens[window[0]].token, Token::Word(_))
                && (is_word(&tokens[window[1]], "version") || is_word(&tokens[window[1]], "timestamp"))
                && is_word(&tokens[window[2]], "as")
                && is_word(&tokens[window[3]], "of")
                && matches!(tokens[window[4]].token, Token::Number(..) | Token::SingleQuotedString(_))
        });
        let Some(found) = found else { return Ok((tokens, moments)) };
        let [name, kind, value] = [places[found], places[found + 1], places[found + 4]];
        let at = moment_value(is_word(&tokens[kind], "version"), &tokens[value].token)?;
        let Token::Word(word) = &tokens[name].token else { return Ok((tokens, moments)) };
        let table = folded(word);
        let alias = match &at {
            At::Version(version) => format!("{table}@version {version}"),
            At::Timestamp(text) => format!("{table}@timestamp {text}"),
        };
        let has_alias = places.get(found + 5).is_some_and(|next| takes_alias(&tokens[*next].token));
        let mut replacement = vec![quoted(&tokens[name], &alias)];
        if !has_alias {
            replacement.push(TokenWithSpan {
                token: Token::Whitespace(datafusion::sql::sqlparser::tokenizer::Whitespace::Space),
                span: tokens[name].span,
            });
            replacement.push(quoted(&tokens[name], &table));
        }
        tokens.splice(name..=value, replacement);
        moments.push(Moment { table, alias, at });
    }
}

fn moment_value(version: bool, token: &Token) -> Result<At> {
    match token {
        Token::Number(digits, _) if version => digits
            .parse()
            .map(At::Version)
            .map_err(|_| Error::invalid_argument(format!("invalid table version \"{digits}\""))),
        Token::SingleQuotedString(text) if !version => Ok(At::Timestamp(text.clone())),
        other => Err(Error::syntax(format!("syntax error at or near \"{other}\""))
            .with_hint("Write VERSION AS OF 3, or TIMESTAMP AS OF '2026-01-31 08:00'.")),
    }
}

/// Whether an alias stands here, or the query goes on.
fn takes_alias(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_some() || matches!(word.keyword, Keyword::NoKeyword | Keyword::AS)
        }
        _ => false,
    }
}

fn quoted(like: &TokenWithSpan, value: &str) -> TokenWithSpan {
    let word = Word { value: value.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    TokenWithSpan { token: Token::Word(word), span: like.span }
}

/// PostgreSQL folds names that are not quoted to lower case.
fn folded(word: &Word) -> String {
    if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() }
}
