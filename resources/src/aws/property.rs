//! Small conversions between AWS's optional values and the engine's inputs and outputs.

use lsinfra_engine::{Input, InputProblem, Output, Property};

/// An input as it was observed; what AWS does not say is not given.
pub(crate) fn observed<T: Property>(value: Option<T>) -> Input<T> {
    value.map(Input::from).unwrap_or_default()
}

/// An output that repeats an input.
pub(crate) fn repeated<T: Property>(input: &Input<T>) -> Output<T> {
    told(input.get())
}

/// A problem of one field.
pub(crate) fn problem(path: &str, message: impl Into<String>) -> InputProblem {
    InputProblem { path: path.to_owned(), message: message.into() }
}

/// An output as AWS tells it.
pub(crate) fn told<T: Property>(value: Option<T>) -> Output<T> {
    value.map_or_else(Output::unknown, Output::from)
}
