//! Rewrites beside other writers, and what readers save by them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::prelude::{SessionConfig, SessionContext};
use url::Url;

use super::*;
use crate::storage::{STORE_URL, Storage};
use crate::table::compaction::{Choice, bins};
use crate::table::{CommitOutcome, jitter, options};

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("phone", DataType::Utf8, true),
    ]))
}

fn rows(ids: &[i64]) -> RecordBatch {
    let phones = StringArray::from_iter_values(ids.iter().map(|id| phone(*id)));
    RecordBatch::try_new(schema(), vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(phones)]).unwrap()
}

/// Neighbours have numbers that are far from each other.
fn phone(id: i64) -> String {
    format!("1{:010}", (id * 7_919_993) % 9_999_999_967)
}

struct Bench {
    table: DeltaTable,
    context: SessionContext,
}

impl Bench {
    async fn new(properties: &[(&str, &str)]) -> Self {
        let storage = Storage::in_memory().unwrap();
        let table = DeltaTable::at(&storage, "s/t").unwrap();
        let mut stored = BTreeMap::new();
        for (name, value) in properties {
            let (key, value) = options::property(name, value, &["id", "phone"]).unwrap();
            stored.insert(key, value.unwrap());
        }
        table.create_with(&schema(), &[], "t", &stored).await.unwrap();
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
        context.register_object_store(&Url::parse(STORE_URL).unwrap(), storage.store());
        Self { table, context }
    }

    async fn written(&self, ids: &[i64]) -> Vec<Action> {
        let base = self.table.snapshot().await.unwrap();
        let mut writer = TableWriter::new(&self.table, &base, schema()).unwrap();
        writer.write(&rows(ids)).await.unwrap();
        writer.finish().await.unwrap().adds
    }

    async fn append(&self, ids: &[i64]) {
        let adds = self.written(ids).await;
        self.table.append(adds, CommitInfo::default()).await.unwrap();
    }

    async fn ids(&self, snapshot: &Arc<TableSnapshot>) -> Vec<i64> {
        let all = snapshot.files().unwrap().iter().map(|file| file.path.to_string()).collect();
        let plan = self.table.rows_of(snapshot, &all, snapshot.schema()).unwrap();
        let batches = self.context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
        let ids =
            batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
        ids.collect()
    }

    async fn rewritten(&self, base: &Arc<TableSnapshot>, choice: Choice) -> Vec<Rewritten> {
        let order = Order::Columns(vec!["id".into()]);
        let mut rewrites = Vec::new();
        for bin in bins(base.files().unwrap().iter(), base.options().target_file_bytes, choice) {
            rewrites.push(self.table.rewrite(base, &bin.files, &order, &self.context.state()).await.unwrap());
        }
        rewrites
    }

    async fn optimize(&self, choice: Choice) -> Swapped {
        let base = self.table.snapshot().await.unwrap();
        let rewrites = self.rewritten(&base, choice).await;
        self.table.swap(&base, rewrites, upkeep_info("optimize", "r", "s", 0)).await.unwrap()
    }

    async fn objects(&self) -> usize {
        let folder = self.table.storage().path("s/t");
        let all: Vec<_> = self.table.storage().store().list(Some(&folder)).try_collect().await.unwrap();
        all.iter().filter(|meta| !meta.location.as_ref().contains("_delta_log")).count()
    }

