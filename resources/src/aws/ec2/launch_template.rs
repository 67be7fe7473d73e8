//! Launch templates, for node groups.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplate.html>
//!
//! A change makes a new version, which is the highest numbered one; the default version stays the first one, since
//! whoever launches from the template names a version.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, LaunchTemplate as SdkTemplate, LaunchTemplateVersion, RequestLaunchTemplateData,
    ResourceType as TagTarget, Tag,
};
use lsinfra_engine::provider::{Changes, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Expression, Input, InputProblem, Inputs, Output, Outputs, PhysicalId, Properties, Property, ResourceType,
    StepContext, Value,
};

use crate::aws::ec2::launch_template_data::{
    self as data, BlockDeviceMapping, MetadataOptions, TagSpecification,
};
use crate::aws::ec2::object::{self, Ec2Object};
use crate::aws::ec2::{LaunchTemplateId, SecurityGroupId};
use crate::aws::error::{During, found, not_found, refused};
use crate::aws::property::{self, problem};
use crate::aws::scope::Scope;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, durations, tags};

/// How many versions are kept, the newest: a node group may still run an earlier one, where an update of it failed or
/// waits for its turn. AWS allows ten thousand.
const KEPT_VERSIONS: usize = 10;
/// The most versions of one deleting call.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html>
const DELETED_AT_ONCE: usize = 200;
const LATEST: &str = "$Latest";
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>
const LIMIT_USER_DATA_BYTES: usize = 16 * 1024;

/// A launch template: what instances are launched with.
#[derive(Clone, Default, Inputs)]
pub struct LaunchTemplate {
    /// Its name, unique in account and region: 3 to 128 letters, digits and `().-/_`.
    #[input(required, replace, name = 128)]
    pub name: Input<String>,
    /// The machine image, `ami-…`; without one, a node group takes EKS's own.
    pub image_id: Input<String>,
    /// The instance type, such as `m7i.2xlarge`; a node group may choose it instead.
    pub instance_type: Input<String>,
    /// The volumes.
    pub block_device_mappings: Input<Vec<BlockDeviceMapping>>,
    /// How instances reach their metadata.
    pub metadata_options: Input<MetadataOptions>,
    /// The security groups of the instances' first interface.
    #[input(set)]
    pub security_group_ids: Input<Vec<SecurityGroupId>>,
    /// What instances run when they start: plain text, at most 16 KiB.
    pub user_data: Input<String>,
    /// Whether metrics come each minute instead of every five.
    pub monitoring: Input<bool>,
    /// The tags of what is launched.
    #[input(set)]
    pub tag_specifications: Input<Vec<TagSpecification>>,
    /// The tags of the template itself.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What a launch template gives.
#[derive(Clone, Outputs)]
pub struct LaunchTemplateOutputs {
    /// Its id.
    pub id: Output<LaunchTemplateId>,
    /// Its ARN.
    pub arn: Output<Arn>,
    /// Its name.
    pub name: Output<String>,
    /// The number of its newest version. Tags of its own make no other one.
    pub latest_version: Output<i64>,
}

impl Ec2Object for SdkTemplate {
    const NAME: &'static str = "launch template";
    // There is no such filter: see `describe_ids`.
    const ID_FILTER: &'static str = "launch-template-id";

    async fn describe(ec2: &Client, filters: Vec<Filter>) -> Result<Vec<Self>, ProviderError> {
        let filters = (!filters.is_empty()).then_some(filters);
        let pages = ec2.describe_launch_templates().set_filters(filters).into_paginator().items().send();
        pages.try_collect().await.during("DescribeLaunchTemplates")
    }

    /// AWS refuses the whole question if one of the ids is not there; then all templates are asked for.
    async fn describe_ids(ec2: &Client, ids: &[&str]) -> Result<Vec<Self>, ProviderError> {
        let wanted = ids.iter().map(|id| (*id).to_owned()).collect();
        let pages = ec2.describe_launch_templates().set_launch_template_ids(Some(wanted)).into_paginator();
        match found(pages.items().send().try_collect().await.during("DescribeLaunchTemplates"))? {
            Some(templates) => Ok(templates),
            None if ids.len() == 1 => Ok(Vec::new()),
            None => Self::describe(ec2, Vec::new()).await,
        }
    }

