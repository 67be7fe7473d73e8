//! Record sets with simple routing.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>

use async_trait::async_trait;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::Builder;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet as SdkRecordSet, RrType,
};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, Connect, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::error::{During, built, not_found};
use crate::aws::property::{observed_or_absent, problem, repeated};
use crate::aws::route53::names::{LIMIT_NAME_CHARACTERS, normal, problem_of};
use crate::aws::route53::owner_record::{self, LONGEST_PREFIX};
use crate::aws::route53::{AliasTarget, HostedZoneId, RecordType};
use crate::aws::wait::until_deleted;
use crate::aws::{AwsClients, AwsConnection, durations, tags};

/// How many records are read at once: Route 53 takes five calls a second.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>
const READ_AT_ONCE: usize = 4;

/// A record set: either values with a time to live, or an alias. Its id is `ZONE/NAME/TYPE`, such as
/// `Z0123456789ABCDEF/app.example.com/A`.
///
/// It is never made over a record that is there already. A TXT record beside it, `_lsinfra-TYPE.NAME`, says whose it is;
/// without one, or with somebody else's, it is not deleted.
#[derive(Clone, Default, Inputs)]
pub struct RecordSet {
    /// The zone that it is in.
    #[input(required, replace)]
    pub zone_id: Input<HostedZoneId>,
    /// Its whole name, such as `app.example.com`.
    #[input(required, replace, case_insensitive)]
    pub name: Input<String>,
    /// Its type.
    #[input(required, replace)]
    pub record_type: Input<RecordType>,
    /// For how long resolvers may keep its values, in seconds.
    pub ttl_seconds: Input<i64>,
    /// Its values, in the form of its type; texts of a TXT record in quotation marks.
    #[input(set)]
    pub values: Input<Vec<String>>,
    /// What it stands for, instead of values.
    pub alias: Input<AliasTarget>,
}

/// What a record set gives.
#[derive(Clone, Outputs)]
pub struct RecordSetOutputs {
    /// Its whole name, without a dot at its end.
    pub name: Output<String>,
}

/// Where a record set is.
struct Place {
    zone_id: String,
    name: String,
    record_type: RecordType,
}

impl Place {
    fn id(&self) -> PhysicalId {
        PhysicalId::new(format!("{}/{}/{}", self.zone_id, self.name, self.record_type.name()))
    }

    fn read(id: &PhysicalId) -> Result<Self, ProviderError> {
        let mut parts = id.as_str().split('/');
        let (zone, name, kind) = (parts.next(), parts.next(), parts.next().and_then(RecordType::named));
        match (zone, name, kind, parts.next()) {
            (Some(zone), Some(name), Some(record_type), None) if !zone.is_empty() && !name.is_empty() => {
                Ok(Self { zone_id: zone.to_owned(), name: normal(name), record_type })
            }
            _ => {
                let message =
                    format!("{id} is no id of a record set: ZONE/NAME/TYPE, such as Z0123/app.example.com/A");
                Err(ProviderError::new(ErrorKind::Invalid, message))
            }
        }
    }