    async fn files(&self) -> usize {
        self.table.snapshot().await.unwrap().files().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_small_files_become_few_with_the_same_rows() {
    let bench = Bench::new(&[]).await;
    for commit in 0..50 {
        let mut adds = Vec::new();
        for file in 0..20 {
            adds.extend(bench.written(&[commit * 20 + file, 100_000 + commit * 20 + file]).await);
        }
        bench.table.append(adds, CommitInfo::default()).await.unwrap();
    }
    assert_eq!(bench.files().await, 1_000);
    let before = bench.table.snapshot().await.unwrap();
    let swapped = bench.optimize(Choice::Tiers).await;
    assert_eq!((swapped.files_removed, swapped.abandoned), (1_000, 0));
    assert!(bench.files().await < 20);
    let after = bench.table.snapshot().await.unwrap();
    assert_eq!(after.row_count().unwrap(), Some(2_000));
    let in_order: Vec<i64> = (0..1_000).chain(100_000..101_000).collect();
    assert_eq!(bench.ids(&after).await, in_order);
    // Who reads the old version goes on reading it.
    let mut old = bench.ids(&before).await;
    old.sort_unstable();
    assert_eq!(old, in_order);
    assert_eq!(bench.optimize(Choice::Small).await, Swapped::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_appends_and_deletes_every_row_is_there_once() {
    let bench = Arc::new(Bench::new(&[]).await);
    let is_done = Arc::new(AtomicBool::new(false));
    let appender = {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            for commit in 0..60 {
                let ids: Vec<i64> = (0..10).map(|row| commit * 10 + row).collect();
                bench.append(&ids).await;
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
    };
    let deleter = {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            let mut deleted = BTreeSet::new();
            for remainder in 0..5 {
                deleted.extend(delete(&bench, remainder).await);
            }
            deleted
        })
    };
    let optimizer = {
        let (bench, is_done) = (Arc::clone(&bench), Arc::clone(&is_done));
        tokio::spawn(async move {
            let mut swapped = Swapped::default();
            while !is_done.load(Ordering::Relaxed) {
                swapped.add(bench.optimize(Choice::Small).await);
            }
            swapped
        })
    };
    appender.await.unwrap();
    let deleted = deleter.await.unwrap();
    is_done.store(true, Ordering::Relaxed);
    let swapped = optimizer.await.unwrap();
    assert!(swapped.files_removed > 0, "{swapped:?}");
    let mut left = bench.ids(&bench.table.snapshot().await.unwrap()).await;
    left.sort_unstable();
    let expected: Vec<i64> = (0..600).filter(|id| !deleted.contains(id)).collect();
    assert_eq!(left, expected, "{swapped:?}");
}

/// Deletes the rows of a remainder that are there, and says which they were.
async fn delete(bench: &Bench, remainder: i64) -> Vec<i64> {
    for attempt in 1..500 {
        let base = bench.table.snapshot().await.unwrap();
        let (gone, left): (Vec<i64>, Vec<i64>) =
            bench.ids(&base).await.into_iter().partition(|id| id % 11 == remainder);
        let all: HashSet<String> = base.files().unwrap().iter().map(|file| file.path.to_string()).collect();
        let mut actions = base.remove_actions(&all);
        actions.extend(bench.written(&left).await);
        let operation = DeltaOperation::Delete { predicate: None };
        match bench.table.replace(&base, actions, operation, CommitInfo::default()).await {
            Ok(_) => return gone,
            Err(error) => assert_eq!(error.kind(), ErrorKind::SerializationFailure, "{error}"),
        }
        tokio::time::sleep(jitter(attempt.min(3))).await;
    }
    panic!("never deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrite_of_files_that_are_gone_is_given_up_and_leaves_nothing() {
    let bench = Bench::new(&[]).await;
    for id in 0..3 {
        bench.append(&[id]).await;
    }
    let base = bench.table.snapshot().await.unwrap();
    let rewrites = bench.rewritten(&base, Choice::Small).await;
    assert_eq!(bench.objects().await, 4);
    let gone: HashSet<String> = [base.files().unwrap()[0].path.to_string()].into();
    let operation = DeltaOperation::Delete { predicate: None };
    bench.table.replace(&base, base.remove_actions(&gone), operation, CommitInfo::default()).await.unwrap();
    let version = bench.table.snapshot().await.unwrap().version();
    let swapped = bench.table.swap(&base, rewrites, CommitInfo::default()).await.unwrap();
    assert_eq!(swapped, Swapped { abandoned: 1, ..Swapped::default() });
    assert_eq!(bench.table.snapshot().await.unwrap().version(), version);
    assert_eq!((bench.objects().await, bench.files().await), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_need_not_begin_anew_because_files_were_rewritten() {
    let bench = Bench::new(&[]).await;
    for id in 0..3 {
        bench.append(&[id]).await;
    }
    let base = bench.table.snapshot().await.unwrap();
    bench.optimize(Choice::Small).await;
    let operation = DeltaOperation::Write {
        mode: deltalake_core::protocol::SaveMode::Append,
        partition_by: None,
        predicate: None,
    };
    let adds = bench.written(&[3]).await;
    let committed = bench.table.replace(&base, adds, operation.clone(), CommitInfo::default()).await.unwrap();
    assert_eq!(committed, CommitOutcome::Committed { version: base.version() + 2 });
    // What was to be changed lies in other files now.
    let all: HashSet<String> = base.files().unwrap().iter().map(|file| file.path.to_string()).collect();
    let removes = base.remove_actions(&all);
    let error =
        bench.table.replace(&base, removes, operation.clone(), CommitInfo::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SerializationFailure);
    // After new rows it is not enough that files are still there.
    let base = bench.table.snapshot().await.unwrap();
    bench.append(&[4]).await;
    let adds = bench.written(&[5]).await;
    let error = bench.table.replace(&base, adds, operation, CommitInfo::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SerializationFailure);
    let mut ids = bench.ids(&bench.table.snapshot().await.unwrap()).await;
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
}

/// How many row groups a lookup of one phone number reads.
async fn lookup(bench: &Bench) -> String {
    let snapshot = bench.table.snapshot().await.unwrap();
    let scan = TableScan::new(bench.table.storage(), "s/t", snapshot, schema()).unwrap();
    bench.context.deregister_table("t").unwrap();
    bench.context.register_table("t", Arc::new(scan)).unwrap();
    let sql = format!("SELECT id FROM t WHERE phone = '{}'", phone(4_321));
    let plan = bench.context.sql(&sql).await.unwrap().create_physical_plan().await.unwrap();
    let rows = datafusion::physical_plan::collect(Arc::clone(&plan), bench.context.task_ctx()).await.unwrap();
    let ids: Vec<i64> =
        rows.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(ids, [4_321]);
    datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(plan.as_ref())
        .indent(true)
        .to_string()
}

fn metric(said: &str, name: &str) -> String {
    let start = said.find(name).unwrap_or_else(|| panic!("{name} in {said}")) + name.len() + 1;
    said[start..].split([',', ']']).next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bloom_filter_keeps_a_lookup_from_files_without_the_value() {
    for (bloom, read) in [("", 10), ("phone", 1)] {
        let options: &[(&str, &str)] = if bloom.is_empty() { &[] } else { &[("bloom", bloom)] };
        let bench = Bench::new(options).await;
        for file in 0..10 {
            let ids: Vec<i64> = (0..1_000).map(|row| row * 10 + file).collect();
            bench.append(&ids).await;
        }
        let said = lookup(&bench).await;
        let matched = metric(&said, "row_groups_pruned_bloom_filter");
        assert!(matched.ends_with(&format!("{read} matched")) || matched == read.to_string(), "{said}");
        // A rewrite keeps the filters.
        bench.optimize(Choice::Small).await;
        lookup(&bench).await;
    }
}
