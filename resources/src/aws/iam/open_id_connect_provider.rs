//! OpenID Connect providers, by which a cluster's service accounts assume roles.
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_iam::Client;
use aws_sdk_iam::config::Builder;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Connect, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, found, not_found};
use crate::aws::iam::calls::{sdk_tags, tags_of};
use crate::aws::property::problem;
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const LIMIT_CLIENT_IDS: usize = 100;
const LIMIT_THUMBPRINTS: usize = 5;
const SCHEME: &str = "https://";

/// An OpenID Connect provider: AWS trusts the tokens of this issuer.
#[derive(Clone, Default, Inputs)]
pub struct OpenIdConnectProvider {
    /// The issuer, such as `https://oidc.eks.us-west-2.amazonaws.com/id/…`; there is one provider of each.
    #[input(required, replace)]
    pub url: Input<String>,
    /// The audiences that tokens may be for, such as `sts.amazonaws.com`.
    #[input(set)]
    pub client_ids: Input<Vec<String>>,
    /// The SHA-1 digests of the issuer's certificate authorities; AWS finds them out, and trusts known ones anyway.
    #[input(set, computed)]
    pub thumbprints: Input<Vec<String>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a provider gives.
#[derive(Clone, Outputs)]
pub struct OpenIdConnectProviderOutputs {
    /// Its ARN.
    pub arn: Output<Arn>,
    /// The issuer without `https://`, as it stands in the conditions of trust policies.
    pub issuer: Output<String>,
}

async fn get(iam: &Client, arn: &str) -> Result<Option<GetOpenIdConnectProviderOutput>, ProviderError> {
    let request = iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    found(request.send().await.during("GetOpenIDConnectProvider"))
}

async fn require(iam: &Client, arn: &str) -> Result<GetOpenIdConnectProviderOutput, ProviderError> {
    get(iam, arn).await?.ok_or_else(|| not_found(format!("the OpenID Connect provider {arn} does not exist")))
}

/// The issuer in a provider's ARN.
fn issuer_in(arn: &str) -> &str {
    arn.split_once(":oidc-provider/").map_or("", |(_, issuer)| issuer)
}

fn outputs(arn: &str) -> OpenIdConnectProviderOutputs {
    OpenIdConnectProviderOutputs { arn: Arn::new(arn).into(), issuer: issuer_in(arn).to_owned().into() }
}

impl OpenIdConnectProvider {
    /// The ARN that a provider of this URL has, if the URL is known.
    fn arn(&self, connection: &AwsConnection) -> Option<String> {
        let url = self.url.get()?;
        let issuer = url.strip_prefix(SCHEME).unwrap_or(&url);
        let AwsConnection { account, partition, .. } = connection;
        Some(format!("arn:{partition}:iam::{account}:oidc-provider/{issuer}"))
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<OpenIdConnectProviderOutputs, ProviderError> {
        let (iam, arn) = (&client.iam, id.as_str());
        let provider = until_seen(step, Self::CONSISTENCY_WINDOW, || require(iam, arn)).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(provider.tags()));
        if !changes.put.is_empty() {
            let request = iam.tag_open_id_connect_provider().open_id_connect_provider_arn(arn);
            let answer = request.set_tags(Some(sdk_tags(&changes.put)?)).send().await;
            answer.during("TagOpenIDConnectProvider")?;
        }
        if !changes.remove.is_empty() {
            let request = iam.untag_open_id_connect_provider().open_id_connect_provider_arn(arn);
            let answer = request.set_tag_keys(Some(changes.remove)).send().await;
            answer.during("UntagOpenIDConnectProvider")?;
        }
        self.converge_client_ids(iam, arn, scope, provider.client_id_list()).await?;
        if let Some(wanted) = scope.wanted_or_reset("thumbprints", &self.thumbprints).flatten() {
            let sorted = |thumbprints: &[String]| {
                thumbprints.iter().map(|text| text.to_ascii_lowercase()).collect::<BTreeSet<_>>()
            };
            if scope.is_change("thumbprints") || sorted(&wanted) != sorted(provider.thumbprint_list()) {
                let request = iam.update_open_id_connect_provider_thumbprint();
                let request = request.open_id_connect_provider_arn(arn).set_thumbprint_list(Some(wanted));
                request.send().await.during("UpdateOpenIDConnectProviderThumbprint")?;
            }
        }
        Ok(outputs(arn))
    }