    fn id(&self) -> &str {
        self.launch_template_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }
}

/// The newest version of a template; `NotFound` if there is none.
async fn latest(ec2: &Client, id: &str) -> Result<LaunchTemplateVersion, ProviderError> {
    let request = ec2.describe_launch_template_versions().launch_template_id(id).versions(LATEST);
    let answer = request.send().await.during("DescribeLaunchTemplateVersions")?;
    let version = answer.launch_template_versions.unwrap_or_default().into_iter().next();
    version.ok_or_else(|| not_found(format!("the launch template {id} has no version")))
}

/// The newest versions of templates, by the templates' ids.
async fn latest_of(
    ec2: &Client,
    ids: &[&PhysicalId],
) -> Result<HashMap<String, LaunchTemplateVersion>, ProviderError> {
    let versions = match ids {
        [] => Vec::new(),
        // An account may have thousands of others.
        [id] => found(latest(ec2, id.as_str()).await)?.into_iter().collect(),
        _ => {
            let pages = ec2.describe_launch_template_versions().versions(LATEST).into_paginator();
            let versions: Vec<LaunchTemplateVersion> =
                pages.items().send().try_collect().await.during("DescribeLaunchTemplateVersions")?;
            versions
        }
    };
    let by_template =
        versions.into_iter().filter_map(|version| Some((version.launch_template_id.clone()?, version)));
    Ok(by_template.collect())
}

impl LaunchTemplate {
    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<LaunchTemplateOutputs, ProviderError> {
        let ec2 = &client.ec2;
        let template: SdkTemplate = object::tagged(ec2, step, scope, self, |inputs| &inputs.tags, id).await?;
        let newest = until_seen(step, Self::CONSISTENCY_WINDOW, || latest(ec2, id.as_str())).await?;
        let mut number = newest.version_number().unwrap_or_default();
        if self.needs_version(scope, &Self::of_version(&newest)) {
            // First, so that the call that brings the change about is the last one.
            remove_old_versions(ec2, id).await?;
            number = self.create_version(ec2, step, id, number).await?;
        }
        Ok(outputs(client, &template, number))
    }

    /// Whether what instances are launched with has to change.
    fn needs_version(&self, scope: Scope<'_, Self>, actual: &Self) -> bool {
        fn differs<T: Property + PartialEq>(
            scope: Scope<'_, LaunchTemplate>,
            field: &str,
            wanted: &Input<T>,
            actual: &Input<T>,
        ) -> bool {
            match scope {
                Scope::Given => wanted.get().is_some_and(|wanted| actual.get().as_ref() != Some(&wanted)),
                Scope::Changed(changes) => changes.contains(field),
            }
        }
        differs(scope, "image_id", &self.image_id, &actual.image_id)
            || differs(scope, "instance_type", &self.instance_type, &actual.instance_type)
            || differs(
                scope,
                "block_device_mappings",
                &self.block_device_mappings,
                &actual.block_device_mappings,
            )
            || differs(scope, "metadata_options", &self.metadata_options, &actual.metadata_options)
            || differs(scope, "security_group_ids", &self.security_group_ids, &actual.security_group_ids)
            || differs(scope, "user_data", &self.user_data, &actual.user_data)
            || differs(scope, "monitoring", &self.monitoring, &actual.monitoring)
            || differs(scope, "tag_specifications", &self.tag_specifications, &actual.tag_specifications)
    }

    /// Makes a version of what is given, and returns its number.
    async fn create_version(
        &self,
        ec2: &Client,
        step: &StepContext,
        id: &PhysicalId,
        after: i64,
    ) -> Result<i64, ProviderError> {
        // The step's own token is the template's for life. This one says which version it is of what content, so
        // that sending the same again makes no second one.
        let data = self.to_data();
        let mut content = DefaultHasher::new();
        // The SDK does not show user data.
        (format!("{data:?}"), self.user_data.get()).hash(&mut content);
        let token = format!("{id}-{after}-{:016x}", content.finish());
        let answer = until_seen(step, Self::CONSISTENCY_WINDOW, || async {
            let request = ec2.create_launch_template_version().launch_template_id(id.as_str());
            let request = request.client_token(&token).launch_template_data(data.clone());
            request.send().await.during("CreateLaunchTemplateVersion")
        })
        .await?;
        let number = answer.launch_template_version().and_then(LaunchTemplateVersion::version_number);
        Ok(number.unwrap_or(after + 1))
    }

