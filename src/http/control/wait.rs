//! `GET /_local/wait`: answers as soon as enough objects or requests match.
//!
//! A waiting request is a future that the store or the journal wakes. It costs no thread, and ends
//! when its client disconnects or the server drains.

use super::{query::SplitQuery, requests};
use crate::http::{
    error::ApiError,
    state::AppState,
    transport::connection_state::ConnectionState,
    v3::{lists, response},
};
use crate::{
    domain::{duration, ids::AccountId, list::ListQuery, rejection::Rejection},
    service::{
        control::{ControlCaller, ControlScope, Journal, near_misses, request_name},
        lists::{ListPage, Lists},
    },
    store::Stored,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::time::Duration;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_TIMEOUT: Duration = Duration::from_secs(600);
/// The latest objects are candidates for near misses.
const CANDIDATES_QUERY: &str = "limit=100&sortdirection=DESC";

/// Logs of attempts to deliver a webhook.
const WEBHOOK_FILTER: &str = "subtype=OUTGOING";

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Alert,
    Integration,
    Log,
    Request,
    /// An attempt to deliver a webhook, which leaves a log.
    Webhook,
}

impl Awaited {
    const NAMES: [(&str, Self); 5] = [
        ("alert", Self::Alert),
        ("integration", Self::Integration),
        ("log", Self::Log),
        ("request", Self::Request),
        ("webhook", Self::Webhook),
    ];

    fn parse(text: Option<&str>) -> Result<Self, Rejection> {
        let names = || Self::NAMES.map(|(name, _)| name).join(", ");
        let text = text.ok_or_else(|| {
            Rejection::invalid(format!("'for' is required; it must be one of {}", names()))
        })?;
        let found = Self::NAMES.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, awaited)| awaited).ok_or_else(|| {
            Rejection::invalid(format!(
                "'for' must be one of {}, but was '{}'",
                names(),
                crate::domain::body::excerpt(text)
            ))
        })
    }

    fn name(self) -> &'static str {
        let known = Self::NAMES
            .into_iter()
            .find(|(_, awaited)| *awaited == self);
        known.map_or("object", |(name, _)| name)
    }
}

/// A parsed wait.
struct WaitRequest {
    awaited: Awaited,
    count: u64,
    timeout: Duration,
    /// The query of the list.
    list: String,
}

impl WaitRequest {
    fn parse(raw_query: &str) -> Result<Self, Rejection> {
        let query = SplitQuery::new(raw_query, &["for", "count", "timeout"])?;
        let awaited = Awaited::parse(query.get("for"))?;
        let list = match awaited {
            Awaited::Webhook if query.list.is_empty() => WEBHOOK_FILTER.to_owned(),
            Awaited::Webhook => format!("{}&{WEBHOOK_FILTER}", query.list),
            Awaited::Alert | Awaited::Integration | Awaited::Log | Awaited::Request => {
                query.list.clone()
            }
        };

        Ok(Self {
            awaited,
            count: parse_count(query.get("count"))?,
            timeout: parse_timeout(query.get("timeout"))?,
            list,
        })
    }

    /// The message when the time is over.
    fn summary(&self, found: u64) -> String {
        let noun = self.awaited.name();
        let seconds = self.timeout.as_secs_f64();
        format!(
            "{found} of {} {noun}s matched within {seconds} s",
            self.count
        )
    }
}

fn parse_count(text: Option<&str>) -> Result<u64, Rejection> {
    let Some(text) = text else { return Ok(1) };
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        Rejection::invalid(format!(
            "'count' must be a whole number of at least 1, but was '{}'",
            crate::domain::body::excerpt(text)
        ))
    })
}

fn parse_timeout(text: Option<&str>) -> Result<Duration, Rejection> {
    let Some(text) = text else {
        return Ok(DEFAULT_TIMEOUT);
    };

    let value = text
        .parse::<i64>()
        .map_or_else(|_| Value::from(text), Value::from);
    let millis = duration::parse_millis(&value)
        .map_err(|error| Rejection::invalid(format!("'timeout' {error}")))?;
    u64::try_from(millis)
        .ok()
        .map(Duration::from_millis)
        .filter(|timeout| *timeout <= MAX_TIMEOUT)
        .ok_or_else(|| {
            Rejection::invalid(format!(
                "'timeout' must be from 0 to {} seconds, but was '{text}'",
                MAX_TIMEOUT.as_secs()
            ))
        })
}

/// `GET /_local/wait`
pub(crate) async fn wait(
    caller: ControlCaller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let wait = WaitRequest::parse(request.query_string())?;
    let source = AwaitedList::new(&wait, caller.scope(), &state)?;
    let connection = request
        .conn_data::<ConnectionState>()
        .cloned()
        .unwrap_or_default();

    let page = tokio::select! {
        // An answer that is there already needs no timers.
        biased;
        page = source.until_found(&wait, &state) => page?,
        // The last look counts, however short the timeout.
        () = actix_rt::time::sleep(wait.timeout) => source.page(&wait.list, &state).await?,
        () = state.drain.begun() => return Err(ApiError::Draining),
        () = connection.disconnected() => return Err(ApiError::Disconnected),
    };

    if page.total < wait.count {
        return Err(ApiError::Unmet {
            status: StatusCode::REQUEST_TIMEOUT,
            messages: source.misses(&wait, page.total, &state).await?,
        });
    }

    let links = lists::links(&request, &page);
    let owner = requests::owner(caller.scope());
    Ok(response::list(&request, owner, &page, links))
}

