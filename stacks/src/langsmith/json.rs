//! JSON some of whose members are outputs of other resources: values of charts, and objects of Kubernetes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lsinfra_engine::output::Expression;
use lsinfra_engine::{Output, Property, Value};

/// JSON that is known only as far as the outputs in it are.
#[derive(Clone)]
pub(super) struct Json(Expression);

impl Json {
    pub(super) fn new(json: serde_json::Value) -> Self {
        Self(Expression::Value(Value::from_plain_json(json)))
    }

    /// The same with an output at a path of keys; objects on the way are made.
    pub(super) fn with<T: Property>(self, path: &[&str], output: &Output<T>) -> Self {
        Self(put(self.0, path, output.expression().clone()))
    }

    /// The same with `over` on top: objects are merged member by member, all else is replaced, as Helm does it.
    pub(super) fn merged_with(self, over: serde_json::Value) -> Self {
        Self(merge(self.0, over))
    }

    pub(super) fn output(&self) -> Output<Value> {
        Output::from_expression(self.0.clone())
    }
}

/// The members of an object, or why there are none.
fn members(object: Expression) -> Result<BTreeMap<String, Expression>, Expression> {
    match object {
        Expression::Value(Value::Map(members)) => {
            Ok(members.into_iter().map(|(name, member)| (name, Expression::Value(member))).collect())
        }
        Expression::Fields(members) => Ok(Arc::unwrap_or_clone(members)),
        other => Err(other),
    }
}

fn object(members: BTreeMap<String, Expression>) -> Expression {
    Expression::Fields(Arc::new(members))
}

fn put(target: Expression, path: &[&str], value: Expression) -> Expression {
    let Some((name, path)) = path.split_first() else { return value };
    let mut members = members(target).unwrap_or_default();
    let member = members.remove(*name).unwrap_or(Expression::Value(Value::Null));
    members.insert((*name).to_owned(), put(member, path, value));
    object(members)
}

fn merge(target: Expression, over: serde_json::Value) -> Expression {
    let over = match over {
        serde_json::Value::Object(over) => over,
        over => return Expression::Value(Value::from_plain_json(over)),
    };
    let mut members = members(target).unwrap_or_default();
    for (name, over) in over {
        let merged = match members.remove(&name) {
            Some(member) => merge(member, over),
            None => Expression::Value(Value::from_plain_json(over)),
        };
        members.insert(name, merged);
    }
    object(members)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lsinfra_engine::output::Resolve;
    use lsinfra_engine::{Urn, ValueError};
    use serde_json::json;

    use super::*;

    struct Nothing;

    impl Resolve for Nothing {
        fn output(&self, _urn: &Urn, _output: &str) -> Result<Value, ValueError> {
            Ok(Value::Unknown)
        }

        fn fact(&self, _name: &str) -> Value {
            Value::Unknown
        }
    }

    fn evaluated(json: &Json) -> Value {
        json.output().expression().evaluate(&Nothing).unwrap()
    }

    #[test]
    fn only_what_comes_from_an_output_is_unknown() {
        let json = Json::new(json!({"a": {"b": 1}})).with(&["a", "c", "d"], &Output::<String>::unknown());
        let Value::Map(members) = evaluated(&json) else { panic!("no object") };
        let Value::Map(a) = &members["a"] else { panic!("no object") };
        assert_eq!(a["b"], Value::from_plain_json(json!(1)));
        assert_eq!(a["c"], Value::Map(BTreeMap::from([("d".to_owned(), Value::Unknown)])));
    }

    #[test]
    fn what_goes_on_top_replaces_all_but_objects() {
        let json = Json::new(json!({"a": {"list": [1, 2], "keep": true}, "b": {"c": 1}}))
            .with(&["a", "output"], &Output::<String>::unknown())
            .merged_with(json!({"a": {"list": [3], "output": "mine", "null": null}, "b": "text", "new": {}}));
        let expected = json!({
            "a": {"list": [3], "keep": true, "output": "mine", "null": null},
            "b": "text",
            "new": {},
        });
        assert_eq!(evaluated(&json).to_plain_json().unwrap(), expected);
    }
}
