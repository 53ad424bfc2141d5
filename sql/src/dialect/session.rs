//! Statements about the session: parameters, prepared statements, cursors, EXPLAIN. sqlparser knows only some
//! of their forms.

use datafusion::sql::sqlparser::ast::{self, DataType, Expr, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::own::{ParseResult, expect_word, name, skip, take_word};

#[derive(Debug, Clone)]
pub enum SessionStatement {
    Set {
        name: String,
        value: SetValue,
        local: bool,
    },
    /// `None`: all of them.
    Show {
        name: Option<String>,
    },
    /// `None`: all of them.
    Reset {
        name: Option<String>,
    },
    Declare(Declare),
    Fetch {
        cursor: String,
        direction: Direction,
        moves_only: bool,
    },
    /// `None`: all of them.
    Close {
        cursor: Option<String>,
    },
    Prepare {
        name: String,
        types: Vec<DataType>,
        statement: Box<ast::Statement>,
    },
    Execute {
        name: String,
        arguments: Vec<Expr>,
    },
    /// `None`: all of them.
    Deallocate {
        name: Option<String>,
    },
    Discard(Discarded),
    /// No channel is ever listened to.
    Unlisten,
    Explain {
        options: Vec<(String, Option<String>)>,
        statement: Box<Explained>,
    },
}

#[derive(Debug, Clone)]
pub enum SetValue {
    Default,
    Values(Vec<SetWord>),
}

/// One value of SET.
#[derive(Debug, Clone, PartialEq)]
pub enum SetWord {
    /// A string, or a name; names that were not quoted are in lower case.
    Text(String),
    Number(String),
}

impl SetWord {
    pub fn text(&self) -> &str {
        let (SetWord::Text(text) | SetWord::Number(text)) = self;
        text
    }
}

#[derive(Debug, Clone)]
pub struct Declare {
    pub cursor: String,
    pub binary: bool,
    /// `None`: if the query makes it easy.
    pub scroll: Option<bool>,
    /// Options that exclude each other: `SCROLL and NO SCROLL`.
    pub conflict: Option<&'static str>,
    pub hold: bool,
    pub query: Box<Query>,
}

/// How a FETCH moves through the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// So many rows; backward if negative.
    Forward(i64),
    ForwardAll,
    BackwardAll,
    /// To the row of this number, from the end if negative.
    Absolute(i64),
    Relative(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discarded {
    All,
    Plans,
    Sequences,
    Temporary,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it is boxed where it is kept")]
pub enum Explained {
    Sql(ast::Statement),
    Session(SessionStatement),
}

/// `None`: not one of these; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<ParseResult<SessionStatement>> {
    let word = |ahead: usize| match parser.peek_nth_token(ahead).token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        _ => String::new(),
    };
    let [first, second, third] = [word(0), word(1), word(2)];
    let rest: fn(&mut Parser<'_>) -> ParseResult<SessionStatement> = match first.as_str() {
        "set" => {
            let subject = if matches!(second.as_str(), "session" | "local") { &third } else { &second };
            match subject.as_str() {
                "role" | "transaction" | "characteristics" | "authorization" | "constraints" => return None,
                _ => set,
            }
        }
        "show" => show,
        "reset" if second != "role" => reset,
        "declare" => declare,
        "fetch" => |parser| fetch(parser, false),
        "move" => |parser| fetch(parser, true),
        "close" => |parser| Ok(SessionStatement::Close { cursor: name_or_all(parser)? }),
        "prepare" if second != "transaction" => prepare,
        "execute" => execute,
        "deallocate" => deallocate,
        "discard" => discard,
        "unlisten" => unlisten,
        "explain" => explain,
        _ => return None,
    };
    Some(skip(parser, 1).and_then(|()| rest(parser)))
}

fn name_or_all(parser: &mut Parser<'_>) -> ParseResult<Option<String>> {
    if take_word(parser, "all") { Ok(None) } else { name(parser).map(Some) }
}

/// `timezone`, `myapp.tenant`.
fn parameter(parser: &mut Parser<'_>) -> ParseResult<String> {
    let mut parameter = name(parser)?;
    while parser.consume_token(&Token::Period) {
        parameter.push('.');
        parameter.push_str(&name(parser)?);
    }
    Ok(parameter)
}

fn set(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let local = take_word(parser, "local");
    if !local {
        take_word(parser, "session");
    }
    let statement = |name: &str, value| Ok(SessionStatement::Set { name: name.to_owned(), value, local });
    let follows = |parser: &Parser<'_>, ahead: usize| {
        matches!(parser.peek_nth_token(ahead).token, Token::Eq)
            || matches!(parser.peek_nth_token(ahead).token, Token::Word(word) if word.keyword == Keyword::TO)
    };
    if !follows(parser, 1) {
        if take_word(parser, "time") {
            expect_word(parser, "zone")?;
            return statement("timezone", zone_value(parser)?);
        }
        if take_word(parser, "timezone") {
            return statement("timezone", zone_value(parser)?);
        }
        if take_word(parser, "names") {
            return statement("client_encoding", set_value(parser)?);
        }
        if take_word(parser, "schema") {
            return statement("search_path", set_value(parser)?);
        }
    }
    let name = parameter(parser)?;
    if !parser.consume_token(&Token::Eq) {
        expect_word(parser, "to")?;
    }
    statement(&name, set_value(parser)?)
}

