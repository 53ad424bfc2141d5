//! Clients' own catalog queries, with PostgreSQL's answers over the same schema.
//!
//! `tests/*.txt` hold them: `=== ` what the user typed or which client asks, the query, `---`, the rows as psql's
//! unaligned output has them. `{x.feedback}` stands for a relation's object identifier, `{voxhouse}`
//! for the role's. `tests/schema.sql` makes the
//! schema in PostgreSQL.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema as ArrowSchema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider};
use datafusion::config::Dialect::PostgreSQL;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as DataFusionStatement;
use parking_lot::RwLock;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::log::Catalog;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::catalog::{
    Author, Change, Column, Constraint, Object, Oid, QualifiedName, Role, Rule, Schema, SqlType, Table, View,
};
use voxhouse_engine::storage::Storage;

use crate::processes::Processes;
use crate::query::types::PostgresTypes;
use crate::session::Parts;
use crate::session::settings::Settings;
use crate::statement::typing::{self, Told};
use crate::wire::types::PgType;

use super::{
    BuiltInRelation, Client, Derived, FunctionRow, INFORMATION_SCHEMA, PG_CATALOG, RelationSize, Visible,
    definition, functions, label, relations, rewrite, scalar_functions, schema_provider, types,
};

fn column(name: &str, data_type: &str) -> Column {
    Column::new(name, data_type.parse::<SqlType>().unwrap())
}

fn required(name: &str, data_type: &str) -> Column {
    Column { not_null: true, ..column(name, data_type) }
}

fn table(oid: Oid, schema: &str, name: &str, columns: Vec<Column>, constraints: Vec<Constraint>) -> Table {
    Table {
        oid,
        name: QualifiedName::new(schema, name),
        owner: "voxhouse".into(),
        location: format!("{schema}/{name}"),
        columns,
        constraints,
        partition_by: Vec::new(),
        cluster_by: Vec::new(),
        external: None,
        query: None,
        comment: None,
        acl: None,
        created_at: chrono::Utc::now(),
    }
}

fn feedback() -> Table {
    let columns = vec![
        required("feedback_id", "text"),
        required("source_system", "text"),
        Column { default: Some("'survey'::character varying".into()), ..column("kind", "varchar(20)") },
        Column { comment: Some("as given".into()), ..column("score", "smallint") },
        column("weight", "double precision"),
        column("amount", "numeric(18,2)"),
        column("tags", "text[]"),
        required("occurred_at", "timestamptz"),
        column("attributes", "json"),
        column("member", "uuid"),
        column("day", "date"),
        column("ok", "boolean"),
    ];
    let key = Rule::PrimaryKey { columns: vec!["source_system".into(), "feedback_id".into()] };
    let constraints = vec![
        Constraint { oid: 16403, name: "feedback_pkey".into(), rule: key, on_violation: None },
        Constraint {
            oid: 16404,
            name: "feedback_member_key".into(),
            rule: Rule::Unique { columns: vec!["member".into()] },
            on_violation: None,
        },
        Constraint {
            oid: 16405,
            name: "feedback_score_check".into(),
            rule: Rule::Check { expression: "score >= 0".into() },
            on_violation: None,
        },
    ];
    Table {
        comment: Some("one row a verbatim".into()),
        ..table(16402, "x", "feedback", columns, constraints)
    }
}

fn objects() -> Vec<Object> {
    let schema = |oid, name: &str, comment: Option<&str>| {
        Object::Schema(Schema {
            oid,
            name: name.into(),
            owner: "voxhouse".into(),
            comment: comment.map(str::to_owned),
            acl: None,
        })
    };
    let view = |oid, schema: &str, name: &str, query: &str, columns| {
        Object::View(View {
            oid,
            name: QualifiedName::new(schema, name),
            owner: "voxhouse".into(),
            query: query.into(),
            columns,
            comment: None,
            acl: None,
        })
    };
    let notes_key = Constraint {
        oid: 16395,
        name: "notes_pkey".into(),
        rule: Rule::PrimaryKey { columns: vec!["id".into()] },
        on_violation: None,
    };
    let notes = vec![required("id", "bigint"), column("body", "text")];
    let daily = Table {
        query: Some(
            "SELECT feedback.day,\n    count(*) AS n\n   FROM x.feedback\n  GROUP BY feedback.day".into(),
        ),
        ..table(16408, "x", "daily", vec![column("day", "date"), column("n", "bigint")], vec![])
    };
    let role = Role { superuser: true, login: true, ..Role::new(16384, "voxhouse") };
    let reader = Role { login: true, ..Role::new(16385, "reader") };
    let scores = "SELECT feedback.feedback_id,\n    feedback.score\n   FROM x.feedback";
    vec![
        Object::Role(role),
        Object::Role(reader),
        schema(16388, "public", None),
        schema(16387, "x", Some("what customers say")),
        schema(16386, "o", None),
        Object::Table(table(16394, "public", "notes", notes, vec![notes_key])),
        Object::Table(feedback()),
        view(16406, "x", "scores", scores, vec![column("feedback_id", "text"), column("score", "smallint")]),
        view(16407, "public", "recent", "SELECT notes.id\n   FROM notes", vec![column("id", "bigint")]),
        Object::Table(daily),
    ]
}

