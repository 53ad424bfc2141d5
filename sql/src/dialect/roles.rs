//! Statements about roles and what they may do: PostgreSQL's grammar, which also knows pipes.

use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::own::{ParseResult, expect_word, name, skip, take_word};
use super::session::{SettingAction, setting_action};

#[derive(Debug, Clone)]
pub enum AccessStatement {
    /// `login`: CREATE USER rather than CREATE ROLE.
    CreateRole {
        name: String,
        login: bool,
        options: Vec<RoleOption>,
    },
    AlterRole {
        role: RoleSpec,
        options: Vec<RoleOption>,
    },
    /// ALTER ROLE … SET.
    AlterSetting {
        /// `None`: everybody's.
        role: Option<RoleSpec>,
        database: Option<String>,
        action: SettingAction,
    },
    RenameRole {
        name: String,
        to: String,
    },
    DropRoles {
        names: Vec<RoleSpec>,
        if_exists: bool,
    },
    GrantRoles(super::grants::GrantRoles),
    Grant(super::grants::GrantStatement),
    AlterDefaultPrivileges(super::grants::DefaultPrivilegesStatement),
    AlterOwner {
        kind: OwnedKind,
        name: ObjectName,
        to: RoleSpec,
    },
    ReassignOwned {
        from: Vec<RoleSpec>,
        to: RoleSpec,
    },
    DropOwned {
        roles: Vec<RoleSpec>,
        cascade: bool,
    },
    /// `None`: NONE, or RESET ROLE.
    SetRole {
        local: bool,
        role: Option<String>,
    },
    /// `None`: DEFAULT, or RESET SESSION AUTHORIZATION.
    SetSessionAuthorization {
        local: bool,
        role: Option<String>,
    },
}

/// How a statement names a role.
#[derive(Debug, Clone, PartialEq)]
pub enum RoleSpec {
    Named(String),
    CurrentUser,
    SessionUser,
    Public,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnedKind {
    Table,
    View,
    MaterializedView,
    Schema,
    Pipe,
}

#[derive(Debug, Clone)]
pub enum RoleOption {
    /// SUPERUSER, NOLOGIN …: the word without NO, in upper case, and whether it is on.
    Attribute(&'static str, bool),
    ConnectionLimit(i64),
    /// `None`: NULL.
    Password(Option<Secret>),
    ValidUntil(String),
    InRoles(Vec<String>),
    Members(Vec<String>),
    Admins(Vec<String>),
}

/// A password on its way to its verifier. It prints as nothing.
#[derive(Clone)]
pub struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("********")
    }
}

const ATTRIBUTES: [&str; 7] =
    ["SUPERUSER", "CREATEDB", "CREATEROLE", "INHERIT", "LOGIN", "REPLICATION", "BYPASSRLS"];

/// Whether a statement may hold a password, by its first words.
pub(super) fn may_hold_password(words: &[&str]) -> bool {
    matches!(words, ["create" | "alter", "role" | "user" | "group", ..])
}

/// `None`: not one of these; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>, words: &[&str]) -> Option<ParseResult<AccessStatement>> {
    Some(match words {
        ["create" | "alter", "user", "mapping", ..] => return None,
        ["create", kind @ ("role" | "user" | "group"), ..] => create_role(parser, *kind == "user"),
        ["alter", "group", ..] => alter_group(parser),
        ["alter", "role" | "user", ..] => alter_role(parser),
        ["alter", "database", ..] => alter_database(parser),
        ["drop", "role" | "user" | "group", ..] => drop_roles(parser),
        ["grant", ..] => super::grants::grant(parser),
        ["revoke", ..] => super::grants::revoke(parser),
        ["alter", "default", "privileges", ..] => super::grants::default_privileges(parser),
        ["reassign", "owned", ..] => reassign_owned(parser),
        ["drop", "owned", ..] => drop_owned(parser),
        ["alter", "table" | "view" | "materialized" | "schema" | "pipe", ..] => {
            match parser.maybe_parse(alter_owner) {
                Ok(Some(found)) => Ok(found),
                _ => return None,
            }
        }
        ["set", "role", ..] => skip(parser, 2).and_then(|()| set_role(parser, false)),
        ["set", scope @ ("local" | "session"), "role", ..] => {
            let local = *scope == "local";
            skip(parser, 3).and_then(|()| set_role(parser, local))
        }
        ["set", "session", "authorization", ..] => {
            skip(parser, 3).and_then(|()| set_session_authorization(parser, false))
        }
        ["set", scope @ ("local" | "session"), "session", "authorization"] => {
            let local = *scope == "local";
            skip(parser, 4).and_then(|()| set_session_authorization(parser, local))
        }
        ["reset", "role", ..] => {
            skip(parser, 2).map(|()| AccessStatement::SetRole { local: false, role: None })
        }
        ["reset", "session", "authorization", ..] => {
            skip(parser, 3).map(|()| AccessStatement::SetSessionAuthorization { local: false, role: None })
        }
        _ => return None,
    })
}

