//! Looking for secrets where none may be: in everything that a run wrote and printed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::wire::Wire;

/// The fewest bytes of a form that is looked for: what is shorter is found by chance.
const FEWEST_BYTES: usize = 12;

/// What stands beside secrets where whoever reads them looks, and is in the configuration or in values of charts: no secret.
const PLAIN: [&str; 2] = ["clickhouse_host", "username"];

/// By how many bytes forms are told apart at first, which makes it one search for all.
const BEGINNING_BYTES: usize = 8;

/// Secret values, in every form in which they may show.
#[derive(Debug, Default)]
pub struct Leaks {
    /// Each form with the name of what has it, by how it begins.
    forms: BTreeMap<[u8; BEGINNING_BYTES], BTreeMap<Vec<u8>, String>>,
}

impl Leaks {
    /// Every value that Secrets Manager holds: the members of JSON objects, but for plain ones, and other ones as a whole.
    ///
    /// # Panics
    /// If there is none.
    pub fn of_secrets_manager(wire: &Wire) -> Self {
        let mut leaks = Self::default();
        let listed = wire.json("secretsmanager", "secretsmanager.ListSecrets", "{}");
        for secret in listed["SecretList"].as_array().unwrap() {
            let name = secret["Name"].as_str().unwrap();
            let value = wire.json(
                "secretsmanager",
                "secretsmanager.GetSecretValue",
                &serde_json::json!({ "SecretId": name }).to_string(),
            );
            if let Some(binary) = value["SecretBinary"].as_str() {
                let bytes = base64::engine::general_purpose::STANDARD.decode(binary).unwrap();
                leaks.add(name, &bytes);
                continue;
            }
            let text = value["SecretString"].as_str().unwrap();
            match serde_json::from_str::<BTreeMap<String, String>>(text) {
                Ok(members) => {
                    members
                        .iter()
                        .filter(|(key, _)| !PLAIN.contains(&key.as_str()))
                        .for_each(|(key, member)| leaks.add(&format!("{name}/{key}"), member.as_bytes()));
                }
                Err(_) => leaks.add(name, text.as_bytes()),
            }
        }
        assert!(!leaks.forms.is_empty(), "there are no secrets to look for");
        leaks
    }

    /// Looks for one more value.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        let mut forms: BTreeSet<Vec<u8>> = BTreeSet::from([value.to_vec(), hexadecimal(value)]);
        if let Ok(text) = std::str::from_utf8(value) {
            forms.insert(percent_encoded(text));
            forms.insert(serde_json::to_string(text).unwrap().trim_matches('"').into());
            forms.insert(format!("{text:?}").trim_matches('"').into());
        }
        for shift in 0..3 {
            forms.extend(
                [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| within_base64(&engine, value, shift)),
            );
        }
        for form in forms.into_iter().filter(|form| form.len() >= FEWEST_BYTES) {
            let Some(beginning) = form.first_chunk().copied() else { continue };
            self.forms.entry(beginning).or_default().insert(form, name.to_owned());
        }
    }

    /// The names of what shows in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            let forms = rest.first_chunk::<BEGINNING_BYTES>().and_then(|beginning| self.forms.get(beginning));
            let shown = forms.into_iter().flatten().filter(|(form, _)| rest.starts_with(form));
            found.extend(shown.map(|(_, name)| name.as_str()));
        }
        found
    }
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
}

fn percent_encoded(text: &str) -> Vec<u8> {
    let encoded = text.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect::<String>().into_bytes()
}

/// What is always the same of the Base64 of anything in which the value begins after `shift` bytes of a group.
fn within_base64(engine: &impl base64::Engine, value: &[u8], shift: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(value.iter().copied()).collect();
    let text = engine.encode(&padded);
    // The first characters have bits of what stands before, the last ones of what comes after.
    let first = [0, 2, 3][shift];
    let last = padded.len() * 8 / 6;
    text.as_bytes()[first.min(last)..last].to_vec()
}
