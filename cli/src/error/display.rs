//! Errors as text.

use std::fmt::Write as _;

use crate::error::{CommandError, Place};
use crate::render::{Paint, Tone, for_support};

/// The whole error, ending with a line break.
pub(crate) fn render(error: &CommandError, paint: Paint) -> String {
    let mut text = String::new();
    let head = paint.paint(Tone::Bad, format!("error[{}]:", error.code.as_str()));
    let _ = writeln!(text, "{head} {}", paint.paint(Tone::Strong, &error.message));
    for detail in &error.details {
        let _ = writeln!(text, "  {detail}");
    }
    for place in &error.places {
        text.push_str(&render_place(place, paint));
    }
    for cause in &error.causes {
        let _ =
            writeln!(text, "  {} {}", paint.paint(Tone::Faint, "cause:"), cause.replace('\n', "\n         "));
    }
    if let Some(cloud) = for_support(error.cloud.code.as_deref(), error.cloud.request_id.as_deref()) {
        let _ = writeln!(text, "  {}", paint.paint(Tone::Faint, cloud));
    }
    if !error.places.is_empty() {
        text.push('\n');
    }
    for hint in &error.hints {
        let _ = writeln!(text, "{} {hint}", paint.paint(Tone::Look, "hint:"));
    }
    let _ = writeln!(
        text,
        "{} `lsinfra explain {}` tells more",
        paint.paint(Tone::Look, "hint:"),
        error.code.as_str()
    );
    text
}

fn render_place(place: &Place, paint: Paint) -> String {
    let mut text = String::new();
    let gutter = " ".repeat(place.line.to_string().len());
    let bar = paint.paint(Tone::Look, "|");
    let source = place.source_line.trim_end().replace('\t', " ");
    let before = " ".repeat(place.column.saturating_sub(1));
    let visible = source.chars().count().saturating_sub(place.column.saturating_sub(1)).max(1);
    let marker = paint.paint(Tone::Bad, "^".repeat(place.length.clamp(1, visible)));
    let _ = writeln!(
        text,
        "\n{gutter}{} {}:{}:{}",
        paint.paint(Tone::Look, "-->"),
        place.file,
        place.line,
        place.column
    );
    let _ = writeln!(text, "{gutter} {bar}");
    let _ = writeln!(text, "{} {bar} {source}", paint.paint(Tone::Look, place.line));
    let _ = writeln!(text, "{gutter} {bar} {before}{marker} {}", paint.paint(Tone::Bad, &place.message));
    if let Some(help) = &place.help {
        let _ = writeln!(text, "{gutter} {} {help}", paint.paint(Tone::Look, "="));
    }
    text
}
