//! What stores say of objects that have come: the events of Amazon S3 and what speaks its language (MinIO, Ceph, OBS),
//! of Alibaba Cloud OSS and of Tencent Cloud COS.

use serde_json::Value;
use voxhouse_engine::ingest::Arrival;
use voxhouse_engine::{Error, Result};

/// More objects than a store puts into one event.
const MAX_RECORDS: usize = 10_000;

/// The objects that were created, by a body in one of the shapes. Other events, and tests whether somebody listens,
/// tell of none.
pub(super) fn arrivals(body: &[u8]) -> Result<Vec<Arrival>> {
    let event: Value = serde_json::from_slice(body)
        .map_err(|error| Error::invalid_argument(format!("the body is not JSON: {error}")))?;
    if is_test(&event) {
        return Ok(Vec::new());
    }
    let records = records(&event).ok_or_else(|| {
        Error::invalid_argument("the body is no event of an object store").with_hint(
            "Send an event of S3, MinIO, OSS or COS as it came: an object with Records, events or data.oss.",
        )
    })?;
    if records.len() > MAX_RECORDS {
        return Err(Error::invalid_argument(format!("the event has more than {MAX_RECORDS} records")));
    }
    records.into_iter().filter(|record| is_creation(record)).map(arrival).collect()
}

/// `s3:TestEvent`, which S3 sends once when a notification is set up.
fn is_test(event: &Value) -> bool {
    event.get("Event").and_then(Value::as_str) == Some("s3:TestEvent")
}

fn records(event: &Value) -> Option<Vec<&Value>> {
    // `Records`: S3, MinIO, OBS, COS. `events`: OSS. `data`: OSS by way of EventBridge.
    if let Some(records) = ["Records", "events"].iter().find_map(|name| event.get(name)?.as_array()) {
        return Some(records.iter().collect());
    }
    event.get("data").is_some_and(|data| data.get("oss").is_some()).then(|| vec![event])
}

/// Whether the record says that an object was created, by whatever request.
fn is_creation(record: &Value) -> bool {
    let name = ["eventName", "type"].iter().find_map(|name| record.get(name)?.as_str());
    let name = name.or_else(|| record.get("event")?.get("eventName")?.as_str());
    name.is_some_and(|name| name.split(':').any(|part| part == "ObjectCreated"))
}

fn arrival(record: &Value) -> Result<Arrival> {
    let found = of_s3(record).or_else(|| of_oss(record)).or_else(|| of_cos(record));
    found.ok_or_else(|| Error::invalid_argument("a record of the event names no bucket and object"))
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, name| value.get(name))?.as_str()
}

/// Keys are encoded as in a form: blanks as plus signs.
fn of_s3(record: &Value) -> Option<Arrival> {
    let record = record.get("s3")?;
    let key = decoded(&text(record, &["object", "key"])?.replace('+', " "))?;
    Some(Arrival { bucket: text(record, &["bucket", "name"])?.to_owned(), key })
}

fn of_oss(record: &Value) -> Option<Arrival> {
    let record = record.get("oss").or_else(|| record.get("data")?.get("oss"))?;
    let key = decoded(text(record, &["object", "key"])?)?;
    Some(Arrival { bucket: text(record, &["bucket", "name"])?.to_owned(), key })
}

/// The key is `/account/bucket/key`, the bucket's name lacks the account behind it.
fn of_cos(record: &Value) -> Option<Arrival> {
    let record = record.get("cos")?;
    let (account, name) = (text(record, &["cosBucket", "appid"])?, text(record, &["cosBucket", "name"])?);
    let key = text(record, &["cosObject", "key"])?;
    let plain = key.strip_prefix(&format!("/{account}/{name}/")).unwrap_or(key).trim_start_matches('/');
    let bucket = match name.ends_with(&format!("-{account}")) {
        true => name.to_owned(),
        false => format!("{name}-{account}"),
    };
    Some(Arrival { bucket, key: decoded(plain)? })
}

/// Percent signs with two digits as the bytes they mean; others stay.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        rest = match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                &after[2..]
            }
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, String)> {
        let found = arrivals(body.as_bytes()).unwrap();
        found.into_iter().map(|Arrival { bucket, key }| (bucket, key)).collect()
    }

    fn one(bucket: &str, key: &str) -> Vec<(String, String)> {
        vec![(bucket.to_owned(), key.to_owned())]
    }

    #[test]
    fn events_of_s3_and_minio() {
        let s3 = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
            "s3":{"bucket":{"name":"exports"},"object":{"key":"in/a+b%2B%E8%AE%A2.csv","size":5}}},
            {"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"exports"},"object":{"key":"in/gone.csv"}}}]}"#;
        assert_eq!(read(s3), one("exports", "in/a b+订.csv"));
        let minio = r#"{"EventName":"s3:ObjectCreated:CompleteMultipartUpload","Key":"exports/in/a.csv","Records":[
            {"eventName":"s3:ObjectCreated:CompleteMultipartUpload",
             "s3":{"bucket":{"name":"exports"},"object":{"key":"in%2Fa.csv"}}}]}"#;
        assert_eq!(read(minio), one("exports", "in/a.csv"));
        assert_eq!(read(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"exports"}"#), []);
    }

    #[test]
    fn events_of_oss_and_cos() {
        let oss = r#"{"events":[{"eventName":"ObjectCreated:PutObject","eventSource":"acs:oss",
            "oss":{"bucket":{"name":"exports","ownerIdentity":"1"},"object":{"key":"in/%E8%AE%A2+1.csv","size":5}}}]}"#;
        assert_eq!(read(oss), one("exports", "in/订+1.csv"));
        let bridge = r#"{"specversion":"1.0","source":"acs.oss","type":"oss:ObjectCreated:PostObject",
            "data":{"oss":{"bucket":{"name":"exports"},"object":{"key":"in/a.csv"}}}}"#;
        assert_eq!(read(bridge), one("exports", "in/a.csv"));
        let cos = r#"{"Records":[{"cos":{"cosSchemaVersion":"1.0",
            "cosObject":{"key":"/1250000000/exports/in/a b.csv","size":"5"},
            "cosBucket":{"region":"gz","name":"exports","appid":"1250000000"}},
            "event":{"eventName":"cos:ObjectCreated:Put","eventSource":"qcs::cos"}}]}"#;
        assert_eq!(read(cos), one("exports-1250000000", "in/a b.csv"));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in ["", "[]", "{}", "{\"Records\":1}", r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#]
        {
            assert_eq!(arrivals(body.as_bytes()).unwrap_err().sqlstate(), "22023", "{body}");
        }
    }
}
