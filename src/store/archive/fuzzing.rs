//! Reads arbitrary bytes as lines of an export.

use super::format;

/// Reads a line as the first and as a later one. Asserts that a line that was read is written as a
/// verbatim line, which gives the same record.
pub(crate) fn read_line(data: &[u8]) {
    drop(format::read_header(data));
    let Ok(format::Line::Object(line)) = format::read(data) else {
        return;
    };

    let record = line.meta.canonical;
    let mut written = Vec::new();
    if format::write_object(&mut written, line.collection, &record.clone().into()).is_err() {
        return;
    }

    let written = written.trim_ascii_end();
    assert!(
        format::verbatim(written) == Some(&record[..]),
        "the line is written verbatim"
    );
    assert!(
        matches!(format::read(written), Ok(format::Line::Object(again))
            if again.is_verbatim && again.meta.canonical == record),
        "the line that was written is read as the same record"
    );
}
