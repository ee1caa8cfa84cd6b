//! `keys new` and `users new`: a fresh credential, shown once, and the block for `config.toml`,
//! which holds only a hash.

use super::Sentence;
use crate::{
    config::{AccountEntry, KeyEntry, Overrides, Settings, Sources, UserEntry},
    domain::ids::AccountId,
    ids::Ids,
    service::passwords,
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
        /// What the user types to log in
        #[arg(long, value_name = "NAME")]
        username: String,
        /// Read the password from the first line of standard input, in place of making one
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// The account: its sid (acc_…), or its name; a name that is not declared yet becomes a new
    /// account
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// Allow reading only
    #[arg(long)]
    read_only: bool,
    /// Configuration file, in which the account is looked up [default: config.toml, if there is
    /// one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What is pasted into `config.toml`.
#[derive(Default, Serialize)]
struct Block {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<AccountEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<KeyEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserEntry>,
}

pub(super) fn keys(KeysCommand::New(common): KeysCommand) -> Result<ExitCode, Sentence> {
    let (account, accounts) = account(&common, &settings(&common)?, &Ids::Random)?;
    let (id, secret) = (Ids::Random.key(), Ids::Random.secret());
    let shown = format!(
        "# Shown once. Send either\n#   Authorization: {id}.{secret}\n# or\n#   x-api-key: {id}\n#   x-api-secret: {secret}\n"
    );
    let key = KeyEntry::new(id, account, &secret, common.read_only);

    print(
        &shown,
        &Block {
            accounts,
            keys: vec![key],
            ..Block::default()
        },
    )
}

pub(super) fn users(command: UsersCommand) -> Result<ExitCode, Sentence> {
    let UsersCommand::New {
        common,
        username,
        password_stdin,
    } = command;

    if username.is_empty() {
        return Err(Sentence("--username must not be empty".into()));
    }

    let settings = settings(&common)?;
    if let Some(taken) = settings.users.iter().find(|user| user.username == username) {
        return Err(Sentence(format!(
            "there is a user '{username}' already, in account '{}'; choose another --username, or take that user's block out \
             of the configuration first",
            taken.account
        )));
    }

    let (account, accounts) = account(&common, &settings, &Ids::Random)?;
    let (password, shown) = if password_stdin {
        (
            first_line(io::stdin().lock())?,
            String::from("# The password is the one that was read from standard input.\n"),
        )
    } else {
        let password = Ids::Random.secret();
        let shown = format!(
            "# Shown once. Log in with\n#   {{\"username\":{username:?},\"password\":\"{password}\"}}\n"
        );
        (password, shown)
    };

    let password_argon2 = passwords::hash(&password).map_err(Sentence)?;
    let user = UserEntry {
        id: Ids::Random.user(),
        username,
        account,
        password_argon2,
        read_only: common.read_only,
    };

    print(
        &shown,
        &Block {
            accounts,
            users: vec![user],
            ..Block::default()
        },
    )
}

fn settings(common: &Common) -> Result<Settings, Sentence> {
    let overrides = Overrides {
        config: common.config.clone(),
        ..Overrides::default()
    };
    Ok(Sources::of_process(overrides).load()?)
}

/// The account that is meant, and its block if it has to be declared first.
fn account(
    common: &Common,
    settings: &Settings,
    ids: &Ids,
) -> Result<(AccountId, Vec<AccountEntry>), Sentence> {
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
            return Err(Sentence(format!("--account {fault}, or a name")));
        }
        Err(_) => AccountEntry {
            sid: ids.account(),
            name: wanted.to_owned(),
        },
    };

    Ok((new.sid.clone(), vec![new]))
}

fn first_line(mut input: impl BufRead) -> Result<String, Sentence> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Sentence("there is no password on standard input".into()));
    }
    Ok(password.to_owned())
}

fn print(shown: &str, block: &Block) -> Result<ExitCode, Sentence> {
    let block = toml::to_string(block)?;
    write!(
        io::stdout(),
        "{shown}# Paste this into config.toml; it holds only a hash:\n\n{block}"
    )?;
    Ok(ExitCode::SUCCESS)
}
