//! The objects of a warehouse as PostgreSQL would number and describe them, worked out once a statement.

use std::collections::HashMap;

use voxhouse_engine::catalog::access::Secured;
use voxhouse_engine::catalog::{self, CatalogSnapshot, Oid, QualifiedName, Rule, Setting, TEMPORARY_SCHEMA};

use super::grants;
use super::{BuiltInRelation, INFORMATION_SCHEMA, PG_CATALOG, Visible, definition, expressions, types};
use crate::access::reads;

/// The role that owns what nobody made, if the warehouse has no superuser of its own.
const BOOTSTRAP_ROLE: Oid = 10;
const PG_CATALOG_OID: Oid = 11;
const INFORMATION_SCHEMA_OID: Oid = 13000;
/// `public`, if the catalog has no schema of that name.
const PUBLIC_OID: Oid = 2200;

pub(super) struct Entities {
    pub(super) roles: Vec<Role>,
    pub(super) schemas: Vec<Schema>,
    pub(super) relations: Vec<Relation>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) functions: Vec<Function>,
    /// The first superuser.
    pub(super) system_owner: Oid,
    relation_by_oid: HashMap<Oid, usize>,
    relation_by_name: HashMap<String, HashMap<String, usize>>,
    constraint_by_oid: HashMap<Oid, usize>,
    /// Schemas in which an unqualified name is looked for, in order.
    pub(super) search_path: Vec<String>,
    /// How many schemas come first in the path without having been named.
    pub(super) implicit_schemas: usize,
}

pub(super) struct Role {
    pub(super) oid: Oid,
    pub(super) name: String,
    pub(super) superuser: bool,
    pub(super) login: bool,
    pub(super) create_role: bool,
    pub(super) inherit: bool,
    /// -1: no limit.
    pub(super) connection_limit: i64,
    /// Microseconds since 1970.
    pub(super) valid_until: Option<i64>,
    /// `name=value`, of every database.
    pub(super) settings: Option<Vec<String>>,
}

pub(super) struct Schema {
    pub(super) oid: Oid,
    pub(super) name: String,
    pub(super) owner: Oid,
    pub(super) comment: Option<String>,
    /// `None`: the default.
    pub(super) acl: Option<Vec<String>>,
}

/// A table, view, materialised view or index.
pub(super) struct Relation {
    pub(super) oid: Oid,
    pub(super) schema_oid: Oid,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) owner: Oid,
    /// `r` table, `v` view, `m` materialised view, `i` index.
    pub(super) kind: char,
    pub(super) columns: Vec<Column>,
    pub(super) comment: Option<String>,
    /// The query of a view.
    pub(super) query: Option<String>,
    pub(super) checks: i16,
    pub(super) has_index: bool,
    pub(super) bytes: Option<i64>,
    pub(super) rows: Option<i64>,
    /// `None`: the default.
    pub(super) acl: Option<Vec<String>>,
}

#[derive(Clone)]
pub(super) struct Column {
    /// From 1.
    pub(super) number: i16,
    pub(super) name: String,
    pub(super) type_oid: Oid,
    pub(super) modifier: i32,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) acl: Option<Vec<String>>,
}

/// A primary key, unique or check constraint. The first two have an index of the same object identifier.
pub(super) struct Constraint {
    pub(super) oid: Oid,
    pub(super) name: String,
    /// `p`, `u` or `c`.
    pub(super) kind: char,
    pub(super) schema_oid: Oid,
    pub(super) schema: String,
    pub(super) table_oid: Oid,
    pub(super) table: String,
    pub(super) columns: Vec<Column>,
    /// Of a check.
    pub(super) expression: Option<String>,
}

pub(super) struct Function {
    pub(super) oid: Oid,
    pub(super) schema_oid: Oid,
    pub(super) name: String,
    pub(super) owner: Oid,
    pub(super) kind: char,
    pub(super) arguments: String,
    pub(super) returns: String,
    pub(super) description: String,
    pub(super) argument_types: Vec<Oid>,
    pub(super) argument_names: Vec<String>,
    pub(super) return_type: Oid,
    pub(super) acl: Option<Vec<String>>,
}

