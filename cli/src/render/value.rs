//! Values on one line, shortened, with secrets and unknowns in words.

use lsinfra_engine::Value;

use crate::render::cut;

/// `value` on one line of at most about `columns` characters.
pub(crate) fn show(value: &Value, columns: usize) -> String {
    match value {
        Value::Text(text) => quote(text, columns),
        other => cut(&whole(other), columns),
    }
}

/// `value` on one line, in full.
pub(crate) fn whole(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(whole).collect::<Vec<_>>().join(", ")),
        Value::Map(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key}: {}", whole(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Secret(secret) if secret.asked_names().next().is_some() => "(secret to be given)".to_owned(),
        Value::Secret(_) => "(secret)".to_owned(),
        Value::Unknown => "(known after apply)".to_owned(),
    }
}

/// Long text is cut in the middle: ends tell more about ids and ARNs than middles.
fn quote(text: &str, columns: usize) -> String {
    let quoted = format!("{text:?}");
    let length = quoted.chars().count();
    if length <= columns {
        return quoted;
    }
    let kept = columns.saturating_sub(1);
    let tail = kept / 3;
    let head: String = quoted.chars().take(kept - tail).collect();
    let tail: String = quoted.chars().skip(length - tail).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lsinfra_engine::Secret;

    use super::*;

    #[test]
    fn kinds_of_values() {
        let value = Value::List(vec![
            Value::Null,
            Value::from(true),
            Value::from(3),
            Value::from("say \"hi\"\n"),
            Value::Map(BTreeMap::from([("port".to_owned(), Value::from(5432))])),
            Value::Unknown,
            Value::Secret(Secret::plain("never shown")),
        ]);
        assert_eq!(
            show(&value, 200),
            r#"[null, true, 3, "say \"hi\"\n", {port: 5432}, (known after apply), (secret)]"#
        );
        assert_eq!(show(&value, 12), "[null, true…");
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let arn = Value::from("arn:aws:iam::111122223333:role/langsmith-production-cluster");
        assert_eq!(show(&arn, 30), "\"arn:aws:iam::111122…-cluster\"");
    }
}
