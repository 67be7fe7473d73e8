//! What lies where in the bucket.
//!
//! ```text
//! <stack>/<environment>/snapshot.json           the state at rest
//! <stack>/<environment>/journal/000000000001.jsonl   what happened since: a batch per object
//! <stack>/<environment>/history/000000000001.json    one operation, by the serial that it left
//! ```

/// The keys of one environment.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    environment: String,
}

impl Keys {
    /// The keys of `<stack>/<environment>`.
    pub(crate) fn new(environment: &str) -> Self {
        Self { environment: environment.to_owned() }
    }

    pub(crate) fn snapshot(&self) -> String {
        format!("{}/snapshot.json", self.environment)
    }

    pub(crate) fn journal(&self) -> String {
        format!("{}/journal/", self.environment)
    }

    pub(crate) fn batch(&self, number: u64) -> String {
        format!("{}{number:012}.jsonl", self.journal())
    }

    /// The number of a batch's key.
    pub(crate) fn batch_number(&self, key: &str) -> Option<u64> {
        key.strip_prefix(&self.journal())?.strip_suffix(".jsonl")?.parse().ok()
    }

    pub(crate) fn history(&self) -> String {
        format!("{}/history/", self.environment)
    }

    pub(crate) fn operation(&self, serial: u64) -> String {
        format!("{}{serial:012}.json", self.history())
    }

    /// The serial of an operation's key.
    pub(crate) fn operation_serial(&self, key: &str) -> Option<u64> {
        key.strip_prefix(&self.history())?.strip_suffix(".json")?.parse().ok()
    }
}
