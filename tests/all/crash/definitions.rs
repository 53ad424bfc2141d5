//! Definitions, of two sessions at once: the catalog is that after the last statement that was answered, or after the one
//! behind it, and whatever it names can be read and changed.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::Client;

use super::{Dice, KILLS, assert_no_faults, kill_recovery, work};
use crate::process::Root;
use crate::server::ask;

on_each_store! {
    Root::new(), Root::on_s3();
    the_catalog_is_that_of_the_statements_answered,
}

const A_WHILE: Duration = Duration::from_millis(1_500);
/// More than a session gets through in a run of the test, a thousand kills included.
const TURNS: usize = 10_000;

/// A statement, and what there is after it: names with their columns.
struct Step {
    sql: String,
    /// A name that comes, with its columns, or goes.
    changes: Vec<(String, Option<&'static str>)>,
}

/// What a session does in its schema, turn by turn.
fn turn(schema: &str, turn: usize) -> Vec<Step> {
    let step =
        |sql: String, changes: &[(String, Option<&'static str>)]| Step { sql, changes: changes.to_vec() };
    let name = |letter: &str| format!("{letter}{turn}");
    let (table, view, other, renamed) = (name("t"), name("v"), name("u"), name("r"));
    let pipe = format!("{schema}_{turn}");
    let mut steps = vec![
        step(
            format!(
                "CREATE TABLE {schema}.{table} AS SELECT g AS id, g * 2 AS twice FROM generate_series(1, 5) AS s(g)"
            ),
            &[(table.clone(), Some("id,twice"))],
        ),
        step(
            format!("ALTER TABLE {schema}.{table} ADD COLUMN note text"),
            &[(table.clone(), Some("id,twice,note"))],
        ),
        step(
            format!("CREATE VIEW {schema}.{view} AS SELECT sum(twice) AS twice FROM {schema}.{table}"),
            &[(view.clone(), Some("twice"))],
        ),
        step(
            format!("CREATE PIPE {pipe} FROM 'landing/{pipe}/' INTO {schema}.{table} FORMAT csv"),
            &[(pipe.clone(), Some("a pipe"))],
        ),
        step(
            format!(
                "CREATE TABLE {schema}.{other} (twice bigint PRIMARY KEY); \
                 INSERT INTO {schema}.{other} VALUES (10), (20)"
            ),
            &[(other.clone(), Some("twice"))],
        ),
        step(format!("DROP VIEW {schema}.{view}"), &[(view, None)]),
        step(format!("DROP PIPE {pipe}"), &[(pipe, None)]),
        step(
            format!("ALTER TABLE {schema}.{table} RENAME TO {renamed}"),
            &[(table, None), (renamed, Some("id,twice,note"))],
        ),
        step(format!("DROP TABLE {schema}.{other}"), &[(other, None)]),
    ];
    if let Some(past) = turn.checked_sub(2) {
        steps.push(step(format!("DROP TABLE {schema}.r{past}"), &[(format!("r{past}"), None)]));
    }
    steps
}

type Names = BTreeMap<String, &'static str>;

fn apply(names: &mut Names, step: &Step) {
    for (name, columns) in &step.changes {
        match columns {
            Some(columns) => names.insert(name.clone(), columns),
            None => names.remove(name),
        };
    }
}

/// One session, over all the lives of the server.
struct Definer {
    schema: &'static str,
    ahead: std::vec::IntoIter<Step>,
    names: Names,
}

impl Definer {
    fn new(schema: &'static str) -> Self {
        let ahead: Vec<Step> = (0..TURNS).flat_map(|number| turn(schema, number)).collect();
        Self { schema, ahead: ahead.into_iter(), names: Names::new() }
    }

    fn start(&self, client: Client) -> tokio::task::JoinHandle<usize> {
        work(client, self.ahead.as_slice().iter().take(1_000).map(|step| step.sql.clone()).collect())
    }

    fn answered(&mut self, steps: usize) {
        for step in self.ahead.by_ref().take(steps) {
            apply(&mut self.names, &step);
        }
    }

    async fn assert_whole(&mut self, client: &Client, when: &str) {
        let schema = self.schema;
        let sql = format!(
            "SELECT table_name || ' ' || string_agg(column_name, ',' ORDER BY ordinal_position) AS known \
             FROM information_schema.columns WHERE table_schema = '{schema}' GROUP BY table_name \
             UNION ALL SELECT name || ' a pipe' FROM system.pipes WHERE name LIKE '{schema}%' ORDER BY 1"
        );
        let mut found = ask(client, &sql).await;
        found.sort();
        let listed = |names: &Names| -> Vec<String> {
            let mut lines: Vec<String> =
                names.iter().map(|(name, columns)| format!("{name} {columns}")).collect();
            lines.sort();
            lines
        };
        if found != listed(&self.names) {
            // The answer to the last statement never came.
            self.answered(1);
            assert_eq!(found, listed(&self.names), "{when}");
        }
        for (name, columns) in &self.names {
            if *columns != "a pipe" {
                let sum = format!("SELECT sum(twice) FROM {schema}.{name}");
                assert_eq!(ask(client, &sum).await, ["30"], "{when}: {name}");
            }
        }
        self.assert_changed(client, when).await;
    }

    /// Every column of a table can be written, and stays when files are merged.
    async fn assert_changed(&self, client: &Client, when: &str) {
        let schema = self.schema;
        for name in self.names.iter().filter(|(_, columns)| columns.ends_with("note")).map(|(name, _)| name) {
            ask(client, &format!("UPDATE {schema}.{name} SET note = '{when}' WHERE id = 1")).await;
            ask(client, &format!("OPTIMIZE {schema}.{name} ZORDER BY (id)")).await;
            let note = format!("SELECT note FROM {schema}.{name} WHERE note IS NOT NULL");
            assert_eq!(ask(client, &note).await, [when], "{name}");
        }
    }
}

async fn the_catalog_is_that_of_the_statements_answered(root: Root) {
    let mut dice = Dice::new(KILLS);
    let mut definers = [Definer::new("d1"), Definer::new("d2")];
    {
        let server = root.serve();
        server.client().await.batch_execute("CREATE SCHEMA d1; CREATE SCHEMA d2").await.unwrap();
        assert!(server.terminate().success());
    }
    for round in 1..=dice.kills {
        if round % 5 == 3 {
            kill_recovery(&root, &mut dice, A_WHILE).await;
            continue;
        }
        let mut server = root.serve();
        let client = server.client().await;
        let mut running = Vec::new();
        for definer in &mut definers {
            definer.assert_whole(&client, &format!("round {round}")).await;
            running.push(definer.start(server.client().await));
        }
        let moment = dice.moment(A_WHILE);
        tokio::time::sleep(moment).await;
        server.kill();
        for (definer, running) in definers.iter_mut().zip(running) {
            let answered = running.await.unwrap();
            eprintln!("round {round}: killed after {moment:?}, {answered} statements in {}", definer.schema);
            definer.answered(answered);
        }
    }
    let server = root.serve();
    let client = server.client().await;
    for definer in &mut definers {
        definer.assert_whole(&client, "at the end").await;
    }
    assert_no_faults(&root, server);
}
