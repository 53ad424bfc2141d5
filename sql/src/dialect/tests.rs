use voxhouse_engine::catalog::LoadMode;

use super::tokens::At;
use super::*;

fn one(sql: &str) -> Statement {
    let mut parsed = parse(sql).unwrap();
    assert_eq!(parsed.len(), 1, "{sql}");
    parsed.remove(0)
}

#[test]
fn a_query_string_splits_at_semicolons_outside_of_strings() {
    let parsed = parse("select ';' as a; ; -- nothing\n select 2;").unwrap();
    let texts: Vec<&str> = parsed.iter().map(|statement| statement.text.as_str()).collect();
    assert_eq!(texts, ["select ';' as a", "select 2"]);
    assert!(parse(" ; -- comment only\n").unwrap().is_empty());
}

#[test]
fn a_mode_of_a_pipe_has_a_key_and_a_column_of_time() {
    let mode = |clause: &str| {
        let sql = format!("create pipe p from 'x' into t {clause} every '1 min'");
        let StatementKind::Own(OwnStatement::Pipe(PipeStatement::Create(pipe))) = one(&sql).kind else {
            panic!("not a pipe: {sql}")
        };
        assert_eq!((pipe.format.as_str(), pipe.every.as_deref()), ("csv", Some("1 min")));
        pipe.mode.to_string()
    };
    assert_eq!(mode("format csv"), "append");
    assert_eq!(mode("mode upsert key (a, \"B\") newest by at format csv"), "upsert key (a, B) newest by at");
    assert_eq!(mode("format csv mode replace partition"), "replace partition");
    assert_eq!(mode("MODE CHANGE FEED FORMAT csv OPTIONS (delimiter ';')"), "change feed key ()");
    for wrong in ["mode merge format csv", "mode upsert key () format csv", "mode upsert newest a format csv"]
    {
        assert!(parse(&format!("create pipe p from 'x' into t {wrong}")).is_err(), "{wrong}");
    }
    assert!(parse("create pipe p from 'x' into t mode append").is_err(), "it has no format");
}

