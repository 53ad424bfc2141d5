//! Upserts, replaced partitions and change feeds.

use super::support::{Process, Setup};
use super::{IDS, run};
use crate::catalog::LoadMode;

fn upsert(newest_by: Option<&str>) -> LoadMode {
    LoadMode::Upsert { key: vec!["id".into()], newest_by: newest_by.map(str::to_owned) }
}

fn feed(newest_by: Option<&str>) -> LoadMode {
    LoadMode::ChangeFeed { key: vec!["id".into()], newest_by: newest_by.map(str::to_owned) }
}

async fn house(mode: LoadMode) -> Process {
    let process = Process::with_table().await;
    process.create(Setup { mode, ..Setup::default() }).await;
    process
}

#[tokio::test]
async fn without_a_time_the_row_that_comes_last_counts() {
    let process = house(upsert(None)).await;
    process.put("a.lines", "id,text\n1,one\n2,two\n1,again\n").await;
    process.put("b.lines", "id,text\n2,second\n3,three\n,nobody\n").await;
    let report = run(&process).await;
    assert_eq!((report.batches, report.rows, report.rejected), (1, 5, 1));
    assert_eq!(process.query(IDS).await, ["1|again", "2|second", "3|three"]);
    process.put("c.lines", "id,text\n3,third\n4,four\n").await;
    run(&process).await;
    assert_eq!(process.query(IDS).await, ["1|again", "2|second", "3|third", "4|four"]);
    assert_eq!(
        process.query("SELECT reason FROM rejects").await,
        ["null value in column \"id\" of relation \"notes\" violates not-null constraint"]
    );
}

#[tokio::test]
async fn the_newest_row_stays_in_whatever_order_files_come() {
    let files = [
        "id,text,mark\n1,a,5\n2,a,5\n3,a,\n",
        "id,text,mark\n1,b,7\n1,c,6\n2,b,5\n",
        "id,text,mark\n1,d,6\n3,d,1\n",
    ];
    let expected = ["1|b", "2|a", "3|d"];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1]] {
        for together in [true, false] {
            let process = house(upsert(Some("mark"))).await;
            for (turn, file) in order.iter().enumerate() {
                process.put(&format!("{turn}.lines"), files[*file]).await;
                if !together {
                    run(&process).await;
                }
            }
            run(&process).await;
            // Of the rows with the same time that which came first stays.
            let tie = if order.iter().position(|one| *one == 0) < order.iter().position(|one| *one == 1) {
                "2|a"
            } else {
                "2|b"
            };
            let found = process.query(IDS).await;
            assert_eq!(found, [expected[0], tie, expected[2]], "{order:?} {together}");
        }
    }
}

#[tokio::test]
async fn a_replay_changes_nothing_and_rewrites_nothing() {
    for mode in [upsert(None), upsert(Some("mark"))] {
        let process = house(mode).await;
        process.put("a.lines", "id,text,mark\n1,one,1\n2,two,1\n").await;
        process.put("b.lines", "id,text,mark\n3,three,1\n").await;
        run(&process).await;
        let before = process.files().await;
        assert_eq!(process.ingestion.replay_pipe("notes", None).await.unwrap(), 2);
        let report = run(&process).await;
        assert_eq!((report.files_loaded, report.rows), (2, 3));
        assert_eq!(process.files().await, before);
        assert_eq!(process.query(IDS).await, ["1|one", "2|two", "3|three"]);
        assert_eq!(process.query("SELECT count(*) FROM loads WHERE state = 'loaded'").await, ["4"]);
        // Nobody asked twice.
        assert_eq!(run(&process).await.files_loaded, 0);
    }
}

#[tokio::test]
async fn only_files_with_beaten_rows_are_rewritten() {
    let process = house(upsert(None)).await;
    for (name, text) in [("a.lines", "id,text\n1,one\n2,two\n"), ("b.lines", "id,text\n3,three\n4,four\n")] {
        process.put(name, text).await;
        run(&process).await;
    }
    let before = process.files().await;
    assert_eq!(before.len(), 2);
    process.put("c.lines", "id,text\n4,fourth\n5,five\n").await;
    run(&process).await;
    let after = process.files().await;
    let kept = before.iter().filter(|file| after.contains(file)).count();
    assert_eq!((kept, after.len()), (1, 3));
    assert_eq!(process.query(IDS).await, ["1|one", "2|two", "3|three", "4|fourth", "5|five"]);
}