fn set_value(parser: &mut Parser<'_>) -> ParseResult<SetValue> {
    if take_word(parser, "default") {
        return Ok(SetValue::Default);
    }
    Ok(SetValue::Values(parser.parse_comma_separated(set_word)?))
}

fn set_word(parser: &mut Parser<'_>) -> ParseResult<SetWord> {
    let sign = if parser.consume_token(&Token::Minus) {
        "-"
    } else {
        let _ = parser.consume_token(&Token::Plus);
        ""
    };
    let found = parser.next_token();
    match found.token {
        Token::Number(digits, _) => Ok(SetWord::Number(format!("{sign}{digits}"))),
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) if sign.is_empty() => {
            Ok(SetWord::Text(text))
        }
        Token::Word(word) if sign.is_empty() => Ok(SetWord::Text(match word.quote_style {
            Some(_) => word.value,
            None => word.value.to_lowercase(),
        })),
        _ => parser.expected("a value", found),
    }
}

/// `'Asia/Shanghai'`, `-8`, `LOCAL`, `INTERVAL '-08:00' HOUR TO MINUTE`.
fn zone_value(parser: &mut Parser<'_>) -> ParseResult<SetValue> {
    if take_word(parser, "local") {
        return Ok(SetValue::Default);
    }
    if !take_word(parser, "interval") {
        return set_value(parser);
    }
    let found = parser.peek_token();
    let text = parser.parse_literal_string()?;
    if take_word(parser, "hour") && take_word(parser, "to") {
        expect_word(parser, "minute")?;
    }
    let (hours, minutes) = text.split_once(':').unwrap_or((&text, "0"));
    match (hours.parse::<f64>(), minutes.parse::<f64>()) {
        (Ok(hours), Ok(minutes)) => {
            let hours_east = hours + (minutes / 60.0).copysign(hours);
            Ok(SetValue::Values(vec![SetWord::Number(hours_east.to_string())]))
        }
        _ => parser.expected("an interval such as '-08:00'", found),
    }
}

/// What ALTER ROLE and ALTER DATABASE say of a parameter.
#[derive(Debug, Clone)]
pub enum SettingAction {
    Set {
        name: String,
        value: SetValue,
    },
    /// To what the session has.
    SetCurrent {
        name: String,
    },
    Reset {
        name: String,
    },
    ResetAll,
}

/// `SET x = v`, `SET x FROM CURRENT`, `RESET x`, `RESET ALL`. `None`: something else follows.
pub(super) fn setting_action(parser: &mut Parser<'_>) -> ParseResult<Option<SettingAction>> {
    if take_word(parser, "reset") {
        let name = parameter_or_all(parser)?;
        return Ok(Some(name.map_or(SettingAction::ResetAll, |name| SettingAction::Reset { name })));
    }
    if !take_word(parser, "set") {
        return Ok(None);
    }
    let current = parser.maybe_parse(|parser| {
        let name = parameter(parser)?;
        expect_word(parser, "from")?;
        expect_word(parser, "current")?;
        Ok(name)
    })?;
    if let Some(name) = current {
        return Ok(Some(SettingAction::SetCurrent { name }));
    }
    let place = parser.peek_token();
    match set(parser)? {
        SessionStatement::Set { name, value, local: false } => Ok(Some(SettingAction::Set { name, value })),
        _ => parser.expected("a parameter", place),
    }
}

