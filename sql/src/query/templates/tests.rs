use chrono::NaiveDateTime;

use super::{parse, read, write};

fn written(time: &str, template: &str) -> String {
    let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S%.f").unwrap();
    write::to_text(&parse(template), time, &write::Zone::default())
}

/// The answers are PostgreSQL 15's.
#[test]
fn times_are_written_as_postgres_writes_them() {
    let time = "2026-03-04 15:06:07.089012";
    for (template, expected) in [
        ("YYYY-MM-DD HH24:MI:SS.MS", "2026-03-04 15:06:07.089"),
        ("Y,YYY YYY YY Y", "2,026 026 26 6"),
        ("Day, DD Month YYYY", "Wednesday, 04 March     2026"),
        ("FMDay, FMDD FMMonth YYYY", "Wednesday, 4 March 2026"),
        ("DY dy Dy MON mon", "WED wed Wed MAR mar"),
        ("HH:MI AM hh12 p.m.", "03:06 PM 03 p.m."),
        ("DDD D ID W WW IW IYYY IDDD Q CC", "063 4 3 1 09 10 2026 066 1 21"),
        ("US FF2 SSSS J", "089012 08 54367 2461104"),
        ("DDth FMDDTH YYYYth", "04th 4TH 2026th"),
        ("\"week\" IW \"\\\"of\\\"\" yyyy", "week 10 \"of\" 2026"),
        ("yyyy年MM月", "2026年03月"),
        ("AD bc", "AD ad"),
    ] {
        assert_eq!(written(time, template), expected, "{template}");
    }
    assert_eq!(written("2026-01-01 00:00:00", "IYYY-IW HH12 WW"), "2026-01 12 01");
}

#[test]
fn zones_are_written_as_postgres_writes_them() {
    let time = NaiveDateTime::parse_from_str("2026-07-04 15:06:07", "%Y-%m-%d %H:%M:%S").unwrap();
    let zone = write::Zone { abbreviation: "IST".to_owned(), offset_seconds: 19_800 };
    let text = write::to_text(&parse("TZ tz OF TZH:TZM RM|rm"), time, &zone);
    assert_eq!(text, "IST ist +05:30 +05:30 VII |vii ");
}

#[test]
fn texts_are_read_as_postgres_reads_them() {
    let read =
        |text: &str, template: &str| read::from_text(&parse(template), text).map(|time| time.to_string());
    for (text, template, expected) in [
        ("2026-01-31 08:09:10", "YYYY-MM-DD HH24:MI:SS", "2026-01-31 08:09:10"),
        ("20260131", "YYYYMMDD", "2026-01-31 00:00:00"),
        ("31/1/26", "DD/MM/YY", "2026-01-31 00:00:00"),
        ("05 Dec 2000", "DD Mon YYYY", "2000-12-05 00:00:00"),
        ("march 5, 2001 3 pm", "Month DD, YYYY HH AM", "2001-03-05 15:00:00"),
        ("2026-01-31T10:00", "YYYY-MM-DD\"T\"HH24:MI", "2026-01-31 10:00:00"),
        ("12:30:00.5", "HH24:MI:SS.MS", "0000-01-01 12:30:00.500"),
        ("2026 100", "YYYY DDD", "2026-04-10 00:00:00"),
        ("2026-02", "YYYY-MM-DD", "2026-02-01 00:00:00"),
    ] {
        assert_eq!(read(text, template).unwrap(), expected, "{text} {template}");
    }
    let refused = |text: &str, template: &str| read(text, template).unwrap_err().sqlstate();
    assert_eq!(refused("2026-02-30", "YYYY-MM-DD"), "22008");
    assert_eq!(refused("2026-xx-30", "YYYY-MM-DD"), "22007");
    assert_eq!(refused("13:00 pm", "HH12:MI am"), "22007");
}
