//! OpenID Connect providers, by which a cluster's service accounts assume roles.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_iam::model::{
    CreateOpenIDConnectProviderResponse, GetOpenIDConnectProviderResponse,
    ListOpenIDConnectProviderTagsResponse, ListOpenIDConnectProvidersResponse,
    OpenIDConnectProviderListEntry, OpenIDConnectProviderListType, clientIDListType, thumbprintListType,
};
use winterbaume_iam::wire;

use super::errors::{already_exists, constraint, invalid_input, limit_exceeded, no_such_entity, validation};
use super::fields::{required, time};
use super::pages;
use super::tags::{self, Tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;

/// The most client ids of one provider.
const MOST_CLIENT_IDS: usize = 100;
/// The most thumbprints of one provider.
const MOST_THUMBPRINTS: usize = 5;

/// A provider, kept under its ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    /// Its URL without `https://`.
    pub(super) url: String,
    pub(super) client_ids: Vec<String>,
    pub(super) thumbprints: Vec<String>,
    /// Its tags.
    pub(super) tags: Tags,
    pub(super) created: Timestamp,
}

fn arn_asked_for<'a>(call: &Call<'a>) -> Result<&'a str, ServiceError> {
    let arn = required(call.params, "OpenIDConnectProviderArn")?;
    if arn.starts_with("arn:aws:iam::") && arn.contains(":oidc-provider/") {
        return Ok(arn);
    }
    Err(invalid_input(format!("Invalid ARN:  Could not be parsed! {arn}")))
}

/// Whether there is a provider whose tokens may name this client as their audience.
pub(crate) fn exists(call: &Call<'_>, arn: &str, client_id: &str) -> bool {
    let provider = call.tables.iam.oidc_providers.get(&call.scope.global(), arn);
    provider.is_some_and(|provider| provider.client_ids.iter().any(|id| id == client_id))
}

fn unknown(arn: &str) -> ServiceError {
    no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"))
}

fn find<'c>(call: &'c Call<'_>, arn: &str) -> Result<&'c OidcProvider, ServiceError> {
    call.tables.iam.oidc_providers.get(&call.scope.global(), arn).ok_or_else(|| unknown(arn))
}

fn find_mut<'c>(call: &'c mut Call<'_>, arn: &str) -> Result<&'c mut OidcProvider, ServiceError> {
    let scope = call.scope.global();
    call.tables.iam.oidc_providers.get_mut(&scope, arn).ok_or_else(|| unknown(arn))
}

fn thumbprints(call: &Call<'_>) -> Result<Vec<String>, ServiceError> {
    let thumbprints = call.params.list("ThumbprintList");
    if thumbprints.len() > MOST_THUMBPRINTS {
        return Err(invalid_input(format!(
            "Thumbprint list must contain fewer than {MOST_THUMBPRINTS} entries."
        )));
    }
    let is_sha1 = |text: &&&str| text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if let Some(bad) = thumbprints.iter().find(|text| !is_sha1(text)) {
        return Err(constraint(
            bad,
            "ThumbprintList",
            "Member must have length less than or equal to 40, Member must have length greater than or equal to 40",
        ));
    }
    Ok(thumbprints.into_iter().map(str::to_owned).collect())
}

pub(super) fn create_oidc_provider(call: &mut Call<'_>) -> Reply {
    let url = required(call.params, "Url")?;
    let client_ids: Vec<String> = call.params.list("ClientIDList").into_iter().map(str::to_owned).collect();
    let thumbprints = thumbprints(call)?;
    let tags = tags::given(call.params)?;
    call.params.finish()?;
    let bare = url.strip_prefix("https://").filter(|bare| !bare.is_empty() && !bare.contains(['?', '#']));
    let bare = bare.ok_or_else(|| validation("Invalid Open ID Connect Provider URL"))?.trim_end_matches('/');
    if client_ids.len() > MOST_CLIENT_IDS {
        return Err(limit_exceeded(format!(
            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENT_IDS}"
        )));
    }
    let arn = format!("arn:aws:iam::{}:oidc-provider/{bare}", call.scope.account);
    let scope = call.scope.global();
    if call.tables.iam.oidc_providers.contains(&scope, &arn) {
        return Err(already_exists(format!("Provider with url {url} already exists.")));
    }
    let provider = OidcProvider { url: bare.to_owned(), client_ids, thumbprints, tags, created: call.now };
    let answer = CreateOpenIDConnectProviderResponse {
        open_i_d_connect_provider_arn: Some(arn.clone()),
        tags: tags::answered(&provider.tags),
    };
    call.tables.iam.oidc_providers.insert(&scope, arn, provider);
    Ok(response(wire::serialize_create_open_i_d_connect_provider_response(&answer)))
}