impl Entities {
    pub(super) fn new(visible: &Visible) -> Self {
        let roles = roles(visible);
        let system_owner = roles.iter().find(|role| role.superuser).map_or(BOOTSTRAP_ROLE, |role| role.oid);
        let mut entities = Self {
            roles,
            schemas: Vec::new(),
            relations: Vec::new(),
            constraints: Vec::new(),
            functions: Vec::new(),
            system_owner,
            relation_by_oid: HashMap::new(),
            relation_by_name: HashMap::new(),
            constraint_by_oid: HashMap::new(),
            search_path: Vec::new(),
            implicit_schemas: 0,
        };
        entities.add_schemas(visible);
        entities.add_system_relations();
        for relation in visible.built_in.iter() {
            entities.add_built_in(relation, visible);
        }
        for table in visible.catalog.tables() {
            entities.add_table(table, visible);
        }
        for view in visible.catalog.views() {
            entities.add_view(view);
        }
        entities.add_functions(visible);
        entities.set_search_path(visible);
        entities.index();
        entities
    }

    pub(super) fn relation(&self, oid: Oid) -> Option<&Relation> {
        self.relation_by_oid.get(&oid).map(|place| &self.relations[*place])
    }

    pub(super) fn constraint(&self, oid: Oid) -> Option<&Constraint> {
        self.constraint_by_oid.get(&oid).map(|place| &self.constraints[*place])
    }

    pub(super) fn function(&self, oid: Oid) -> Option<&Function> {
        self.functions.iter().find(|function| function.oid == oid)
    }

