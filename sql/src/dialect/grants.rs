//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES.

use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::own::{ParseResult, expect_word, name, skip, take_word};
use super::roles::{AccessStatement, RoleSpec, cascade, role_spec, role_specs};

#[derive(Debug, Clone)]
pub struct GrantRoles {
    pub revoke: bool,
    pub roles: Vec<RoleSpec>,
    pub members: Vec<RoleSpec>,
    /// WITH ADMIN OPTION, or ADMIN OPTION FOR.
    pub admin_option: bool,
}

#[derive(Debug, Clone)]
pub struct GrantStatement {
    pub revoke: bool,
    pub privileges: Vec<NamedPrivilege>,
    pub objects: GrantObjects,
    pub roles: Vec<RoleSpec>,
    /// WITH GRANT OPTION, or GRANT OPTION FOR.
    pub grant_option: bool,
    pub cascade: bool,
    pub granted_by: Option<RoleSpec>,
}

/// A privilege as it is written, in lower case; `all` for every one.
#[derive(Debug, Clone)]
pub struct NamedPrivilege {
    pub word: String,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone)]
pub enum GrantObjects {
    Tables(Vec<ObjectName>),
    AllTablesIn(Vec<String>),
    AllSequencesIn(Vec<String>),
    AllFunctionsIn(Vec<String>),
    Functions(Vec<ObjectName>),
    Schemas(Vec<String>),
    Databases(Vec<String>),
    Pipes(Vec<String>),
    /// A kind of object that there is not here.
    Other(String),
}

#[derive(Debug, Clone)]
pub struct DefaultPrivilegesStatement {
    /// Empty: the current role.
    pub for_roles: Vec<RoleSpec>,
    pub schemas: Vec<String>,
    /// `tables`, `sequences`, `functions`, `schemas`, `pipes`.
    pub class: String,
    pub grant: GrantStatement,
}

pub(super) fn grant(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 1)?;
    let items = parser.parse_comma_separated(item)?;
    if !take_word(parser, "on") {
        expect_word(parser, "to")?;
        let members = grantees(parser)?;
        let admin_option = with_option(parser, "admin")?;
        granted_by(parser)?;
        return Ok(grant_roles(false, items, members, admin_option));
    }
    let objects = objects(parser)?;
    expect_word(parser, "to")?;
    let roles = grantees(parser)?;
    let grant_option = with_option(parser, "grant")?;
    let granted_by = granted_by(parser)?;
    let privileges = privileges(items);
    Ok(AccessStatement::Grant(GrantStatement {
        revoke: false,
        privileges,
        objects,
        roles,
        grant_option,
        cascade: false,
        granted_by,
    }))
}

pub(super) fn revoke(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 1)?;
    let admin_option = option_for(parser, "admin")?;
    let grant_option = !admin_option && option_for(parser, "grant")?;
    let items = parser.parse_comma_separated(item)?;
    if !take_word(parser, "on") {
        expect_word(parser, "from")?;
        let members = grantees(parser)?;
        granted_by(parser)?;
        cascade(parser);
        return Ok(grant_roles(true, items, members, admin_option));
    }
    let objects = objects(parser)?;
    expect_word(parser, "from")?;
    let roles = grantees(parser)?;
    let granted_by = granted_by(parser)?;
    let cascade = cascade(parser);
    let privileges = privileges(items);
    Ok(AccessStatement::Grant(GrantStatement {
        revoke: true,
        privileges,
        objects,
        roles,
        grant_option,
        cascade,
        granted_by,
    }))
}

/// `ALTER DEFAULT PRIVILEGES [FOR ROLE a, …] [IN SCHEMA s, …] GRANT … ON TABLES TO …`
pub(super) fn default_privileges(parser: &mut Parser<'_>) -> ParseResult<AccessStatement> {
    skip(parser, 3)?;
    let (mut for_roles, mut schemas) = (Vec::new(), Vec::new());
    loop {
        if take_word(parser, "for") {
            if !take_word(parser, "role") {
                expect_word(parser, "user")?;
            }
            for_roles = role_specs(parser)?;
        } else if take_word(parser, "in") {
            expect_word(parser, "schema")?;
            schemas = parser.parse_comma_separated(name)?;
        } else {
            break;
        }
    }
    let revoke = take_word(parser, "revoke");
    if !revoke {
        expect_word(parser, "grant")?;
    }
    let mut grant_option = revoke && option_for(parser, "grant")?;
    let items = parser.parse_comma_separated(item)?;
    expect_word(parser, "on")?;
    let class = name(parser)?;
    expect_word(parser, if revoke { "from" } else { "to" })?;
    let roles = grantees(parser)?;
    if !revoke {
        grant_option = with_option(parser, "grant")?;
    }
    let cascade = cascade(parser);
    let grant = GrantStatement {
        revoke,
        privileges: privileges(items),
        objects: GrantObjects::Tables(Vec::new()),
        roles,
        grant_option,
        cascade,
        granted_by: None,
    };
    Ok(AccessStatement::AlterDefaultPrivileges(DefaultPrivilegesStatement {
        for_roles,
        schemas,
        class,
        grant,
    }))
}

/// A privilege with its columns, or a role: which of the two is known at ON, TO or FROM.
struct Item {
    spec: RoleSpec,
    columns: Vec<String>,
}

