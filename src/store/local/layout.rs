//! The engine's files: their names, and the size of the log's segments.

/// The log, which has all data but large values. The engine locks it while the store is open.
pub(super) const LOG: &str = "db";
/// The segment size.
pub(super) const CONF: &str = "conf";
/// Folder of large values, each in a file of its own.
pub(super) const BLOBS: &str = "blobs";
/// Our own file, which exists beside the log for a moment during recovery.
pub(super) const PROBE_FILE: &str = "probe";

/// Segment size of a new store's log. Values up to a quarter of it stay in the log; larger ones get
/// files of their own, which the engine does not sync (see docs/storage.md, "Power cuts").
pub(super) const SEGMENT_BYTES: usize = 8 << 20;

/// The engine's default, which early stores were created with.
pub(super) const LEGACY_SEGMENT_BYTES: usize = 1 << 19;
