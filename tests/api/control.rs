//! The control plane under `/_local/`.

mod access;
mod clock;
mod reset;
