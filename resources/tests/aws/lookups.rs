//! What the stack does not own and looks up.

use lsinfra_engine::Value;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::{Properties, Property};
use lsinfra_resources::aws::ec2::{ExistingSubnet, ExistingVpc, SubnetId, VpcId};

use crate::ec2_network::{subnet, vpc};
use crate::harness::Region;

fn told<T: Property>(outputs: &Properties, name: &str) -> T {
    T::from_value(&outputs[name]).unwrap()
}

#[tokio::test]
async fn an_existing_network_is_told_as_it_is() {
    let region = Region::open("eu-central-1").await;
    let vpc = vpc(&region).await;
    let subnet = subnet(&region, &vpc, "existing", "10.0.4.0/24").await;
    let vpc_id: VpcId = vpc.output("id");
    let outputs = region.look_up(ExistingVpc { vpc_id: vpc_id.clone().into() }).await.unwrap();
    assert_eq!(outputs["id"], vpc_id.to_value());
    assert_eq!(outputs["cidr_block"], Value::text("10.0.0.0/16"));
    assert_eq!(outputs["cidr_blocks"], Value::List(vec![Value::text("10.0.0.0/16")]));
    assert!(told::<bool>(&outputs, "enable_dns_support"));
    let ownership: std::collections::BTreeMap<String, String> = told(&outputs, "tags");
    assert!(ownership.contains_key("lsinfra:urn"), "all tags are told: {ownership:?}");

    let subnet_id: SubnetId = subnet.output("id");
    let looked_up = ExistingSubnet { subnet_id: subnet_id.clone().into() };
    let outputs = region.look_up(looked_up).await.unwrap();
    assert_eq!(outputs["vpc_id"], vpc_id.to_value());
    assert_eq!(outputs["cidr_block"], Value::text("10.0.4.0/24"));
    assert_eq!(told::<i32>(&outputs, "available_ip_address_count"), 251);
    assert!(told::<String>(&outputs, "availability_zone").starts_with("eu-central-1"));
    assert!(outputs.values().all(|value| !value.has_unknown()));
    subnet.delete().await;
    vpc.delete().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let region = Region::open("eu-central-1").await;
    let vpc = ExistingVpc { vpc_id: VpcId::new("vpc-0123456789abcdef0").into() };
    let error = region.look_up(vpc).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{}", error.message);
    let subnet = ExistingSubnet { subnet_id: SubnetId::new("subnet-0123456789abcdef0").into() };
    let error = region.look_up(subnet).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{}", error.message);
}
