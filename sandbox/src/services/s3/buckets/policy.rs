//! Bucket policies. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>

use http::StatusCode;
use winterbaume_s3::model::PolicyStatus;

use super::bucket::no_setting;
use super::policy_rules::{check, is_public};
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::policy_document::parse;
use crate::services::s3::wire::answers::{empty, set, xml};
use crate::services::s3::wire::errors::internal;
use crate::services::s3::wire::input::Input;

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let body = input.body()?;
    // Confirms that the caller wants a policy that shuts the caller out; nobody is shut out here.
    input.header("x-amz-confirm-remove-self-bucket-access");
    input.finish()?;
    let name = input.bucket();
    let block = find_mut(call, input)?.public_access_block.clone().unwrap_or_default();
    let text = String::from_utf8_lossy(body).into_owned();
    let document = check(call, name, &text)?;
    if block.block_public_policy == Some(true) && is_public(&document) {
        return Err(ServiceError::new(
            403,
            "AccessDenied",
            format!(
                "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{name}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
                call.principal.arn
            ),
        ));
    }
    find_mut(call, input)?.policy = Some(text);
    Ok(empty(StatusCode::NO_CONTENT))
}

fn policy_of<'c>(call: &'c Call<'_>, input: &Input<'_>) -> Result<&'c str, ServiceError> {
    let policy = find(call, input)?.policy.as_deref();
    policy.ok_or_else(|| no_setting("NoSuchBucketPolicy", "The bucket policy does not exist", input))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let text = policy_of(call, input)?.to_owned();
    let mut response = http::Response::new(text.into());
    set(&mut response, "content-type", "application/json");
    Ok(response)
}

pub(in crate::services::s3) fn status(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let document = parse(policy_of(call, input)?).map_err(|flaw| internal(format!("{flaw:?}")))?;
    xml(&PolicyStatus { is_public: Some(is_public(&document)) })
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.policy = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