#[test]
fn a_pipe_is_paused_resumed_and_replayed() {
    let altered = |sql: &str| match one(sql).kind {
        StatementKind::Own(OwnStatement::Pipe(PipeStatement::Pause { name, paused })) => {
            format!("{name} {paused}")
        }
        StatementKind::Own(OwnStatement::Pipe(PipeStatement::Replay { name, from })) => {
            format!("{name} {from:?}")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(altered("ALTER PIPE P PAUSE"), "p true");
    assert_eq!(altered("ALTER PIPE p RESUME"), "p false");
    assert_eq!(altered("ALTER PIPE p REPLAY"), "p None");
    assert_eq!(altered("ALTER PIPE p REPLAY FROM '2026-01-01'"), "p Some(\"2026-01-01\")");
    assert!(parse("ALTER PIPE p STOP").is_err());
}

#[test]
fn a_syntax_error_tells_its_place() {
    let error = parse("select * form t").unwrap_err();
    assert_eq!((error.sqlstate(), error.position()), ("42601", Some(15)), "{error}");
    let error = parse("select 'x\n', 中 from").unwrap_err();
    assert_eq!(error.message(), "syntax error at end of input");
}

#[test]
fn a_pipe_is_read_with_all_its_clauses() {
    let statement = one("create or replace pipe orders from 'landing/orders/' into o.orders format csv \
         options (delimiter ';', header true) every '5 minutes' as select a as order_id from source s where a > 0");
    let StatementKind::Own(OwnStatement::Pipe(PipeStatement::Create(pipe))) = statement.kind else {
        panic!("not a pipe")
    };
    assert!(pipe.or_replace);
    assert_eq!(pipe.options.get("delimiter").map(String::as_str), Some(";"));
    assert_eq!(pipe.options.get("header").map(String::as_str), Some("true"));
    assert_eq!(pipe.every.as_deref(), Some("5 minutes"));
    assert_eq!(pipe.query.unwrap().to_string(), "SELECT a AS order_id FROM source s WHERE a > 0");
    assert_eq!(pipe.mode, LoadMode::Append);
}

#[test]
fn cluster_by_is_taken_from_create_table_only() {
    let statement = one("create table t (a int, \"B\" int) partition by (a) cluster by (a, \"B\")");
    assert_eq!(statement.cluster_by, ["a", "B"]);
    assert!(one("select cluster from t").cluster_by.is_empty());
}

#[test]
fn a_table_at_a_moment_gets_a_name_of_its_own() {
    let statement =
        one("select f.a from x.feedback version as of 3 f join o.orders timestamp as of '2026-01-01'");
    assert_eq!(statement.moments[0].at, At::Version(3));
    assert_eq!(statement.moments[1].at, At::Timestamp("2026-01-01".into()));
    let StatementKind::Sql(sql) = statement.kind else { panic!("not sql") };
    assert_eq!(
        sql.to_string(),
        "SELECT f.a FROM x.\"feedback@version 3\" f JOIN o.\"orders@timestamp 2026-01-01\" \"orders\""
    );
}

fn copy(sql: &str) -> Copy {
    let StatementKind::Own(OwnStatement::Copy(copy)) = one(sql).kind else { panic!("not a COPY: {sql}") };
    copy
}

#[test]
fn copy_is_read_in_both_syntaxes() {
    for sql in [
        "copy x.t (a, \"B\") from stdin with (format csv, header match, null 'n', force_null (a, \"B\"), force_quote *) where a > 1",
        "COPY x.t (a, \"B\") FROM STDIN (FORMAT 'csv', HEADER match, NULL $$n$$, FORCE_NULL (a, \"B\"), FORCE_QUOTE *) WHERE a > 1",
    ] {
        let copy = copy(sql);
        let CopyRelation::Table { name, columns } = &copy.relation else { panic!("{copy:?}") };
        assert_eq!((name.to_string().as_str(), columns.len()), ("x.t", 2));
        assert_eq!((copy.direction, &copy.end), (CopyDirection::From, &CopyEnd::Client));
        let options: Vec<_> =
            copy.options.iter().map(|option| (option.name.as_str(), &option.value)).collect();
        assert_eq!(
            options,
            [
                ("format", &CopyValue::Text("csv".into())),
                ("header", &CopyValue::Text("match".into())),
                ("null", &CopyValue::Text("n".into())),
                ("force_null", &CopyValue::List(vec!["a".into(), "B".into()])),
                ("force_quote", &CopyValue::All),
            ]
        );
        assert_eq!(copy.filter.unwrap().to_string(), "a > 1");
    }
    let old = copy(
        "copy t to stdout using delimiters '|' with csv header null as 'x' quote '''' escape e'\\\\' force quote a, b \
         force not null c encoding 'gbk' freeze",
    );
    assert_eq!(old.direction, CopyDirection::To);
    let names: Vec<&str> = old.options.iter().map(|option| option.name.as_str()).collect();
    let expected = [
        "delimiter",
        "format",
        "header",
        "null",
        "quote",
        "escape",
        "force_quote",
        "force_not_null",
        "encoding",
        "freeze",
    ];
    assert_eq!(names, expected);
    assert_eq!(old.options[5].value, CopyValue::Text("\\".into()));
    assert_eq!(copy("copy binary t from stdin").options[0].value, CopyValue::Text("binary".into()));
    let query = copy("copy (with a as (select 1) select * from a) to stdin csv force quote *");
    assert!(matches!(query.relation, CopyRelation::Query(_)));
    assert_eq!(copy("copy t from program 'ls' csv").end, CopyEnd::Program);
    assert_eq!(copy("copy t to '/tmp/x' (freeze)").end, CopyEnd::File);
    for sql in [
        "copy",
        "copy t",
        "copy t from",
        "copy t from stdin (",
        "copy (select 1) from stdin",
        "copy t from stdin quick",
    ] {
        assert_eq!(parse(sql).unwrap_err().sqlstate(), "42601", "{sql}");
    }
}

#[test]
fn words_of_transactions_are_those_of_postgres() {
    for (written, read) in [
        ("ABORT", "ROLLBACK"),
        ("abort work and chain", "ROLLBACK AND CHAIN"),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
        ),
        ("BEGIN READ WRITE NOT DEFERRABLE", "BEGIN READ WRITE"),
        ("START TRANSACTION DEFERRABLE", "START TRANSACTION"),
        ("END", "END"),
        ("COMMIT AND NO CHAIN", "COMMIT"),
        ("ROLLBACK TO s", "ROLLBACK TO SAVEPOINT s"),
    ] {
        let statement = parse(written).unwrap().pop().unwrap();
        let StatementKind::Sql(sql) = statement.kind else { panic!("{written}") };
        assert_eq!(sql.to_string(), read);
    }
    assert_eq!(parse("BEGIN DEFERRABLE 7").unwrap_err().sqlstate(), "42601");
}

#[test]
fn rules_are_told_from_other_changes_of_a_table() {
    use voxhouse_engine::catalog::OnViolation;
    for (sql, name, on_violation) in [
        ("alter table t add check (a > 0)", None, None),
        (
            "ALTER TABLE only s.t ADD CONSTRAINT \"C\" UNIQUE (a, b) ON VIOLATION warn",
            Some("C"),
            Some(OnViolation::Warn),
        ),
        (
            "alter table t add constraint k primary key (a) on violation fail",
            Some("k"),
            Some(OnViolation::Fail),
        ),
        ("alter table t add expect (count(*) > 1)", None, None),
        (
            "alter table t add constraint e expect (max(a) < now()) on violation reject",
            Some("e"),
            Some(OnViolation::Reject),
        ),
    ] {
        let StatementKind::Own(OwnStatement::AddRule(rule)) = one(sql).kind else {
            panic!("not a rule: {sql}")
        };
        assert_eq!((rule.name.as_deref(), rule.on_violation), (name, on_violation), "{sql}");
    }
    for sql in
        ["alter table t add expect int", "alter table t add column a int", "alter table t drop constraint c"]
    {
        assert!(matches!(one(sql).kind, StatementKind::Sql(_)), "{sql}");
    }
    for sql in
        ["alter table t add check (a > 0) on violation", "alter table t add check (a > 0) on violation cry"]
    {
        assert_eq!(parse(sql).unwrap_err().sqlstate(), "42601", "{sql}");
    }
}
