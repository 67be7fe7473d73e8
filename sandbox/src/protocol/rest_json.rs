//! restJson: the operation is told by method and path, and what is asked for stands in the path, the query and a JSON
//! body. Owns how these become one document; errors and answers are written as in awsJson. Must not know any operation.
//! <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>

use serde_json::{Map, Value};
use winterbaume_core::urldecode;

use super::error::ServiceError;
use super::json::JsonService;
use super::json::document::Document;
use super::request::Request;
use crate::cloud::call::Operation;

/// What a service of this protocol has of its own.
#[derive(Debug)]
pub(crate) struct RestJsonService {
    /// How its errors and answers are written.
    pub(crate) json: JsonService,
    /// The ways to its operations.
    pub(crate) routes: &'static [Route],
}

/// The way to an operation.
#[derive(Debug)]
pub(crate) struct Route {
    /// The HTTP method.
    pub(crate) method: &'static str,
    /// The path, in which `{member}` stands for a member's percent-encoded value.
    pub(crate) path: &'static str,
    /// The members that are no text among those that stand in the query.
    pub(crate) query: &'static [(&'static str, Kind)],
    /// The operation.
    pub(crate) operation: Operation,
}

/// What a member in the query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number.
    Integer,
    /// A truth value.
    Truth,
    /// A list of texts: the name may be there several times.
    Texts,
}

impl RestJsonService {
    /// The operation that a request asks for, or its method and path if the sandbox does not have it.
    pub(crate) fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        let found = self.route(request).map(|(route, _)| &route.operation);
        found.ok_or_else(|| format!("{} {}", request.method, request.path))
    }

    /// Everything that a request says, by the names of members.
    pub(crate) fn document(&'static self, request: &Request) -> Result<Document, ServiceError> {
        let Some((route, mut members)) = self.route(request) else { return Ok(Document::absent()) };
        for (name, text) in &request.query {
            match route.query.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind) {
                Some(Kind::Texts) => {
                    let list = members.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(text.as_str().into());
                    }
                }
                // What is no JSON stays a text, which the operation then finds to be of the wrong type.
                Some(Kind::Integer | Kind::Truth) => {
                    let value = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
                    members.insert(name.clone(), value);
                }
                None => {
                    members.insert(name.clone(), text.as_str().into());
                }
            }
        }
        let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
        Ok(Document::parse(&self.json, body)?.with(members))
    }

    /// The route of a request, with the members in its path.
    fn route(&self, request: &Request) -> Option<(&'static Route, Map<String, Value>)> {
        let of_method = self.routes.iter().filter(|route| route.method == request.method.as_str());
        of_method.filter_map(|route| Some((route, labels(route.path, &request.path)?))).next()
    }
}

/// The members in a path, if it is of this form.
fn labels(form: &str, path: &str) -> Option<Map<String, Value>> {
    let (forms, parts): (Vec<_>, Vec<_>) = (form.split('/').collect(), path.split('/').collect());
    if forms.len() != parts.len() {
        return None;
    }
    let mut members = Map::new();
    for (form, part) in forms.into_iter().zip(parts) {
        match form.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                members.insert(name.to_owned(), urldecode(part).into());
            }
            Some(_) => return None,
            None if form == part => {}
            None => return None,
        }
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn members_in_a_path_are_decoded() {
        let members = labels("/tags/{resourceArn}", "/tags/arn%3Aaws%3Aeks%3Ar%3A1%3Acluster%2Fc").unwrap();
        assert_eq!(members["resourceArn"], "arn:aws:eks:r:1:cluster/c");
        assert_eq!(labels("/tags/{resourceArn}", "/tags/"), None);
        assert_eq!(labels("/clusters/{name}", "/clusters/c/addons"), None);
        assert_eq!(labels("/clusters/{name}/addons", "/clusters/c/updates"), None);
    }
}
