//! Definitions: schemas, tables, views, pipes, comments.

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    self, AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CommentObject, CreateTable,
    CreateView, Expr, Ident, ObjectName, ObjectType, RenameTableNameKind, SchemaName, TableConstraint,
};
use voxhouse_engine::catalog::access::not_owner;
use voxhouse_engine::catalog::ddl::{CommentTarget, ConstraintDdl, Ddl, DropKind, Effect, NewTable};
use voxhouse_engine::catalog::{Column, QualifiedName, Rule, SqlType};
use voxhouse_engine::dml::Work;
use voxhouse_engine::transaction::OnCommit;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::describe;
use crate::dialect::{OwnStatement, Statement, StatementKind};
use crate::pg_catalog;
use crate::query::QueryContext;
use crate::query::labels;
use crate::query::names::{self, existing_name, fold, new_name, new_temporary_name, parts};
use crate::session::Session;
use crate::wire::backend::Outcome;

/// The definition that a statement makes; `None` if it is of another kind.
pub async fn plan(context: &QueryContext, statement: &Statement) -> Result<Option<Ddl>> {
    use ast::Statement as S;
    let sql = match &statement.kind {
        StatementKind::Sql(sql) => sql.as_ref(),
        StatementKind::Own(own) => return own_definition(context, own).await,
        StatementKind::Session(_) => return Ok(None),
    };
    Ok(Some(match sql {
        S::CreateSchema { schema_name, if_not_exists, .. } => {
            let (name, owner) = schema_name_text(schema_name)?;
            Ddl::CreateSchema { name, owner, if_not_exists: *if_not_exists }
        }
        S::CreateTable(create) if create.query.is_none() => {
            let name = table_name(create, context)?;
            let table = new_table(create, statement)?;
            // The session knows where there is a free one.
            let location = String::new();
            Ddl::CreateTable { name, table, location, if_not_exists: create.if_not_exists }
        }
        S::CreateView(create) if !create.materialized => create_view(context, statement, create).await?,
        S::AlterTable(alter) => alter_table(context, alter)?,
        S::Comment { object_type, object_name, comment, .. } => Ddl::Comment {
            target: comment_target(context, *object_type, object_name)?,
            comment: comment.clone(),
        },
        _ => return Ok(None),
    }))
}

async fn own_definition(context: &QueryContext, own: &OwnStatement) -> Result<Option<Ddl>> {
    match own {
        OwnStatement::Access(access) => super::role::plan(context, access),
        OwnStatement::Pipe(statement) => super::pipe::plan(context, statement),
        OwnStatement::AddRule(add) => super::constraint::added(context, add).await.map(Some),
        OwnStatement::RefreshMaterializedView { .. } | OwnStatement::Upkeep(_) | OwnStatement::Copy(_) => {
            Ok(None)
        }
    }
}

/// Runs a definition.
pub async fn run(session: &mut Session, statement: &Statement) -> Result<Outcome> {
    use ast::Statement as S;
    if let StatementKind::Sql(sql) = &statement.kind {
        match sql.as_ref() {
            S::CreateTable(create) if create.external => {
                return super::external::create(session, statement, create).await;
            }
            S::CreateTable(create) if create.query.is_some() => {
                return create_table_as(session, statement, create).await;
            }
            S::CreateView(create) if create.materialized => {
                return create_materialized_view(session, statement, create).await;
            }
            S::Drop { .. } => return drop_objects(session, statement, sql).await,
            S::CreateIndex(create) => return create_index(session, statement, create).await,
            _ => {}
        }
    }
    let context = session.context(&statement.text).await?;
    let Some(mut ddl) = plan(&context, statement).await? else {
        return Err(Error::not_supported(format!("{} is not supported", first_words(&statement.text))));
    };
    if let Ddl::Constraint(constraint) = &ddl {
        super::constraint::require_kept(&context, constraint).await?;
    }
    let tag = tag_of(&ddl);
    let author = session.author(statement);
    if let Ddl::CreateTable { name, location, .. } = &mut ddl {
        *location = session.free_location(name).await?;
    }
    if let (Ddl::CreateTable { name, .. }, StatementKind::Sql(sql)) = (&ddl, &statement.kind)
        && let S::CreateTable(create) = sql.as_ref()
        && name.is_temporary()
    {
        let (name, action) = (name.clone(), on_commit(create));
        let scope = session.scope().await?;
        session.require_changeable(tag, false)?;
        let effects = scope.transaction().define(&author, vec![ddl]).await?;
        if effects == [Effect::Done] {
            scope.transaction().on_commit(scope.transaction().catalog().table(&name)?, action);
        }
        session.finish(scope).await?;
        tell(session, effects);
        return Ok(Outcome::Done(tag.to_owned()));
    }
    if let (Ddl::CreateView { name, .. }, StatementKind::Sql(sql)) = (&ddl, &statement.kind)
        && let S::CreateView(create) = sql.as_ref()
        && name.is_temporary()
        && !create.temporary
    {
        session.notice(format!("view \"{}\" will be a temporary view", name.name));
    }
    let effects = session.define(&author, vec![ddl]).await?;
    tell(session, effects);
    Ok(Outcome::Done(tag.to_owned()))
}