async fn visible(role: &str) -> Arc<Visible> {
    let storage = Storage::in_memory().unwrap();
    let catalog = Catalog::open_or_create(&storage).await.unwrap();
    let author = Author { role: "voxhouse".into(), statement: "CREATE".into() };
    catalog.commit(&author, |_| Ok((objects().into_iter().map(Change::Put).collect(), ()))).await.unwrap();
    let function = |oid, name: &str, arguments: &str, returns: &str, kind, description: &str| FunctionRow {
        oid,
        name: name.into(),
        arguments: arguments.into(),
        returns: returns.into(),
        kind,
        description: description.into(),
    };
    let columns = Arc::new(ArrowSchema::new(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("rows", DataType::UInt64, true),
    ]));
    Arc::new(Visible {
        catalog: catalog.current(),
        built_in: Arc::new(vec![BuiltInRelation {
            schema: "system".into(),
            name: "functions".into(),
            oid: 12000,
            columns,
            comment: "what can be called".into(),
        }]),
        functions: Arc::new(vec![
            function(12500, "tokenize", "body text, mode text", "text[]", 'f', "words of a text"),
            function(12501, "nps", "score double precision", "double precision", 'a', ""),
        ]),
        sizes: Arc::new(HashMap::from([
            (16394, RelationSize { bytes: 8192, rows: 10 }),
            (16408, RelationSize { bytes: 0, rows: 0 }),
        ])),
        role: role.into(),
        session_role: "voxhouse".into(),
        database: "voxhouse".into(),
        process_id: 4711,
        search_path: vec!["$user".into(), "public".into()],
        session: Arc::new(Parts::new(Settings::for_role("voxhouse", true))),
        client: Client::default(),
        processes: Processes::default(),
        server_started_at: 0,
        derived: Derived::default(),
    })
}

struct Session {
    context: SessionContext,
    visible: Arc<Visible>,
}

impl Session {
    async fn new() -> Self {
        Self::of("voxhouse").await
    }

    async fn of(role: &str) -> Self {
        let visible = visible(role).await;
        let mut config = SessionConfig::new().with_default_catalog_and_schema("voxhouse", "public");
        config.options_mut().sql_parser.dialect = PostgreSQL;
        config.options_mut().execution.skip_physical_aggregate_schema_check = true;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_type_planner(Arc::new(PostgresTypes))
            .build();
        let context = SessionContext::new_with_state(state);
        let provider = MemoryCatalogProvider::new();
        for schema in [PG_CATALOG, INFORMATION_SCHEMA] {
            provider.register_schema(schema, schema_provider(Arc::clone(&visible), schema)).unwrap();
        }
        context.register_catalog("voxhouse", Arc::new(provider));
        let functions = scalar_functions(Arc::new(RwLock::new(Arc::clone(&visible))));
        for function in functions.into_iter().chain(crate::query::input::functions()) {
            context.register_udf(function.as_ref().clone());
        }
        Self { context, visible }
    }

    async fn query(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let state = self.context.state();
        let mut statement = state.sql_to_statement(sql, &PostgreSQL)?;
        if let DataFusionStatement::Statement(statement) = &mut statement {
            rewrite(statement, &self.visible)?;
        }
        let plan = state.statement_to_plan(statement).await?;
        let types: Vec<Told> =
            (0..plan.schema().fields().len()).map(|place| typing::of_column(&plan, place)).collect();
        let batches = self.context.execute_logical_plan(plan).await?.collect().await?;
        Ok(batches.iter().map(|batch| self.named(batch, &types)).collect())
    }

