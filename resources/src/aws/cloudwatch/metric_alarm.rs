//! Alarms on metrics. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html>

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Builder;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{Dimension, MetricAlarm as SdkAlarm, Tag};
use futures_util::future::try_join_all;
use lsinfra_engine::provider::{Changes, ErrorKind, Existing, Found, Observed, ProviderError};
use lsinfra_engine::schema::Durations;
use lsinfra_engine::{
    Input, InputProblem, Inputs, Output, Outputs, PhysicalId, ResourceType, StepContext, Value,
};

use crate::aws::cloudwatch::{ComparisonOperator, MissingData, Statistic};
use crate::aws::error::{During, found, not_found};
use crate::aws::property::{observed, observed_or_absent, problem, repeated};
use crate::aws::scope::Scope;
use crate::aws::tags::Tags;
use crate::aws::wait::{until_deleted, until_seen};
use crate::aws::{Arn, AwsClients, AwsConnection, durations, tags};

/// How many alarms one call describes.
const DESCRIBED_AT_ONCE: usize = 100;
/// How many alarms' tags are read at once.
const READ_AT_ONCE: usize = 4;
const LIMIT_ACTIONS: usize = 5;
/// The longest time that an alarm looks back, in seconds: a week.
const LIMIT_LOOK_BACK_SECONDS: i64 = 7 * 24 * 60 * 60;

/// An alarm on one metric.
#[derive(Clone, Default, Inputs)]
pub struct MetricAlarm {
    /// Its name, unique in account and region.
    #[input(required, replace, name = 255)]
    pub name: Input<String>,
    /// What it means and what to do about it.
    pub description: Input<String>,
    /// The namespace of its metric, such as `AWS/RDS`.
    #[input(required)]
    pub namespace: Input<String>,
    /// The name of its metric, such as `CPUUtilization`.
    #[input(required)]
    pub metric_name: Input<String>,
    /// The dimensions of its metric.
    pub dimensions: Input<BTreeMap<String, String>>,
    /// What is made of the values of a period.
    pub statistic: Input<Statistic>,
    /// What is made of them instead, such as the percentile `p99`.
    pub extended_statistic: Input<String>,
    /// The length of a period: 10, 20, 30 or a multiple of 60.
    #[input(required)]
    pub period_seconds: Input<i32>,
    /// How many periods are looked at.
    #[input(required)]
    pub evaluation_periods: Input<i32>,
    /// In how many of them the metric must be beyond the threshold; in all if it is not given.
    pub datapoints_to_alarm: Input<i32>,
    /// The threshold, in the metric's unit.
    #[input(required)]
    pub threshold: Input<f64>,
    /// Which values are beyond it.
    #[input(required)]
    pub comparison_operator: Input<ComparisonOperator>,
    /// What a period without data counts as.
    pub treat_missing_data: Input<MissingData>,
    /// What is told when the metric is beyond the threshold: topics.
    #[input(set)]
    pub alarm_actions: Input<Vec<Arn>>,
    /// What is told when it no longer is.
    #[input(set)]
    pub ok_actions: Input<Vec<Arn>>,
    /// Its tags.
    pub tags: Input<BTreeMap<String, String>>,
}

/// What an alarm gives.
#[derive(Clone, Outputs)]
pub struct MetricAlarmOutputs {
    /// Its name.
    pub name: Output<String>,
    /// Its ARN.
    pub arn: Output<Arn>,
}

fn arn_of(connection: &AwsConnection, name: &str) -> Arn {
    connection.arn("cloudwatch", &format!("alarm:{name}"))
}

fn outputs(client: &AwsClients, name: &str) -> MetricAlarmOutputs {
    MetricAlarmOutputs { name: name.to_owned().into(), arn: arn_of(&client.connection, name).into() }
}

/// The alarms of these names, at most a hundred.
async fn describe(client: &Client, names: Vec<String>) -> Result<Vec<SdkAlarm>, ProviderError> {
    let answer = client.describe_alarms().set_alarm_names(Some(names)).max_records(100).send().await;
    Ok(answer.during("DescribeAlarms")?.metric_alarms.unwrap_or_default())
}

/// The alarm of a name; [`ErrorKind::NotFound`] if there is none.
async fn require(client: &Client, name: &str) -> Result<SdkAlarm, ProviderError> {
    let alarm = describe(client, vec![name.to_owned()]).await?.pop();
    alarm.ok_or_else(|| not_found(format!("the alarm {name} does not exist")))
}

