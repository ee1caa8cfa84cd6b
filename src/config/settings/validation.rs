//! Validation that the types of the settings do not express.

use super::{Mode, Settings};
use crate::{config::ConfigError, domain::endpoint::Endpoint};

/// Bytes.
const MIB: u64 = 1 << 20;
/// Bytes.
const TIB: u64 = 1 << 40;
/// Seconds.
const DAY_SECONDS: u64 = 86_400;
/// Characters of `test.token`.
const TEST_TOKEN_LEN: std::ops::RangeInclusive<usize> = 8..=128;

impl Settings {
    /// Validates what the types of the settings do not.
    pub(in crate::config) fn validate(&self) -> Result<(), ConfigError> {
        self.check_listen()?;
        self.mail_address()?;
        self.check_ranges()?;
        self.allowed_hosts()?;
        self.allowed_origins()?;
        self.check_test_token()?;
        self.check_tls()?;
        self.initial_clock()?;
        self.directory().map(drop)
    }

    fn check_tls(&self) -> Result<(), ConfigError> {
        let tls = &self.tls;
        let has_certificate = !tls.certificate.as_os_str().is_empty();
        if has_certificate == tls.key.as_os_str().is_empty() {
            return Err(ConfigError::new(
                "tls.certificate and tls.key belong together: set both, or neither",
            ));
        }
        if has_certificate && tls.generate {
            return Err(ConfigError::new(
                "tls.generate and --tls create a certificate, but tls.certificate names one; use one of the two",
            ));
        }
        if !tls.generate && !tls.ca_file.as_os_str().is_empty() {
            return Err(ConfigError::new(
                "tls.ca_file and --tls-ca-file need tls.generate or --tls, which create the authority",
            ));
        }
        Ok(())
    }

    /// Refuses numbers out of range, which would otherwise fail later without naming the setting.
    fn check_ranges(&self) -> Result<(), ConfigError> {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let Self {
            workers,
            auth,
            limits,
            store,
            retention,
            outgoing,
            smtp,
            shutdown,
            ..
        } = self;
        let ranges = [
            ("workers", count(*workers), 0, 512),
            (
                "auth.token_seconds",
                auth.token_seconds.into(),
                1,
                3_650 * DAY_SECONDS,
            ),
            ("limits.body_bytes", count(limits.body_bytes), 1, 64 * MIB),
            ("limits.url_bytes", count(limits.url_bytes), 64, 65_536),
            ("limits.head_seconds", limits.head_seconds, 1, DAY_SECONDS),
            ("limits.body_seconds", limits.body_seconds, 1, DAY_SECONDS),
            ("limits.idle_seconds", limits.idle_seconds, 1, DAY_SECONDS),
            ("limits.connections", count(limits.connections), 1, 1 << 20),
            ("store.cache_bytes", store.cache_bytes, MIB, TIB),
            ("store.list_cache_bytes", store.list_cache_bytes, 0, TIB),
            ("store.index_bytes", store.index_bytes, 0, TIB),
            ("store.snapshot_bytes", store.snapshot_bytes, MIB, TIB),
            ("store.queue", count(store.queue), 1, 1 << 20),
            // After a power cut the engine failed to open stores with larger commits.
            ("store.batch", count(store.batch), 1, 64),
            ("retention.alert_days", retention.alert_days, 0, 36_500),
            ("retention.log_days", retention.log_days, 0, 36_500),
            (
                "retention.sweep_seconds",
                retention.sweep_seconds,
                1,
                DAY_SECONDS,
            ),
            ("outgoing.attempts", outgoing.attempts.into(), 1, 100),
            (
                "outgoing.first_retry_seconds",
                outgoing.first_retry_seconds,
                1,
                3_600,
            ),
            ("outgoing.timeout_seconds", outgoing.timeout_seconds, 1, 300),
            ("outgoing.queue", outgoing.queue, 1, 1_000_000),
            ("outgoing.senders", count(outgoing.senders), 1, 1_000),
            (
                "smtp.message_bytes",
                count(smtp.message_bytes),
                1_024,
                64 * MIB,
            ),
            ("smtp.connections", count(smtp.connections), 1, 1_024),
            ("smtp.idle_seconds", smtp.idle_seconds, 1, 3_600),
            ("shutdown.drain_seconds", shutdown.drain_seconds, 0, 3_600),
        ];

        match ranges
            .into_iter()
            .find(|(_, value, min, max)| !(min..=max).contains(&value))
        {
            None => Ok(()),
            Some((name, value, min, max)) => Err(ConfigError::new(format!(
                "'{name}' must be from {min} to {max}, but was {value}"
            ))),
        }
    }

    /// The token is all that guards the control plane on an address that other machines can reach.
    fn check_test_token(&self) -> Result<(), ConfigError> {
        let token = &self.test.token;
        let is_valid = TEST_TOKEN_LEN.contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || is_valid {
            return Ok(());
        }

        let (min, max) = TEST_TOKEN_LEN.into_inner();
        Err(ConfigError::new(format!(
            "'test.token' must have {min} to {max} visible ASCII characters, or be empty"
        )))
    }

    /// The endpoints to listen on, at least one.
    ///
    /// # Errors
    /// An entry is malformed, or a name does not resolve.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, ConfigError> {
        self.listen.endpoints()
    }

    /// Validates `listen` together with the settings that depend on it.
    fn check_listen(&self) -> Result<(), ConfigError> {
        let endpoints = self.endpoints()?;
        if let Some(reachable) = endpoints.iter().find(|endpoint| !endpoint.is_local())
            && self.auth.mode == Mode::Open
            && !self.open_to_network
        {
            return Err(ConfigError::new(format!(
                "'listen' has {reachable}, which other machines can reach, and open mode accepts any credential: declare keys and set auth.mode = \"keys\", or pass --open-to-network"
            )));
        }

        if !self.port_file.as_os_str().is_empty()
            && endpoints.iter().all(|endpoint| endpoint.tcp().is_none())
        {
            return Err(ConfigError::new(
                "'port_file' requires an address with a port in 'listen', which has only Unix sockets",
            ));
        }

        Ok(())
    }
}
