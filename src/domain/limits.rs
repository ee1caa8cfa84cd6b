//! Size limits of alerts. Requests beyond them are refused; events of third parties are truncated.

/// Maximum length of a title, in characters.
pub const MAX_TITLE_LEN: usize = 1024;
/// Maximum length of a description in characters, and of metadata or an additional field in bytes.
pub const MAX_DESCRIPTION_LEN: usize = 65_536;
/// Maximum length of a third-party id, in characters.
pub const MAX_THIRDPARTY_ID_LEN: usize = 1024;
/// Maximum length of a tag, in characters.
pub const MAX_TAG_LEN: usize = 255;
/// Maximum number of tags.
pub const MAX_TAGS: usize = 100;
/// Maximum number of additional fields.
pub const MAX_ADDITIONAL_DATA: usize = 100;

/// Truncates a text to `max` characters.
pub fn truncate(text: &mut String, max: usize) {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
    }
}