/// An index is looked for by a query's planner, and there every file has one: the smallest and largest value of each
/// column. A statement that asks for one is taken, so that programs which send it by habit go on; one that would add a
/// rule is not.
async fn create_index(
    session: &mut Session,
    statement: &Statement,
    create: &ast::CreateIndex,
) -> Result<Outcome> {
    let context = session.context(&statement.text).await?;
    let name = existing_name(&create.table_name, &context.visible)?;
    let table = context.visible.catalog.table(&name)?;
    if create.unique {
        return Err(Error::not_supported("CREATE UNIQUE INDEX is not supported")
            .with_hint("Declare UNIQUE (…) in CREATE TABLE, or add it with ALTER TABLE … ADD UNIQUE (…)."));
    }
    for column in &create.columns {
        if let ast::Expr::Identifier(column) = &column.column.expr {
            super::dml::require_column(table, &fold(column))?;
        }
    }
    session.notice(format!(
        "no index was made: files of \"{}\" are found by the range of their values; CLUSTER BY narrows it",
        name.name
    ));
    Ok(Outcome::Done("CREATE INDEX".into()))
}

fn table_name(create: &CreateTable, context: &QueryContext) -> Result<QualifiedName> {
    let name = match create.temporary {
        true => new_temporary_name(&create.name)?,
        false => new_name(&create.name, &context.visible)?,
    };
    if create.on_commit.is_some() && !name.is_temporary() {
        let message = "ON COMMIT can only be used on temporary tables";
        return Err(Error::new(ErrorKind::InvalidTableDefinition, message));
    }
    Ok(name)
}

fn on_commit(create: &CreateTable) -> OnCommit {
    match create.on_commit {
        Some(ast::OnCommit::DeleteRows) => OnCommit::DeleteRows,
        Some(ast::OnCommit::Drop) => OnCommit::Drop,
        Some(ast::OnCommit::PreserveRows) | None => OnCommit::PreserveRows,
    }
}

fn tell(session: &mut Session, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Skipped { kind, reason } => session.notice_of(kind, reason),
            Effect::Warned { sqlstate, message } => session.warning(sqlstate, message),
            Effect::Done | Effect::TablesDropped(_) | Effect::ColumnsChanged(_) => {}
        }
    }
}

/// The command tag.
pub fn tag_of(ddl: &Ddl) -> &'static str {
    match ddl {
        Ddl::CreateSchema { .. } => "CREATE SCHEMA",
        Ddl::DropSchema { .. } => "DROP SCHEMA",
        Ddl::CreateTable { .. } => "CREATE TABLE",
        Ddl::DropRelation { kind: DropKind::Table, .. } => "DROP TABLE",
        Ddl::DropRelation { kind: DropKind::View, .. } => "DROP VIEW",
        Ddl::DropRelation { kind: DropKind::MaterializedView, .. } => "DROP MATERIALIZED VIEW",
        Ddl::RenameRelation { .. } | Ddl::AddColumn { .. } | Ddl::WidenColumn { .. } | Ddl::Constraint(_) => {
            "ALTER TABLE"
        }
        Ddl::CreateView { .. } => "CREATE VIEW",
        Ddl::CreatePipe { .. } => "CREATE PIPE",
        Ddl::DropPipe { .. } => "DROP PIPE",
        Ddl::PausePipe { .. } => "ALTER PIPE",
        Ddl::Role(_) | Ddl::Setting(_) | Ddl::Grant(_) | Ddl::DefaultPrivileges(_) | Ddl::Owner(_) => {
            super::role::tag_of(ddl)
        }
        Ddl::Comment { .. } => "COMMENT",
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase()
}

