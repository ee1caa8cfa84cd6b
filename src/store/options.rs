//! How a store is opened.

/// Whether commits survive the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is synced to disk before it is acknowledged.
    Synced,
    /// Nothing is synced: the store is deleted with the process.
    Ephemeral,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Size of the engine's page cache, in bytes.
    pub cache_bytes: u64,
    /// Memory budget of the in-memory indexes, in bytes; 0 disables them.
    pub index_bytes: u64,
    /// Memory budget for old values that snapshots still need, in bytes. Beyond it, the oldest
    /// snapshots expire.
    pub snapshot_bytes: u64,
    /// Capacity of the command queue. A command that finds it full is refused.
    pub queue: usize,
    /// Maximum number of commands in one commit. With more than 64, the engine failed to open after
    /// a power cut.
    pub batch: usize,
    /// Whether commits are synced.
    pub durability: Durability,
    /// The token secret for a store that has to be created. Without one, none is created.
    pub token_secret: Option<String>,
    /// Seed of random conflicts, for tests that commands can run again; `None` for a real store.
    pub contention: Option<u64>,
}