    fn to_data(&self) -> RequestLaunchTemplateData {
        let mappings = self.block_device_mappings.get();
        let specifications = self.tag_specifications.get();
        let groups = self.security_group_ids.get();
        RequestLaunchTemplateData::builder()
            .set_image_id(self.image_id.get())
            .set_instance_type(self.instance_type.get().map(|name| name.as_str().into()))
            .set_block_device_mappings(
                mappings.map(|mappings| mappings.iter().map(BlockDeviceMapping::to_sdk).collect()),
            )
            .set_metadata_options(self.metadata_options.get().map(|options| options.to_sdk()))
            .set_security_group_ids(groups.map(|groups| groups.into_iter().map(String::from).collect()))
            .set_user_data(self.user_data.get().map(|text| data::encode(&text)))
            .set_monitoring(self.monitoring.get().map(data::monitoring))
            .set_tag_specifications(
                specifications.map(|items| items.iter().map(TagSpecification::to_sdk).collect()),
            )
            .build()
    }

    /// The inputs that a version shows.
    fn of_version(version: &LaunchTemplateVersion) -> Self {
        let Some(content) = version.launch_template_data() else { return Self::default() };
        let mappings = content.block_device_mappings().iter().map(BlockDeviceMapping::from_sdk);
        let specifications = content.tag_specifications().iter().filter_map(TagSpecification::from_sdk);
        let instance_type = content.instance_type().map(|kind| kind.as_str().to_owned());
        Self {
            image_id: property::observed_or_absent(content.image_id().map(str::to_owned)),
            instance_type: property::observed_or_absent(instance_type),
            block_device_mappings: mappings.collect::<Vec<_>>().into(),
            metadata_options: property::observed_or_absent(
                content.metadata_options().map(MetadataOptions::from_sdk),
            ),
            security_group_ids: content
                .security_group_ids()
                .iter()
                .map(SecurityGroupId::new)
                .collect::<Vec<_>>()
                .into(),
            user_data: property::observed_or_absent(content.user_data().map(data::decode)),
            monitoring: property::observed_or_absent(
                content.monitoring().and_then(|monitoring| monitoring.enabled()),
            ),
            tag_specifications: specifications.collect::<Vec<_>>().into(),
            ..Self::default()
        }
    }

    fn check_name(&self) -> Option<InputProblem> {
        let legal = |character: char| character.is_ascii_alphanumeric() || "().-/_".contains(character);
        let name = self.name.get()?;
        let is_legal = (3..=128).contains(&name.len()) && name.chars().all(legal);
        (!is_legal).then(|| problem("name", format!("{name:?}: 3 to 128 letters, digits and ().-/_")))
    }
}

/// Makes room for one more version: deletes the oldest ones, but for the default one.
async fn remove_old_versions(ec2: &Client, id: &PhysicalId) -> Result<(), ProviderError> {
    let pages = ec2.describe_launch_template_versions().launch_template_id(id.as_str()).into_paginator();
    let mut versions: Vec<LaunchTemplateVersion> =
        pages.items().send().try_collect().await.during("DescribeLaunchTemplateVersions")?;
    versions.sort_by_key(|version| std::cmp::Reverse(version.version_number()));
    let old: Vec<String> = versions
        .iter()
        .skip(KEPT_VERSIONS - 1)
        .filter(|version| version.default_version() != Some(true))
        .filter_map(|version| version.version_number().map(|number| number.to_string()))
        .collect();
    for numbers in old.chunks(DELETED_AT_ONCE) {
        let request = ec2.delete_launch_template_versions().launch_template_id(id.as_str());
        let answer = request.set_versions(Some(numbers.to_vec())).send().await;
        let answer = answer.during("DeleteLaunchTemplateVersions")?;
        // The call succeeds even if it deletes nothing: the answer says what it refused.
        for item in answer.unsuccessfully_deleted_launch_template_versions() {
            let error = item.response_error();
            let code = error.and_then(|error| error.code()).map(|code| code.as_str()).unwrap_or_default();
            // The call was answered before, and the answer lost.
            if code != "launchTemplateVersionDoesNotExist" {
                let text = error.and_then(|error| error.message()).unwrap_or_default();
                return Err(refused("DeleteLaunchTemplateVersions", code, text));
            }
        }
    }
    Ok(())
}

fn outputs(client: &AwsClients, template: &SdkTemplate, latest_version: i64) -> LaunchTemplateOutputs {
    LaunchTemplateOutputs {
        id: LaunchTemplateId::new(template.id()).into(),
        arn: client.connection.arn("ec2", &format!("launch-template/{}", template.id())).into(),
        name: template.launch_template_name().unwrap_or_default().to_owned().into(),
        latest_version: latest_version.into(),
    }
}

#[async_trait]
impl ResourceType for LaunchTemplate {
    const TYPE: &'static str = "aws:ec2:LaunchTemplate";
    const SERVICE: &'static str = "ec2";
    const CLIENT_TOKEN: bool = true;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = LaunchTemplateOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        problems.extend(self.check_name());
        let is_given = [
            self.image_id.is_given(),
            self.instance_type.is_given(),
            self.block_device_mappings.is_given(),
            self.metadata_options.is_given(),
            self.security_group_ids.is_given(),
            self.user_data.is_given(),
            self.monitoring.is_given(),
            self.tag_specifications.is_given(),
        ];
        if !is_given.contains(&true) {
            problems.push(problem("name", "a launch template has at least one setting"));
        }
        for (index, mapping) in self.block_device_mappings.get().unwrap_or_default().iter().enumerate() {
            let found = mapping.check();
            problems.extend(found.map(|text| problem(&format!("block_device_mappings[{index}]"), text)));
        }
        let options = self.metadata_options.get();
        if options.is_some_and(|options| !(1..=64).contains(&options.http_put_response_hop_limit)) {
            let path = "metadata_options.http_put_response_hop_limit";
            problems.push(problem(path, "a response takes 1 to 64 hops"));
        }
        if self.user_data.get().is_some_and(|text| text.len() > LIMIT_USER_DATA_BYTES) {
            let message = format!("user data has at most {LIMIT_USER_DATA_BYTES} bytes");
            problems.push(problem("user_data", message));
        }
        problems.extend(data::check_tags(&self.tag_specifications.get().unwrap_or_default()));
        problems
    }