/// Where the awaited things are listed.
enum AwaitedList<'a> {
    Journal {
        journal: Journal,
        scope: ControlScope,
        query: ListQuery,
    },
    Store {
        lists: &'a Lists,
        account: AccountId,
        query: ListQuery,
    },
}

impl<'a> AwaitedList<'a> {
    fn new(
        wait: &WaitRequest,
        scope: &ControlScope,
        state: &'a AppState,
    ) -> Result<Self, ApiError> {
        let lists = match wait.awaited {
            Awaited::Alert => state.alerts.lists(),
            Awaited::Integration => state.integrations.lists(),
            Awaited::Log | Awaited::Webhook => state.logs.lists(),
            Awaited::Request => {
                let journal = state.control.journal().clone();
                journal.start(scope);
                return Ok(Self::Journal {
                    query: journal.parse(&wait.list)?,
                    scope: scope.clone(),
                    journal,
                });
            }
        };

        match scope {
            ControlScope::Account(account) => Ok(Self::Store {
                lists,
                account: account.clone(),
                query: lists.parse(&wait.list)?,
            }),
            ControlScope::AllAccounts => Err(Rejection::invalid(format!(
                "Waiting for '{}' needs the credential of one account; only 'request' can be \
                 awaited in all accounts",
                wait.awaited.name()
            ))
            .into()),
        }
    }

    /// The list, as soon as enough objects match.
    async fn until_found(
        &self,
        wait: &WaitRequest,
        state: &AppState,
    ) -> Result<ListPage, ApiError> {
        loop {
            // Both before the list is read, so that no change after it is missed.
            let version = state.store.version();
            let last_number = state.control.journal().last_number();
            let last_change = match self {
                Self::Store { account, .. } => state.store.last_change(account),
                Self::Journal { .. } => 0,
            };

            let page = self.page(&wait.list, state).await?;
            if page.total >= wait.count {
                return Ok(page);
            }

            match self {
                Self::Journal { journal, scope, .. } => {
                    journal.recorded_since(scope, last_number).await;
                }
                Self::Store { account, .. } => {
                    changed(state, account, version, last_change).await;
                }
            }
        }
    }

    async fn page(&self, raw_query: &str, state: &AppState) -> Result<ListPage, ApiError> {
        match self {
            Self::Store { lists, account, .. } => {
                lists::find_page(raw_query, lists, &state.searches, account).await
            }
            Self::Journal {
                journal,
                scope,
                query,
            } => {
                let (journal, scope, query) = (journal.clone(), scope.clone(), query.clone());
                let listed = web::block(move || journal.list(&scope, &query)).await;
                Ok(listed.map_err(|error| ApiError::Internal(error.to_string()))??)
            }
        }
    }

    /// Why the nearest candidates do not match.
    async fn misses(
        &self,
        wait: &WaitRequest,
        found: u64,
        state: &AppState,
    ) -> Result<Vec<String>, ApiError> {
        let (records, filters) = match self {
            Self::Journal {
                journal,
                scope,
                query,
            } => (journal.entries(scope), query.filters.clone()),
            Self::Store { query, .. } => {
                let latest = self.page(CANDIDATES_QUERY, state).await?;
                (records_of(&latest), query.filters.clone())
            }
        };

        let is_request = wait.awaited == Awaited::Request;
        let noun = wait.awaited.name();
        let described = web::block(move || {
            near_misses(&records, &filters, |record| match is_request {
                true => request_name(record),
                false => format!("{noun} {}", id_of(record)),
            })
        });
        let misses = described
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))??;

        Ok(std::iter::once(wait.summary(found)).chain(misses).collect())
    }
}

/// Waits until the account has changed since `version`.
async fn changed(state: &AppState, account: &AccountId, version: u64, last_change: u64) {
    let mut seen = version;
    loop {
        seen = state.store.changed_since(seen).await;
        if state.store.last_change(account) != last_change {
            return;
        }
    }
}

/// The records of an encoded page, the latest last.
fn records_of(page: &ListPage) -> Vec<Stored> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Vec<&'a RawValue>,
    }

    let envelope = serde_json::from_slice::<Envelope<'_>>(&page.body);
    let records = envelope.map(|envelope| envelope.data).unwrap_or_default();
    let records = records.into_iter().rev();
    records
        .map(|record| Stored::from(record.get().as_bytes().to_vec()))
        .collect()
}

fn id_of(record: &Stored) -> String {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    serde_json::from_slice::<Identified>(record.as_ref())
        .map_or_else(|_| "without an id".to_owned(), |identified| identified.id)
}
