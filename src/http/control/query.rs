//! Parameters of the control plane in the query of a list.

use crate::domain::rejection::Rejection;

/// The query of a list, without parameters that are not the list's.
#[derive(Debug)]
pub(super) struct SplitQuery {
    own: Vec<(String, String)>,
    /// The query of the list.
    pub(super) list: String,
}

impl SplitQuery {
    /// Takes the parameters with these names out of a query. `all` is one that every call has.
    ///
    /// # Errors
    /// One of them is given twice.
    pub(super) fn new(raw_query: &str, names: &[&str]) -> Result<Self, Rejection> {
        let (mut own, mut rest) = (Vec::<(String, String)>::new(), Vec::new());
        for pair in raw_query.split('&') {
            match form_urlencoded::parse(pair.as_bytes()).next() {
                Some((name, value)) if name == "all" || names.contains(&name.as_ref()) => {
                    if own.iter().any(|(known, _)| *known == name) {
                        let error = format!("'{name}' must be given only once");
                        return Err(Rejection::invalid(error));
                    }
                    own.push((name.into_owned(), value.into_owned()));
                }
                // As it was written, for the messages of the list.
                _ => rest.push(pair),
            }
        }

        Ok(Self {
            own,
            list: rest.join("&"),
        })
    }

    /// The value of a parameter that was taken out.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.own.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_parameters_are_taken_out_of_the_query() {
        let query = SplitQuery::new("for=alert&name=a%20b&all=true&x&%66or2=1", &["for"]).unwrap();
        assert_eq!(query.list, "name=a%20b&x&%66or2=1");
        assert_eq!(query.get("for"), Some("alert"));
        assert_eq!(query.get("name"), None);
        assert!(SplitQuery::new("for=a&for=b", &["for"]).is_err());
    }
}