    /// Objects by name, as the wire sends them.
    fn named(&self, batch: &RecordBatch, types: &[Told]) -> RecordBatch {
        let schema = batch.schema();
        let columns =
            batch.columns().iter().zip(types).zip(schema.fields()).map(|((column, told), field)| {
                let object = match told {
                    Told::Named(name) if name.starts_with("reg") => PgType::from_name(name),
                    _ => None,
                };
                let shown: ArrayRef = match (object, column.as_primitive_opt::<Int64Type>()) {
                    (Some(object), Some(numbers)) => {
                        let name = |number| functions::object_name(&self.visible, object.oid, number);
                        Arc::new(numbers.iter().map(|number| number.map(name)).collect::<StringArray>())
                    }
                    _ => Arc::clone(column),
                };
                let shown_type = shown.data_type().clone();
                (field.as_ref().clone().with_data_type(shown_type).with_nullable(true), shown)
            });
        let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
        RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).unwrap()
    }

    async fn rows(&self, sql: &str) -> String {
        match self.query(sql).await {
            Ok(batches) => print(&batches),
            Err(error) => format!("ERROR {}: {}\n", error.sqlstate(), error.message()),
        }
    }
}

/// As psql prints with `-At`.
fn print(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = batch.columns().iter().map(|column| cell(column, row)).collect();
            text.push_str(&cells.join("|"));
            text.push('\n');
        }
    }
    text
}

fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Boolean => if column.as_boolean().value(row) { "t" } else { "f" }.to_owned(),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            let items = (0..list.len()).map(|item| match cell(&list, item) {
                _ if list.is_null(item) => "NULL".to_owned(),
                text if text.contains(',') => format!("\"{text}\""),
                text => text,
            });
            format!("{{{}}}", items.collect::<Vec<_>>().join(","))
        }
        _ => {
            let formatter = ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap();
            formatter.value(row).to_string()
        }
    }
}

/// Puts object identifiers for names in braces.
fn with_oids(text: &str, visible: &Visible) -> String {
    let entities = visible.entities();
    let relations = entities.relations.iter().fold(text.to_owned(), |text, relation| {
        text.replace(&format!("{{{}.{}}}", relation.schema, relation.name), &relation.oid.to_string())
    });
    relations.replace("{voxhouse}", &entities.system_owner.to_string())
}