    /// Adds and removes until exactly the wanted audiences are there. A read may be out of date: what was there before
    /// is not taken for settled by what it shows.
    async fn converge_client_ids(
        &self,
        iam: &Client,
        arn: &str,
        scope: Scope<'_, Self>,
        actual: &[String],
    ) -> Result<(), ProviderError> {
        let Some(wanted) = scope.wanted("client_ids", &self.client_ids, Vec::new()) else { return Ok(()) };
        let wanted: BTreeSet<String> = wanted.into_iter().collect();
        let actual: BTreeSet<String> = actual.iter().cloned().collect();
        let before = match scope.previous() {
            Some(previous) => previous.client_ids.get().unwrap_or_default().into_iter().collect(),
            None => actual.clone(),
        };
        for id in wanted.iter().filter(|id| !(actual.contains(*id) && before.contains(*id))) {
            let request = iam.add_client_id_to_open_id_connect_provider();
            let request = request.open_id_connect_provider_arn(arn).client_id(id);
            request.send().await.during("AddClientIDToOpenIDConnectProvider")?;
        }
        for id in actual.union(&before).filter(|id| !wanted.contains(*id)) {
            let request = iam.remove_client_id_from_open_id_connect_provider();
            let request = request.open_id_connect_provider_arn(arn).client_id(id);
            request.send().await.during("RemoveClientIDFromOpenIDConnectProvider")?;
        }
        Ok(())
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let arn = object.id.as_str();
        let Some(provider) = get(&client.iam, arn).await? else { return Ok(None) };
        let inputs = Self {
            url: format!("{SCHEME}{}", issuer_in(arn)).into(),
            client_ids: provider.client_id_list().to_vec().into(),
            thumbprints: provider.thumbprint_list().to_vec().into(),
            tags: tags::observed(&tags_of(provider.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(arn) }))
    }
}

#[async_trait]
impl ResourceType for OpenIdConnectProvider {
    const TYPE: &'static str = "aws:iam:OpenIdConnectProvider";
    const ID_FORM: &'static str = "its ARN";
    const SERVICE: &'static str = "iam";
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = OpenIdConnectProviderOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        let is_issuer = |url: &String| {
            let issuer = url.strip_prefix(SCHEME).unwrap_or_default();
            !issuer.is_empty() && !issuer.ends_with('/') && !issuer.contains(['?', '#', ':'])
        };
        if let Some(url) = self.url.get().filter(|url| !is_issuer(url)) {
            let message =
                format!("{url:?}: an issuer begins with {SCHEME} and ends without a slash, port or query");
            problems.push(problem("url", message));
        }
        if self.client_ids.get().is_some_and(|ids| ids.len() > LIMIT_CLIENT_IDS) {
            problems.push(problem("client_ids", format!("at most {LIMIT_CLIENT_IDS}")));
        }
        let thumbprints = self.thumbprints.get().unwrap_or_default();
        let is_digest = |text: &String| {
            text.len() == 40
                && text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
        };
        if thumbprints.len() > LIMIT_THUMBPRINTS || !thumbprints.iter().all(is_digest) {
            let message = format!("at most {LIMIT_THUMBPRINTS}, each of 40 lowercase hexadecimal digits");
            problems.push(problem("thumbprints", message));
        }
        problems
    }

    fn predict(&self, connection: &Value) -> OpenIdConnectProviderOutputs {
        let arn = AwsConnection::read(connection).ok().and_then(|connection| self.arn(&connection));
        arn.map_or_else(OpenIdConnectProviderOutputs::unknown, |arn| outputs(&arn))
    }

    fn connection_identity(_connect: &dyn Connect<AwsClients>, connection: &Value) -> Value {
        AwsConnection::global_identity(connection)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .iam
            .create_open_id_connect_provider()
            .set_url(self.url.get())
            .set_client_id_list(self.client_ids.get())
            .set_thumbprint_list(self.thumbprints.get())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))?))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("CreateOpenIDConnectProvider")?;
        let arn = answer.open_id_connect_provider_arn.or_else(|| self.arn(&client.connection));
        arn.map(PhysicalId::new).ok_or_else(|| {
            ProviderError::new(ErrorKind::Unclear, "CreateOpenIDConnectProvider: the answer names no ARN")
        })
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<OpenIdConnectProviderOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    /// IAM has no call that reads many; a stack has one provider per cluster.
    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        try_join_all(objects.iter().map(|object| Self::observe(client, object))).await
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<OpenIdConnectProviderOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (iam, arn) = (&client.iam, id.as_str());
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let provider = require(iam, arn).await?;
            let what = format!("the OpenID Connect provider {arn}");
            tags::require_lineage(step, &what, &tags_of(provider.tags()))?;
            let request = iam.delete_open_id_connect_provider().open_id_connect_provider_arn(arn);
            request.send().await.during("DeleteOpenIDConnectProvider").map(|_| ())
        })
        .await
    }

    /// The provider of that issuer is ours if its tags say so.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(arn) = self.arn(&client.connection) else { return Ok(None) };
        let provider = get(&client.iam, &arn).await?;
        let owned = provider.is_some_and(|provider| tags::are_owned(step, &tags_of(provider.tags())));
        Ok(owned.then(|| Found { id: PhysicalId::new(arn), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use lsinfra_engine::Property;

    use super::*;

    #[test]
    fn the_arn_is_known_before_the_provider_exists() {
        let connection = AwsConnection::new("123456789012", "us-west-2").to_value();
        let url = "https://oidc.eks.us-west-2.amazonaws.com/id/0123";
        let provider = OpenIdConnectProvider { url: url.into(), ..OpenIdConnectProvider::default() };
        assert!(provider.check().is_empty());
        let predicted = provider.predict(&connection);
        assert_eq!(predicted.issuer.get().as_deref(), Some("oidc.eks.us-west-2.amazonaws.com/id/0123"));
        assert_eq!(
            predicted.arn.get().map(String::from).as_deref(),
            Some("arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/0123")
        );
        let provider = OpenIdConnectProvider { url: Output::unknown().into(), ..provider };
        assert_eq!(provider.predict(&connection).arn.get(), None);
    }

    #[test]
    fn what_aws_would_refuse_is_a_problem() {
        let url = |url: &str| OpenIdConnectProvider { url: url.into(), ..OpenIdConnectProvider::default() };
        let refused = [
            url("http://example.com"),
            url("https://"),
            url("https://example.com/"),
            url("https://example.com?x"),
            OpenIdConnectProvider { thumbprints: vec!["12".to_owned()].into(), ..url("https://example.com") },
        ];
        for (index, provider) in refused.iter().enumerate() {
            assert_eq!(provider.check().len(), 1, "case {index}");
        }
    }
}
