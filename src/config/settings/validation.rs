//! Validation that the types of the settings do not express.

use super::{Mode, Settings};
use crate::{config::ConfigError, domain::endpoint::Endpoint};

impl Settings {
    /// Validates what the types of the settings do not.
    pub(in crate::config) fn validate(&self) -> Result<(), ConfigError> {
        self.check_listen()?;
        self.mail_address()?;
        self.check_ranges()?;
        self.allowed_hosts()?;
        self.allowed_origins()?;
        self.check_test_token()?;
        self.tls.check()?;
        self.initial_clock()?;
        self.initial_seed()?;
        self.directory().map(drop)
    }

    /// Refuses numbers out of range, which would otherwise fail later without naming the setting.
    fn check_ranges(&self) -> Result<(), ConfigError> {
        let refused = self.ranges().find(|range| !range.holds());
        refused.map_or(Ok(()), |range| Err(ConfigError::new(range.to_string())))
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
