//! The application: LangSmith itself.

mod values;