fn names(parser: &mut Parser<'_>) -> ParseResult<Vec<String>> {
    parser.parse_comma_separated(name)
}

pub(super) fn role_spec(parser: &mut Parser<'_>) -> ParseResult<RoleSpec> {
    for (word, spec) in [
        ("current_user", RoleSpec::CurrentUser),
        ("current_role", RoleSpec::CurrentUser),
        ("session_user", RoleSpec::SessionUser),
    ] {
        if take_word(parser, word) {
            return Ok(spec);
        }
    }
    let name = name(parser)?;
    Ok(if name == "public" { RoleSpec::Public } else { RoleSpec::Named(name) })
}

pub(super) fn role_specs(parser: &mut Parser<'_>) -> ParseResult<Vec<RoleSpec>> {
    parser.parse_comma_separated(role_spec)
}

fn create_role(parser: &mut Parser<'_>, login: bool) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    let name = name(parser)?;
    let options = role_options(parser)?;
    Ok(AccessStatement::CreateRole { name, login, options })
}

fn alter_role(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    let role = if take_word(parser, "all") { None } else { Some(role_spec(parser)?) };
    let is_in_database = parser.maybe_parse(|parser| {
        expect_word(parser, "in")?;
        expect_word(parser, "database")
    })?;
    let database = is_in_database.map(|()| name(parser)).transpose()?;
    if let Some(action) = setting_action(parser)? {
        return Ok(AccessStatement::AlterSetting { role, database, action });
    }
    let Some(role) = role.filter(|_| database.is_none()) else {
        return parser.expected("SET or RESET", parser.peek_token());
    };
    if take_word(parser, "rename") {
        expect_word(parser, "to")?;
        let to = name(parser)?;
        return match role {
            RoleSpec::Named(name) => Ok(AccessStatement::RenameRole { name, to }),
            _ => parser.expected("a role name", parser.peek_token()),
        };
    }
    Ok(AccessStatement::AlterRole { role, options: role_options(parser)? })
}

fn alter_database(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    let database = Some(name(parser)?);
    match setting_action(parser)? {
        Some(action) => Ok(AccessStatement::AlterSetting { role: None, database, action }),
        None => parser.expected("SET or RESET", parser.peek_token()),
    }
}

/// `ALTER GROUP g ADD USER a, b`, PostgreSQL's old way to grant membership.
fn alter_group(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    let group = role_spec(parser)?;
    let revoke = take_word(parser, "drop");
    if !revoke {
        expect_word(parser, "add")?;
    }
    expect_word(parser, "user")?;
    let members = role_specs(parser)?;
    Ok(AccessStatement::GrantRoles(super::grants::GrantRoles {
        revoke,
        roles: vec![group],
        members,
        admin_option: false,
    }))
}

fn role_options(parser: &mut Parser<'_>) -> ParseResult<Vec<RoleOption>> {
    let mut options = Vec::new();
    take_word(parser, "with");
    while let Token::Word(word) = parser.peek_token().token {
        let word = word.value.to_uppercase();
        let attribute = ATTRIBUTES.iter().find_map(|known| match word.strip_prefix("NO") {
            _ if word == *known => Some(RoleOption::Attribute(known, true)),
            Some(rest) if rest == *known => Some(RoleOption::Attribute(known, false)),
            _ => None,
        });
        options.push(match attribute {
            Some(attribute) => {
                parser.next_token();
                attribute
            }
            None => match role_option(parser)? {
                Some(option) => option,
                None => continue,
            },
        });
    }
    Ok(options)
}

