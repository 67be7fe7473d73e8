//! Cross-origin rules, kept and given back; nothing here is a browser.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>

use http::StatusCode;
use winterbaume_s3::model::{CORSConfiguration, CORSRule};

use super::bucket::no_setting;
use super::{find, find_mut};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::wire::answers::{empty, xml};
use crate::services::s3::wire::errors::{invalid_request, malformed_xml};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
/// The most rules of a bucket.
const MOST: usize = 100;

fn check(rules: &[CORSRule]) -> Result<(), ServiceError> {
    if rules.is_empty() || rules.len() > MOST {
        return Err(malformed_xml());
    }
    for rule in rules {
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(malformed_xml());
        }
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(invalid_request(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
    }
    Ok(())
}

pub(in crate::services::s3) fn put(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let configuration: CORSConfiguration = read(input.body_with_digest()?)?;
    input.finish()?;
    check(&configuration.c_o_r_s_rules)?;
    find_mut(call, input)?.cors = Some(configuration.c_o_r_s_rules);
    Ok(empty(StatusCode::OK))
}

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let rules = find(call, input)?.cors.clone();
    let rules = rules.ok_or_else(|| {
        no_setting("NoSuchCORSConfiguration", "The CORS configuration does not exist", input)
    })?;
    xml(&CORSConfiguration { c_o_r_s_rules: rules })
}

pub(in crate::services::s3) fn delete(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    find_mut(call, input)?.cors = None;
    Ok(empty(StatusCode::NO_CONTENT))
}