/// The name, and the role behind AUTHORIZATION.
fn schema_name_text(name: &SchemaName) -> Result<(String, Option<String>)> {
    let last = |name: &ObjectName| parts(name)?.pop().ok_or_else(|| Error::syntax("a schema needs a name"));
    Ok(match name {
        SchemaName::Simple(name) => (last(name)?, None),
        SchemaName::NamedAuthorization(name, owner) => (last(name)?, Some(fold(owner))),
        SchemaName::UnnamedAuthorization(owner) => (fold(owner), Some(fold(owner))),
    })
}

fn new_table(create: &CreateTable, statement: &Statement) -> Result<NewTable> {
    if create.location.is_some() || create.file_format.is_some() {
        return Err(Error::not_supported("CREATE TABLE … LOCATION is not supported").with_hint(
            "CREATE PIPE loads files into a table; CREATE EXTERNAL TABLE reads a Delta table where it lies.",
        ));
    }
    super::table_options::check(create)?;
    let mut table = NewTable { cluster_by: statement.cluster_by.clone(), ..NewTable::default() };
    for definition in &create.columns {
        let column = column(definition, &mut table.constraints)?;
        table.columns.push(column);
    }
    for constraint in &create.constraints {
        table.constraints.push(table_constraint(constraint)?);
    }
    table.properties = super::table_options::properties(create, &table.columns)?;
    if let Some(expression) = &create.partition_by {
        table.partition_by = partition_columns(expression)?;
    }
    Ok(table)
}

fn partition_columns(expression: &Expr) -> Result<Vec<String>> {
    match expression {
        Expr::Identifier(identifier) => Ok(vec![fold(identifier)]),
        Expr::Nested(inner) => partition_columns(inner),
        Expr::Tuple(items) => {
            items.iter().map(partition_columns).collect::<Result<Vec<_>>>().map(|all| all.concat())
        }
        // `PARTITION BY LIST (a)` and `RANGE (a)` of PostgreSQL name the same columns.
        Expr::Function(function) => match &function.args {
            ast::FunctionArguments::List(list) => list
                .args
                .iter()
                .map(|argument| match argument {
                    ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(inner)) => partition_columns(inner),
                    other => Err(Error::syntax(format!("cannot partition by \"{other}\""))),
                })
                .collect::<Result<Vec<_>>>()
                .map(|all| all.concat()),
            _ => Err(Error::syntax(format!("cannot partition by \"{function}\""))),
        },
        other => Err(Error::not_supported(format!("cannot partition by the expression \"{other}\""))
            .with_hint("Partition by columns; add a column for what the expression computes.")),
    }
}

/// Whether the database is to number the rows.
fn is_numbered(definition: &ColumnDef) -> bool {
    const SERIAL: &[&str] = &["bigserial", "serial", "serial2", "serial4", "serial8", "smallserial"];
    let is_serial = match &definition.data_type {
        ast::DataType::Custom(name, _) => name
            .0
            .last()
            .and_then(|part| part.as_ident())
            .is_some_and(|name| SERIAL.contains(&fold(name).as_str())),
        _ => false,
    };
    let is_identity = |option: &ColumnOption| match option {
        ColumnOption::Generated { generation_expr, .. } => generation_expr.is_none(),
        ColumnOption::Identity(_) => true,
        _ => false,
    };
    is_serial || definition.options.iter().any(|option| is_identity(&option.option))
}

fn column(definition: &ColumnDef, constraints: &mut Vec<(Option<String>, Rule)>) -> Result<Column> {
    if is_numbered(definition) {
        let message =
            format!("column \"{}\": serial and identity columns are not supported", fold(&definition.name));
        return Err(Error::not_supported(message).with_hint(
            "Several processes write a table without asking each other. Keep the key of the source, or make one with \
             DEFAULT gen_random_uuid().",
        ));
    }
    let mut column = Column::new(fold(&definition.name), sql_type(&definition.data_type)?);
    for option in &definition.options {
        let name = option.name.as_ref().map(fold);
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => column.not_null = true,
            ColumnOption::Default(expression) => column.default = Some(expression.to_string()),
            ColumnOption::PrimaryKey(_) => {
                constraints.push((name, Rule::PrimaryKey { columns: vec![column.name.clone()] }));
            }
            ColumnOption::Unique(_) => {
                constraints.push((name, Rule::Unique { columns: vec![column.name.clone()] }));
            }
            ColumnOption::Check(check) => {
                constraints.push((name, Rule::Check { expression: check.expr.to_string() }));
            }
            other => {
                return Err(Error::not_supported(format!(
                    "column \"{}\": {other} is not supported",
                    column.name
                )));
            }
        }
    }
    Ok(column)
}