/// An option of more than one word. `None`: one that means nothing here.
fn role_option(parser: &mut Parser<'_>) -> ParseResult<Option<RoleOption>> {
    Ok(Some(if take_word(parser, "connection") {
        expect_word(parser, "limit")?;
        let negative = parser.consume_token(&Token::Minus);
        let limit = i64::try_from(parser.parse_literal_uint()?).unwrap_or(i64::MAX);
        RoleOption::ConnectionLimit(if negative { -limit } else { limit })
    } else if take_word(parser, "encrypted") {
        expect_word(parser, "password")?;
        RoleOption::Password(Some(secret(parser)?))
    } else if take_word(parser, "password") {
        let null = parser.parse_keyword(Keyword::NULL);
        RoleOption::Password(if null { None } else { Some(secret(parser)?) })
    } else if take_word(parser, "valid") {
        expect_word(parser, "until")?;
        RoleOption::ValidUntil(parser.parse_literal_string()?)
    } else if take_word(parser, "in") {
        if !take_word(parser, "role") {
            expect_word(parser, "group")?;
        }
        RoleOption::InRoles(names(parser)?)
    } else if take_word(parser, "role") || take_word(parser, "user") {
        RoleOption::Members(names(parser)?)
    } else if take_word(parser, "admin") {
        RoleOption::Admins(names(parser)?)
    } else if take_word(parser, "sysid") {
        // PostgreSQL reads it and forgets it, too.
        parser.parse_literal_uint()?;
        return Ok(None);
    } else {
        return parser.expected("an option of a role", parser.peek_token());
    }))
}

/// A string in any of PostgreSQL's forms.
fn secret(parser: &mut Parser<'_>) -> ParseResult<Secret> {
    match parser.peek_token().token {
        Token::DollarQuotedString(text) => {
            parser.next_token();
            Ok(Secret(text.value))
        }
        // The parser's own idea of a string takes a word, too.
        Token::Word(_) => parser.expected("a string", parser.peek_token()),
        _ => parser.parse_literal_string().map(Secret),
    }
}

fn drop_roles(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    Ok(AccessStatement::DropRoles { names: role_specs(parser)?, if_exists })
}

fn reassign_owned(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    expect_word(parser, "by")?;
    let from = role_specs(parser)?;
    expect_word(parser, "to")?;
    Ok(AccessStatement::ReassignOwned { from, to: role_spec(parser)? })
}

fn drop_owned(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 2)?;
    expect_word(parser, "by")?;
    let roles = role_specs(parser)?;
    Ok(AccessStatement::DropOwned { roles, cascade: cascade(parser) })
}

/// CASCADE, or RESTRICT, which is what happens anyway.
pub(super) fn cascade(parser: &mut Parser<'_>) -> bool {
    let cascade = take_word(parser, "cascade");
    if !cascade {
        take_word(parser, "restrict");
    }
    cascade
}

fn alter_owner(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 1)?;
    let kind = if take_word(parser, "table") {
        OwnedKind::Table
    } else if take_word(parser, "view") {
        OwnedKind::View
    } else if take_word(parser, "schema") {
        OwnedKind::Schema
    } else if take_word(parser, "pipe") {
        OwnedKind::Pipe
    } else {
        expect_word(parser, "materialized")?;
        expect_word(parser, "view")?;
        OwnedKind::MaterializedView
    };
    let name = parser.parse_object_name(false)?;
    expect_word(parser, "owner")?;
    expect_word(parser, "to")?;
    Ok(AccessStatement::AlterOwner { kind, name, to: role_spec(parser)? })
}

/// `ROLE x`, `ROLE 'x'`, `ROLE = x`, `ROLE TO x`, `ROLE NONE`.
fn set_role(parser: &mut Parser<'_>, local: bool) -> ParseResult<AccessStatement> {
    if !parser.consume_token(&Token::Eq) {
        take_word(parser, "to");
    }
    let none = take_word(parser, "none") || take_word(parser, "default");
    let role = if none { None } else { Some(name(parser)?).filter(|name| name != "none") };
    Ok(AccessStatement::SetRole { local, role })
}

fn set_session_authorization(parser: &mut Parser<'_>, local: bool) -> ParseResult<AccessStatement> {
    let role = if take_word(parser, "default") { None } else { Some(name(parser)?) };
    Ok(AccessStatement::SetSessionAuthorization { local, role })
}
