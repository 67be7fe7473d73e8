//! How errors look.

use crate::error::{CommandError, ErrorCode, Place, render};
use crate::render::Paint;

fn place(
    line: usize,
    column: usize,
    length: usize,
    source_line: &str,
    message: &str,
    help: Option<&str>,
) -> Place {
    Place {
        file: "environments/dev.toml".to_owned(),
        line,
        column,
        length,
        source_line: source_line.to_owned(),
        message: message.to_owned(),
        help: help.map(str::to_owned),
    }
}

fn invalid_config() -> CommandError {
    let mut error = CommandError::new(ErrorCode::ConfigInvalid, "environments/dev.toml has 3 problems");
    error.places = vec![
        place(7, 8, 12, "cidr = \"10.0.0.0/8\"", "/8 is too large", Some("allowed: /16 to /28")),
        place(12, 1, 6, "zonnes = 2", "unknown key", Some("did you mean `zones`?")),
        place(103, 30, 80, "retention_days = { short = 1,", "ends too early", None),
    ];
    error
}

#[test]
fn problems_in_a_file() {
    insta::assert_snapshot!(render(&invalid_config(), Paint::PLAIN));
}

#[test]
fn in_colour() {
    insta::assert_snapshot!(render(&invalid_config(), Paint::new(true)).replace('\u{1b}', "ESC"));
}
