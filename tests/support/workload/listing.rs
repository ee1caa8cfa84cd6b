//! Lists of objects, byte for byte as the server returns them.

use super::writer::WriterClient;
use crate::support::Client;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// The `tinyId`s of an account that were ever assigned, with the ids of their objects.
pub(crate) type Numbers = BTreeMap<u64, String>;

/// All objects of a list by id, byte for byte.
pub(crate) struct Listing {
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
    /// Gets a page of integrations and asserts that it is consistent in itself. Fails if the server
    /// goes away.
    pub(crate) fn ask(client: &Client, limit: usize, offset: usize) -> Result<Self, ureq::Error> {
        Self::of(client, "/integration?", limit, offset)
    }

    fn of(client: &Client, path: &str, limit: usize, offset: usize) -> Result<Self, ureq::Error> {
        let response =
            client.try_call("GET", &format!("{path}limit={limit}&offset={offset}"), None)?;
        assert_eq!(response.status, 200, "{}", response.text());

        let page: Self = serde_json::from_slice(&response.body).unwrap();
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
            response.text()
        );
        let numbers: Vec<_> = page
            .data
            .iter()
            .map(|object| parse(object.get())["tinyId"].as_u64())
            .collect();
        assert!(
            numbers.is_sorted_by(|one, next| one < next),
            "sorted by tinyId without repetition: {numbers:?}"
        );

        Ok(page)
    }

    /// The objects by id, byte for byte.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let id = |object: &str| parse(object)["id"].as_str().unwrap().to_owned();
        self.data
            .iter()
            .map(|object| (id(object.get()), object.get().to_owned()))
            .collect()
    }
}

impl Listing {
    pub(crate) fn read(client: &Client) -> Self {
        Self::all(client, "/integration?")
    }

    /// All pages of a list.
    pub(crate) fn all(client: &Client, path: &str) -> Self {
        let mut objects = BTreeMap::new();
        loop {
            let page = Page::of(client, path, 100, objects.len()).unwrap();
            for (id, object) in page.objects() {
                assert_eq!(objects.insert(id, object), None, "listed twice");
            }
            if !page.has_more {
                assert_eq!(
                    page.total_count,
                    objects.len(),
                    "`total_count` agrees with the pages"
                );
                return Self { objects };
            }
        }
    }
}

/// Gets one page of a list.
pub(crate) fn list(client: &Client, path: &str) -> Page {
    let response = client.get(path);
    assert_eq!(response.status, 200, "{}", response.text());
    serde_json::from_slice(&response.body).unwrap()
}

/// Asserts that an account has the objects that its writers know, and no others, and that no
/// `tinyId` was assigned twice.
pub(crate) fn verify<'a>(
    mut listing: Listing,
    writers: impl Iterator<Item = &'a mut WriterClient>,
    numbers: &mut Numbers,
) {
    for writer in writers {
        writer.compare(&mut listing);
        for (number, id) in writer.given.drain(..) {
            if let Some(first) = numbers.insert(number, id.clone()) {
                panic!("tinyId {number} was assigned to {first} and to {id}");
            }
        }
    }

    assert!(
        listing.objects.is_empty(),
        "no writer created {:#?}",
        listing.objects
    );
}

pub(crate) fn parse(object: &str) -> Value {
    serde_json::from_str(object).unwrap()
}