pub(super) fn table_constraint(constraint: &TableConstraint) -> Result<(Option<String>, Rule)> {
    let key = |columns: &[ast::IndexColumn]| {
        columns
            .iter()
            .map(|column| match &column.column.expr {
                Expr::Identifier(identifier) => Ok(fold(identifier)),
                other => Err(Error::syntax(format!("\"{other}\" is not a column"))),
            })
            .collect::<Result<Vec<_>>>()
    };
    Ok(match constraint {
        TableConstraint::PrimaryKey(rule) => {
            (rule.name.as_ref().map(fold), Rule::PrimaryKey { columns: key(&rule.columns)? })
        }
        TableConstraint::Unique(rule) => {
            (rule.name.as_ref().map(fold), Rule::Unique { columns: key(&rule.columns)? })
        }
        TableConstraint::Check(rule) => {
            (rule.name.as_ref().map(fold), Rule::Check { expression: rule.expr.to_string() })
        }
        other => return Err(Error::not_supported(format!("the constraint \"{other}\" is not supported"))),
    })
}

/// The type that a column definition names.
pub(super) fn sql_type(data_type: &ast::DataType) -> Result<SqlType> {
    use ast::DataType as D;
    let length = |length: &Option<ast::CharacterLength>| match length {
        Some(ast::CharacterLength::IntegerLength { length, .. }) => u32::try_from(*length).ok(),
        _ => None,
    };
    Ok(match data_type {
        D::Timestamp(_, ast::TimezoneInfo::WithTimeZone | ast::TimezoneInfo::Tz) | D::TimestampNtz(None) => {
            SqlType::TimestampTz
        }
        D::Timestamp(_, _) => SqlType::Timestamp,
        D::Varchar(size) | D::CharacterVarying(size) | D::CharVarying(size) | D::Nvarchar(size) => {
            length(size).map_or(SqlType::Text, SqlType::Varchar)
        }
        D::Char(size) | D::Character(size) => SqlType::Char(length(size).unwrap_or(1)),
        D::JSON => SqlType::Json,
        D::JSONB => SqlType::Jsonb,
        D::Uuid => SqlType::Uuid,
        D::Array(
            ast::ArrayElemTypeDef::SquareBracket(item, _) | ast::ArrayElemTypeDef::AngleBracket(item),
        ) => SqlType::Array(Box::new(sql_type(item)?)),
        D::Time(_, _) | D::Interval { .. } => {
            return Err(Error::not_supported(format!("columns of type {data_type} are not supported"))
                .with_hint("Store the text, or a number of seconds."));
        }
        other => other.to_string().parse()?,
    })
}

async fn create_view(context: &QueryContext, statement: &Statement, create: &CreateView) -> Result<Ddl> {
    let (query, plan) = view_query(context, statement, create).await?;
    let plan = match plan {
        Some(plan) => plan,
        None => context.plan_query(&query).await?.plan,
    };
    let name = match create.temporary || names::reads_temporary(&query) {
        true => new_temporary_name(&create.name)?,
        false => new_name(&create.name, &context.visible)?,
    };
    Ok(Ddl::CreateView {
        name,
        query: query.to_string(),
        columns: columns_of(context, &plan)?,
        or_replace: create.or_replace,
    })
}

/// The query of a view, independent of the search path, with the view's column names; and its plan, if there is one
/// already.
async fn view_query(
    context: &QueryContext,
    statement: &Statement,
    create: &CreateView,
) -> Result<(ast::Query, Option<LogicalPlan>)> {
    if !statement.moments.is_empty() {
        return Err(Error::not_supported("a view of a past version is not supported")
            .with_hint("CREATE TABLE … AS keeps what the table held then."));
    }
    let mut query = create.query.as_ref().clone();
    names::qualify(&mut query, &context.visible, &context.built_ins, &[]);
    if create.columns.is_empty() {
        return with_headings(context, statement, query).await;
    }
    Ok((renamed(&query, create.columns.iter().map(|column| column.name.clone()))?, None))
}