/// The tags of an alarm; [`ErrorKind::NotFound`] if there is none.
async fn tags_of(client: &AwsClients, name: &str) -> Result<Tags, ProviderError> {
    let arn = arn_of(&client.connection, name);
    let request = client.cloudwatch.list_tags_for_resource().resource_arn(arn.as_str());
    let answer = request.send().await.during("ListTagsForResource")?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Ok(answer.tags().iter().map(|tag| (text(tag.key()), text(tag.value()))).collect())
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

impl MetricAlarm {
    /// The call that makes the alarm or replaces all of its settings. What it is not told, it resets: so it is told again
    /// what is there and not managed, and not told what is no longer given.
    fn put(
        &self,
        client: &AwsClients,
        name: &str,
        scope: Scope<'_, Self>,
        actual: &SdkAlarm,
    ) -> PutMetricAlarmFluentBuilder {
        let is_left_alone = |field: &str| !scope.is_change(field);
        let text = |field: &str, input: &Input<String>, actual: Option<&str>| {
            input.get().or_else(|| actual.filter(|_| is_left_alone(field)).map(str::to_owned))
        };
        let actions = |field: &str, input: &Input<Vec<Arn>>, actual: &[String]| match input.get() {
            Some(arns) => arns.into_iter().map(String::from).collect(),
            None if is_left_alone(field) => actual.to_vec(),
            None => Vec::new(),
        };
        let dimensions = match self.dimensions.get() {
            Some(dimensions) => dimensions
                .iter()
                .map(|(name, value)| Dimension::builder().name(name).value(value).build())
                .collect(),
            None if is_left_alone("dimensions") => actual.dimensions().to_vec(),
            None => Vec::new(),
        };
        let missing_data = self.treat_missing_data.get().map(|data| data.name().to_owned());
        let missing_data = missing_data
            .or_else(|| actual.treat_missing_data.clone().filter(|_| is_left_alone("treat_missing_data")));
        let datapoints = self.datapoints_to_alarm.get();
        let datapoints = datapoints
            .or_else(|| actual.datapoints_to_alarm.filter(|_| is_left_alone("datapoints_to_alarm")));
        client
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(name)
            .set_alarm_description(text("description", &self.description, actual.alarm_description()))
            .set_namespace(self.namespace.get())
            .set_metric_name(self.metric_name.get())
            .set_dimensions(Some(dimensions).filter(|dimensions: &Vec<_>| !dimensions.is_empty()))
            .set_statistic(self.statistic.get().map(Statistic::to_sdk))
            .set_extended_statistic(self.extended_statistic.get())
            .set_period(self.period_seconds.get())
            .set_evaluation_periods(self.evaluation_periods.get())
            .set_datapoints_to_alarm(datapoints)
            .set_threshold(self.threshold.get())
            .set_comparison_operator(self.comparison_operator.get().map(ComparisonOperator::to_sdk))
            .set_treat_missing_data(missing_data)
            .set_alarm_actions(Some(actions("alarm_actions", &self.alarm_actions, actual.alarm_actions())))
            .set_ok_actions(Some(actions("ok_actions", &self.ok_actions, actual.ok_actions())))
            .set_actions_enabled(actual.actions_enabled())
            .set_insufficient_data_actions(actual.insufficient_data_actions.clone())
            .set_unit(actual.unit.clone())
    }

    async fn converge(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        scope: Scope<'_, Self>,
    ) -> Result<MetricAlarmOutputs, ProviderError> {
        let (cloudwatch, name) = (&client.cloudwatch, id.as_str());
        let actual = until_seen(step, Self::CONSISTENCY_WINDOW, || require(cloudwatch, name)).await?;
        let changes = tags::changes(step, scope, self, |inputs| &inputs.tags, &tags_of(client, name).await?);
        let arn = arn_of(&client.connection, name);
        if !changes.put.is_empty() {
            let request = cloudwatch.tag_resource().resource_arn(arn.as_str());
            request.set_tags(Some(sdk_tags(&changes.put))).send().await.during("TagResource")?;
        }
        if !changes.remove.is_empty() {
            let request = cloudwatch.untag_resource().resource_arn(arn.as_str());
            request.set_tag_keys(Some(changes.remove)).send().await.during("UntagResource")?;
        }
        self.put(client, name, scope, &actual).send().await.during("PutMetricAlarm")?;
        Ok(outputs(client, name))
    }

    async fn observe(
        client: &AwsClients,
        alarm: Option<&SdkAlarm>,
    ) -> Result<Option<Observed<Self>>, ProviderError> {
        let Some(alarm) = alarm else { return Ok(None) };
        let name = alarm.alarm_name().unwrap_or_default();
        let Some(tags) = found(tags_of(client, name).await)? else { return Ok(None) };
        let dimensions = alarm
            .dimensions()
            .iter()
            .filter_map(|dimension| Some((dimension.name()?.to_owned(), dimension.value()?.to_owned())));
        let arns = |arns: &[String]| arns.iter().map(Arn::new).collect::<Vec<Arn>>();
        let missing_data = alarm.treat_missing_data().and_then(MissingData::named);
        let inputs = Self {
            name: name.into(),
            description: observed_or_absent(alarm.alarm_description().map(str::to_owned)),
            namespace: observed_or_absent(alarm.namespace().map(str::to_owned)),
            metric_name: observed_or_absent(alarm.metric_name().map(str::to_owned)),
            dimensions: dimensions.collect::<BTreeMap<_, _>>().into(),
            statistic: observed_or_absent(alarm.statistic().and_then(Statistic::from_sdk)),
            extended_statistic: observed_or_absent(alarm.extended_statistic().map(str::to_owned)),
            period_seconds: observed_or_absent(alarm.period()),
            evaluation_periods: observed(alarm.evaluation_periods()),
            datapoints_to_alarm: observed_or_absent(alarm.datapoints_to_alarm()),
            threshold: observed_or_absent(alarm.threshold()),
            comparison_operator: observed_or_absent(
                alarm.comparison_operator().and_then(ComparisonOperator::from_sdk),
            ),
            treat_missing_data: missing_data.unwrap_or(MissingData::Missing).into(),
            alarm_actions: arns(alarm.alarm_actions()).into(),
            ok_actions: arns(alarm.ok_actions()).into(),
            tags: tags::observed(&tags).into(),
        };
        Ok(Some(Observed { inputs, outputs: outputs(client, name) }))
    }
}

#[async_trait]
impl ResourceType for MetricAlarm {
    const TYPE: &'static str = "aws:cloudwatch:MetricAlarm";
    const ID_FORM: &'static str = "its name";
    const SERVICE: &'static str = "cloudwatch";
    const SERVICE_PARALLELISM: usize = 4;
    const DURATIONS: Durations = durations::of(Self::TYPE);

    type Outputs = MetricAlarmOutputs;
    type Client = AwsClients;

    fn check(&self) -> Vec<InputProblem> {
        let mut problems = tags::check(&self.tags);
        if self.name.get().is_some_and(|name| name.is_empty() || name.chars().count() > 255) {
            problems.push(problem("name", "a name has 1 to 255 characters"));
        }
        if self.statistic.is_given() == self.extended_statistic.is_given() {
            problems.push(problem("statistic", "one of statistic and extended_statistic is needed"));
        }
        let (period, periods) = (self.period_seconds.get(), self.evaluation_periods.get());
        if period.is_some_and(|period| ![10, 20, 30].contains(&period) && (period < 60 || period % 60 != 0)) {
            problems.push(problem("period_seconds", "10, 20, 30 or a multiple of 60 seconds"));
        }
        let look_back = period.zip(periods).map(|(period, periods)| i64::from(period) * i64::from(periods));
        if periods.is_some_and(|periods| periods < 1) {
            problems.push(problem("evaluation_periods", "at least one period"));
        } else if look_back.is_some_and(|seconds| seconds > LIMIT_LOOK_BACK_SECONDS) {
            problems.push(problem("evaluation_periods", "an alarm looks back for at most a week"));
        }
        if let (Some(datapoints), Some(periods)) = (self.datapoints_to_alarm.get(), periods)
            && !(1..=periods.max(1)).contains(&datapoints)
        {
            let message = format!("{datapoints}: 1 to as many as there are periods, {periods}");
            problems.push(problem("datapoints_to_alarm", message));
        }
        for (path, arns) in [("alarm_actions", &self.alarm_actions), ("ok_actions", &self.ok_actions)] {
            if arns.get().is_some_and(|arns| arns.len() > LIMIT_ACTIONS) {
                problems.push(problem(path, format!("at most {LIMIT_ACTIONS} actions")));
            }
        }
        problems
    }

    fn predict(&self, connection: &Value) -> MetricAlarmOutputs {
        let arn = match (self.name.get(), AwsConnection::read(connection)) {
            (Some(name), Ok(connection)) => arn_of(&connection, &name).into(),
            _ => Output::unknown(),
        };
        MetricAlarmOutputs { name: repeated(&self.name), arn }
    }

    /// CloudWatch would replace the settings of an alarm that is there, whoever's it is; so that is asked first.
    async fn create(&self, client: &AwsClients, step: &StepContext) -> Result<PhysicalId, ProviderError> {
        let name = self.name.get().unwrap_or_default();
        if !describe(&client.cloudwatch, vec![name.clone()]).await?.is_empty() {
            let message =
                format!("PutMetricAlarm: there is an alarm {name} already: delete it, or import it");
            return Err(ProviderError::new(ErrorKind::AlreadyExists, message));
        }
        self.put(client, &name, Scope::Given, &SdkAlarm::builder().build())
            .set_tags(Some(sdk_tags(&tags::of_creation(step, &self.tags))))
            .customize()
            .config_override(Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .during("PutMetricAlarm")?;
        Ok(PhysicalId::new(name))
    }

    async fn complete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<MetricAlarmOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Given).await
    }

    async fn read(
        client: &AwsClients,
        objects: &[Existing<Self>],
    ) -> Result<Vec<Option<Observed<Self>>>, ProviderError> {
        let mut alarms = BTreeMap::new();
        for chunk in objects.chunks(DESCRIBED_AT_ONCE) {
            let names = chunk.iter().map(|object| object.id.as_str().to_owned()).collect();
            for alarm in describe(&client.cloudwatch, names).await? {
                alarms.insert(alarm.alarm_name().unwrap_or_default().to_owned(), alarm);
            }
        }
        let mut observed = Vec::with_capacity(objects.len());
        for chunk in objects.chunks(READ_AT_ONCE) {
            let calls = chunk.iter().map(|object| Self::observe(client, alarms.get(object.id.as_str())));
            observed.extend(try_join_all(calls).await?);
        }
        Ok(observed)
    }

    async fn update(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
        changes: &Changes<Self>,
    ) -> Result<MetricAlarmOutputs, ProviderError> {
        self.converge(client, step, id, Scope::Changed(changes)).await
    }

    async fn delete(
        &self,
        client: &AwsClients,
        step: &StepContext,
        id: &PhysicalId,
    ) -> Result<(), ProviderError> {
        let name = id.as_str();
        until_deleted(step, Self::CONSISTENCY_WINDOW, || async {
            require(&client.cloudwatch, name).await?;
            tags::require_lineage(step, &format!("the alarm {name}"), &tags_of(client, name).await?)?;
            let request = client.cloudwatch.delete_alarms().alarm_names(name);
            request.send().await.during("DeleteAlarms").map(|_| ())
        })
        .await
    }

    /// An alarm of that name is ours if its tags say so: a name alone proves nothing.
    async fn find(&self, client: &AwsClients, step: &StepContext) -> Result<Option<Found>, ProviderError> {
        let Some(name) = self.name.get() else { return Ok(None) };
        if describe(&client.cloudwatch, vec![name.clone()]).await?.is_empty() {
            return Ok(None);
        }
        let tags = found(tags_of(client, &name).await)?;
        let owned = tags.is_some_and(|tags| tags::are_owned(step, &tags));
        Ok(owned.then(|| Found { id: PhysicalId::new(name), failed: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cloudwatch_would_refuse_is_a_problem() {
        let alarm = MetricAlarm {
            name: "cpu".into(),
            statistic: Statistic::Average.into(),
            period_seconds: 300.into(),
            evaluation_periods: 3.into(),
            datapoints_to_alarm: 2.into(),
            ..MetricAlarm::default()
        };
        assert!(alarm.check().is_empty());
        for bad in [
            MetricAlarm { extended_statistic: "p99".into(), ..alarm.clone() },
            MetricAlarm { statistic: Input::default(), ..alarm.clone() },
            MetricAlarm { period_seconds: 45.into(), ..alarm.clone() },
            MetricAlarm { evaluation_periods: 5000.into(), ..alarm.clone() },
            MetricAlarm { datapoints_to_alarm: 4.into(), ..alarm.clone() },
            MetricAlarm { alarm_actions: vec![Arn::new("arn:aws:sns:x"); 6].into(), ..alarm },
        ] {
            assert_eq!(bad.check().len(), 1);
        }
    }
}
