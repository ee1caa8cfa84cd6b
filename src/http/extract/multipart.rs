//! Fields of multipart forms, as some third parties send them.

use crate::{adapters, domain::body::Strictness};

/// Further fields are not read.
const MAX_FIELDS: usize = 1_000;

/// The fields of a multipart form; none for any other body. A malformed form is repaired, unless
/// the request is strict.
pub(crate) async fn form_fields(
    content_type: &str,
    body: &[u8],
    strictness: Strictness,
) -> Vec<(String, String)> {
    let Ok(boundary) = multer::parse_boundary(content_type) else {
        return Vec::new();
    };

    let form = read_form(body, &boundary).await;
    if form.is_complete || strictness == Strictness::Strict {
        return form.fields;
    }

    read_form(&repair(body, &boundary), &boundary).await.fields
}

/// The fields of a form, up to the first that cannot be read.
struct Form {
    fields: Vec<(String, String)>,
    is_complete: bool,
}

async fn read_form(body: &[u8], boundary: &str) -> Form {
    let mut form = multer::Multipart::with_reader(body, boundary);
    let mut fields = Vec::new();
    while fields.len() < MAX_FIELDS {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            end => {
                return Form {
                    fields,
                    is_complete: end.is_ok(),
                };
            }
        };

        let name = field.name().unwrap_or_default().to_owned();
        match field.bytes().await {
            Ok(value) => fields.push((name, adapters::text(&value).into_owned())),
            Err(_) => {
                return Form {
                    fields,
                    is_complete: false,
                };
            }
        }
    }

    Form {
        fields,
        is_complete: true,
    }
}

/// Gives the lines of a form CRLF endings, and adds a closing boundary.
fn repair(body: &[u8], boundary: &str) -> Vec<u8> {
    let has_crlf = body.windows(2).any(|pair| pair == b"\r\n");
    let mut repaired = Vec::with_capacity(body.len());
    for byte in body {
        if *byte == b'\n' && !has_crlf {
            repaired.push(b'\r');
        }
        repaired.push(*byte);
    }

    if !repaired.ends_with(b"\r\n") {
        repaired.extend_from_slice(b"\r\n");
    }

    repaired.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    repaired
}
