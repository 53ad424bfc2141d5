use std::path::Path;

use voxhouse_engine::storage::Storage;

use super::*;
use crate::instance::InstanceOptions;

/// A file that is out of date is written anew, and the test fails once.
#[tokio::test(flavor = "multi_thread")]
async fn the_planned_views_are_those_of_the_scripts() {
    let storage = Storage::in_memory().unwrap();
    let instance = Instance::open(storage, &InstanceOptions::default()).await.unwrap();
    let mut planned = Views::none();
    for operation in operations(&instance, Views::none()).await.unwrap() {
        if let Ddl::CreateView { name, query, columns, .. } = operation {
            planned.views.insert(name.to_string(), PlannedView { query, columns });
        }
    }
    assert!(planned.views.len() > 20);
    if Views::shipped().unwrap() != planned {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shipped/views.json");
        std::fs::write(&path, serde_json::to_string_pretty(&planned).unwrap() + "\n").unwrap();
        panic!("{} was out of date; it is rewritten, look at the difference and commit it", path.display());
    }
}