#[tokio::test]
async fn replacing_partitions_takes_all_files_or_none() {
    let process = Process::with_partitions().await;
    process.create(Setup { mode: LoadMode::ReplacePartition, ..Setup::default() }).await;
    process.put("a.lines", "id,text,mark\n1,one,x\n2,two,y\n").await;
    process.put("b.lines", "id,text,mark\n3,three,x\n").await;
    process.put("c.lines", "id,text,mark\n4,four,z\n").await;
    // More files than a batch has in the other modes.
    assert_eq!(run(&process).await.batches, 1);
    process.put("d.lines", "id,text,mark\n5,five,x\n").await;
    run(&process).await;
    let rows = "SELECT id, mark FROM notes ORDER BY id";
    assert_eq!(process.query(rows).await, ["2|y", "4|z", "5|x"]);
    // A file without rows replaces nothing, and a bad file holds the others up.
    process.put("e.lines", "id,text,mark\n").await;
    process.put("f.lines", "id,text,mark\n6,six,y\n").await;
    process.put("g.lines", "id,text,mark\n7,seven,y\n8,eight,y\nDAMAGE\n").await;
    for _ in 0..2 {
        let report = run(&process).await;
        assert_eq!((report.files_loaded, report.files_failed), (0, 3));
        assert_eq!(process.query(rows).await, ["2|y", "4|z", "5|x"]);
    }
    process.put("g.lines", "id,text,mark\n7,seven,y\n").await;
    assert_eq!(run(&process).await.files_loaded, 3);
    assert_eq!(process.query(rows).await, ["4|z", "5|x", "6|y", "7|y"]);
}

#[tokio::test]
async fn a_change_feed_follows_its_events() {
    let process = house(feed(None)).await;
    let event = |op: &str, id: u32, text: &str, lsn: u32| {
        let (key, row) = (format!("{{\"id\":{id}}}"), format!("{{\"id\":{id},\"text\":\"{text}\"}}"));
        let (before, after) = if op == "d" { (key.as_str(), "null") } else { ("null", row.as_str()) };
        format!(
            "{{\"op\":\"{op}\",\"before\":{before},\"after\":{after},\"source\":{{\"lsn\":{lsn}}},\"ts_ms\":1}}\n"
        )
    };
    let file = |events: &[String]| format!("payload\n{}", events.concat());
    process
        .put(
            "t+0+0000000000.lines",
            &file(&[event("c", 1, "one", 10), event("r", 2, "two", 11), event("u", 1, "uno", 12)]),
        )
        .await;
    process.put("t+0+0000000003.lines", &file(&[event("d", 2, "", 13), event("c", 3, "three", 14)])).await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.rejected), (2, 0), "{:?}", report.errors);
    assert_eq!(process.query(IDS).await, ["1|uno", "3|three"]);
    // An event before in the log counts less, although it comes later in its file; offsets 5 to 7 are missing.
    process
        .put(
            "t+0+0000000008.lines",
            &file(&[event("u", 3, "tres", 21), event("u", 3, "trois", 20), event("t", 9, "", 22)]),
        )
        .await;
    assert_eq!(run(&process).await.rejected, 1);
    assert_eq!(process.query(IDS).await, ["1|uno", "3|tres"]);
    let catalog = process.warehouse.catalog().await.unwrap();
    let pipe = catalog.pipe("notes").unwrap();
    let status = process.ingestion.pipe_status(&catalog, pipe, true).await.unwrap();
    assert_eq!(status.offset_gaps, ["t/0: 5 to 7"]);
    assert_eq!((status.state, status.files_loaded, status.waiting.unwrap().files), ("on call", 3, 0));
}

#[tokio::test]
async fn flattened_events_delete_too_and_late_ones_are_left_out() {
    let process = house(feed(Some("mark"))).await;
    process.put("a.lines", "id,text,mark,__op\n1,one,5,c\n2,two,5,c\n").await;
    run(&process).await;
    process.put("b.lines", "id,text,mark,__op\n1,late,4,u\n2,,6,d\n3,three,5,c\n").await;
    run(&process).await;
    assert_eq!(process.query(IDS).await, ["1|one", "3|three"]);
    process.put("c.lines", "id,text\n4,four\n").await;
    let report = run(&process).await;
    assert_eq!(report.errors[0].1.message(), "file is not a change feed");
}

#[tokio::test]
async fn another_writer_between_two_batches_is_no_obstacle() {
    let process = house(upsert(None)).await;
    let other = Process::start(std::sync::Arc::clone(&process.store)).await.unwrap();
    for turn in 0..3 {
        process.put(&format!("{turn}.lines"), &format!("id,text\n1,{turn}\n{},x\n", 10 + turn)).await;
        let (one, two) =
            tokio::join!(process.ingestion.run_pipe("notes", None), other.ingestion.run_pipe("notes", None));
        assert_eq!(one.unwrap().files_loaded + two.unwrap().files_loaded, 1);
    }
    assert_eq!(process.query(IDS).await, ["1|2", "10|x", "11|x", "12|x"]);
}
