//! `/_local/snapshots` and `/_local/diff`: named states of an account.

use super::read_query;
use crate::domain::rejection::Rejection;
use crate::http::{error::ApiError, state::AppState, v3::response};
use crate::service::control::{
    ControlCaller, ControlWriter, ObjectDiff, SnapshotInfo, SnapshotName,
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    web::{self, Data},
};
use serde_json::{Value, json};
use std::future::{Ready, ready};

/// The name in the path.
pub(crate) struct SnapshotPath(SnapshotName);

impl FromRequest for SnapshotPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.match_info().get("name").unwrap_or_default();
        ready(SnapshotName::parse(name).map(Self).map_err(ApiError::from))
    }
}

/// `PUT /_local/snapshots/:name`
pub(crate) async fn take(
    writer: ControlWriter,
    path: SnapshotPath,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let control = state.control.clone();
    // Reads the whole account.
    let info = web::block(move || control.take_snapshot(&writer, path.0))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;
    Ok(response::json(encode(&info).to_string()))
}

/// `GET /_local/snapshots`
pub(crate) async fn list(caller: ControlCaller, state: Data<AppState>) -> HttpResponse {
    let snapshots = state.control.list_snapshots(&caller);
    let data: Vec<Value> = snapshots.iter().map(encode).collect();
    response::json(json!({ "data": data }).to_string())
}

/// `POST /_local/snapshots/:name/restore`
pub(crate) async fn restore(
    writer: ControlWriter,
    path: SnapshotPath,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.control.restore_snapshot(&writer, &path.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /_local/snapshots/:name`
pub(crate) async fn delete(
    writer: ControlWriter,
    path: SnapshotPath,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.control.delete_snapshot(&writer, &path.0)?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /_local/snapshots`
pub(crate) async fn delete_all(writer: ControlWriter, state: Data<AppState>) -> HttpResponse {
    state.control.delete_snapshots(&writer);
    HttpResponse::NoContent().finish()
}

/// `GET /_local/diff?from=a&to=b`
pub(crate) async fn diff(
    caller: ControlCaller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let query = read_query(&request, &["from", "to"])?;
    let name = |parameter| {
        let text: Option<&String> = query.get(parameter);
        text.map(|text| SnapshotName::parse(text)).transpose()
    };
    let (from, to) = (name("from")?, name("to")?);
    let from = from.ok_or_else(|| {
        Rejection::invalid("'from' is a required parameter: the name of a snapshot")
    })?;

    let control = state.control.clone();
    let diffs = web::block(move || control.diff(&caller, &from, to.as_ref()))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;
    let data: Vec<Value> = diffs.into_iter().map(encode_diff).collect();
    Ok(response::json(json!({ "data": data }).to_string()))
}

fn encode(info: &SnapshotInfo) -> Value {
    json!({
        "name": info.name.as_str(),
        "at": info.at,
        "objects": info.objects,
        "bytes": info.bytes,
    })
}

fn encode_diff(diff: ObjectDiff) -> Value {
    json!({
        "sid": diff.account,
        "collection": diff.collection,
        "id": diff.id,
        "change": diff.change.name(),
        "patch": diff.patch,
    })
}
