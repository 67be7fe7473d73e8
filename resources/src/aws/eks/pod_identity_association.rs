//! Pod identity associations.
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_PodIdentityAssociation.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_eks::Client;
use aws_sdk_eks::types::PodIdentityAssociation as SdkAssociation;
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext};

use crate::aws::eks::calls::{READ_AT_ONCE, change_tags, joined, parts, sdk_tags, tags_of};
use crate::aws::error::{During, found, not_found};
use crate::aws::property;
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// A pod identity association: the role that the pods of a service account take on. It wants the add-on
/// `eks-pod-identity-agent`.
#[derive(Clone, Default, Inputs)]
pub struct PodIdentityAssociation {
    /// The cluster.
    #[input(required, replace)]
    pub cluster_name: Input<String>,
    /// The service account's namespace.
    #[input(required, replace)]
    pub namespace: Input<String>,
    /// The service account, which has one association.
    #[input(required, replace)]
    pub service_account: Input<String>,
    /// The role, which `pods.eks.amazonaws.com` must be allowed to assume.
    #[input(required)]
    pub role_arn: Input<Arn>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a pod identity association gives.
#[derive(Clone, Outputs)]
pub struct PodIdentityAssociationOutputs {
    /// Its id, `a-…`.
    pub id: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn outputs(association: &SdkAssociation) -> PodIdentityAssociationOutputs {
    PodIdentityAssociationOutputs {
        id: property::told(association.association_id().map(str::to_owned)),
        arn: property::told(association.association_arn().map(Arn::new)),
    }
}

struct AssociationCalls<'a> {
    eks: &'a Client,
    cluster: &'a str,
    id: &'a str,
}

impl AssociationCalls<'_> {
    /// The association; `None` if there is none of that id, or no such cluster.
    async fn get(&self) -> Result<Option<SdkAssociation>, ProviderError> {
        let request = self.eks.describe_pod_identity_association().cluster_name(self.cluster);
        let answer = request.association_id(self.id).send().await.during("DescribePodIdentityAssociation");
        Ok(found(answer)?.and_then(|answer| answer.association))
    }

    async fn require(&self) -> Result<SdkAssociation, ProviderError> {
        let message = || format!("the pod identity association {} does not exist", self.id);
        self.get().await?.ok_or_else(|| not_found(message()))
    }
}

impl PodIdentityAssociation {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<PodIdentityAssociationOutputs, ProviderError> {
        let (cluster, id) = parts(id)?;
        let calls = AssociationCalls { eks: &client.eks, cluster, id };
        let association = until_seen(step, Self::CONSISTENCY_WINDOW, || calls.require()).await?;
        let actual = tags_of(association.tags());
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &actual);
        change_tags(&client.eks, association.association_arn().unwrap_or_default(), changes).await?;
        let role = scope.wanted_or_reset("role_arn", &self.role_arn).flatten();
        let is_there = |role: &Arn| association.role_arn() == Some(role.as_str());
        if let Some(role) = role.filter(|role| scope.is_change("role_arn") || !is_there(role)) {
            let request = client.eks.update_pod_identity_association().cluster_name(cluster);
            let answer = request.association_id(id).role_arn(role.as_str()).send().await;
            answer.during("UpdatePodIdentityAssociation")?;
        }
        Ok(outputs(&association))
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let (cluster, id) = parts(&object.id)?;
        let association = AssociationCalls { eks: &client.eks, cluster, id }.get().await?;
        let Some(association) = association else { return Ok(None) };
        let text = |text: Option<&str>| property::observed(text.map(str::to_owned));
        let inputs = Self {
            cluster_name: cluster.into(),
            namespace: text(association.namespace()),
            service_account: text(association.service_account()),
            role_arn: property::observed(association.role_arn().map(Arn::new)),
            tags: tags::observed(&tags_of(association.tags())).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(&association) }))
    }
}

#[async_trait]
impl ResourceType for PodIdentityAssociation {
    const TYPE: &'static str = "aws:eks:PodIdentityAssociation";
    const ID_FORM: &'static str = "the name of the cluster and the id of the association: `prod/a-0a1b`";
    const SERVICE: &'static str = "eks";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = PodIdentityAssociationOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        tags::check(&self.tags)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let cluster = self.cluster_name.get().unwrap_or_default();
        let answer = client
            .eks
            .create_pod_identity_association()
            .client_request_token(&step.client_token)
            .cluster_name(&cluster)
            .set_namespace(self.namespace.get())
            .set_service_account(self.service_account.get())
            .set_role_arn(self.role_arn.get().map(String::from))
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .send()
            .await
            .during("CreatePodIdentityAssociation")?;
        let id = answer.association().and_then(SdkAssociation::association_id);
        // It was created, but as what is unknown: it is looked for by its service account and its tags.
        let unknown = || {
            let message = "CreatePodIdentityAssociation: the answer names no id";
            ProviderError::new(ErrorKind::Unclear, message)
        };
        id.map(|id| joined(&cluster, id)).ok_or_else(unknown)
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<PodIdentityAssociationOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            observed.extend(try_join_all(chunk.iter().map(|object| Self::observe(client, object))).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<PodIdentityAssociationOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (cluster, name) = parts(id)?;
        let calls = AssociationCalls { eks: &client.eks, cluster, id: name };
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let tags = tags_of(calls.require().await?.tags());
            tags::require_lineage(step, &format!("the pod identity association {id}"), &tags)?;
            let request = client.eks.delete_pod_identity_association().cluster_name(cluster);
            let answer = request.association_id(name).send().await;
            answer.during("DeletePodIdentityAssociation").map(|_| ())
        })
        .await
    }

    /// The association of the service account is ours if its tags say so.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(cluster) = self.cluster_name.get() else { return Ok(None) };
        let request = client.eks.list_pod_identity_associations().cluster_name(&cluster);
        let request =
            request.set_namespace(self.namespace.get()).set_service_account(self.service_account.get());
        let pages = request.into_paginator().items().send();
        let listed = found(pages.try_collect().await.during("ListPodIdentityAssociations"))?;
        for summary in listed.unwrap_or_default() {
            let Some(id) = summary.association_id() else { continue };
            let association = AssociationCalls { eks: &client.eks, cluster: &cluster, id }.get().await?;
            let is_ours = |found: SdkAssociation| {
                found.namespace() == self.namespace.get().as_deref()
                    && found.service_account() == self.service_account.get().as_deref()
                    && tags::are_owned(step, &tags_of(found.tags()))
            };
            if association.is_some_and(is_ours) {
                return Ok(Some(Found { id: joined(&cluster, id), failed: None }));
            }
        }
        Ok(None)
    }
}