    fn predict(&self, _connection: &Value) -> LaunchTemplateOutputs {
        LaunchTemplateOutputs { name: property::repeated(&self.name), ..LaunchTemplateOutputs::unknown() }
    }

    fn predict_update(&self, previous: &Self, outputs: &mut Properties) {
        let version = |template: &Self| {
            let inputs = template.expressions().into_iter().filter(|(name, _)| *name != "tags");
            let known = inputs.map(|(name, expression)| match expression {
                Expression::Value(value) if !value.has_unknown() => Some((name, value)),
                _ => None,
            });
            known.collect::<Option<Vec<_>>>()
        };
        let after = version(self);
        if after.is_none() || version(previous) != after {
            outputs.insert("latest_version".to_owned(), Value::Unknown);
        }
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let answer = client
            .ec2
            .create_launch_template()
            .client_token(&step.client_token)
            .set_launch_template_name(self.name.get())
            .launch_template_data(self.to_data())
            .tag_specifications(object::tag_specification(TagTarget::LaunchTemplate, step, &self.tags))
            .send()
            .await
            .during("CreateLaunchTemplate")?;
        let template = answer.launch_template();
        object::created("CreateLaunchTemplate", template.and_then(SdkTemplate::launch_template_id))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<LaunchTemplateOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let ids: Vec<&PhysicalId> = objects.iter().map(|object| &object.id).collect();
        let templates = object::by_ids::<SdkTemplate>(&client.ec2, ids.iter().copied()).await?;
        let versions = latest_of(&client.ec2, &ids).await?;
        let observe = |object: &Existing<Self>| {
            let id = object.id.as_str();
            let (template, version) = (templates.get(id)?, versions.get(id)?);
            let inputs = Self {
                name: property::observed(template.launch_template_name().map(str::to_owned)),
                tags: object::observed_tags(template),
                ..Self::of_version(version)
            };
            let number = version.version_number().unwrap_or_default();
            Some(Observed { inputs, outputs: outputs(client, template, number) })
        };
        Ok(objects.iter().map(observe).collect())
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<LaunchTemplateOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let request = client.ec2.delete_launch_template().launch_template_id(id.as_str());
            request.send().await.during("DeleteLaunchTemplate").map(|_| ())
        })
        .await?;
        object::gone::<SdkTemplate>(&client.ec2, step, id).await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        object::find::<SdkTemplate>(&client.ec2, step).await
    }
}