    pub(super) fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.name == name)
    }

    pub(super) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    pub(super) fn role_name(&self, oid: Oid) -> String {
        let found = self.roles.iter().find(|role| role.oid == oid);
        found.map_or_else(|| format!("unknown (OID={oid})"), |role| role.name.clone())
    }

    /// The relation that a name means: in its schema, or in the first schema of the search path that has it.
    pub(super) fn relation_named(&self, schema: Option<&str>, name: &str) -> Option<&Relation> {
        let in_schema =
            |schema: &str| self.relation_by_name.get(schema)?.get(name).map(|at| &self.relations[*at]);
        match schema {
            Some(schema) => in_schema(schema),
            None => self.search_path.iter().find_map(|schema| in_schema(schema)),
        }
    }

    /// Whether the relation is what its name alone means.
    pub(super) fn is_visible(&self, oid: Oid) -> Option<bool> {
        let relation = self.relation(oid)?;
        Some(self.relation_named(None, &relation.name).is_some_and(|found| found.oid == oid))
    }

    /// Whether `pg_catalog` stands in the path only because it always does.
    pub(super) fn has_implicit_catalog(&self) -> bool {
        self.search_path.iter().take(self.implicit_schemas).any(|name| name == PG_CATALOG)
    }

    fn owner(&self, role: &str) -> Oid {
        self.role(role).map_or(self.system_owner, |role| role.oid)
    }

    fn schema_oid(&self, name: &str) -> Oid {
        self.schema(name).map_or(0, |schema| schema.oid)
    }

    fn add_schemas(&mut self, visible: &Visible) {
        let owner = self.system_owner;
        let built_in = |oid, name: &str, comment: &str| Schema {
            oid,
            name: name.to_owned(),
            owner,
            comment: Some(comment.to_owned()),
            acl: None,
        };
        self.schemas.push(built_in(PG_CATALOG_OID, PG_CATALOG, "system catalog schema"));
        self.schemas.push(built_in(
            INFORMATION_SCHEMA_OID,
            INFORMATION_SCHEMA,
            "the catalog in standard SQL",
        ));
        for schema in visible.catalog.schemas() {
            self.schemas.push(Schema {
                oid: schema.oid,
                name: schema.name.clone(),
                owner: self.owner(&schema.owner),
                comment: schema.comment.clone(),
                acl: grants::shown(&Secured::schema(schema)),
            });
        }
        if visible.catalog.schema("public").is_none() {
            self.schemas.push(built_in(PUBLIC_OID, "public", "standard public schema"));
        }
        // A schema that only a module of ours has is numbered like its first relation.
        for relation in visible.built_in.iter() {
            if self.schema(&relation.schema).is_none() {
                self.schemas.push(Schema {
                    oid: relation.oid,
                    name: relation.schema.clone(),
                    owner,
                    comment: None,
                    acl: None,
                });
            }
        }
    }

    fn add_system_relations(&mut self) {
        for definition in definition::all() {
            let columns = definition.columns.iter().zip(1..).map(|(column, number)| {
                let (type_oid, modifier) = types::resolve(column.postgres).unwrap_or((types::TEXT, -1));
                Column { not_null: column.not_null, ..Column::new(number, column.name, type_oid, modifier) }
            });
            self.relations.push(Relation {
                columns: columns.collect(),
                ..Relation::new(
                    definition.oid,
                    self.schema_oid(definition.schema),
                    &QualifiedName::new(definition.schema, definition.name),
                    self.system_owner,
                    definition.kind,
                )
            });
        }
    }

    fn add_built_in(&mut self, built_in: &BuiltInRelation, visible: &Visible) {
        let name = QualifiedName::new(&built_in.schema, &built_in.name);
        let column_acls = visible.catalog.column_acls(&name);
        let columns = built_in.columns.fields().iter().zip(1..).map(|(field, number)| {
            let (type_oid, modifier) = types::of_field(field);
            let acl = column_acls.get(field.name().as_str()).map(|acl| grants::items(acl));
            let not_null = !field.is_nullable();
            Column { not_null, acl, ..Column::new(number, field.name(), type_oid, modifier) }
        });
        self.relations.push(Relation {
            columns: columns.collect(),
            comment: (!built_in.comment.is_empty()).then(|| built_in.comment.clone()),
            acl: grants::shown(&visible.catalog.secured_relation(&name)),
            ..Relation::new(built_in.oid, self.schema_oid(&built_in.schema), &name, self.system_owner, 'v')
        });
    }

    fn add_table(&mut self, table: &catalog::Table, visible: &Visible) {
        let key = table.primary_key().unwrap_or_default();
        let columns: Vec<Column> = table
            .columns
            .iter()
            .zip(1..)
            .map(|(column, number)| {
                let not_null = column.not_null || key.contains(&column.name);
                Column { not_null, ..Column::of(column, number) }
            })
            .collect();
        let (schema_oid, owner) = (self.schema_oid(&table.name.schema), self.owner(&table.owner));
        let kind = if table.query.is_some() { 'm' } else { 'r' };
        let size = visible.sizes.get(&table.oid);
        // What rows may break is no fact that a client may count on.
        let kept = table.constraints.iter().filter(|one| !one.only_warns() && !one.is_expectation());
        let kept: Vec<&catalog::Constraint> = kept.collect();
        let relation = Relation {
            comment: table.comment.clone(),
            query: table.query.clone(),
            checks: kept.iter().filter(|one| matches!(one.rule, Rule::Check { .. })).count() as i16,
            has_index: kept.iter().any(|one| !matches!(one.rule, Rule::Check { .. })),
            acl: table.acl.as_ref().map(grants::items),
            bytes: size.map(|size| size.bytes),
            rows: size.map(|size| size.rows),
            columns,
            ..Relation::new(table.oid, schema_oid, &table.name, owner, kind)
        };
        for constraint in kept {
            self.add_constraint(constraint, table, &relation);
        }
        self.relations.push(relation);
    }

    fn add_constraint(
        &mut self,
        constraint: &catalog::Constraint,
        table: &catalog::Table,
        relation: &Relation,
    ) {
        let (kind, names, expression) = match &constraint.rule {
            Rule::PrimaryKey { columns } => ('p', columns.clone(), None),
            Rule::Unique { columns } => ('u', columns.clone(), None),
            Rule::Check { expression } | Rule::Expect { expression } => {
                ('c', columns_in(expression, table), Some(expression.clone()))
            }
        };
        let columns: Vec<Column> = names
            .iter()
            .filter_map(|name| relation.columns.iter().find(|column| column.name == *name))
            .cloned()
            .collect();
        if kind != 'c' {
            // The attributes of an index are numbered from 1 again.
            let attributes = columns.iter().zip(1..).map(|(column, number)| Column {
                not_null: false,
                default: None,
                comment: None,
                acl: None,
                number,
                ..column.clone()
            });
            self.relations.push(Relation {
                columns: attributes.collect(),
                bytes: Some(0),
                ..Relation::new(
                    constraint.oid,
                    relation.schema_oid,
                    &QualifiedName::new(&relation.schema, &constraint.name),
                    relation.owner,
                    'i',
                )
            });
        }
        self.constraints.push(Constraint {
            oid: constraint.oid,
            name: constraint.name.clone(),
            kind,
            schema_oid: relation.schema_oid,
            schema: relation.schema.clone(),
            table_oid: relation.oid,
            table: relation.name.clone(),
            columns,
            expression,
        });
    }

    fn add_view(&mut self, view: &catalog::View) {
        let columns = view.columns.iter().zip(1..).map(|(column, number)| Column::of(column, number));
        let (schema_oid, owner) = (self.schema_oid(&view.name.schema), self.owner(&view.owner));
        self.relations.push(Relation {
            columns: columns.collect(),
            comment: view.comment.clone(),
            query: Some(view.query.clone()),
            acl: view.acl.as_ref().map(grants::items),
            ..Relation::new(view.oid, schema_oid, &view.name, owner, 'v')
        });
    }

    fn add_functions(&mut self, visible: &Visible) {
        let (schema_oid, owner) = (self.schema_oid("public"), self.system_owner);
        self.functions = visible
            .functions
            .iter()
            .map(|row| {
                let (argument_names, argument_types) = arguments(&row.arguments);
                Function {
                    oid: row.oid,
                    schema_oid,
                    name: row.name.clone(),
                    owner,
                    kind: row.kind,
                    arguments: row.arguments.clone(),
                    returns: row.returns.clone(),
                    description: row.description.clone(),
                    argument_types,
                    argument_names,
                    return_type: types::resolve(&row.returns).map_or(types::TEXT, |(oid, _)| oid),
                    acl: grants::shown(&Secured::function(&visible.catalog, &row.name)),
                }
            })
            .collect();
    }

    fn set_search_path(&mut self, visible: &Visible) {
        let named = visible.search_path.iter().map(|name| match name.as_str() {
            "$user" => visible.role.clone(),
            name => name.to_owned(),
        });
        let may_use = |name: &String| reads::may_use(&visible.catalog, visible.access(), name);
        let mut path: Vec<String> =
            named.filter(|name| self.schema(name).is_some()).filter(may_use).collect();
        for implicit in [PG_CATALOG, TEMPORARY_SCHEMA] {
            if self.schema(implicit).is_some() && !path.iter().any(|name| name == implicit) {
                path.insert(0, implicit.to_owned());
                self.implicit_schemas += 1;
            }
        }
        self.search_path = path;
    }

    fn index(&mut self) {
        for (place, relation) in self.relations.iter().enumerate() {
            self.relation_by_oid.insert(relation.oid, place);
            self.relation_by_name
                .entry(relation.schema.clone())
                .or_default()
                .insert(relation.name.clone(), place);
        }
        self.constraint_by_oid =
            self.constraints.iter().enumerate().map(|(place, constraint)| (constraint.oid, place)).collect();
    }
}

