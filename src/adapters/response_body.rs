//! The body of an HTTP response, for the few third parties that read it.

/// A body and its media type. The status is 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseBody {
    /// The `Content-Type`.
    pub content_type: &'static str,
    /// The text of the body.
    pub body: String,
}
