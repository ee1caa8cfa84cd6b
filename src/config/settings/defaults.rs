//! The default of every setting. `config.toml` documents the same values.

use super::{
    AuthSettings, CorsSettings, EgressSetting, LimitsSettings, Listen, LogFormat, LogSettings,
    Mode, OutgoingSettings, RetentionSettings, Settings, ShutdownSettings, SmtpSettings,
    StoreSettings, TestSettings, TlsSettings,
};
use std::path::PathBuf;

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7_243),
            data: "data".into(),
            ephemeral: false,
            strict: false,
            open_to_network: false,
            allowed_hosts: Vec::new(),
            port_file: PathBuf::new(),
            workers: 0,
            auth: AuthSettings::default(),
            limits: LimitsSettings::default(),
            store: StoreSettings::default(),
            retention: RetentionSettings::default(),
            outgoing: OutgoingSettings::default(),
            tls: TlsSettings::default(),
            smtp: SmtpSettings::default(),
            cors: CorsSettings::default(),
            log: LogSettings::default(),
            shutdown: ShutdownSettings::default(),
            test: TestSettings::default(),
            accounts: Vec::new(),
            keys: Vec::new(),
            users: Vec::new(),
        }
    }
}

impl Default for OutgoingSettings {
    fn default() -> Self {
        Self {
            reach: EgressSetting::Auto,
            attempts: 10,
            first_retry_seconds: 5,
            timeout_seconds: 15,
            queue: 10_000,
            senders: 100,
            confirm_subscriptions: false,
        }
    }
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            listen: String::new(),
            message_bytes: 4_194_304,
            connections: 32,
            idle_seconds: 300,
        }
    }
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            alerts: 0,
            alert_days: 365,
            logs: 100_000,
            log_days: 30,
            sweep_seconds: 60,
        }
    }
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Open,
            token_seconds: 86_400,
        }
    }
}

impl Default for LimitsSettings {
    fn default() -> Self {
        Self {
            body_bytes: 1_048_576,
            url_bytes: 8_192,
            head_seconds: 10,
            body_seconds: 30,
            idle_seconds: 75,
            connections: 10_000,
            requests_per_minute: 0,
            logins_per_minute: 60,
            events_per_minute: 0,
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            cache_bytes: 134_217_728,
            list_cache_bytes: 16_777_216,
            index_bytes: 134_217_728,
            snapshot_bytes: 134_217_728,
            queue: 4_096,
            batch: 64,
        }
    }
}

impl Default for CorsSettings {
    fn default() -> Self {
        Self {
            origins: vec!["auto".into()],
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            requests: true,
        }
    }
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self { drain_seconds: 10 }
    }
}
