//! What every function of [`entries`] keeps, whatever it computes.
//!
//! Calls are made up from [`Entry::arguments`]: each argument name stands for a column of the sample table
//! and for the literals in [`ARGUMENTS`]. A function with a new argument name needs a row there.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{Expr, SessionConfig, SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use crate::knowledge::{Example, Lesson, Taught};
use crate::scalar::knowing;
use crate::{Entry, Implementation, Kind, aggregate_name, entries, register_all};

struct Argument {
    name: &'static str,
    literal: &'static str,
    /// Literals that are errors of class 22023.
    bad: &'static [&'static str],
    /// Whether it must be the same for all rows.
    constant: bool,
}

const ARGUMENTS: [Argument; 28] = [
    Argument { name: "text", literal: "'服务 was good'", bad: &[], constant: false },
    Argument { name: "key_type", literal: "'phone'", bad: &[], constant: false },
    Argument { name: "key_value", literal: "'+86 139-1234-5678'", bad: &[], constant: false },
    Argument { name: "mode", literal: "'search'", bad: &["'fast'", "''"], constant: false },
    Argument { name: "k", literal: "2", bad: &["0", "-1"], constant: false },
    Argument { name: "score", literal: "9", bad: &[], constant: false },
    Argument { name: "scale_max", literal: "5", bad: &["2", "4.5"], constant: false },
    Argument { name: "x", literal: "1.5", bad: &[], constant: false },
    Argument { name: "other_text", literal: "'服务 is good'", bad: &[], constant: false },
    Argument { name: "query", literal: "'服务 OR good'", bad: &["'(服务'", "'AND'"], constant: false },
    Argument { name: "width", literal: "6", bad: &["0", "-5"], constant: false },
    Argument { name: "kinds", literal: "'phone, email'", bad: &["'shoe_size'", "''"], constant: false },
    Argument { name: "country", literal: "'CN'", bad: &[], constant: false },
    Argument { name: "effect", literal: "2", bad: &["0", "-1"], constant: false },
    Argument { name: "taxonomy", literal: "'hotel'", bad: &["'cooking'", "''"], constant: false },
    Argument { name: "tag", literal: "'speed'", bad: &[], constant: false },
    Argument { name: "labels", literal: "'fast, slow'", bad: &["'unheard of'", "''"], constant: false },
    Argument { name: "measure", literal: "'hr'", bad: &["'miles'"], constant: false },
    Argument { name: "value", literal: "'CNY'", bad: &[], constant: false },
    Argument { name: "occurred_at", literal: "timestamp '2026-01-01 10:00:00'", bad: &[], constant: false },
    Argument {
        name: "gap",
        literal: "interval '30 minutes'",
        bad: &["interval '-1 minute'", "interval '1 month'", "CAST(NULL AS interval)", "k * 60.0"],
        constant: true,
    },
    Argument { name: "top", literal: "2", bad: &["0", "5", "1.5"], constant: true },
    Argument { name: "weight", literal: "2", bad: &["-1", "'NaN'::double"], constant: false },
    Argument { name: "lowest", literal: "1", bad: &["0.5", "7"], constant: true },
    Argument { name: "detractors_to", literal: "5", bad: &["9", "0"], constant: true },
    Argument { name: "passives_to", literal: "8", bad: &["4", "10"], constant: true },
    Argument { name: "highest", literal: "10", bad: &["8", "9.5"], constant: true },
    Argument {
        name: "conf",
        literal: "0.9",
        bad: &["0", "1", "95", "-0.5", "'NaN'::double", "score"],
        constant: true,
    },
];

fn argument(name: &str) -> &'static Argument {
    ARGUMENTS.iter().find(|argument| argument.name == name).unwrap_or_else(|| panic!("no sample of {name}"))
}

/// Required and optional arguments.
fn arguments(entry: &Entry) -> (Vec<&'static Argument>, Vec<&'static Argument>) {
    let parse = |names: &str| -> Vec<_> {
        names.split([',', ' ', ']']).filter(|name| !name.is_empty()).map(argument).collect()
    };
    let (required, optional) = entry.arguments.split_once('[').unwrap_or((entry.arguments, ""));
    (parse(required), parse(optional))
}

