//! Values that the user gives to LangSmith's chart, against those that the chart knows: what it does not know, it ignores.

use lsinfra_stacks::config::Config;
use lsinfra_stacks::langsmith::{self, UnknownValue};

use crate::connection::Connection;
use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;

/// Refuses values that the chart does not know. Where the chart cannot be looked at, that is a warning.
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] with each of them and what was probably meant.
pub(crate) async fn check(
    config: &Config,
    connection: &Connection,
    printer: Printer,
) -> Result<(), CommandError> {
    let Some(user) = &config.langsmith.values else { return Ok(()) };
    let file = user.file.display();
    let known = match connection.helm.chart_values(&langsmith::chart(config)).await {
        Ok(known) => known,
        Err(error) => {
            printer
                .note(&format!("warning: whether the chart knows all of {file} was not checked: {error}\n"));
            return Ok(());
        }
    };
    refusal(&file.to_string(), &langsmith::unknown_values(&known, &user.values)).map_or(Ok(()), Err)
}

fn refusal(file: &str, unknown: &[UnknownValue]) -> Option<CommandError> {
    let told = |value: &UnknownValue| match &value.meant {
        Some(meant) => format!("{}: did you mean `{meant}`?", value.path),
        None => value.path.clone(),
    };
    (!unknown.is_empty()).then(|| {
        CommandError::new(ErrorCode::ConfigInvalid, format!("the chart knows not all of {file}"))
            .details(unknown.iter().map(told).collect::<Vec<_>>())
            .hint("`helm show values` tells what a chart knows; `charts.langsmith` says which version it is")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_that_the_chart_does_not_know_is_told() {
        assert!(refusal("values.yaml", &[]).is_none());
        let unknown = [
            UnknownValue { path: "backend.replica".to_owned(), meant: Some("replicas".to_owned()) },
            UnknownValue { path: "nothing".to_owned(), meant: None },
        ];
        let refused = refusal("values.yaml", &unknown).is_some_and(|error| {
            let text = format!("{error:?}");
            text.contains("did you mean `replicas`?") && text.contains("nothing")
        });
        assert!(refused);
    }
}
