//! Bodies that are XML documents: read into the types of the API's model, and refused if they have more than those.

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not the document that it should be.
    Malformed,
    /// It has an element, named by its path, that the type does not have.
    UnknownElement(String),
}

/// Reads a document. What the type does not have is an error instead of being dropped.
pub(crate) fn read<T: DeserializeOwned + Serialize>(body: &Bytes) -> Result<T, Unreadable> {
    let malformed = || Unreadable::Malformed;
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let document: T = quick_xml::de::from_str(text).map_err(|_| malformed())?;
    let known = quick_xml::se::to_string_with_root("root", &document).map_err(|_| malformed())?;
    let mut known = elements(&known)?;
    for element in elements(text)? {
        match known.iter().position(|other| *other == element) {
            Some(at) => known.swap_remove(at),
            None => return Err(Unreadable::UnknownElement(element)),
        };
    }
    Ok(document)
}

/// The paths of all elements below the root.
fn elements(text: &str) -> Result<Vec<String>, Unreadable> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    loop {
        match reader.read_event().map_err(|_| Unreadable::Malformed)? {
            Event::Start(element) => {
                path.push(name(element.local_name().as_ref()));
                found.push(path.clone());
            }
            Event::Empty(element) => {
                let mut path = path.clone();
                path.push(name(element.local_name().as_ref()));
                found.push(path);
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(found.into_iter().filter(|path| path.len() > 1).map(|path| path[1..].join("/")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use winterbaume_s3::model::{BucketLifecycleConfiguration, Tagging};

    use super::*;

    #[test]
    fn a_document_is_read_with_repeated_and_empty_elements() {
        let body = Bytes::from(
            r#"<?xml version="1.0"?><LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
               <Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status></Rule>
               <Rule><ID>b</ID><Filter/><Status>Disabled</Status></Rule></LifecycleConfiguration>"#,
        );
        let document: BucketLifecycleConfiguration = read(&body).unwrap();
        assert_eq!(document.rules.len(), 2);
        assert_eq!(document.rules[0].filter.as_ref().unwrap().prefix.as_deref(), Some(""));
        assert_eq!(document.rules[1].status, "Disabled");
    }

    #[test]
    fn what_the_type_does_not_have_is_an_error() {
        let body = Bytes::from(
            "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value><Color>red</Color></Tag></TagSet></Tagging>",
        );
        let error = read::<Tagging>(&body).unwrap_err();
        assert_eq!(error, Unreadable::UnknownElement("TagSet/Tag/Color".to_owned()));
        for broken in ["", "<Tagging>", "no"] {
            assert_eq!(read::<Tagging>(&Bytes::from(broken)).unwrap_err(), Unreadable::Malformed, "{broken}");
        }
    }
}
