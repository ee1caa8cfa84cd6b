//! What the HTTP answer to a delivery says, for the few third parties that read it.

/// A body and what it is. The status is 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its Content-Type.
    pub content_type: &'static str,
    /// Itself.
    pub body: String,
}