    /// The record set of that very name and type.
    async fn get(
        &self,
        client: &Client,
        name: &str,
        kind: RrType,
    ) -> Result<Option<SdkRecordSet>, ProviderError> {
        let request = client.list_resource_record_sets().hosted_zone_id(&self.zone_id);
        let request = request.start_record_name(name).start_record_type(kind.clone()).max_items(1);
        let answer = request.send().await.during("ListResourceRecordSets")?;
        let sets = answer.resource_record_sets;
        Ok(sets.into_iter().find(|set| normal(set.name()) == normal(name) && *set.r#type() == kind))
    }

    async fn record(&self, client: &Client) -> Result<Option<SdkRecordSet>, ProviderError> {
        self.get(client, &self.name, self.record_type.to_sdk()).await
    }

    async fn owner_record(&self, client: &Client) -> Result<Option<SdkRecordSet>, ProviderError> {
        self.get(client, &owner_record::name(&self.name, self.record_type), RrType::Txt).await
    }

    fn batch(
        changes: impl IntoIterator<Item = (ChangeAction, SdkRecordSet)>,
    ) -> Result<ChangeBatch, ProviderError> {
        let changes = changes
            .into_iter()
            .map(|(action, set)| built(Change::builder().action(action).resource_record_set(set).build()));
        built(ChangeBatch::builder().set_changes(Some(changes.collect::<Result<_, _>>()?)).build())
    }
}

impl RecordSet {
    fn place(&self) -> Result<Place, ProviderError> {
        match (self.zone_id.get(), self.name.get(), self.record_type.get()) {
            (Some(zone_id), Some(name), Some(record_type)) => {
                Ok(Place { zone_id: zone_id.into(), name: normal(&name), record_type })
            }
            _ => Err(ProviderError::new(ErrorKind::Invalid, "a record set has a zone, a name and a type")),
        }
    }

    fn wanted(&self, place: &Place) -> Result<SdkRecordSet, ProviderError> {
        let set = SdkRecordSet::builder().name(&place.name).r#type(place.record_type.to_sdk());
        let set = match self.alias.get() {
            Some(alias) => set.alias_target(alias.to_sdk()?),
            None => {
                let values = self.values.get().unwrap_or_default();
                let records =
                    values.into_iter().map(|value| built(ResourceRecord::builder().value(value).build()));
                let records = records.collect::<Result<Vec<_>, _>>()?;
                set.set_ttl(self.ttl_seconds.get()).set_resource_records(Some(records))
            }
        };
        built(set.build())
    }

    /// Puts the record and what says whose it is, whatever is there: it is ours by now.
    async fn put(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RecordSetOutputs, ProviderError> {
        let place = Place::read(id)?;
        let owner = owner_record::of(step, &place.name, place.record_type)?;
        let sets = [self.wanted(&place)?, owner];
        let batch = Place::batch(sets.into_iter().map(|set| (ChangeAction::Upsert, set)))?;
        let request = client.route53.change_resource_record_sets().hosted_zone_id(&place.zone_id);
        request.change_batch(batch).send().await.during("ChangeResourceRecordSets")?;
        Ok(RecordSetOutputs { name: place.name.into() })
    }

    async fn observe(
        client: &AwsClients,
        object: &Existing<Self>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let place = Place::read(&object.id)?;
        let set = match place.record(&client.route53).await {
            Ok(Some(set)) => set,
            Ok(None) => return Ok(None),
            // The zone is gone, and with it everything in it.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let alias = set.alias_target().map(AliasTarget::from_sdk).map(|actual| {
            let recorded = object.inputs.alias.get();
            recorded.filter(|recorded| recorded.is_equivalent(&actual)).unwrap_or(actual)
        });
        let values: Vec<String> =
            set.resource_records().iter().map(|record| record.value().to_owned()).collect();
        let inputs = Self {
            zone_id: HostedZoneId::new(&place.zone_id).into(),
            name: normal_as(&object.inputs.name, set.name()).into(),
            record_type: place.record_type.into(),
            ttl_seconds: observed_or_absent(set.ttl()),
            values: observed_or_absent(Some(values).filter(|values| !values.is_empty())),
            alias: observed_or_absent(alias),
        };
        Ok(Some(Observed { inputs, outputs: RecordSetOutputs { name: place.name.into() } }))
    }
}

/// A name as it was recorded, if that is the same.
fn normal_as(recorded: &Input<String>, actual: &str) -> String {
    recorded.get().filter(|recorded| normal(recorded) == normal(actual)).unwrap_or_else(|| normal(actual))
}

#[async_trait]
impl ResourceType for RecordSet {
    const TYPE: &'static str = "aws:route53:RecordSet";
    const ID_FORM: &'static str = "the id of the zone, the name and the type: `Z0A1B/app.example.com/A`";
    const SERVICE: &'static str = "route53";
    const SERVICE_PARALLELISM: usize = 4;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = RecordSetOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        if let Some(name) = self.name.get() {
            problems.extend(problem_of(&name).map(|text| problem("name", text)));
            if name.len() + LONGEST_PREFIX > LIMIT_NAME_CHARACTERS {
                let most = LIMIT_NAME_CHARACTERS - LONGEST_PREFIX;
                problems.push(problem("name", format!("{} characters: at most {most}", name.len())));
            }
        }
        let (is_alias, has_values) =
            (self.alias.is_given(), self.values.is_given() || self.ttl_seconds.is_given());
        if is_alias == has_values {
            problems.push(problem("values", "a record set has either values or an alias"));
        } else if !is_alias && self.values.is_given() != self.ttl_seconds.is_given() {
            problems.push(problem("ttl_seconds", "values go with the seconds for which they may be kept"));
        }
        if self.ttl_seconds.get().is_some_and(|seconds| !(0..=2_147_483_647).contains(&seconds)) {
            problems.push(problem("ttl_seconds", "0 to 2147483647 seconds"));
        }
        if self.values.get().is_some_and(|values| values.is_empty()) {
            problems.push(problem("values", "at least one value"));
        }
        problems
    }

    /// Beside a CNAME there is no other record of its name.
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#CNAMEFormat>
    fn excludes(&self, previous: &Self) -> bool {
        let place = |record: &Self| record.zone_id.get().zip(record.name.get().map(|name| normal(&name)));
        let is_alias = |record: &Self| record.record_type.get() == Some(RecordType::Cname);
        let is_same_place = place(self).is_some_and(|new| place(previous) == Some(new));
        is_same_place && (is_alias(self) || is_alias(previous))
    }

    fn predict(&self, _connection: &Value) -> RecordSetOutputs {
        match self.name.get() {
            Some(name) => RecordSetOutputs { name: normal(&name).into() },
            None => RecordSetOutputs { name: repeated(&self.name) },
        }
    }

    fn connection_identity(_connect: &dyn Connect<AwsClients>, connection: &Value) -> Value {
        AwsConnection::global_identity(connection)
    }

    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let place = self.place()?;
        let owner = owner_record::of(step, &place.name, place.record_type)?;
        // What says whose a record is may be left over from a record that somebody deleted.
        let sets = [(ChangeAction::Create, self.wanted(&place)?), (ChangeAction::Upsert, owner)];
        client
            .route53
            .change_resource_record_sets()
            .hosted_zone_id(&place.zone_id)
            .change_batch(Place::batch(sets)?)
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("ChangeResourceRecordSets")?;
        Ok(place.id())
    }