impl Relation {
    fn new(oid: Oid, schema_oid: Oid, name: &QualifiedName, owner: Oid, kind: char) -> Self {
        Self {
            oid,
            schema_oid,
            schema: name.schema.clone(),
            name: name.name.clone(),
            owner,
            kind,
            columns: Vec::new(),
            comment: None,
            query: None,
            checks: 0,
            has_index: false,
            bytes: (kind == 'v').then_some(0),
            rows: None,
            acl: None,
        }
    }

    /// Made by neither PostgreSQL nor a module of ours.
    pub(super) fn is_users(&self) -> bool {
        self.oid >= catalog::FIRST_OID
    }

    /// Of `pg_catalog` or `information_schema`.
    pub(super) fn is_system(&self) -> bool {
        self.schema == PG_CATALOG || self.schema == INFORMATION_SCHEMA
    }
}

impl Column {
    pub(super) fn new(number: i16, name: &str, type_oid: Oid, modifier: i32) -> Self {
        Self {
            number,
            name: name.to_owned(),
            type_oid,
            modifier,
            not_null: false,
            default: None,
            comment: None,
            acl: None,
        }
    }

    fn of(column: &catalog::Column, number: i16) -> Self {
        let (type_oid, modifier) = types::of_sql_type(&column.data_type);
        Self {
            not_null: column.not_null,
            default: column.default.as_deref().map(|text| expressions::default_of(text, type_oid)),
            comment: column.comment.clone(),
            acl: column.acl.as_ref().map(grants::items),
            ..Self::new(number, &column.name, type_oid, modifier)
        }
    }
}

