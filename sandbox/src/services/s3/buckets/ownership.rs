//! Object ownership. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use http::StatusCode;
use winterbaume_s3::model::{OwnershipControls, OwnershipControlsRule};

use super::bucket::no_setting;
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::errors::malformed_xml;
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// What a new bucket has: the owner owns every object, and access control lists are off.
pub(super) const DEFAULT: &str = "BucketOwnerEnforced";

/// Checks that there is such an ownership.
pub(super) fn check(ownership: &str) -> Result<(), ServiceError> {
    let known = [DEFAULT, "BucketOwnerPreferred", "ObjectWriter"].contains(&ownership);
    if known { Ok(()) } else { Err(malformed_xml()) }
}

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let controls: OwnershipControls = read(input.body()?)?;
    input.finish()?;
    let [rule] = <[OwnershipControlsRule; 1]>::try_from(controls.rules).map_err(|_| malformed_xml())?;
    check(&rule.object_ownership)?;
    find_mut(call, input)?.ownership = Some(rule.object_ownership);
    Ok(empty(StatusCode::OK))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let ownership = find(call, input)?.ownership.clone().ok_or_else(|| {
        no_setting("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", input)
    })?;
    xml(&OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership: ownership }] })
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.ownership = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
