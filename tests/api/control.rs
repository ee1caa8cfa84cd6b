//! The control plane under `/_local/`.

mod access;
mod clock;
mod faults;
mod journal;
mod reset;
mod verify;
mod wait;
