//! The services that endpoints can be made for.
//! <https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>

use winterbaume_ec2_generated::model::{
    DescribeVpcEndpointServicesResult, PrivateDnsDetails, ServiceDetail, ServiceTypeDetail,
};
use winterbaume_ec2_generated::wire::serialize_describe_vpc_endpoint_services_response;

use super::EndpointKind::{self, Gateway, Interface};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::protocol::response;
use crate::services::ec2::availability_zone::zones;
use crate::services::ec2::common::answers::texts;
use crate::services::ec2::common::filters::Filters;

/// Names behind `com.amazonaws.REGION.`, and the types of endpoints that each has.
const SERVICES: &[(&str, &[EndpointKind])] = &[
    ("autoscaling", &[Interface]),
    ("dynamodb", &[Gateway, Interface]),
    ("ec2", &[Interface]),
    ("ec2messages", &[Interface]),
    ("ecr.api", &[Interface]),
    ("ecr.dkr", &[Interface]),
    ("eks", &[Interface]),
    ("eks-auth", &[Interface]),
    ("elasticache", &[Interface]),
    ("elasticfilesystem", &[Interface]),
    ("elasticloadbalancing", &[Interface]),
    ("kms", &[Interface]),
    ("logs", &[Interface]),
    ("monitoring", &[Interface]),
    ("rds", &[Interface]),
    ("s3", &[Gateway, Interface]),
    ("secretsmanager", &[Interface]),
    ("sns", &[Interface]),
    ("sqs", &[Interface]),
    ("ssm", &[Interface]),
    ("ssmmessages", &[Interface]),
    ("sts", &[Interface]),
];

/// The types of endpoints of a service by its full name; `None` if there is no such service in the region.
pub(super) fn kinds(name: &str, region: &str) -> Option<&'static [EndpointKind]> {
    let short = short_name(name, region)?;
    SERVICES.iter().find(|(service, _)| *service == short).map(|(_, kinds)| *kinds)
}

/// The name behind `com.amazonaws.REGION.`.
pub(super) fn short_name<'a>(name: &'a str, region: &str) -> Option<&'a str> {
    name.strip_prefix("com.amazonaws.")?.strip_prefix(region)?.strip_prefix('.')
}

/// The name that private DNS gives an endpoint's interfaces.
pub(super) fn private_name(name: &str, region: &str) -> String {
    match short_name(name, region).unwrap_or_default().split_once('.') {
        Some((service, "dkr")) => format!("*.dkr.{service}.{region}.amazonaws.com"),
        Some((service, part)) => format!("{part}.{service}.{region}.amazonaws.com"),
        None => format!("{}.{region}.amazonaws.com", short_name(name, region).unwrap_or_default()),
    }
}

/// A service under one type, as `DescribeVpcEndpointServices` lists it.
#[derive(Debug)]
struct Service {
    name: String,
    kind: EndpointKind,
}

pub(crate) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let names = params.list("ServiceName");
    let filters = Filters::read(params, &["owner", "service-name", "service-region", "service-type"])?;
    // All services fit on one page.
    let _: Option<u32> = params.parsed("MaxResults")?;
    params.finish()?;
    let region = call.scope.region.to_string();
    if let Some(unknown) = names.iter().find(|name| kinds(name, &region).is_none()) {
        let text = format!("The Vpc Endpoint Service '{unknown}' does not exist");
        return Err(ServiceError::new(400, "InvalidServiceName", text));
    }
    let all = SERVICES.iter().flat_map(|(short, kinds)| {
        let name = format!("com.amazonaws.{region}.{short}");
        kinds.iter().map(move |kind| Service { name: name.clone(), kind: *kind })
    });
    let selected: Vec<Service> = all
        .filter(|service| names.is_empty() || names.contains(&service.name.as_str()))
        .filter(|service| {
            filters.select(None, |name| {
                vec![match name {
                    "owner" => "amazon".to_owned(),
                    "service-region" => region.clone(),
                    "service-type" => service.kind.name().to_owned(),
                    _ => service.name.clone(),
                }]
            })
        })
        .collect();
    let mut service_names: Vec<String> = selected.iter().map(|service| service.name.clone()).collect();
    service_names.dedup();
    let details: Vec<_> = selected.iter().map(|service| detail(service, &region)).collect();
    Ok(response(serialize_describe_vpc_endpoint_services_response(&DescribeVpcEndpointServicesResult {
        next_token: None,
        service_details: Some(details.into()),
        service_names: Some(texts(&service_names)),
    })))
}

fn detail(service: &Service, region: &str) -> ServiceDetail {
    let zones = zones(region);
    let names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
    let ids: Vec<String> = zones.into_iter().map(|zone| zone.id).collect();
    let private = (service.kind == Interface).then(|| private_name(&service.name, region));
    let short = short_name(&service.name, region).unwrap_or_default();
    ServiceDetail {
        acceptance_required: Some(false),
        availability_zone_ids: Some(texts(&ids)),
        availability_zones: Some(texts(&names)),
        base_endpoint_dns_names: Some(texts(&[format!("{short}.{region}.vpce.amazonaws.com")])),
        manages_vpc_endpoints: Some(false),
        owner: Some("amazon".to_owned()),
        private_dns_name: private.clone(),
        private_dns_names: private
            .map(|name| vec![PrivateDnsDetails { private_dns_name: Some(name) }].into()),
        service_name: Some(service.name.clone()),
        service_region: Some(region.to_owned()),
        service_type: Some(
            vec![ServiceTypeDetail { service_type: Some(service.kind.name().to_owned()) }].into(),
        ),
        vpc_endpoint_policy_supported: Some(true),
        ..Default::default()
    }
}
