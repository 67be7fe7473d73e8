//! Small conversions between AWS's optional values and the engine's inputs and outputs.

use lsinfra_engine::{Expression, Input, InputProblem, Output, Property};

/// An input as it was observed; what AWS does not say was not read. For what every object of the type
/// has, so that an answer without it says nothing.
pub(crate) fn observed<T: Property>(value: Option<T>) -> Input<T> {
    value.map(Input::from).unwrap_or_default()
}

/// An input as it was observed, of a setting that may not be there, or be nothing that could have been
/// declared.
pub(crate) fn observed_or_absent<T: Property>(value: Option<T>) -> Input<T> {
    value.map_or_else(Input::absent, Input::from)
}

/// An output that repeats an input.
pub(crate) fn repeated<T: Property>(input: &Input<T>) -> Output<T> {
    input.get().map_or_else(Output::unknown, Output::from)
}

/// A problem of one field.
pub(crate) fn problem(path: &str, message: impl Into<String>) -> InputProblem {
    InputProblem { path: path.to_owned(), message: message.into() }
}

/// An output as AWS tells it; what it does not say is nothing, rather than unknown for ever.
pub(crate) fn told<T: Property>(value: Option<T>) -> Output<T> {
    Output::from_expression(Expression::Value(value.to_value()))
}
