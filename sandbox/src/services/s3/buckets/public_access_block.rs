//! Block Public Access: all on for a new bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>

use http::StatusCode;
use winterbaume_s3::model::PublicAccessBlockConfiguration;

use super::bucket::no_setting;
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let given: PublicAccessBlockConfiguration = read(input.body()?)?;
    input.finish()?;
    // What is not given is off.
    let switch = |given: Option<bool>| Some(given.unwrap_or(false));
    let block = PublicAccessBlockConfiguration {
        block_public_acls: switch(given.block_public_acls),
        block_public_policy: switch(given.block_public_policy),
        ignore_public_acls: switch(given.ignore_public_acls),
        restrict_public_buckets: switch(given.restrict_public_buckets),
    };
    find_mut(call, input)?.public_access_block = Some(block);
    Ok(empty(StatusCode::OK))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let block = find(call, input)?.public_access_block.as_ref().ok_or_else(|| {
        let text = "The public access block configuration was not found";
        no_setting("NoSuchPublicAccessBlockConfiguration", text, input)
    })?;
    xml(block)
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.public_access_block = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
