//! Amazon Route 53. <https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html>

mod find_hosted_zone;
mod hosted_zone;
mod names;
mod owner_record;
mod record_set;
mod record_value;

use lsinfra_engine::text_property;

pub use find_hosted_zone::{FindHostedZone, FindHostedZoneOutputs};
pub use hosted_zone::{HostedZone, HostedZoneOutputs};
pub use record_set::{RecordSet, RecordSetOutputs};
pub use record_value::{AliasTarget, RecordType};

text_property! {
    /// The id of a hosted zone, `Z…`.
    HostedZoneId
}
