//! The journal: the latest requests of each account with their responses, in memory.
//!
//! An account is recorded from the first time that a test asks for its journal, or from the start
//! with the setting `test.journal`.

use super::{
    ControlScope,
    hooks::{RequestHook, RequestHooks},
};
use crate::{
    domain::{
        account_rings::{AccountRings, RingLimits, RingOwner},
        entity_tag::EntityTag,
        list::ListQuery,
        recorded_request::{RecordedRequest, SCHEMA},
        rejection::Rejection,
        request_match::stored_name,
    },
    service::{
        lists::{EncodePage, ListPage, in_memory},
        objects::unreadable,
    },
    store::{StoreError, Stored},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The journals of all accounts. Clones share them.
#[derive(Clone, Debug)]
pub struct Journal(Arc<JournalFields>);

#[derive(Debug)]
struct JournalFields {
    state: Mutex<JournalState>,
    /// The number of the last entry of any account.
    last_number: watch::Sender<u64>,
    hooks: RequestHooks,
    encode: EncodePage,
}

#[derive(Debug)]
struct JournalState {
    rings: AccountRings<Stored>,
    /// Whether every account is recorded, also one that has not asked.
    records_all: bool,
}

/// What the journal keeps, and when it begins.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// How much it keeps.
    pub limits: RingLimits,
    /// Whether it records every account from the start.
    pub is_on: bool,
    /// Encodes pages of entries.
    pub encode: EncodePage,
}

impl Journal {
    /// An empty journal.
    pub(super) fn new(options: JournalOptions, hooks: RequestHooks) -> Self {
        hooks.set(RequestHook::Journal, options.is_on);
        Self(Arc::new(JournalFields {
            state: Mutex::new(JournalState {
                rings: AccountRings::new(options.limits),
                records_all: options.is_on,
            }),
            last_number: watch::Sender::new(0),
            hooks,
            encode: options.encode,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, JournalState> {
        // Every change of the state is complete before anything can panic.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the accounts of a scope from now on. Returns whether they were recorded already.
    pub fn start(&self, scope: &ControlScope) -> bool {
        let mut state = self.lock();
        let was_on = state.records_all;
        let was_on = match scope {
            ControlScope::Account(account) => {
                let is_new = state.rings.open(Some(account.clone()));
                was_on || !is_new
            }
            ControlScope::AllAccounts => {
                state.records_all = true;
                was_on
            }
        };
        self.0.hooks.set(RequestHook::Journal, true);
        was_on
    }

    /// Whether an account is recorded.
    pub fn is_recording(&self, account: &RingOwner) -> bool {
        let state = self.lock();
        state.records_all || state.rings.is_open(account)
    }

    /// Records a request.
    ///
    /// # Errors
    /// The request cannot be encoded.
    pub fn record(&self, request: &RecordedRequest) -> Result<(), StoreError> {
        let record = Stored::from(serde_json::to_vec(request).map_err(unreadable)?);
        let bytes = record.as_ref().len();
        let number = {
            let mut state = self.lock();
            if state.records_all {
                state.rings.open(request.sid.clone());
            }
            state.rings.push(&request.sid, record, bytes);
            state.rings.last_number()
        };

        // After the entry is in its ring, so that a reader of the number finds it.
        self.0.last_number.send_if_modified(|last| {
            let is_later = number > *last;
            *last = number.max(*last);
            is_later
        });
        Ok(())
    }

    /// The entries of a scope, oldest first.
    pub fn entries(&self, scope: &ControlScope) -> Vec<Stored> {
        let state = self.lock();
        match scope {
            ControlScope::Account(account) => {
                let owner = Some(account.clone());
                let items = state.rings.items(&owner);
                items.map(|entry| entry.item.clone()).collect()
            }
            ControlScope::AllAccounts => {
                let items = state.rings.all_items().into_iter();
                items.map(|entry| entry.item).collect()
            }
        }
    }

    /// Parses a list query over entries. Members of a JSON body are named without `json`.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn parse(&self, raw_query: &str) -> Result<ListQuery, Rejection> {
        ListQuery::parse(SCHEMA, &with_stored_names(raw_query))
    }

    /// A page of the entries of a scope. May take long.
    ///
    /// # Errors
    /// An entry cannot be read.
    pub fn list(&self, scope: &ControlScope, query: &ListQuery) -> Result<ListPage, StoreError> {
        let found = in_memory::find(&self.entries(scope), query)?;
        let body = (self.0.encode)(&found, query).map_err(unreadable)?;
        Ok(ListPage {
            tag: EntityTag::of(&body),
            body,
            page: query.page,
            total: found.total,
        })
    }

    /// Removes the entries of a scope, which is recorded from now on.
    pub fn clear(&self, scope: &ControlScope) {
        self.start(scope);
        let mut state = self.lock();
        match scope {
            ControlScope::Account(account) => state.rings.clear(&Some(account.clone())),
            ControlScope::AllAccounts => state.rings.clear_all(),
        }
    }

    /// Removes the entries of an account, if it is recorded.
    pub(super) fn forget(&self, account: &RingOwner) {
        self.lock().rings.clear(account);
    }

    /// The number of the last entry of any account.
    pub fn last_number(&self) -> u64 {
        *self.0.last_number.borrow()
    }

    /// Waits until there is an entry of the scope after this number.
    pub async fn recorded_since(&self, scope: &ControlScope, number: u64) {
        let mut numbers = self.0.last_number.subscribe();
        let concerns = |last: &u64| match scope {
            ControlScope::AllAccounts => *last > number,
            // Entries of other accounts must not make this one read its journal again.
            ControlScope::Account(account) => {
                *last > number && self.lock().rings.last_number_of(&Some(account.clone())) > number
            }
        };
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ignored = numbers.wait_for(concerns).await;
    }
}

/// The query with the names of attributes as entries store them.
fn with_stored_names(raw_query: &str) -> String {
    let signed = |name: &str| {
        let rest = name.trim_start_matches(['-', '+', ' ']);
        let sign = name.strip_suffix(rest).unwrap_or_default();
        format!("{sign}{}", stored_name(rest))
    };

    let mut rewritten = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
        let value = match name.as_ref() {
            "ops" => {
                let pairs = value.split(',').map(|pair| match pair.rsplit_once(':') {
                    Some((name, operator)) => format!("{}:{operator}", stored_name(name.trim())),
                    None => pair.to_owned(),
                });
                pairs.collect::<Vec<_>>().join(",")
            }
            "sort" => value.split(',').map(signed).collect::<Vec<_>>().join(","),
            _ => value.into_owned(),
        };
        rewritten.append_pair(&stored_name(&name), &value);
    }
    rewritten.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_body_are_named_without_json() {
        let rewritten =
            with_stored_names("body.a=1&body.text=x&ops=body.a:gt,method:ne&sort=-body.b,at");
        let pairs: Vec<_> = form_urlencoded::parse(rewritten.as_bytes())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            pairs,
            [
                "body.json.a=1",
                "body.text=x",
                "ops=body.json.a:gt,method:ne",
                "sort=-body.json.b,at"
            ]
        );
    }
}