/// The query, its columns called as PostgreSQL calls them: `count` rather than `count(*)`.
async fn with_headings(
    context: &QueryContext,
    statement: &Statement,
    query: ast::Query,
) -> Result<(ast::Query, Option<LogicalPlan>)> {
    let plan = context.plan_query_at(&query, &statement.moments).await?.plan;
    let fields = plan.schema().fields();
    let labels = labels::of_query(&query).filter(|labels| labels.len() == fields.len());
    let heading = |(place, name): (usize, &String)| {
        let label = labels.as_ref().and_then(|labels| labels.get(place)?.clone());
        label.unwrap_or_else(|| pg_catalog::label(name).to_owned())
    };
    let headings: Vec<String> = fields.iter().map(|field| field.name()).enumerate().map(heading).collect();
    if fields.iter().zip(&headings).all(|(field, heading)| field.name() == heading) {
        return Ok((query, Some(plan)));
    }
    let headings = headings.iter().map(|heading| Ident::with_quote('"', heading));
    Ok((renamed(&query, headings)?, None))
}

fn renamed(query: &ast::Query, columns: impl Iterator<Item = Ident>) -> Result<ast::Query> {
    let columns: Vec<Ident> = columns.collect();
    for (place, column) in columns.iter().enumerate() {
        if columns[..place].iter().any(|before| fold(before) == fold(column)) {
            return Err(specified_twice(&fold(column)));
        }
    }
    let columns: Vec<String> = columns.iter().map(Ident::to_string).collect();
    crate::query::pipe::parse_query(&format!("SELECT * FROM ({query}) AS renamed ({})", columns.join(", ")))
}

fn columns_of(context: &QueryContext, plan: &LogicalPlan) -> Result<Vec<Column>> {
    let schema = super::describe::columns(context, plan)?;
    let mut columns: Vec<Column> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = pg_catalog::label(field.name());
        if columns.iter().any(|column| column.name == name) {
            return Err(specified_twice(name));
        }
        columns.push(Column::new(name, SqlType::from_field(field)?));
    }
    Ok(columns)
}

fn specified_twice(column: &str) -> Error {
    Error::new(ErrorKind::DuplicateColumn, format!("column \"{column}\" specified more than once"))
        .with_hint("Give one of them another name with AS.")
}

fn alter_table(context: &QueryContext, alter: &ast::AlterTable) -> Result<Ddl> {
    let table = existing_name(&alter.name, &context.visible)?;
    let [operation] = alter.operations.as_slice() else {
        return Err(Error::not_supported("ALTER TABLE with several actions is not supported")
            .with_hint("Write one statement an action."));
    };
    match operation {
        AlterTableOperation::AddColumn { if_not_exists, column_def, .. } => {
            let mut constraints = Vec::new();
            let column = column(column_def, &mut constraints)?;
            if !constraints.is_empty() || column.default.is_some() {
                return Err(Error::not_supported(
                    "a column that is added can have no constraint and no default",
                ));
            }
            Ok(Ddl::AddColumn { table, column, if_not_exists: *if_not_exists })
        }
        AlterTableOperation::RenameTable { table_name } => {
            let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
            let to = parts(to)?.pop().ok_or_else(|| Error::syntax("the new name is missing"))?;
            Ok(Ddl::RenameRelation { name: table, to })
        }
        AlterTableOperation::DropConstraint { if_exists, name: constraint, .. } => {
            let (name, if_exists) = (fold(constraint), *if_exists);
            Ok(Ddl::Constraint(ConstraintDdl::Drop { table, name, if_exists }))
        }
        AlterTableOperation::AlterColumn {
            column_name,
            op: AlterColumnOperation::SetDataType { data_type, using: None, .. },
        } => {
            let (column, data_type) = (fold(column_name), sql_type(data_type)?);
            Ok(Ddl::WidenColumn { table, column, data_type, at_least: false })
        }
        AlterTableOperation::AlterColumn { column_name, op } => {
            let not_null = match op {
                AlterColumnOperation::SetNotNull => true,
                AlterColumnOperation::DropNotNull => false,
                _ => return Err(Error::not_supported(format!("ALTER TABLE {operation} is not supported"))),
            };
            let column = fold(column_name);
            Ok(Ddl::Constraint(ConstraintDdl::NotNull { table, column, not_null }))
        }
        other => Err(Error::not_supported(format!("ALTER TABLE {other} is not supported"))),
    }
}

