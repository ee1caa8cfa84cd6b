//! Builds the part of the state that a reload replaces.

use crate::{
    clock::Clock,
    config::{ConfigError, Settings},
    domain::body::Strictness,
    http::LiveSettings,
    service::{
        authentication::{AuthLimits, Authenticator},
        throttle::Throttle,
        tokens::Tokens,
    },
};

/// Builds the live state from the settings. Rate limit counters carry over from `before`.
///
/// # Errors
/// A setting is wrong.
pub(super) fn of(
    settings: &Settings,
    tokens: &Tokens,
    clock: &Clock,
    before: Option<&LiveSettings>,
) -> Result<LiveSettings, ConfigError> {
    let limits = AuthLimits {
        token_lifetime: settings.auth.token_seconds,
        requests_per_minute: settings.limits.requests_per_minute,
        logins_per_minute: settings.limits.logins_per_minute,
    };

    Ok(LiveSettings {
        authenticator: Authenticator::new(
            settings.directory()?,
            tokens.clone(),
            clock.clone(),
            limits,
            before.map(|before| &*before.authenticator),
        ),
        events: Throttle::reloaded(
            before.map(|before| &before.events),
            clock,
            settings.limits.events_per_minute,
            "events",
            "events of this integration",
        ),
        strictness: if settings.strict {
            Strictness::Strict
        } else {
            Strictness::Lenient
        },
        body_bytes: settings.limits.body_bytes,
        message_bytes: settings.smtp.message_bytes,
        body_seconds: settings.limits.body_seconds,
        url_bytes: settings.limits.url_bytes,
        allowed_hosts: settings.allowed_hosts()?,
        allowed_origins: settings.allowed_origins()?,
        log_requests: settings.log.requests,
    })
}