/// The argument lists a function can be called with.
fn forms(entry: &Entry) -> Vec<Vec<&'static Argument>> {
    let (required, optional) = arguments(entry);
    (0..=optional.len()).map(|n| required.iter().chain(&optional[..n]).copied().collect()).collect()
}

/// The call with columns of the sample table, and literals where an argument must be constant.
fn call(entry: &Entry, form: &[&Argument]) -> String {
    let written: Vec<_> = form
        .iter()
        .map(|argument| if argument.constant { argument.literal } else { argument.name })
        .collect();
    written_call(entry, &written)
}

/// A call with these arguments; rows of a window come in the order of their times.
fn written_call(entry: &Entry, arguments: &[&str]) -> String {
    let over = if entry.kind == Kind::Window { " OVER (ORDER BY id)" } else { "" };
    format!("{}({}){over}", entry.name, arguments.join(", "))
}

const ROWS: usize = 24;

fn sample() -> RecordBatch {
    const TEXTS: [Option<&str>; 8] = [
        Some("配送很快，味道不错，但是包装破损了"),
        None,
        Some(""),
        Some("The delivery was late and nobody answered"),
        Some("ＡＰＰ经常闪退 😡"),
        Some("希望网络能顺畅一些"),
        Some("不是不好"),
        Some("，。！ 42"),
    ];
    let rows = 0..ROWS;
    let texts: StringArray = rows.clone().map(|row| TEXTS[row % TEXTS.len()]).collect();
    let modes: StringArray =
        rows.clone().map(|row| [Some("accurate"), Some("search"), Some("all"), None][row % 4]).collect();
    let ks: Int64Array = rows.clone().map(|row| (row % 5 != 3).then_some(row as i64 % 5 + 1)).collect();
    let scores: Float64Array =
        rows.clone().map(|row| (row % 7 != 5).then_some(((row * 5) % 13) as f64 - 1.0)).collect();
    let scales: Int64Array = rows.clone().map(|row| (row % 11 != 10).then_some(5)).collect();
    let weights: Float64Array =
        rows.clone().map(|row| (row % 9 != 7).then_some((row % 4) as f64 / 2.0)).collect();
    let xs: Float64Array =
        rows.clone().map(|row| (row % 6 != 4).then_some((row * row) as f64 / 3.0)).collect();
    let minute = |row: usize| (row % 10 != 6).then_some((row * row) as i64 * 60_000_000);
    let times: TimestampMicrosecondArray = rows.clone().map(minute).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("occurred_at", Arc::new(times)),
        ("id", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64)))),
        ("g", Arc::new(Int64Array::from_iter_values(rows.map(|row| row as i64 % 4)))),
        ("key_type", Arc::new(texts.clone())),
        ("key_value", Arc::new(texts.clone())),
        ("text", Arc::new(texts)),
        ("mode", Arc::new(modes)),
        ("k", Arc::new(ks)),
        ("score", Arc::new(scores)),
        ("scale_max", Arc::new(scales)),
        ("weight", Arc::new(weights)),
        ("other_text", some_texts(&["good", "配送很快", "", "味道"])),
        ("query", some_texts(&["配送 OR late", "服务", "\"味道 不错\"", "NOT good"])),
        ("kinds", some_texts(&["phone", "name, address", "email", "qq"])),
        ("taxonomy", some_texts(&["retail", "hotel", "telecom"])),
        ("value", some_texts(&["CNY"])),
        ("tag", some_texts(&["speed", "price"])),
        ("labels", some_texts(&["fast, slow", "slow"])),
        ("country", some_texts(&["CN", "US", "GB", "DE"])),
        ("measure", some_texts(&["rr", "or", "hr", "d"])),
        (
            "effect",
            Arc::new(
                (0..ROWS).map(|row| (row % 5 != 2).then_some(0.5 + row as f64)).collect::<Float64Array>(),
            ),
        ),
        (
            "width",
            Arc::new((0..ROWS).map(|row| (row % 6 != 1).then_some(row as i64 + 1)).collect::<Int64Array>()),
        ),
        ("x", Arc::new(xs)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// These in turn, with NULLs among them.
fn some_texts(texts: &[&str]) -> ArrayRef {
    let text = |row: usize| (row % 7 != 3).then(|| texts[row % texts.len()]);
    Arc::new((0..ROWS).map(text).collect::<StringArray>())
}

fn with_column(batch: &RecordBatch, name: &str, data_type: &DataType) -> RecordBatch {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns()).map(|(field, array)| {
        let array = if field.name() == name { cast(array, data_type).unwrap() } else { Arc::clone(array) };
        (field.name().clone(), array, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
}

/// A session in which `t` holds the batches, one partition each.
fn session(partitions: &[RecordBatch]) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(partitions.len())
        // Groups that do not repeat are passed on as states of single rows.
        .set_usize("datafusion.execution.skip_partial_aggregation_probe_rows_threshold", 0)
        .set_str("datafusion.execution.skip_partial_aggregation_probe_ratio_threshold", "0.9");
    let context = SessionContext::new_with_config(config);
    register_all(&mut *context.state_ref().write(), &taught()).unwrap();
    let partitioned = partitions.iter().map(|batch| vec![batch.clone()]).collect();
    let table = MemTable::try_new(partitions[0].schema(), partitioned).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    context
}

async fn run(context: &SessionContext, sql: &str) -> Result<Vec<String>, Error> {
    let batches = context.sql(sql).await?.collect().await?;
    Ok(batches.iter().flat_map(print).collect())
}

async fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    run(context, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn print(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default();
    let columns: Vec<_> =
        batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

/// Equal as text, or as numbers up to rounding.
fn assert_close(left: &[String], right: &[String], about: &str) {
    let close = |left: &str, right: &str| match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(l), Ok(r)) => (l - r).abs() <= 1e-9 * l.abs().max(r.abs()).max(1.0) || (l.is_nan() && r.is_nan()),
        _ => left == right,
    };
    let same = left.len() == right.len()
        && left.iter().zip(right).all(|(l, r)| {
            let (l, r): (Vec<_>, Vec<_>) = (l.split('|').collect(), r.split('|').collect());
            l.len() == r.len() && l.iter().zip(&r).all(|(l, r)| close(l, r))
        });
    assert!(same, "{about}:\n{left:?}\n{right:?}");
}

/// The functions that are called within an expression; the others take a planner that knows them.
fn within_expressions() -> Vec<Entry> {
    entries().into_iter().filter(|entry| entry.kind != Kind::Table).collect()
}

/// `classify` knows no label but those of examples.
fn taught() -> Arc<Taught> {
    let example = |text: &str, label: &str| Example { label: label.to_owned(), text: text.to_owned() };
    let examples = vec![example("送得很快", "fast"), example("送得太慢", "slow")];
    let taught = Arc::<Taught>::default();
    taught.teach(Lesson::Examples(examples)).unwrap();
    taught
}

/// Those whose calls can be made up: not the ones that take any number of conditions, or nothing.
fn called() -> Vec<Entry> {
    let is_called = |entry: &Entry| !entry.arguments.contains('…') && !entry.arguments.is_empty();
    within_expressions().into_iter().filter(is_called).collect()
}

fn of_kind(kind: Kind) -> impl Iterator<Item = (Entry, Vec<&'static Argument>)> {
    called()
        .into_iter()
        .filter(move |entry| entry.kind == kind)
        .flat_map(|entry| forms(&entry).into_iter().map(move |form| (entry.clone(), form)))
}

#[test]
fn every_function_is_documented() {
    let mut names = HashSet::new();
    for entry in called() {
        assert!(names.insert(entry.name), "{} twice", entry.name);
        let (name, documentation, volatility) = match &entry.implementation {
            Implementation::Scalar(f) => (f.name(), f.documentation(), f.signature().volatility),
            Implementation::Aggregate(f) => (f.name(), f.documentation(), f.signature().volatility),
            Implementation::Window(f) => (f.name(), f.documentation(), f.signature().volatility),
            Implementation::Report(..) => continue,
        };
        assert_eq!((name, volatility), (entry.name, entry.volatility));
        assert_eq!(documentation.unwrap().description, entry.description);
        assert!(entry.description.ends_with('.') && !entry.description.contains("  "), "{name}");
        assert!(entry.example.contains(&format!("{name}(")), "{name}");
        let (required, optional) = arguments(&entry);
        assert!(!required.is_empty(), "{name}");
        let mentioned = |argument: &&Argument| entry.description.contains(argument.name);
        assert!(optional.iter().all(mentioned), "{name}: an optional argument is not described");
    }
}

/// The reference in `docs/` is written from the definitions: a stale one is rewritten, and the test fails once.
#[test]
fn the_reference_is_current() {
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for entry in entries() {
        let documentation = match &entry.implementation {
            Implementation::Scalar(function) => function.documentation(),
            Implementation::Window(function) => function.documentation(),
            Implementation::Aggregate(function) | Implementation::Report(_, function) => {
                function.documentation()
            }
        };
        let section = sections.entry(documentation.unwrap().doc_section.label).or_default();
        let call = match entry.kind {
            Kind::Table => format!("SELECT * FROM {}({})", entry.name, entry.arguments),
            _ => format!("{}({}) → {}", entry.name, entry.arguments, entry.returns),
        };
        write!(section, "### {}\n\n`{call}`\n\n{}\n\n", entry.name, entry.description).unwrap();
        if let Implementation::Report(shape, _) = &entry.implementation {
            let columns: Vec<_> = shape.columns.iter().map(|(name, _)| format!("`{name}`")).collect();
            write!(section, "Columns: {}.\n\n", columns.join(", ")).unwrap();
        }
        write!(section, "```sql\n{};\n```\n```text\n{}\n```\n\n", entry.example, entry.example_result)
            .unwrap();
    }
    let mut written = "# Functions\n\nWhat Voxhouse adds to the functions of PostgreSQL. `system.functions` lists the same in SQL. \
                       Functions whose call begins with `SELECT * FROM` read a relation: its name, or the text of a query; \
                       columns are named as text and may be expressions over the relation; arguments in brackets are \
                       optional and written `name => value`. All examples run.\n\n"
        .to_owned();
    for (label, section) in sections {
        write!(written, "## {label}\n\n{section}").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");
    let written = format!("{}\n", written.trim_end());
    if std::fs::read_to_string(path).unwrap_or_default() != written {
        std::fs::write(path, written).unwrap();
        panic!("docs/functions.md was out of date; it is rewritten, look at the difference and commit it");
    }
}

#[test]
fn every_report_is_documented() {
    let mut names = HashSet::new();
    for entry in entries() {
        let Implementation::Report(shape, aggregate) = &entry.implementation else { continue };
        let name = entry.name;
        assert!(names.insert(name), "{name} twice");
        assert_eq!((shape.name, aggregate.name()), (name, aggregate_name(name).as_str()));
        assert!(entry.description.ends_with('.') && !entry.description.contains("  "), "{name}");
        assert!(entry.example.contains(&format!("{name}(")) && !entry.example_result.is_empty(), "{name}");
        let written = entry.arguments.replace(['[', ']'], "");
        let written: Vec<&str> = written.split(',').map(str::trim).collect();
        let known: Vec<&str> = std::iter::once("relation")
            .chain(shape.parameters.iter().map(|parameter| parameter.name))
            .collect();
        assert_eq!(written, known, "{name}");
        for parameter in shape.parameters.iter().filter(|parameter| !parameter.required) {
            assert!(
                entry.description.contains(parameter.name),
                "{name}: {} is not described",
                parameter.name
            );
        }
        let columns: HashSet<_> = shape.columns.iter().map(|(column, _)| column).collect();
        assert_eq!(columns.len(), shape.columns.len(), "{name}: a column twice");
    }
    assert!(!names.is_empty());
}

#[tokio::test]
async fn examples_print_what_they_say() {
    let context = session(&[sample()]);
    let mut wrong = Vec::new();
    for entry in within_expressions() {
        let printed = rows(&context, entry.example).await.join("\n");
        if printed != entry.example_result {
            wrong.push(format!("{}\n  says   {}\n  prints {printed}", entry.example, entry.example_result));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_function_registers_through_the_registry() {
    let context = SessionContext::new();
    let mut state = context.state();
    register_all(&mut state, &taught()).unwrap();
    for entry in within_expressions() {
        let found = match entry.kind {
            Kind::Aggregate => state.aggregate_functions().contains_key(entry.name),
            Kind::Window => state.window_functions().contains_key(entry.name),
            _ => state.scalar_functions().contains_key(entry.name),
        };
        assert!(found, "{}", entry.name);
    }
}

#[tokio::test]
async fn null_in_null_out() {
    let context = session(&[sample()]);
    for (entry, form) in of_kind(Kind::Scalar) {
        for null in 0..form.len() {
            let written: Vec<_> = form.iter().map(|argument| argument.literal).collect();
            let mut with_null = written.clone();
            with_null[null] = "NULL";
            let sql = format!("SELECT {}({}) IS NULL", entry.name, with_null.join(", "));
            assert_eq!(rows(&context, &sql).await, ["true"], "{sql}");
        }
    }
    for (entry, form) in of_kind(Kind::Aggregate) {
        let nothing = if entry.returns == "bigint" { "0" } else { "" };
        let call = call(&entry, &form);
        let with_null = call.replacen(&format!("({}", form[0].name), "(NULL", 1);
        for sql in [
            format!("SELECT {with_null} FROM t"),
            format!("SELECT {call} FROM t WHERE {} IS NULL", form[0].name),
            format!("SELECT {call} FROM t WHERE false"),
        ] {
            assert_eq!(rows(&context, &sql).await, [nothing], "{sql}");
        }
    }
}

#[tokio::test]
async fn literals_columns_and_mixtures_agree() {
    let batch = sample();
    let context = session(std::slice::from_ref(&batch));
    let value = |name: &str, row: usize| {
        lit(ScalarValue::try_from_array(batch.column_by_name(name).unwrap(), row).unwrap())
    };
    for (entry, form) in of_kind(Kind::Scalar) {
        let Implementation::Scalar(function) = &entry.implementation else { continue };
        let function = knowing(Arc::clone(function), &taught());
        let by_column = rows(&context, &format!("SELECT {} FROM t ORDER BY id", call(&entry, &form))).await;
        for (row, expected) in by_column.iter().enumerate().take(8) {
            // Bit i of the pattern makes argument i a literal.
            for pattern in 1..1 << form.len() {
                let args: Vec<Expr> = form
                    .iter()
                    .enumerate()
                    .map(|(i, a)| if pattern >> i & 1 == 1 { value(a.name, row) } else { col(a.name) })
                    .collect();
                let one_row =
                    context.table("t").await.unwrap().filter(col("id").eq(lit(row as i64))).unwrap();
                let batches = one_row.select(vec![function.call(args)]).unwrap().collect().await.unwrap();
                let printed: Vec<_> = batches.iter().flat_map(print).collect();
                assert_eq!(
                    printed,
                    std::slice::from_ref(expected),
                    "{} row {row} pattern {pattern}",
                    entry.name
                );
            }
        }
    }
}

#[tokio::test]
async fn layouts_slices_and_empty_batches_agree() {
    let whole = sample();
    let reference = session(std::slice::from_ref(&whole));
    let empty = session(&[whole.slice(0, 0)]);
    // The same rows behind an offset.
    let padded = concat_batches(&whole.schema(), [&whole.slice(3, 5), &whole]).unwrap();
    let dictionary = |value| DataType::Dictionary(Box::new(DataType::Int32), Box::new(value));
    let mut variants = vec![("sliced", padded.slice(5, ROWS))];
    for data_type in
        [DataType::LargeUtf8, DataType::Utf8View, dictionary(DataType::Utf8), dictionary(DataType::LargeUtf8)]
    {
        variants.push(("text", with_column(&whole, "text", &data_type)));
        variants.push(("text", with_column(&padded, "text", &data_type).slice(5, ROWS)));
        variants.push(("mode", with_column(&whole, "mode", &data_type)));
    }
    for data_type in [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Decimal128(18, 2),
        dictionary(DataType::Int64),
    ] {
        variants.push(("score", with_column(&whole, "score", &data_type)));
        variants.push(("scale_max", with_column(&whole, "scale_max", &data_type)));
    }
    variants.push(("k", with_column(&whole, "k", &DataType::UInt8)));
    for (about, batch) in variants {
        let variant = session(std::slice::from_ref(&batch));
        for entry in called() {
            for form in forms(&entry) {
                if about != "sliced" && form.iter().all(|argument| argument.name != about) {
                    continue;
                }
                let from = if entry.kind == Kind::Aggregate { "FROM t" } else { "FROM t ORDER BY id" };
                let sql = format!("SELECT {} {from}", call(&entry, &form));
                let (expected, found) = (rows(&reference, &sql).await, rows(&variant, &sql).await);
                assert_close(&expected, &found, &format!("{sql} with {about} as {}", batch.schema()));
                if entry.kind != Kind::Aggregate {
                    assert!(rows(&empty, &sql).await.is_empty(), "{sql}");
                }
            }
        }
    }
}

#[tokio::test]
async fn aggregates_do_not_depend_on_how_rows_are_split() {
    let whole = sample();
    let one = session(std::slice::from_ref(&whole));
    let splits = [
        session(&[whole.slice(0, 0), whole.slice(0, 5), whole.slice(5, 0), whole.slice(5, ROWS - 5)]),
        session(&[whole.slice(0, 1), whole.slice(1, 1), whole.slice(2, ROWS - 2)]),
        session(&[whole.slice(12, 12), whole.slice(0, 12)]),
    ];
    for (entry, form) in of_kind(Kind::Aggregate) {
        let call = call(&entry, &form);
        let statements = [
            format!("SELECT {call} FROM t"),
            format!("SELECT g, {call} FROM t GROUP BY g ORDER BY g"),
            format!("SELECT id, {call} FROM t GROUP BY id ORDER BY id"),
            format!("SELECT g, {call} FILTER (WHERE id > 7) FROM t GROUP BY g ORDER BY g"),
            format!("SELECT id, {call} FILTER (WHERE id > 7) FROM t GROUP BY id ORDER BY id"),
        ];
        for sql in &statements {
            let expected = rows(&one, sql).await;
            for split in &splits {
                assert_close(&expected, &rows(split, sql).await, sql);
            }
        }
        // Group by group, and filter by filter, against a statement of its own.
        let grouped = rows(&one, &statements[1]).await;
        let filtered = rows(&one, &statements[3]).await;
        for g in 0..4 {
            let alone = rows(&one, &format!("SELECT {g}, {call} FROM t WHERE g = {g}")).await;
            assert_close(&grouped[g..=g], &alone, &call);
            let alone = rows(&one, &format!("SELECT {g}, {call} FROM t WHERE g = {g} AND id > 7")).await;
            assert_close(&filtered[g..=g], &alone, &call);
        }
    }
}

#[tokio::test]
async fn windows_look_at_their_partition_alone() {
    let whole = sample();
    let one = session(std::slice::from_ref(&whole));
    let split = session(&[whole.slice(12, 12), whole.slice(0, 0), whole.slice(0, 12)]);
    for (entry, form) in of_kind(Kind::Window) {
        let call = call(&entry, &form);
        let partitioned = call.replace("(ORDER BY id)", "(PARTITION BY g ORDER BY id)");
        let sql = format!("SELECT g, {partitioned} FROM t ORDER BY g, id");
        let mut alone = Vec::new();
        for g in 0..4 {
            alone.extend(rows(&one, &format!("SELECT {g}, {call} FROM t WHERE g = {g} ORDER BY id")).await);
        }
        // Beside an aggregate over the whole partition they are not streamed.
        let beside = format!(
            "SELECT g, s FROM (SELECT g, id, {partitioned} AS s, count(*) OVER (PARTITION BY g ORDER BY id ROWS \
             BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS n FROM t) WHERE n > 0 ORDER BY g, id"
        );
        for context in [&one, &split] {
            assert_eq!(rows(context, &sql).await, alone, "{sql}");
            assert_eq!(rows(context, &beside).await, alone, "{beside}");
        }
    }
}

#[tokio::test]
async fn sliding_windows_equal_fresh_aggregates() {
    let context = session(&[sample()]);
    for (entry, form) in of_kind(Kind::Aggregate) {
        let call = call(&entry, &form);
        let sliding = format!("{call} OVER (ORDER BY id ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING)");
        let windows = rows(&context, &format!("SELECT {sliding} FROM t ORDER BY id")).await;
        for (id, window) in windows.iter().enumerate() {
            let sql = format!("SELECT {call} FROM t WHERE id >= {id} - 4 AND id < {id}");
            assert_close(std::slice::from_ref(window), &rows(&context, &sql).await, &sql);
        }
    }
}

#[tokio::test]
async fn bad_arguments_are_22023() {
    let context = session(&[sample()]);
    let kinds = [Kind::Scalar, Kind::Aggregate, Kind::Window];
    for (entry, form) in kinds.into_iter().flat_map(of_kind) {
        for (place, argument) in form.iter().enumerate() {
            for bad in argument.bad {
                let mut written: Vec<_> = form.iter().map(|argument| argument.literal).collect();
                written[place] = bad;
                let sql = format!("SELECT {} FROM t", written_call(&entry, &written));
                let error = run(&context, &sql).await.expect_err(&sql);
                assert_eq!(error.sqlstate(), "22023", "{sql}: {error}");
                let message = error.message();
                assert!(!message.ends_with('.') && message.starts_with(char::is_lowercase), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn calls_that_do_not_fit_are_of_class_42_and_distinct_is_0a000() {
    let context = session(&[sample()]);
    for entry in called() {
        for sql in [
            format!("SELECT {}() FROM t", entry.name),
            format!("SELECT {}(true) FROM t", entry.name),
            format!("SELECT {}(text, 1, 2, 3, 4) FROM t", entry.name),
        ] {
            let error = run(&context, &sql).await.expect_err(&sql);
            assert!(error.sqlstate().starts_with("42"), "{sql}: {error}");
        }
    }
    for (entry, form) in of_kind(Kind::Aggregate) {
        let call = call(&entry, &form).replacen('(', "(DISTINCT ", 1);
        let error = run(&context, &format!("SELECT {call}, count(x) FROM t")).await.expect_err(&call);
        assert_eq!(error.sqlstate(), "0A000", "{call}: {error}");
    }
}

#[tokio::test]
async fn odd_inputs_never_panic() {
    let texts = [
        " \t\r\n".to_owned(),
        "\0\u{1}\u{7f}".to_owned(),
        "👨‍👩‍👧‍👦🇨🇳👍🏽".to_owned(),
        "\u{fffd}\u{fffe}\u{e000}\u{10ffff}".to_owned(),
        "\\uD800 \u{0301}\u{0301} e\u{0301}".to_owned(),
        "السلام עברית ไทย 한국어 ひらがな カタカナ".to_owned(),
        "''''’’’ ' '' don'".to_owned(),
        "…—．％％＃ . .. -.-".to_owned(),
        "不不不没没不但但但很很很一点一点".to_owned(),
        "İŞß ﬁ Ǆ".to_owned(),
        "好".repeat(50_000),
        "a".repeat(50_000),
        "不好，".repeat(20_000),
        "not very ".repeat(10_000),
    ];
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -0.0,
        9.000000001,
        1e15,
        -1.0,
        10.0,
        0.5,
        f64::EPSILON,
    ];
    let base = sample().slice(0, texts.len());
    let columns = base.schema_ref().fields().iter().zip(base.columns()).map(|(field, array)| {
        let array: ArrayRef = match field.name().as_str() {
            "text" | "key_type" | "key_value" => Arc::new(StringArray::from_iter_values(&texts)),
            "score" | "x" => Arc::new(Float64Array::from(numbers.to_vec())),
            _ => Arc::clone(array),
        };
        (field.name().clone(), array, true)
    });
    let odd = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap();
    assert_eq!(odd.column(2).null_count(), 0);
    let context = session(&[odd]);
    for entry in called() {
        for form in forms(&entry) {
            let call = call(&entry, &form);
            rows(&context, &format!("SELECT {call} FROM t")).await;
            if entry.kind == Kind::Aggregate {
                rows(&context, &format!("SELECT {call} FROM t GROUP BY id")).await;
                rows(&context, &format!("SELECT {call} OVER (ORDER BY id ROWS 2 PRECEDING) FROM t")).await;
            }
        }
    }
}