    /// Resolvers see it within a minute; what needs that waits for its own answer.
    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<RecordSetOutputs, ProviderError> {
        self.put(client, step, id).await
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
        _changes: &Changes<Self>,
    ) -> Result<RecordSetOutputs, ProviderError> {
        self.put(client, step, id).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let (route53, place) = (&client.route53, Place::read(id)?);
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            let (record, owner) = (place.record(route53).await?, place.owner_record(route53).await?);
            if record.is_none() && owner.is_none() {
                return Err(not_found(format!("the record set {id} does not exist")));
            }
            tags::require_lineage(
                step,
                &format!("the record set {id}"),
                &owner_record::tags(owner.as_ref()),
            )?;
            let sets = record.into_iter().chain(owner).map(|set| (ChangeAction::Delete, set));
            let request = route53.change_resource_record_sets().hosted_zone_id(&place.zone_id);
            let answer = request.change_batch(Place::batch(sets)?).send().await;
            answer.during("ChangeResourceRecordSets").map(|_| ())
        })
        .await
    }

    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let place = self.place()?;
        let owner = match place.owner_record(&client.route53).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        if !tags::are_owned(step, &owner_record::tags(owner.as_ref())) {
            return Ok(None);
        }
        let is_there = place.record(&client.route53).await?.is_some();
        Ok(is_there.then(|| Found { id: place.id(), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_says_where_a_record_is() {
        let place = Place::read(&PhysicalId::new("Z1/App.example.com./CNAME")).unwrap();
        assert_eq!(place.id(), PhysicalId::new("Z1/app.example.com/CNAME"));
        for bad in ["", "Z1", "Z1/a.example.com", "Z1/a.example.com/X", "Z1/a/A/b", "//A"] {
            assert!(Place::read(&PhysicalId::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_record_set_has_values_or_an_alias() {
        let plain = RecordSet {
            zone_id: HostedZoneId::new("Z1").into(),
            name: "a.example.com".into(),
            record_type: RecordType::A.into(),
            ..RecordSet::default()
        };
        let alias = AliasTarget {
            zone_id: "Z2".to_owned(),
            dns_name: "lb.example.net".to_owned(),
            evaluate_target_health: true,
        };
        let values = || Input::from(vec!["192.0.2.1".to_owned()]);
        let good = RecordSet { ttl_seconds: 60.into(), values: values(), ..plain.clone() };
        assert!(good.check().is_empty());
        assert!(RecordSet { alias: alias.clone().into(), ..plain.clone() }.check().is_empty());
        for bad in [
            plain.clone(),
            RecordSet { values: values(), ..plain.clone() },
            RecordSet { alias: alias.into(), ..good.clone() },
            RecordSet { ttl_seconds: (-1).into(), ..good.clone() },
            RecordSet { values: Vec::new().into(), ..good.clone() },
            RecordSet { name: "a..b".into(), ..good.clone() },
            RecordSet { name: "abc.".repeat(60).into(), ..good },
        ] {
            assert_eq!(bad.check().len(), 1, "{:?}", bad.name.get());
        }
    }
}