/// Runs a file of recorded queries and reports every answer that differs.
async fn check(file: &str) {
    let session = Session::new().await;
    let mut failures = Vec::new();
    let mut queries = 0;
    for entry in file.split("=== ").skip(1) {
        let (title, rest) = entry.split_once('\n').unwrap();
        let (sql, expected) = rest.split_once("\n---\n").unwrap();
        let expected = with_oids(expected.trim_end(), &session.visible);
        let found = session.rows(&with_oids(sql, &session.visible)).await;
        queries += 1;
        if found.trim_end() != expected {
            failures.push(format!("{title}\n{sql}\nexpected:\n{expected}\nfound:\n{found}"));
        }
    }
    assert!(failures.is_empty(), "{} of {queries} differ:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test]
async fn psql_sees_what_it_sees_in_postgres() {
    check(include_str!("tests/psql.txt")).await;
}

#[tokio::test]
async fn every_relation_can_be_read() {
    let session = Session::new().await;
    assert_eq!(definition::all().len(), 208);
    for one in definition::all() {
        let batch = relations::rows(one, &session.visible).unwrap();
        assert_eq!(batch.num_columns(), one.columns.len(), "{}", one.name);
        session.query(&format!("SELECT * FROM {}.{}", one.schema, one.name)).await.unwrap();
    }
}

#[tokio::test]
async fn drivers_see_what_they_see_in_postgres() {
    check(include_str!("tests/drivers.txt")).await;
}

/// What `rewrite` makes of a statement.
async fn rewritten(sql: &str) -> String {
    let session = Session::new().await;
    let mut statement = session.context.state().sql_to_statement(sql, &PostgreSQL).unwrap();
    if let DataFusionStatement::Statement(statement) = &mut statement {
        rewrite(statement, &session.visible).unwrap();
    }
    statement.to_string()
}

#[tokio::test]
async fn a_statement_over_the_users_own_tables_stays_as_it_is() {
    for sql in [
        "SELECT (SELECT c.name FROM o.customers AS c WHERE c.id = f.id) FROM x.feedback AS f",
        "SELECT coalesce(f.attributes, '{}') FROM x.feedback AS f",
        "WITH pg_class AS (SELECT 1 AS oid) SELECT oid FROM pg_class",
        "INSERT INTO x.feedback (score) VALUES (1)",
    ] {
        assert_eq!(rewritten(sql).await, sql);
    }
}

#[tokio::test]
async fn a_correlated_subquery_becomes_an_aggregate() {
    assert_eq!(
        rewritten(
            "SELECT (SELECT d.adbin FROM pg_attrdef d WHERE d.adnum = a.attnum AND a.atthasdef) FROM pg_attribute a"
        )
        .await,
        "SELECT CASE WHEN a.atthasdef THEN (SELECT first_value(d.adbin) FROM pg_catalog.pg_attrdef d \
         WHERE d.adnum = a.attnum) END FROM pg_catalog.pg_attribute a"
    );
}

#[tokio::test]
async fn what_does_not_exist_is_named_as_postgres_names_it() {
    let session = Session::new().await;
    for (sql, error) in [
        ("SELECT 'nosuch'::regclass", "ERROR 42P01: relation \"nosuch\" does not exist\n"),
        ("SELECT 'x.nosuch'::regclass", "ERROR 42P01: relation \"x.nosuch\" does not exist\n"),
        ("SELECT 'nosuch'::regtype", "ERROR 42704: type \"nosuch\" does not exist\n"),
        (
            "SELECT has_table_privilege('nobody', 'notes', 'SELECT')",
            "ERROR 42704: role \"nobody\" does not exist\n",
        ),
        (
            "SELECT current_setting('nosuch')",
            "ERROR 42704: unrecognized configuration parameter \"nosuch\"\n",
        ),
        (
            "SELECT relname FROM pg_class ORDER BY relname COLLATE \"zh-x-icu\"",
            "ERROR 42704: collation \"zh-x-icu\" for encoding \"UTF8\" does not exist\n",
        ),
    ] {
        assert_eq!(session.rows(sql).await, error, "{sql}");
    }
}

#[tokio::test]
async fn a_role_without_grants_reads_the_catalog_only() {
    let session = Session::of("reader").await;
    let sql = "SELECT has_table_privilege('pg_class', 'SELECT'), has_table_privilege('x.feedback', 'SELECT'), \
               has_schema_privilege('x', 'USAGE'), has_schema_privilege('x', 'CREATE'), current_user";
    assert_eq!(session.rows(sql).await, "t|f|f|f|reader\n");
    assert_eq!(session.rows("SELECT has_schema_privilege('public', 'USAGE')").await, "t\n");
}

/// Drivers refuse to send an object identifier for a parameter that is said to be a bigint.
#[tokio::test]
async fn a_parameter_beside_an_object_identifier_is_one() {
    let session = Session::new().await;
    let state = session.context.state();
    let sql = "SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = $1";
    let plan = state.statement_to_plan(state.sql_to_statement(sql, &PostgreSQL).unwrap()).await.unwrap();
    let fields = plan.get_parameter_fields().unwrap();
    let field = fields["$1"].as_ref().unwrap();
    assert_eq!(field.metadata().get(TYPE_KEY).map(String::as_str), Some("oid"));
}

#[tokio::test]
async fn types_of_results_are_those_of_postgres() {
    let session = Session::new().await;
    let batches = session
        .query("SELECT c.oid, c.relname, c.relkind, i.indkey, current_schemas(true) FROM pg_class c, pg_index i LIMIT 1")
        .await
        .unwrap();
    let fields = batches[0].schema();
    let types: Vec<_> = fields.fields().iter().map(|field| field.metadata()[TYPE_KEY].as_str()).collect();
    assert_eq!(types, ["oid", "name", "\"char\"", "int2vector", "name[]"]);
}

#[tokio::test]
async fn a_repeated_column_keeps_its_label() {
    let session = Session::new().await;
    let batches = session.query("SELECT n.oid, n.*, n.nspname FROM pg_namespace n LIMIT 1").await.unwrap();
    let fields = batches[0].schema();
    let labels: Vec<&str> = fields.fields().iter().map(|field| label(field.name())).collect();
    assert_eq!(labels, ["oid", "oid", "nspname", "nspowner", "nspacl", "nspname"]);
}

#[test]
fn a_type_is_named_and_resolved_alike() {
    for name in [
        "boolean",
        "smallint",
        "\"char\"",
        "character varying(20)",
        "character(3)",
        "numeric(18,2)",
        "text[]",
        "timestamp(3) with time zone",
        "timestamp without time zone",
        "int2vector",
        "bytea",
        "uuid[]",
    ] {
        let (oid, modifier) = types::resolve(name).unwrap();
        assert_eq!(types::format_type(oid, Some(modifier)), name);
    }
    assert_eq!(types::resolve("int4"), Some((23, -1)));
    assert_eq!(types::resolve("pg_catalog.int4"), Some((23, -1)));
    assert_eq!(types::resolve("nosuch"), None);
}
