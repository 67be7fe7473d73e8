//! Connections: where objects live, and how they are reached.

use lsinfra_engine::plan::{Action, Reason};

use crate::cloud::catalog::{CLUSTER, NETWORK, ROLE};
use crate::oracle::expect_reached;
use crate::rig::{Rig, simulate};
use crate::scenarios::{calls, calls_since, step};
use crate::stack::{HomeSpec, StackSpec};

#[test]
fn another_account_needs_another_object_and_another_role_does_not() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        stack.get_mut(key).home = HomeSpec::Account { account: 0, role: 1 };
        let before = calls(&rig);
        assert!(rig.up(&stack).await.plan.is_empty());
        assert_eq!(calls_since(&rig, before), [""; 0]);
        stack.get_mut(key).home = HomeSpec::Account { account: 1, role: 1 };
        let plan = rig.up(&stack).await.plan;
        assert!(step(&plan, Action::Create, &stack.urn(key)).reasons.contains(&Reason::ConnectionChanged));
        assert_eq!(calls_since(&rig, before), ["Create r0", "Delete r0"]);
        rig.no_call_was_refused();
        expect_reached(&rig, &stack);
    });
}

/// Contents of a replaced cluster are deleted through the old cluster's connection, while it answers.
#[test]
fn contents_follow_a_replaced_cluster() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |_| {});
        stack.add(ROLE, |content| content.home = HomeSpec::Inside(cluster));
        rig.up(&stack).await;
        let before = calls(&rig);
        stack.get_mut(cluster).identity = 1;
        rig.up(&stack).await;
        assert_eq!(calls_since(&rig, before), ["Create r0", "Create r1", "Delete r1", "Delete r0"]);
        rig.no_call_was_refused();
        expect_reached(&rig, &stack);
    });
}
