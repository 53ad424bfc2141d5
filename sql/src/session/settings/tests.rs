use super::*;

fn settings() -> Settings {
    Settings::for_role("ana", true)
}

fn shown(settings: &Settings, name: &str) -> String {
    settings.show(name).unwrap().1
}

#[test]
fn an_unknown_setting_is_an_error() {
    let settings = settings();
    assert_eq!(settings.set("no_such_thing", "1").unwrap_err().sqlstate(), "42704");
    assert_eq!(settings.reset("no_such_thing", Reach::Session).unwrap_err().sqlstate(), "42704");
    assert_eq!(settings.show("my.own").unwrap_err().sqlstate(), "42704");
    assert_eq!(settings.show("session_authorization").unwrap().1, "ana");
}

#[test]
fn values_are_checked_and_told() {
    let settings = settings();
    let names: Vec<String> = settings.reported().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"TimeZone".to_owned()) && names.contains(&"is_superuser".to_owned()));
    settings.set("statement_timeout", "5min").unwrap();
    assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(300)));
    assert_eq!(shown(&settings, "Statement_Timeout"), "5min");
    let refused = |value: &str| settings.set("statement_timeout", value).unwrap_err();
    assert_eq!(refused("soon").message(), "invalid value for parameter \"statement_timeout\": \"soon\"");
    assert_eq!(
        refused("-1").message(),
        "-1 ms is outside the valid range for parameter \"statement_timeout\" (0 .. 2147483647)"
    );
    assert_eq!(refused("2147483648").hint(), Some("Value exceeds integer range."));
    assert!(settings.take_changes().is_empty());
    settings.set("timezone", "asia/shanghai").unwrap();
    assert_eq!(settings.take_changes(), [("TimeZone".to_owned(), "Asia/Shanghai".to_owned())]);
    settings.set("timezone", "Asia/Shanghai").unwrap();
    assert!(settings.take_changes().is_empty());
    settings.set("search_path", "x, \"My Schema\", public").unwrap();
    assert_eq!(settings.search_path(), ["x", "My Schema", "public"]);
    assert_eq!(settings.set("server_version", "9").unwrap_err().sqlstate(), "55P02");
    assert_eq!(settings.set("transform_null_equals", "on").unwrap_err().sqlstate(), "0A000");
    assert_eq!(
        settings.set("jit", "maybe").unwrap_err().message(),
        "parameter \"jit\" requires a Boolean value"
    );
    assert_eq!(settings.set("client_encoding", "latin1").unwrap_err().sqlstate(), "0A000");
}

#[test]
fn a_right_is_needed_for_some() {
    let plain = Settings::for_role("bob", false);
    assert_eq!(plain.set("log_statement", "all").unwrap_err().sqlstate(), "42501");
    settings().set("log_statement", "all").unwrap();
}

#[test]
fn reset_goes_back_to_what_the_session_started_with() {
    let settings = settings();
    settings.put_at_start("options", "-c statement_timeout=7s").unwrap();
    settings.set("statement_timeout", "1").unwrap();
    settings.reset("statement_timeout", Reach::Session).unwrap();
    assert_eq!(shown(&settings, "statement_timeout"), "7s");
    settings.set("statement_timeout", "1").unwrap();
    settings.set("my.own", "x").unwrap();
    settings.reset_all();
    assert_eq!(shown(&settings, "statement_timeout"), "7s");
    assert_eq!(shown(&settings, "my.own"), "");
}

#[test]
fn what_is_local_ends_with_the_transaction() {
    let settings = settings();
    settings.put("work_mem", "1MB", Reach::Transaction).unwrap();
    settings.set("work_mem", "2MB").unwrap();
    assert_eq!(shown(&settings, "work_mem"), "2MB");
    settings.put("work_mem", "3MB", Reach::Transaction).unwrap();
    settings.put("my.own", "x", Reach::Transaction).unwrap();
    assert_eq!((shown(&settings, "work_mem"), shown(&settings, "my.own")), ("3MB".into(), "x".into()));
    settings.end_transaction();
    assert_eq!((shown(&settings, "work_mem"), shown(&settings, "my.own")), ("2MB".into(), String::new()));
}

#[test]
fn a_rollback_brings_everything_back() {
    let settings = settings();
    settings.set("work_mem", "1MB").unwrap();
    let _ = settings.reported();
    let saved = settings.save();
    settings.set("work_mem", "2MB").unwrap();
    settings.set("application_name", "inside").unwrap();
    settings.put("my.own", "x", Reach::Transaction).unwrap();
    assert_eq!(settings.take_changes().len(), 1);
    settings.restore(&saved);
    assert_eq!(shown(&settings, "work_mem"), "1MB");
    assert_eq!(settings.show("my.own").unwrap_err().sqlstate(), "42704");
    assert_eq!(settings.take_changes(), [("application_name".to_owned(), String::new())]);
}
