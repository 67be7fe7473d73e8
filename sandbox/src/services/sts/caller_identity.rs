//! `GetCallerIdentity`. <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use winterbaume_sts::model::GetCallerIdentityResponse;
use winterbaume_sts::wire::serialize_get_caller_identity_response;

use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

pub(super) fn get_caller_identity(call: &mut Call<'_>) -> Reply {
    call.params.finish()?;
    let principal = &call.principal;
    Ok(response(serialize_get_caller_identity_response(&GetCallerIdentityResponse {
        account: Some(principal.account.clone()),
        arn: Some(principal.arn.clone()),
        user_id: Some(principal.user_id.clone()),
    })))
}
