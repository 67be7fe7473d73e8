//! `ListObjectsV2`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use winterbaume_s3::model::{CommonPrefix, ListObjectsV2Output, Object};

use super::{Content, Version, cursor, token};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::buckets::{bucket, named};
use crate::services::s3::wire::answers::{document_time, percent_encoded, xml};
use crate::services::s3::wire::errors::invalid_argument;
use crate::services::s3::wire::input::Input;

/// The most entries of one page.
pub(super) const MOST: usize = 1000;

/// How texts are written in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    /// What `encoding-type` asks for.
    pub(super) fn asked_for(input: &Input<'_>) -> Result<Self, ServiceError> {
        match input.query("encoding-type") {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(other) => {
                Err(invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", other))
            }
        }
    }

    /// A text as the list has it.
    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => percent_encoded(text),
        }
    }

    /// The name, if the list says it.
    pub(super) fn name(self) -> Option<String> {
        (self == Self::Url).then(|| "url".to_owned())
    }
}

/// Which part of a key stands for it in a list that ends keys at a delimiter.
pub(super) fn common_prefix<'k>(key: &'k str, prefix: &str, delimiter: Option<&str>) -> Option<&'k str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let at = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// One entry of a page.
pub(super) enum Entry<'c, T> {
    /// What is listed by itself.
    Own(T),
    /// A common prefix, which stands for all keys that begin with it.
    Prefix(&'c str),
}

/// A page of what is left to list, each with its common prefix if it has one, and whether there is more.
pub(super) fn page<'c, T>(
    left: impl Iterator<Item = (Option<&'c str>, T)>,
    most: usize,
) -> (Vec<Entry<'c, T>>, bool) {
    let mut entries: Vec<Entry<'c, T>> = Vec::new();
    for (common, own) in left {
        let entry = common.map_or(Entry::Own(own), Entry::Prefix);
        if let (Some(Entry::Prefix(last)), Entry::Prefix(this)) = (entries.last(), &entry)
            && last == this
        {
            continue;
        }
        if entries.len() == most {
            return (entries, true);
        }
        entries.push(entry);
    }
    (entries, false)
}

/// The objects that come after a key, with their common prefixes.
fn objects<'c>(
    call: &'c Call<'_>,
    within: &'c str,
    prefix: &str,
    delimiter: Option<&str>,
    after: Option<&str>,
) -> impl Iterator<Item = (Option<&'c str>, (&'c Version, &'c Content))> {
    let mut last_key: Option<&str> = None;
    let versions = call.tables.s3.objects.within(&call.scope.global(), within);
    versions.filter_map(move |(_, version)| {
        let key = version.key.as_str();
        // The first row of a key is its newest version; the others are history.
        if last_key.replace(key) == Some(key) {
            return None;
        }
        let content = version.content.as_ref()?;
        let common = common_prefix(key, prefix, delimiter);
        // A page that ended with a common prefix has passed all keys below it.
        let is_passed = after.is_some_and(|after| key <= after || common == Some(after));
        (!is_passed).then_some((common, (version, content)))
    })
}

pub(in crate::services::s3) fn list_objects_v2(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    if let Some(other) = input.query("list-type").filter(|version| *version != "2") {
        return Err(invalid_argument("Invalid List Type specified in Request", "list-type", other));
    }
    let prefix = input.query("prefix").unwrap_or_default();
    let delimiter = input.query("delimiter");
    let start_after = input.query("start-after");
    let continuation = input.query("continuation-token");
    let with_owner = input.query("fetch-owner") == Some("true");
    let most = input.number("max-keys", MOST)?.unwrap_or(MOST);
    let encoding = Encoding::asked_for(input)?;
    input.finish()?;
    named(call, input)?;
    let place = continuation.map(cursor).transpose()?;
    let after = place.as_deref().or(start_after);
    let within = format!("{}/{prefix}", input.bucket());
    let (entries, is_more) = page(objects(call, &within, prefix, delimiter, after), most);
    let is_truncated = is_more && most > 0;
    let next = entries.last().filter(|_| is_truncated).map(|last| match last {
        Entry::Own((version, _)) => token(&version.key),
        Entry::Prefix(prefix) => token(prefix),
    });
    let owner = with_owner.then(|| bucket::owner(&call.scope.account));
    let mut contents = Vec::new();
    let mut prefixes = Vec::new();
    for entry in &entries {
        match entry {
            Entry::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(encoding.apply(prefix)) }),
            Entry::Own((version, content)) => contents.push(Object {
                checksum_algorithm: Some(vec![content.checksum.algorithm.name().to_owned()]),
                checksum_type: Some(content.checksum.kind().to_owned()),
                e_tag: Some(format!("\"{}\"", content.etag)),
                key: Some(encoding.apply(&version.key)),
                last_modified: Some(document_time(version.modified)),
                owner: owner.clone(),
                restore_status: None,
                size: i64::try_from(content.size).ok(),
                storage_class: Some(content.settings.storage_class.clone()),
            }),
        }
    }
    xml(&ListObjectsV2Output {
        common_prefixes: Some(prefixes).filter(|prefixes| !prefixes.is_empty()),
        contents: Some(contents).filter(|contents| !contents.is_empty()),
        continuation_token: continuation.map(str::to_owned),
        delimiter: delimiter.map(|delimiter| encoding.apply(delimiter)),
        encoding_type: encoding.name(),
        is_truncated: Some(is_truncated),
        key_count: i32::try_from(entries.len()).ok(),
        max_keys: i32::try_from(most).ok(),
        name: Some(input.bucket().to_owned()),
        next_continuation_token: next,
        prefix: Some(encoding.apply(prefix)),
        start_after: start_after.map(|start_after| encoding.apply(start_after)),
    })
}