/// A comment on something whose name tells its schema: it means the same in every session. `None`: it is another
/// statement, or its name needs the search path.
pub fn comment_of_qualified(statement: &Statement) -> Result<Option<Ddl>> {
    let StatementKind::Sql(sql) = &statement.kind else { return Ok(None) };
    let ast::Statement::Comment { object_type, object_name, comment, .. } = sql.as_ref() else {
        return Ok(None);
    };
    let written: Option<Vec<String>> = object_name.0.iter().map(|part| part.as_ident().map(fold)).collect();
    let target = match (object_type, written.unwrap_or_default().as_slice()) {
        (CommentObject::Table | CommentObject::View, [schema, name]) => {
            CommentTarget::Relation(QualifiedName::new(schema, name))
        }
        (CommentObject::Schema, [name]) => CommentTarget::Schema(name.clone()),
        (CommentObject::Column, [schema, name, column]) => {
            CommentTarget::Column(QualifiedName::new(schema, name), column.clone())
        }
        _ => return Ok(None),
    };
    Ok(Some(Ddl::Comment { target, comment: comment.clone() }))
}

fn comment_target(context: &QueryContext, kind: CommentObject, name: &ObjectName) -> Result<CommentTarget> {
    match kind {
        CommentObject::Table | CommentObject::View | CommentObject::MaterializedView => {
            Ok(CommentTarget::Relation(existing_name(name, &context.visible)?))
        }
        CommentObject::Column => {
            let mut relation = name.clone();
            let column = relation
                .0
                .pop()
                .and_then(|part| part.as_ident().map(fold))
                .ok_or_else(|| Error::syntax("column name must be qualified"))?;
            if relation.0.is_empty() {
                return Err(Error::syntax("column name must be qualified"));
            }
            Ok(CommentTarget::Column(existing_name(&relation, &context.visible)?, column))
        }
        CommentObject::Schema => {
            let name = parts(name)?.pop().ok_or_else(|| Error::syntax("a schema needs a name"))?;
            Ok(CommentTarget::Schema(name))
        }
        other => Err(Error::not_supported(format!("COMMENT ON {other} is not supported"))),
    }
}

/// The types of the parameters of CREATE TABLE … AS.
pub async fn parameters(
    session: &Session,
    statement: &Statement,
    create: &CreateTable,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    let Some(query) = &create.query else { return Ok(Vec::new()) };
    let context = session.context(&statement.text).await?;
    let plan = context.plan_query_at(query, &statement.moments).await?.plan;
    describe::parameters(&ast::Statement::Query(query.clone()), &plan, declared)
}

async fn create_table_as(
    session: &mut Session,
    statement: &Statement,
    create: &CreateTable,
) -> Result<Outcome> {
    let context = session.context(&statement.text).await?;
    let query = create.query.as_ref().ok_or_else(|| Error::internal("no query"))?;
    let name = table_name(create, &context)?;
    if create.if_not_exists && context.visible.catalog.relation(&name).is_some() {
        let there = format!("relation \"{}\" already exists, skipping", name.name);
        session.notice_of(ErrorKind::DuplicateTable, there);
        return Ok(Outcome::Done("CREATE TABLE AS".into()));
    }
    let (query, _) = with_headings(&context, statement, query.as_ref().clone()).await?;
    let table = new_table(create, statement)?;
    let kind = NewKind { name, on_commit: on_commit(create) };
    let rows = fill_new_table(session, statement, &context, kind, &query, table).await?;
    Ok(Outcome::Done(format!("SELECT {rows}")))
}

async fn create_materialized_view(
    session: &mut Session,
    statement: &Statement,
    create: &CreateView,
) -> Result<Outcome> {
    let context = session.context(&statement.text).await?;
    let name = new_name(&create.name, &context.visible)?;
    if create.if_not_exists && context.visible.catalog.relation(&name).is_some() {
        let there = format!("relation \"{}\" already exists, skipping", name.name);
        session.notice_of(ErrorKind::DuplicateTable, there);
        return Ok(Outcome::Done("CREATE MATERIALIZED VIEW".into()));
    }
    let (query, _) = view_query(&context, statement, create).await?;
    if names::reads_temporary(&query) {
        return Err(Error::not_supported("materialized views must not use temporary tables or views"));
    }
    let table = NewTable {
        query: Some(query.to_string()),
        cluster_by: statement.cluster_by.clone(),
        ..NewTable::default()
    };
    let kind = NewKind { name, on_commit: OnCommit::PreserveRows };
    let rows = fill_new_table(session, statement, &context, kind, &query, table).await?;
    Ok(Outcome::Done(format!("SELECT {rows}")))
}

