//! Finding records whose ids differ from a text only in the case of letters.
//!
//! Ids are case-sensitive, and stored in order. So a search walks down from the first letter, and
//! follows only beginnings that some id has. After a few letters of a random id hardly any is left:
//! among a million records a search takes some thirty lookups. It needs no index, which would have
//! to be written with every record.

use super::Snapshot;
use crate::store::{Collection, StoreError, trees};

/// Bounds the work for ids that were chosen to be similar.
const MAX_LOOKUPS: usize = 4_096;

impl Snapshot {
    /// The ids of all records that equal `id`, apart from the case of ASCII letters after the first
    /// `exact_len` bytes. `None` if there are too many similar ones to tell.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn ids_in_any_case(
        &self,
        collection: Collection,
        id: &str,
        exact_len: usize,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let (exact, rest) = id
            .as_bytes()
            .split_at_checked(exact_len)
            .unwrap_or_default();
        let mut beginnings = vec![exact.to_vec()];
        let mut lookups = 0;

        for letter in rest {
            let mut longer = Vec::new();
            for beginning in beginnings {
                for variant in variants(*letter) {
                    lookups += 1;
                    if lookups > MAX_LOOKUPS {
                        return Ok(None);
                    }
                    let key = [beginning.as_slice(), &[variant]].concat();
                    if self.has_key_below(collection, &key)? {
                        longer.push(key);
                    }
                }
            }
            beginnings = longer;
        }

        let mut found = Vec::new();
        for key in beginnings {
            // It may be the beginning of longer ids only.
            if self.get(collection.records, &key)?.is_some() {
                found.extend(String::from_utf8(key));
            }
        }
        Ok(Some(found))
    }

    fn has_key_below(&self, collection: Collection, beginning: &[u8]) -> Result<bool, StoreError> {
        let (lower, upper) = (beginning.to_vec(), trees::prefix_end(beginning));
        let mut entries = self.scan(collection.records, lower, upper, false, 1);
        entries.next().transpose().map(|entry| entry.is_some())
    }
}

fn variants(letter: u8) -> impl Iterator<Item = u8> {
    let (upper, lower) = (letter.to_ascii_uppercase(), letter.to_ascii_lowercase());
    std::iter::once(upper).chain((upper != lower).then_some(lower))
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::ids::AccountId,
        store::{Durability, INTEGRATIONS, Options, Store, StoreError},
    };
    use std::path::Path;

    fn open(folder: &Path) -> Store {
        let options = Options {
            cache_bytes: 1 << 20,
            index_bytes: 0,
            snapshot_bytes: 1 << 20,
            queue: 256,
            batch: 64,
            durability: Durability::Ephemeral,
            token_secret: Some("secret".into()),
            contention: None,
        };
        Store::open(folder, &options).unwrap()
    }

    #[test]
    fn ids_are_found_in_any_case() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let account = AccountId::parse("acc_a").unwrap();
        let ids = [
            "int_AbC1",
            "int_aBc1",
            "int_abc12",
            "int_xy",
            "int_Zz-_",
            "Int_abc1",
        ];

        actix_rt::System::new().block_on(async {
            for id in ids {
                let account = account.clone();
                let written = store.write(move |transaction| {
                    let number = transaction.next_tiny_id(INTEGRATIONS, &account)?;
                    let record = br#"{"sid":"acc_a","#.to_vec().into();
                    transaction.insert(INTEGRATIONS, &account, number, id, record)?;
                    Ok::<_, StoreError>(())
                });
                written.await.unwrap();
            }
        });

        let snapshot = store.snapshot().unwrap();
        let find = |id| snapshot.ids_in_any_case(INTEGRATIONS, id, 4).unwrap();
        for (id, expected) in [
            ("int_abc1", vec!["int_AbC1", "int_aBc1"]),
            ("int_XY", vec!["int_xy"]),
            ("int_zZ-_", vec!["int_Zz-_"]),
            ("int_ab", vec![]),
            ("int_none", vec![]),
            ("int_", vec![]),
        ] {
            assert_eq!(find(id).unwrap(), expected, "{id}");
        }
    }

    #[test]
    fn search_among_many_similar_ids_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let account = AccountId::parse("acc_a").unwrap();

        actix_rt::System::new().block_on(async {
            let written = store.write(move |transaction| {
                for number in 0..4_096_u64 {
                    let tail: String = (0..12)
                        .map(|bit| if number >> bit & 1 == 1 { 'A' } else { 'a' })
                        .collect();
                    let record = br#"{"sid":"acc_a","#.to_vec().into();
                    let id = format!("int_{tail}");
                    transaction.insert(INTEGRATIONS, &account, number + 1, &id, record)?;
                }
                Ok::<_, StoreError>(())
            });
            written.await.unwrap();
        });

        let snapshot = store.snapshot().unwrap();
        let found = snapshot.ids_in_any_case(INTEGRATIONS, "int_aaaaaaaaaaaa", 4);
        assert_eq!(found.unwrap(), None);
    }
}