fn roles(visible: &Visible) -> Vec<Role> {
    let catalog: &CatalogSnapshot = &visible.catalog;
    let mut roles: Vec<Role> = catalog
        .roles()
        .map(|role| Role {
            oid: role.oid,
            name: role.name.clone(),
            superuser: role.superuser,
            login: role.login,
            create_role: role.create_role || role.superuser,
            inherit: role.inherit,
            connection_limit: role.connection_limit.map_or(-1, i64::from),
            valid_until: role.valid_until.map(|until| until.timestamp_micros()),
            settings: setting_lines(&role.settings),
        })
        .collect();
    if catalog.own_roles().next().is_none() {
        roles.push(Role {
            oid: BOOTSTRAP_ROLE,
            name: visible.role.clone(),
            superuser: true,
            login: true,
            create_role: true,
            inherit: true,
            connection_limit: -1,
            valid_until: None,
            settings: None,
        });
    }
    roles
}

/// Settings as PostgreSQL keeps them: `name=value`. `None`: there are none.
pub(super) fn setting_lines(settings: &[Setting]) -> Option<Vec<String>> {
    let lines = || settings.iter().map(|setting| format!("{}={}", setting.name, setting.value)).collect();
    (!settings.is_empty()).then(lines)
}

/// The columns that a check names, in the order of the table.
fn columns_in(expression: &str, table: &catalog::Table) -> Vec<String> {
    let words: Vec<&str> =
        expression.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).collect();
    let named = |column: &&catalog::Column| words.iter().any(|word| word.eq_ignore_ascii_case(&column.name));
    table.columns.iter().filter(named).map(|column| column.name.clone()).collect()
}

/// Names and types of `score double precision, text` (a name may be missing).
fn arguments(text: &str) -> (Vec<String>, Vec<Oid>) {
    let mut names = Vec::new();
    let mut oids = Vec::new();
    for argument in split_arguments(text) {
        let declared = argument.split(" DEFAULT ").next().unwrap_or(argument).trim();
        let (name, type_name) = match types::resolve(declared) {
            Some(_) => ("", declared),
            None => declared.split_once(' ').unwrap_or(("", declared)),
        };
        names.push(name.to_owned());
        oids.push(types::resolve(type_name).map_or(types::TEXT, |(oid, _)| oid));
    }
    (names, oids)
}

/// At the commas outside parentheses.
fn split_arguments(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let separator = |letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    };
    text.split(separator).map(str::trim).filter(|part| !part.is_empty()).collect()
}
