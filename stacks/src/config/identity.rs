//! Which environment it is, and where it lives: profile, names, account, region.

use std::fmt;
use std::path::Path;

use toml_edit::{DocumentMut, Table};

use super::document::{Document, Located};

/// The longest stack name: room for every name that is derived from it.
const STACK_LIMIT_CHARACTERS: usize = 20;

/// The longest environment name, likewise.
const ENVIRONMENT_LIMIT_CHARACTERS: usize = 16;

/// Stack names with which a derived name would be refused: security groups do not begin with `sg-`,
/// load balancers not with `internal-`, buckets not with `sthree-` or `amzn-s3-demo-`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const RESERVED_STACK_NAMES: [&str; 5] = ["sg", "internal", "sthree", "amzn-s3", "amzn-s3-demo"];

/// What the defaults of an environment aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Small, cheap, and gone without a trace after destroy.
    Dev,
    /// Survives the loss of a zone and keeps its data.
    Prod,
}

impl Profile {
    /// The word in the config file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }

    /// The defaults as TOML, as the documentation and this crate's tests read them.
    pub fn defaults_toml(self) -> &'static str {
        match self {
            Self::Dev => include_str!("profiles/dev.toml"),
            Self::Prod => include_str!("profiles/prod.toml"),
        }
    }

    /// The parsed defaults.
    pub(super) fn defaults(self) -> Table {
        // A default that does not parse would be reported as missing keys by the first test.
        self.defaults_toml()
            .parse::<DocumentMut>()
            .map(|document| document.as_table().clone())
            .unwrap_or_default()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An AWS region, such as `us-west-2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

/// Regions for suggestions only: one that is newer than this list is accepted.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const KNOWN_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// The second-to-last part of every region's name.
const DIRECTIONS: [&str; 9] =
    ["central", "north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest"];

impl Region {
    /// A region from its name, `None` if no region is named like that.
    pub fn new(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('-').collect();
        let [area @ .., direction, number] = parts.as_slice() else { return None };
        let area_is_legal = !area.is_empty()
            && area.len() <= 2
            && area
                .iter()
                .all(|part| part.len() >= 2 && part.chars().all(|letter| letter.is_ascii_lowercase()));
        let number_is_legal = matches!(number.parse::<u8>(), Ok(1..=99)) && !number.starts_with(['0', '+']);
        (area_is_legal && DIRECTIONS.contains(direction) && number_is_legal).then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub(super) fn profile(document: &mut Document<'_>) -> Option<Profile> {
    let choices = [Profile::Dev, Profile::Prod].map(|profile| (profile.as_str(), profile));
    document.choice("profile", &choices).map(|profile| profile.value)
}

/// The environment's name out of its file's.
pub(super) fn environment(document: &mut Document<'_>, file: &Path) -> Option<String> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let wrong = name_problem(&stem, ENVIRONMENT_LIMIT_CHARACTERS);
    if let Some(help) = wrong {
        let message = format!("the file's name gives the environment's name, and {stem:?} cannot be one");
        document.problem(&Located { value: (), span: None }, "", message, help);
        return None;
    }
    Some(stem)
}

pub(super) fn stack(document: &mut Document<'_>) -> Option<String> {
    let stack = document.text("stack")?;
    if let Some(help) = name_problem(&stack.value, STACK_LIMIT_CHARACTERS) {
        document.problem(&stack, "stack", format!("{:?} cannot be a stack's name", stack.value), help);
        return None;
    }
    if RESERVED_STACK_NAMES.contains(&stack.value.as_str()) {
        let message = format!("AWS keeps names that begin with {:?} to itself", format!("{}-", stack.value));
        document.problem(&stack, "stack", message, "choose another name, such as \"langsmith\"");
        return None;
    }
    Some(stack.value)
}

/// What a name must look like, if this one does not.
fn name_problem(name: &str, limit_characters: usize) -> Option<String> {
    let length = name.chars().count();
    let legal = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|character| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        })
        && !name.ends_with('-')
        && !name.contains("--");
    if !legal {
        return Some(format!(
            "allowed: lowercase letters, digits and single hyphens, beginning with a letter, at most \
             {limit_characters} characters"
        ));
    }
    (length > limit_characters)
        .then(|| format!("it has {length} characters, allowed: at most {limit_characters}"))
}

pub(super) fn account(document: &mut Document<'_>) -> Option<String> {
    let account = document.text("account")?;
    if account.value.len() != 12 || !account.value.chars().all(|digit| digit.is_ascii_digit()) {
        let message = format!("{:?} is not an AWS account", account.value);
        document.problem(&account, "account", message, "allowed: 12 digits, such as \"111122223333\"");
        return None;
    }
    Some(account.value)
}

pub(super) fn region(document: &mut Document<'_>) -> Option<Region> {
    let name = document.text("region")?;
    let region = Region::new(&name.value);
    if region.is_none() {
        let similar = KNOWN_REGIONS
            .iter()
            .map(|known| (strsim::damerau_levenshtein(&name.value, known), known))
            .filter(|(distance, _)| *distance <= 3)
            .min_by_key(|(distance, _)| *distance);
        let help = match similar {
            Some((_, known)) => format!("did you mean {known:?}?"),
            None => "allowed: an AWS region, such as \"us-west-2\"".to_owned(),
        };
        document.problem(&name, "region", format!("{:?} is not a region", name.value), help);
    }
    region
}
