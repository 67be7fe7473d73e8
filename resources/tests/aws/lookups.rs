//! What the stack does not own and looks up.

use lsinfra_engine::provider::ErrorKind;
use lsinfra_resources::aws::ec2::{ExistingNetwork, SubnetId, VpcId};

use crate::ec2_network::{subnet, vpc};
use crate::harness::Region;

#[tokio::test]
async fn an_existing_network_is_checked_as_a_whole() {
    let region = Region::open("eu-central-1").await;
    let vpc = vpc(&region).await;
    let subnet = subnet(&region, &vpc, "existing", "10.0.4.0/24").await;
    let (vpc_id, subnet_id): (VpcId, SubnetId) = (vpc.output("id"), subnet.output("id"));
    let network = ExistingNetwork {
        vpc_id: vpc_id.clone().into(),
        public_subnet_ids: vec![SubnetId::new("subnet-0123456789abcdef0")].into(),
        private_subnet_ids: vec![subnet_id.clone()].into(),
        cluster_name: "none".to_owned().into(),
    };
    let error = region.look_up(network.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{}", error.message);
    let (vpc_id, subnet_id) = (vpc_id.as_str(), subnet_id.as_str());
    for said in [
        format!("{vpc_id}: DNS host names are off"),
        "subnet-0123456789abcdef0: there is no such subnet".to_owned(),
        format!("{subnet_id} lacks the tag kubernetes.io/role/internal-elb"),
        format!("{subnet_id} has no route to 0.0.0.0/0"),
    ] {
        assert!(error.message.contains(&said), "{said:?} is not in {}", error.message);
    }

    let nowhere = ExistingNetwork { vpc_id: VpcId::new("vpc-0123456789abcdef0").into(), ..network };
    let error = region.look_up(nowhere).await.unwrap_err();
    assert!(error.message.contains("vpc-0123456789abcdef0: there is no such VPC"), "{}", error.message);
    subnet.delete().await;
    vpc.delete().await;
}
