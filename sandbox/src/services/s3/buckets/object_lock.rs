//! Object Lock, as far as a bucket says that it has it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>

use winterbaume_s3::model::ObjectLockConfiguration;

use super::bucket::no_setting;
use super::named;
use crate::cloud::call::{Call, Reply};
use crate::services::s3::wire::answers::xml;
use crate::services::s3::wire::input::Input;

pub(in crate::services::s3) fn get(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    if !named(call, input)?.object_lock {
        let text = "Object Lock configuration does not exist for this bucket";
        return Err(no_setting("ObjectLockConfigurationNotFoundError", text, input));
    }
    xml(&ObjectLockConfiguration { object_lock_enabled: Some("Enabled".to_owned()), rule: None })
}