/// The parameter of SHOW and RESET.
fn parameter_or_all(parser: &mut Parser<'_>) -> ParseResult<Option<String>> {
    const WORDS: [(&[&str], &str); 3] = [
        (&["time", "zone"], "timezone"),
        (&["transaction", "isolation", "level"], "transaction_isolation"),
        (&["session", "authorization"], "session_authorization"),
    ];
    if take_word(parser, "all") {
        return Ok(None);
    }
    for (words, name) in WORDS {
        let found = words.iter().enumerate().all(|(ahead, expected)| {
            matches!(parser.peek_nth_token(ahead).token,
                Token::Word(word) if word.value.eq_ignore_ascii_case(expected))
        });
        if found {
            skip(parser, words.len())?;
            return Ok(Some(name.to_owned()));
        }
    }
    parameter(parser).map(Some)
}

fn show(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    Ok(SessionStatement::Show { name: parameter_or_all(parser)? })
}

fn reset(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    Ok(SessionStatement::Reset { name: parameter_or_all(parser)? })
}

fn declare(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let cursor = name(parser)?;
    let (mut binary, mut scroll, mut insensitive) = (false, None, None);
    let mut conflict = None;
    loop {
        if take_word(parser, "binary") {
            binary = true;
        } else if let Some(scrolls) = scroll_option(parser)? {
            let differs = scroll.replace(scrolls).is_some_and(|before| before != scrolls);
            conflict = conflict.or(differs.then_some("SCROLL and NO SCROLL"));
        } else if let Some(is_insensitive) = sensitivity_option(parser) {
            let differs = insensitive.replace(is_insensitive).is_some_and(|before| before != is_insensitive);
            conflict = conflict.or(differs.then_some("ASENSITIVE and INSENSITIVE"));
        } else {
            break;
        }
    }
    expect_word(parser, "cursor")?;
    let hold = take_word(parser, "with");
    if hold || take_word(parser, "without") {
        expect_word(parser, "hold")?;
    }
    expect_word(parser, "for")?;
    let query = parser.parse_query()?;
    Ok(SessionStatement::Declare(Declare { cursor, binary, scroll, conflict, hold, query }))
}

fn scroll_option(parser: &mut Parser<'_>) -> ParseResult<Option<bool>> {
    let is_refused = take_word(parser, "no");
    if is_refused {
        expect_word(parser, "scroll")?;
    }
    Ok(if is_refused || take_word(parser, "scroll") { Some(!is_refused) } else { None })
}

/// No cursor sees changes made after it was declared.
fn sensitivity_option(parser: &mut Parser<'_>) -> Option<bool> {
    if take_word(parser, "insensitive") {
        return Some(true);
    }
    take_word(parser, "asensitive").then_some(false)
}

fn fetch(parser: &mut Parser<'_>, moves_only: bool) -> ParseResult<SessionStatement> {
    let direction = direction(parser)?;
    if !take_word(parser, "from") {
        take_word(parser, "in");
    }
    Ok(SessionStatement::Fetch { cursor: name(parser)?, direction, moves_only })
}

fn direction(parser: &mut Parser<'_>) -> ParseResult<Direction> {
    let is_last = !matches!(
        parser.peek_nth_token(1).token,
        Token::Word(_) | Token::Number(..) | Token::Minus | Token::Plus
    );
    let take = |parser: &mut Parser<'_>, word: &str| !is_last && take_word(parser, word);
    // A word that ends the statement is the name of a cursor.
    if take(parser, "next") {
        return Ok(Direction::Forward(1));
    } else if take(parser, "prior") {
        return Ok(Direction::Forward(-1));
    } else if take(parser, "first") {
        return Ok(Direction::Absolute(1));
    } else if take(parser, "last") {
        return Ok(Direction::Absolute(-1));
    } else if take(parser, "absolute") {
        return Ok(Direction::Absolute(count(parser)?.unwrap_or(1)));
    } else if take(parser, "relative") {
        return Ok(Direction::Relative(count(parser)?.unwrap_or(1)));
    } else if take(parser, "all") {
        return Ok(Direction::ForwardAll);
    } else if take(parser, "forward") {
        if take_word(parser, "all") {
            return Ok(Direction::ForwardAll);
        }
        return Ok(Direction::Forward(count(parser)?.unwrap_or(1)));
    } else if take(parser, "backward") {
        if take_word(parser, "all") {
            return Ok(Direction::BackwardAll);
        }
        return Ok(Direction::Forward(-count(parser)?.unwrap_or(1)));
    }
    Ok(Direction::Forward(count(parser)?.unwrap_or(1)))
}

