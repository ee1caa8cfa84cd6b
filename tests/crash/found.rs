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

/// One page of a list.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) data: Vec<Box<RawValue>>,
    pub(crate) has_more: bool,
    pub(crate) total_count: usize,
}

impl Page {
    /// Asks for a page and looks that it makes sense in itself. An error if the server goes away.
    pub(crate) fn ask(client: &Client, limit: usize, offset: usize) -> Result<Self, ureq::Error> {
        Self::of(client, "/integration?", limit, offset)
    }

    /// The same of any list.
    fn of(client: &Client, path: &str, limit: usize, offset: usize) -> Result<Self, ureq::Error> {
        let answer =
            client.try_call("GET", &format!("{path}limit={limit}&offset={offset}"), None)?;
        assert_eq!(answer.status, 200, "{}", answer.text());

        let page: Self = serde_json::from_slice(&answer.body).unwrap();
        let shown = limit.min(page.total_count.saturating_sub(offset));
        assert_eq!(
            page.data.len(),
            shown,
            "a page of {limit} from {offset} of {}",
            page.total_count
        );
        assert_eq!(
            page.has_more,
            offset + shown < page.total_count,
            "{}",
            answer.text()
        );
        let numbers: Vec<_> = page
            .data
            .iter()
            .map(|object| parse(object.get())["tinyId"].as_u64())
            .collect();
        assert!(
            numbers.is_sorted_by(|one, next| one < next),
            "in order, and no number twice: {numbers:?}"
        );

        Ok(page)
    }

    /// Each object by its id, as it is written.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let id = |object: &str| parse(object)["id"].as_str().unwrap().to_owned();
        self.data
            .iter()
            .map(|object| (id(object.get()), object.get().to_owned()))
            .collect()
    }
}

impl Found {
    pub(crate) fn read(client: &Client) -> Self {
        Self::all(client, "/integration?")
    }

    /// Everything in a list.
    pub(crate) fn all(client: &Client, path: &str) -> Self {
        let mut objects = BTreeMap::new();
        loop {
            let page = Page::of(client, path, 100, objects.len()).unwrap();
            for (id, object) in page.objects() {
                assert_eq!(objects.insert(id, object), None, "listed twice");
            }
            if !page.has_more {
                assert_eq!(page.total_count, objects.len(), "the total agrees");
                return Self { objects };
            }
        }
    }
}

/// A page of a server that does not go away, as it was asked for.
pub(crate) fn list(client: &Client, path: &str) -> Page {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Looks that an account has what its threads know, and nothing else, and that no number was given
/// twice.
pub(crate) fn verify<'a>(
    mut found: Found,
    workers: impl Iterator<Item = &'a mut Worker>,
    numbers: &mut Numbers,
) {
    for worker in workers {
        worker.compare(&mut found);
        for (number, id) in worker.given.drain(..) {
            if let Some(first) = numbers.insert(number, id.clone()) {
                panic!("number {number} was given to {first} and to {id}");
            }
        }
    }

    assert!(
        found.objects.is_empty(),
        "nobody asked for {:#?}",
        found.objects
    );
}

pub(crate) fn parse(object: &str) -> Value {
    serde_json::from_str(object).unwrap()
}
