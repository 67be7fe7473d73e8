//! The stack's outputs as text.

use std::fmt::Write as _;

use lsinfra_engine::{Properties, Value};

use crate::render::{Canvas, Tone, value};

/// One line per output; lists take one line per item.
pub(crate) fn outputs(outputs: &Properties, canvas: Canvas) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in outputs {
        let padding = " ".repeat(width - name.len());
        let name = canvas.paint.paint(Tone::Strong, name);
        let _ = writeln!(text, "{name}{padding} = {}", value::whole(value));
    }
    text
}

/// One output for use in a shell: text without quotes, everything else as it is written in JSON.
pub(crate) fn raw(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_plain_json().map_or_else(|_| value::whole(other), |json| json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Paint, samples};

    #[test]
    fn aligned() {
        let report = samples::report(lsinfra_engine::events::OperationOutcome::Succeeded);
        let canvas = Canvas { paint: Paint::PLAIN, columns: 80 };
        insta::assert_snapshot!(outputs(&report.outputs, canvas));
    }

    #[test]
    fn one_for_a_shell() {
        assert_eq!(raw(&"vpc-1".into()), "vpc-1");
        assert_eq!(raw(&samples::value(serde_json::json!(["a", "b"]))), r#"["a","b"]"#);
    }
}