pub(super) fn get_oidc_provider(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    call.params.finish()?;
    let provider = find(call, arn)?;
    let answer = GetOpenIDConnectProviderResponse {
        client_i_d_list: Some(clientIDListType { items: provider.client_ids.clone() }),
        create_date: Some(time(provider.created)),
        tags: tags::answered(&provider.tags),
        thumbprint_list: Some(thumbprintListType { items: provider.thumbprints.clone() }),
        url: Some(provider.url.clone()),
    };
    Ok(response(wire::serialize_get_open_i_d_connect_provider_response(&answer)))
}

pub(super) fn list_oidc_providers(call: &mut Call<'_>) -> Reply {
    call.params.finish()?;
    let scope = call.scope.global();
    let providers = call.tables.iam.oidc_providers.iter(&scope);
    let items =
        providers.map(|(arn, _)| OpenIDConnectProviderListEntry { arn: Some(arn.to_owned()) }).collect();
    Ok(response(wire::serialize_list_open_i_d_connect_providers_response(
        &ListOpenIDConnectProvidersResponse {
            open_i_d_connect_provider_list: Some(OpenIDConnectProviderListType { items }),
        },
    )))
}

pub(super) fn delete_oidc_provider(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    call.params.finish()?;
    let scope = call.scope.global();
    call.tables.iam.oidc_providers.remove(&scope, arn).ok_or_else(|| unknown(arn))?;
    Ok(response(wire::serialize_delete_open_i_d_connect_provider_response()))
}

pub(super) fn update_oidc_provider_thumbprint(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let thumbprints = thumbprints(call)?;
    call.params.finish()?;
    find_mut(call, arn)?.thumbprints = thumbprints;
    Ok(response(wire::serialize_update_open_i_d_connect_provider_thumbprint_response()))
}

pub(super) fn add_client_id(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let client_id = required(call.params, "ClientID")?;
    call.params.finish()?;
    let client_ids = &mut find_mut(call, arn)?.client_ids;
    // One that is there already stays, without an error.
    if !client_ids.iter().any(|other| other == client_id) {
        if client_ids.len() >= MOST_CLIENT_IDS {
            return Err(limit_exceeded(format!(
                "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MOST_CLIENT_IDS}"
            )));
        }
        client_ids.push(client_id.to_owned());
    }
    Ok(response(wire::serialize_add_client_i_d_to_open_i_d_connect_provider_response()))
}

pub(super) fn remove_client_id(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let client_id = required(call.params, "ClientID")?;
    call.params.finish()?;
    find_mut(call, arn)?.client_ids.retain(|other| other != client_id);
    Ok(response(wire::serialize_remove_client_i_d_from_open_i_d_connect_provider_response()))
}

pub(super) fn tag_oidc_provider(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let new = tags::given(call.params)?;
    call.params.finish()?;
    tags::set(&mut find_mut(call, arn)?.tags, new)?;
    Ok(response(wire::serialize_tag_open_i_d_connect_provider_response()))
}

pub(super) fn untag_oidc_provider(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let keys = tags::keys(call.params);
    call.params.finish()?;
    tags::unset(&mut find_mut(call, arn)?.tags, &keys);
    Ok(response(wire::serialize_untag_open_i_d_connect_provider_response()))
}

pub(super) fn list_oidc_provider_tags(call: &mut Call<'_>) -> Reply {
    let arn = arn_asked_for(call)?;
    let request = pages::requested(call.params)?;
    call.params.finish()?;
    let (tags, marker) = tags::page(&find(call, arn)?.tags, &request);
    Ok(response(wire::serialize_list_open_i_d_connect_provider_tags_response(
        &ListOpenIDConnectProviderTagsResponse {
            is_truncated: Some(marker.is_some()),
            marker,
            tags: Some(tags),
        },
    )))
}
