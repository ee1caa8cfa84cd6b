//! `keys new` and `users new`: print a new credential once, with the block for `config.toml`, which
//! contains only a hash.

use super::CliError;
use crate::{
    config::{AccountEntry, KeyEntry, Overrides, Settings, Sources, UserEntry},
    domain::{ids::AccountId, passwords},
    ids::Ids,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Print a new key and the block to paste into config.toml
    New(Common),
}

#[derive(Debug, Subcommand)]
pub(super) enum UsersCommand {
    /// Print a new user's password and the block to paste into config.toml
    New {
        #[command(flatten)]
        common: Common,
        /// User name for the login
        #[arg(long, value_name = "NAME")]
        username: String,
        /// Read the password from the first line of standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// The account's sid (acc_…) or name; an undeclared name becomes a new account
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// Allow only requests that read
    #[arg(long)]
    read_only: bool,
    /// Configuration file in which to look up the account [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The block to paste into `config.toml`.
#[derive(Default, Serialize)]
struct ConfigBlock {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<AccountEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<KeyEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserEntry>,
}

pub(super) fn keys(KeysCommand::New(common): KeysCommand) -> Result<ExitCode, CliError> {
    let (account, accounts) = account(&common, &settings(&common)?, &Ids::Random)?;
    let (id, secret) = (Ids::Random.key(), Ids::Random.secret());
    let shown = format!(
        "# Shown once. Send either\n#   Authorization: {id}.{secret}\n# or\n#   x-api-key: {id}\n#   x-api-secret: {secret}\n"
    );
    let key = KeyEntry::new(id, account, &secret, common.read_only);

    print(
        &shown,
        &ConfigBlock {
            accounts,
            keys: vec![key],
            ..ConfigBlock::default()
        },
    )
}

pub(super) fn users(command: UsersCommand) -> Result<ExitCode, CliError> {
    let UsersCommand::New {
        common,
        username,
        password_stdin,
    } = command;

    if username.is_empty() {
        return Err(CliError("--username must not be empty".into()));
    }

    let settings = settings(&common)?;
    if let Some(taken) = settings.users.iter().find(|user| user.username == username) {
        return Err(CliError(format!(
            "user '{username}' already exists in account '{}'; choose another --username, or remove that user from the configuration first",
            taken.account
        )));
    }

    let (account, accounts) = account(&common, &settings, &Ids::Random)?;
    let (password, shown) = if password_stdin {
        (
            first_line(io::stdin().lock())?,
            String::from("# The password is the one read from standard input.\n"),
        )
    } else {
        let password = Ids::Random.secret();
        let shown = format!(
            "# Shown once. Log in with\n#   {{\"username\":{username:?},\"password\":\"{password}\"}}\n"
        );
        (password, shown)
    };

    let password_argon2 = passwords::hash(&password).map_err(CliError)?;
    let user = UserEntry {
        id: Ids::Random.declared_user(),
        username,
        account,
        password_argon2,
        read_only: common.read_only,
    };

    print(
        &shown,
        &ConfigBlock {
            accounts,
            users: vec![user],
            ..ConfigBlock::default()
        },
    )
}

fn settings(common: &Common) -> Result<Settings, CliError> {
    let overrides = Overrides {
        config: common.config.clone(),
        ..Overrides::default()
    };
    Ok(Sources::of_process(overrides).load()?)
}

/// The account that the arguments name, and its block if it is not declared yet.
fn account(
    common: &Common,
    settings: &Settings,
    ids: &Ids,
) -> Result<(AccountId, Vec<AccountEntry>), CliError> {
    let wanted = common.account.as_str();
    let declared = settings
        .accounts
        .iter()
        .find(|account| account.sid.as_str() == wanted || account.name == wanted);

    if let Some(account) = declared.filter(|_| !wanted.is_empty()) {
        return Ok((account.sid.clone(), Vec::new()));
    }

    let new = match AccountId::parse(wanted) {
        Ok(sid) => AccountEntry {
            sid,
            name: String::new(),
        },
        Err(fault) if wanted.is_empty() || wanted.starts_with(AccountId::PREFIX) => {
            return Err(CliError(format!("--account {fault}, or a name")));
        }
        Err(_) => AccountEntry {
            sid: ids.account(),
            name: wanted.to_owned(),
        },
    };

    Ok((new.sid.clone(), vec![new]))
}

fn first_line(mut input: impl BufRead) -> Result<String, CliError> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(CliError("standard input contains no password".into()));
    }
    Ok(password.to_owned())
}

fn print(shown: &str, block: &ConfigBlock) -> Result<ExitCode, CliError> {
    let block = toml::to_string(block)?;
    write!(
        io::stdout(),
        "{shown}# Paste this into config.toml; it holds only a hash:\n\n{block}"
    )?;
    Ok(ExitCode::SUCCESS)
}
