//! Whose a record set is. Record sets have no tags, so that each of ours has a TXT record beside it with the ownership
//! tags as its values. Both come and go with one call, of which Route 53 carries out all or nothing.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>

use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};
use lsinfra_engine::StepContext;
use lsinfra_engine::provider::ProviderError;

use crate::aws::error::built;
use crate::aws::route53::RecordType;
use crate::aws::route53::names::normal;
use crate::aws::tags::Tags;

/// How long resolvers keep it, in seconds; none ever asks for it.
const TTL_SECONDS: i64 = 300;
/// What its name has at most beyond that of its record.
pub(super) const LONGEST_PREFIX: usize = "_lsinfra-cname-wildcard.".len();

/// The name of the TXT record of a record set: not the record's own, which may be a CNAME and then has no other records.
pub(super) fn name(record_name: &str, record_type: RecordType) -> String {
    let (record_name, kind) = (normal(record_name), record_type.name().to_ascii_lowercase());
    match record_name.strip_prefix("*.") {
        Some(rest) => format!("_lsinfra-{kind}-wildcard.{rest}"),
        None => format!("_lsinfra-{kind}.{record_name}"),
    }
}

/// The TXT record that says that a record set is the step's.
pub(super) fn of(
    step: &StepContext,
    record_name: &str,
    record_type: RecordType,
) -> Result<ResourceRecordSet, ProviderError> {
    let values = step
        .owner_tags
        .iter()
        .map(|(key, value)| built(ResourceRecord::builder().value(format!("\"{key}={value}\"")).build()));
    let set = ResourceRecordSet::builder()
        .name(name(record_name, record_type))
        .r#type(RrType::Txt)
        .ttl(TTL_SECONDS)
        .set_resource_records(Some(values.collect::<Result<_, _>>()?));
    built(set.build())
}

/// The tags that such a record carries; none if there is none.
pub(super) fn tags(record: Option<&ResourceRecordSet>) -> Tags {
    let values = record.into_iter().flat_map(ResourceRecordSet::resource_records);
    values
        .filter_map(|record| record.value().trim_matches('"').split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_differs_by_type_and_is_no_wildcard() {
        assert_eq!(name("App.example.com.", RecordType::A), "_lsinfra-a.app.example.com");
        assert_eq!(name("*.example.com", RecordType::Cname), "_lsinfra-cname-wildcard.example.com");
    }
}