/// A whole number with a sign, if there is one here.
fn count(parser: &mut Parser<'_>) -> ParseResult<Option<i64>> {
    let start = parser.peek_token();
    let negative = parser.consume_token(&Token::Minus);
    let signed = negative || parser.consume_token(&Token::Plus);
    let found = parser.peek_token();
    let Token::Number(digits, _) = found.token.clone() else {
        return if signed { parser.expected("a number", found) } else { Ok(None) };
    };
    parser.next_token();
    match digits.parse::<i32>() {
        Ok(number) => Ok(Some(i64::from(if negative { -number } else { number }))),
        Err(_) => parser.expected("an integer", start),
    }
}

fn prepare(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let name = name(parser)?;
    let mut types = Vec::new();
    if parser.consume_token(&Token::LParen) {
        types = parser.parse_comma_separated(Parser::parse_data_type)?;
        parser.expect_token(&Token::RParen)?;
    }
    expect_word(parser, "as")?;
    let statement = Box::new(parser.parse_statement()?);
    Ok(SessionStatement::Prepare { name, types, statement })
}

fn execute(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let name = name(parser)?;
    let mut arguments = Vec::new();
    if parser.consume_token(&Token::LParen) {
        arguments = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(SessionStatement::Execute { name, arguments })
}

fn deallocate(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    if !matches!(parser.peek_nth_token(1).token, Token::EOF | Token::SemiColon) {
        take_word(parser, "prepare");
    }
    Ok(SessionStatement::Deallocate { name: name_or_all(parser)? })
}

fn discard(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let found = parser.peek_token();
    Ok(SessionStatement::Discard(match name(parser)?.as_str() {
        "all" => Discarded::All,
        "plans" => Discarded::Plans,
        "sequences" => Discarded::Sequences,
        "temp" | "temporary" => Discarded::Temporary,
        _ => return parser.expected("ALL, PLANS, SEQUENCES or TEMP", found),
    }))
}

fn unlisten(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    if !parser.consume_token(&Token::Mul) {
        name(parser)?;
    }
    Ok(SessionStatement::Unlisten)
}

fn explain(parser: &mut Parser<'_>) -> ParseResult<SessionStatement> {
    let mut options = Vec::new();
    let is_list = parser.peek_token().token == Token::LParen
        && matches!(&parser.peek_nth_token(1).token, Token::Word(word)
            if !matches!(word.keyword, Keyword::SELECT | Keyword::VALUES | Keyword::WITH));
    if is_list {
        parser.expect_token(&Token::LParen)?;
        options = parser.parse_comma_separated(explain_option)?;
        parser.expect_token(&Token::RParen)?;
    } else {
        for word in ["analyze", "verbose"] {
            if take_word(parser, word) || (word == "analyze" && take_word(parser, "analyse")) {
                options.push((word.to_owned(), None));
            }
        }
    }
    let statement = match parse(parser) {
        Some(statement) => Explained::Session(statement?),
        None => Explained::Sql(parser.parse_statement()?),
    };
    Ok(SessionStatement::Explain { options, statement: Box::new(statement) })
}

fn explain_option(parser: &mut Parser<'_>) -> ParseResult<(String, Option<String>)> {
    let option = name(parser)?;
    let value = match parser.peek_token().token {
        Token::Comma | Token::RParen => None,
        _ => match set_word(parser)? {
            SetWord::Text(text) | SetWord::Number(text) => Some(text.to_lowercase()),
        },
    };
    Ok((option, value))
}
