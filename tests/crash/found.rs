//! What a restarted server shows, and whether it is what was acknowledged.

use super::{child::Client, worker::Worker};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// Which object ever had a number of an account.
pub(crate) type Numbers = BTreeMap<u64, String>;

/// All that an account has, exactly as it is written.
pub(crate) struct Found {
    pub(crate) objects: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    has_more: bool,
    total_count: usize,
}

impl Found {
    pub(crate) fn read(client: &Client) -> Self {
        let mut objects = BTreeMap::new();
        loop {
            let answer = client.get(&format!("/integration?limit=100&offset={}", objects.len()));
            let page: Page = serde_json::from_slice(&answer.body).unwrap();
            for object in &page.data {
                let id = parse(object.get())["id"].as_str().unwrap().to_owned();
                assert_eq!(objects.insert(id, object.get().to_owned()), None, "listed twice");
            }
            if !page.has_more {
                assert_eq!(page.total_count, objects.len(), "the total agrees");
                return Self { objects };
            }
        }
    }
}

/// Looks that an account has what its threads know, and nothing else, and that no number was given twice.
pub(crate) fn verify<'a>(mut found: Found, workers: impl Iterator<Item = &'a mut Worker>, numbers: &mut Numbers) {
    for worker in workers {
        worker.compare(&mut found);
        for (number, id) in worker.given.drain(..) {
            if let Some(first) = numbers.insert(number, id.clone()) {
                panic!("number {number} was given to {first} and to {id}");
            }
        }
    }
    assert!(found.objects.is_empty(), "nobody asked for {:#?}", found.objects);
}

pub(crate) fn parse(object: &str) -> Value {
    serde_json::from_str(object).unwrap()
}
