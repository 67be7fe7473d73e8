//! Instance types, and where they are offered.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html>

mod table;

use winterbaume_ec2_generated::model::{
    DescribeInstanceTypeOfferingsResult, DescribeInstanceTypesResult, EbsInfo, EbsOptimizedInfo,
    InstanceTypeInfo, InstanceTypeOffering, MemoryInfo, NetworkInfo, ProcessorInfo, VCpuInfo,
};
use winterbaume_ec2_generated::wire::{
    serialize_describe_instance_type_offerings_response, serialize_describe_instance_types_response,
};

use self::table::{InstanceType, all};
use super::availability_zone::{Zone, zones};
use super::common::answers::invalid_value;
use super::common::filters::Filters;
use crate::cloud::call::{Call, Reply};
use crate::kubernetes::InstanceFigures;
use crate::protocol::error::ServiceError;
use crate::protocol::params::Params;
use crate::protocol::response;
use crate::services::common::pages::{Page, PageRequest};

/// The most instance types of one page, and that can be named in one call.
const LARGEST_PAGE: usize = 100;
/// The most offerings of one page.
const LARGEST_PAGE_OF_OFFERINGS: usize = 1000;
/// The zone that is too old for any of the table's types.
const OLDEST_ZONE: &str = "use1-az3";
const FILTERS: &[&str] = &[
    "bare-metal",
    "burstable-performance-supported",
    "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps",
    "instance-type",
    "memory-info.size-in-mib",
    "processor-info.supported-architecture",
    "vcpu-info.default-vcpus",
];

/// The figures of a type that nodes go by, and its architecture as Kubernetes names it.
pub(crate) fn figures(name: &str) -> Option<(InstanceFigures, &'static str)> {
    let known = all().find(|known| known.name == name)?;
    let figures = InstanceFigures {
        vcpus: u64::try_from(known.vcpus).ok()?,
        memory_mib: u64::try_from(known.memory_mib).ok()?,
        network_interfaces: u64::try_from(known.network_interfaces).ok()?,
        ipv4_addresses_per_interface: u64::try_from(known.ipv4_addresses_per_interface).ok()?,
    };
    Some((figures, if known.architecture() == "arm64" { "arm64" } else { "amd64" }))
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let names = params.list("InstanceType");
    let filters = Filters::read(params, FILTERS)?;
    let request = page(params, LARGEST_PAGE)?;
    params.finish()?;
    if names.len() > LARGEST_PAGE {
        return Err(invalid_value(format!("At most {LARGEST_PAGE} instance types can be specified.")));
    }
    let unknown: Vec<&str> =
        names.iter().copied().filter(|name| !all().any(|known| known.name == *name)).collect();
    if !unknown.is_empty() {
        let text = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return Err(ServiceError::new(400, "InvalidInstanceType", text));
    }
    let selected = all().filter(|known| names.is_empty() || names.contains(&known.name)).filter(|known| {
        filters.select(None, |name| {
            vec![match name {
                "bare-metal" => false.to_string(),
                "burstable-performance-supported" => known.is_burstable().to_string(),
                "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps" => {
                    known.ebs_baseline_mbps.to_string()
                }
                "memory-info.size-in-mib" => known.memory_mib.to_string(),
                "processor-info.supported-architecture" => known.architecture().to_owned(),
                "vcpu-info.default-vcpus" => known.vcpus.to_string(),
                _ => known.name.to_owned(),
            }]
        })
    });
    let Page { items, marker } =
        request.page(selected.map(|known| (known.name.to_owned(), wire(known))).collect());
    Ok(response(serialize_describe_instance_types_response(&DescribeInstanceTypesResult {
        instance_types: Some(items.into()),
        next_token: marker,
    })))
}

pub(super) fn describe_offerings(call: &mut Call<'_>) -> Reply {
    let params = call.params;
    let location_type = params.text("LocationType").unwrap_or("region");
    let filters = Filters::read(params, &["instance-type", "location"])?;
    let request = page(params, LARGEST_PAGE_OF_OFFERINGS)?;
    params.finish()?;
    let region = call.scope.region.to_string();
    let offering = zones(&region).into_iter().filter(|zone| zone.id != OLDEST_ZONE);
    let locations: Vec<String> = match location_type {
        "region" => vec![region],
        "availability-zone" => offering.map(|zone: Zone| zone.name).collect(),
        "availability-zone-id" => offering.map(|zone: Zone| zone.id).collect(),
        other => return Err(invalid_value(format!("Invalid value '{other}' for LocationType."))),
    };
    let offers = all().flat_map(|known| locations.iter().map(move |location| (known.name, location)));
    let selected = offers.filter(|(name, location)| {
        filters.select(None, |filter| {
            vec![if filter == "location" { (*location).clone() } else { (*name).to_owned() }]
        })
    });
    let offering = |name: &str, location: &String| InstanceTypeOffering {
        instance_type: Some(name.to_owned()),
        location: Some(location.clone()),
        location_type: Some(location_type.to_owned()),
    };
    let Page { items, marker } = request.page(
        selected.map(|(name, location)| (format!("{name} {location}"), offering(name, location))).collect(),
    );
    Ok(response(serialize_describe_instance_type_offerings_response(&DescribeInstanceTypeOfferingsResult {
        instance_type_offerings: Some(items.into()),
        next_token: marker,
    })))
}

fn page(params: &Params, largest: usize) -> Result<PageRequest, ServiceError> {
    let items: usize = params.parsed("MaxResults")?.unwrap_or(largest);
    if !(5..=largest).contains(&items) {
        return Err(invalid_value(format!(
            "Value ( {items} ) for parameter maxResults is invalid. Expecting a value between 5 and {largest}."
        )));
    }
    let token = params.text("NextToken");
    PageRequest::new(token, items)
        .ok_or_else(|| ServiceError::new(400, "InvalidNextToken", "The token is invalid"))
}

fn wire(known: InstanceType) -> InstanceTypeInfo {
    let megabytes = |megabits: i32| f64::from(megabits) / 8.0;
    InstanceTypeInfo {
        bare_metal: Some(false),
        burstable_performance_supported: Some(known.is_burstable()),
        ebs_info: Some(EbsInfo {
            ebs_optimized_info: Some(EbsOptimizedInfo {
                baseline_bandwidth_in_mbps: Some(known.ebs_baseline_mbps),
                baseline_throughput_in_m_bps: Some(megabytes(known.ebs_baseline_mbps)),
                maximum_bandwidth_in_mbps: Some(known.ebs_maximum_mbps),
                maximum_throughput_in_m_bps: Some(megabytes(known.ebs_maximum_mbps)),
                ..Default::default()
            }),
            ebs_optimized_support: Some("default".to_owned()),
            encryption_support: Some("supported".to_owned()),
            nvme_support: Some("required".to_owned()),
            ..Default::default()
        }),
        hypervisor: Some("nitro".to_owned()),
        instance_type: Some(known.name.to_owned()),
        memory_info: Some(MemoryInfo { size_in_mi_b: Some(known.memory_mib) }),
        network_info: Some(NetworkInfo {
            ipv4_addresses_per_interface: Some(known.ipv4_addresses_per_interface),
            maximum_network_interfaces: Some(known.network_interfaces),
            ..Default::default()
        }),
        processor_info: Some(ProcessorInfo {
            supported_architectures: Some(vec![known.architecture().to_owned()].into()),
            ..Default::default()
        }),
        v_cpu_info: Some(VCpuInfo { default_v_cpus: Some(known.vcpus), ..Default::default() }),
        ..Default::default()
    }
}