/// A table that a query fills.
struct NewKind {
    name: QualifiedName,
    on_commit: OnCommit,
}

/// Makes a table with the columns of a query. It is filled before the catalog knows of it: nobody sees it half
/// full, and a query that fails or is cancelled leaves at most files that belong to nothing.
async fn fill_new_table(
    session: &mut Session,
    statement: &Statement,
    context: &QueryContext,
    new: NewKind,
    query: &ast::Query,
    mut table: NewTable,
) -> Result<u64> {
    session.require_changeable("CREATE TABLE AS", false)?;
    let plan = context.plan_query_at(query, &statement.moments).await?.plan;
    let plan = describe::stored(context, plan)?;
    table.columns = columns_of(context, &plan)?;
    let author = session.author(statement);
    let location = session.free_location(&new.name).await?;
    let create = Ddl::CreateTable { name: new.name.clone(), table, location, if_not_exists: false };
    let scope = session.scope().await?;
    let transaction = scope.transaction();
    transaction.define(&author, vec![create]).await?;
    let catalog = transaction.catalog();
    let table = catalog.table(&new.name)?;
    if new.name.is_temporary() {
        transaction.on_commit(table, new.on_commit);
    }
    let work = Work::Insert(plan);
    let rows = session.change_rows_in(Some(transaction), context, &author, table, &work, None).await?;
    session.finish(scope).await?;
    Ok(rows)
}

/// Computes a materialised view again.
pub async fn refresh(session: &mut Session, statement: &Statement, name: &ObjectName) -> Result<Outcome> {
    if let Some(kept) = super::text::kept(name)? {
        return super::text::refresh_kept(session, kept).await;
    }
    let context = session.context(&statement.text).await?;
    let name = existing_name(name, &context.visible)?;
    let table = context.visible.catalog.table(&name)?;
    let Some(query) = &table.query else {
        return Err(Error::new(
            ErrorKind::WrongObjectType,
            format!("\"{}\" is not a materialized view", name.name),
        ));
    };
    if !context.visible.access().owns(&table.owner) {
        return Err(not_owner("materialized view", &table.name.name));
    }
    let author = session.author(statement);
    // Whoever refreshes it, its rows are what its owner may read.
    let plan = match session.in_block() && author.role == table.owner {
        true => context.plan_query(&crate::query::pipe::parse_query(query)?).await?.plan,
        false => session.instance.planner().plan_query(&table.owner, query).await?,
    };
    let work = Work::Overwrite(describe::stored(&context, plan)?);
    session.change_rows(&context, &author, table, &work).await?;
    Ok(Outcome::Done("REFRESH MATERIALIZED VIEW".into()))
}

async fn drop_objects(session: &mut Session, statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    let ast::Statement::Drop { object_type, if_exists, names, cascade, .. } = sql else {
        return Err(Error::internal("not a DROP"));
    };
    let context = session.context(&statement.text).await?;
    let kind = match object_type {
        ObjectType::Table => Some(DropKind::Table),
        ObjectType::View => Some(DropKind::View),
        ObjectType::MaterializedView => Some(DropKind::MaterializedView),
        ObjectType::Schema => None,
        other => return Err(Error::not_supported(format!("DROP {other} is not supported"))),
    };
    let mut operations = Vec::with_capacity(names.len());
    for name in names {
        operations.push(match kind {
            Some(kind) => Ddl::DropRelation {
                name: existing_name(name, &context.visible)?,
                kind,
                if_exists: *if_exists,
                cascade: *cascade,
            },
            None => Ddl::DropSchema {
                name: parts(name)?.pop().ok_or_else(|| Error::syntax("a schema needs a name"))?,
                if_exists: *if_exists,
                cascade: *cascade,
            },
        });
    }
    let author = session.author(statement);
    let effects = session.define(&author, operations).await?;
    tell(session, effects);
    Ok(Outcome::Done(format!("DROP {object_type}")))
}
