//! What is done beside serving requests, for as long as the server runs.

use crate::service::retention::Retention;
use std::time::Duration;

/// Takes away what is old, now and then again and again.
pub(super) async fn sweep(retention: Retention, pause: Duration) {
    loop {
        match retention.sweep().await {
            Ok(0) => {}
            Ok(objects) => log::info!(objects; "Old alerts and logs were taken away"),
            Err(cause) => log::warn!(cause:display; "Old alerts and logs could not be taken away; this is tried again"),
        }
        actix_rt::time::sleep(pause).await;
    }
}