fn item(parser: &mut Parser<'_>) -> ParseResult<Item> {
    let spec = role_spec(parser)?;
    if spec == RoleSpec::Named("all".to_owned()) {
        take_word(parser, "privileges");
    }
    let mut columns = Vec::new();
    if parser.consume_token(&Token::LParen) {
        columns = parser.parse_comma_separated(name)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(Item { spec, columns })
}

fn grant_roles(
    revoke: bool,
    items: Vec<Item>,
    members: Vec<RoleSpec>,
    admin_option: bool,
) -> AccessStatement {
    let roles = items.into_iter().map(|item| item.spec).collect();
    AccessStatement::GrantRoles(GrantRoles { revoke, roles, members, admin_option })
}

fn privileges(items: Vec<Item>) -> Vec<NamedPrivilege> {
    let word = |spec| match spec {
        RoleSpec::Named(word) => word.to_lowercase(),
        RoleSpec::CurrentUser => "current_user".to_owned(),
        RoleSpec::SessionUser => "session_user".to_owned(),
        RoleSpec::Public => "public".to_owned(),
    };
    items.into_iter().map(|item| NamedPrivilege { word: word(item.spec), columns: item.columns }).collect()
}

fn grantees(parser: &mut Parser<'_>) -> ParseResult<Vec<RoleSpec>> {
    parser.parse_comma_separated(|parser| {
        if is_kind(parser, "group") {
            parser.next_token();
        }
        role_spec(parser)
    })
}

fn with_option(parser: &mut Parser<'_>, word: &str) -> ParseResult<bool> {
    if !take_word(parser, "with") {
        return Ok(false);
    }
    expect_word(parser, word)?;
    expect_word(parser, "option")?;
    Ok(true)
}

fn option_for(parser: &mut Parser<'_>, word: &str) -> ParseResult<bool> {
    let follows = matches!(parser.peek_nth_token(1).token, Token::Word(next) if next.value.eq_ignore_ascii_case("option"));
    if !follows || !take_word(parser, word) {
        return Ok(false);
    }
    expect_word(parser, "option")?;
    expect_word(parser, "for")?;
    Ok(true)
}

fn granted_by(parser: &mut Parser<'_>) -> ParseResult<Option<RoleSpec>> {
    if !take_word(parser, "granted") {
        return Ok(None);
    }
    expect_word(parser, "by")?;
    role_spec(parser).map(Some)
}

/// Whether a word says which kind of object follows, rather than being a name itself.
fn is_kind(parser: &mut Parser<'_>, word: &str) -> bool {
    let matches_word = matches!(parser.peek_token().token,
        Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word));
    let Token::Word(next) = parser.peek_nth_token(1).token else { return false };
    let ends = ["to", "from", "with", "granted", "cascade", "restrict"];
    matches_word && !(next.quote_style.is_none() && ends.contains(&next.value.to_lowercase().as_str()))
}

fn take_kind(parser: &mut Parser<'_>, word: &str) -> bool {
    let found = is_kind(parser, word);
    if found {
        parser.next_token();
    }
    found
}

fn objects(parser: &mut Parser<'_>) -> ParseResult<GrantObjects> {
    let names = |parser: &mut Parser<'_>| parser.parse_comma_separated(name);
    if take_kind(parser, "all") {
        let what = name(parser)?;
        expect_word(parser, "in")?;
        expect_word(parser, "schema")?;
        let schemas = names(parser)?;
        return Ok(match what.as_str() {
            "tables" => GrantObjects::AllTablesIn(schemas),
            "sequences" => GrantObjects::AllSequencesIn(schemas),
            "functions" | "procedures" | "routines" => GrantObjects::AllFunctionsIn(schemas),
            other => GrantObjects::Other(other.to_owned()),
        });
    }
    if take_kind(parser, "schema") {
        return names(parser).map(GrantObjects::Schemas);
    }
    if take_kind(parser, "database") {
        return names(parser).map(GrantObjects::Databases);
    }
    if take_kind(parser, "pipe") {
        return names(parser).map(GrantObjects::Pipes);
    }
    if ["function", "procedure", "routine"].iter().any(|word| take_kind(parser, word)) {
        return parser.parse_comma_separated(function_name).map(GrantObjects::Functions);
    }
    let others = ["sequence", "language", "type", "domain", "tablespace", "parameter", "foreign", "large"];
    if let Some(other) = others.iter().find(|word| take_kind(parser, word)) {
        while !matches!(&parser.peek_token().token, Token::EOF)
            && !matches!(&parser.peek_token().token, Token::Word(word) if ["to", "from"].contains(&word.value.to_lowercase().as_str()))
        {
            parser.next_token();
        }
        return Ok(GrantObjects::Other((*other).to_owned()));
    }
    take_kind(parser, "table");
    parser.parse_comma_separated(|parser| parser.parse_object_name(false)).map(GrantObjects::Tables)
}

/// A function has one name and one set of rights, whatever the types of its arguments: they are read over.
fn function_name(parser: &mut Parser<'_>) -> ParseResult<ObjectName> {
    let name = parser.parse_object_name(false)?;
    if parser.consume_token(&Token::LParen) {
        let mut depth = 1;
        while depth > 0 {
            match parser.next_token().token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return parser.expected(")", parser.peek_token()),
                _ => {}
            }
        }
    }
    Ok(name)
}
