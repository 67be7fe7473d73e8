//! Outputs: predicted, known after apply, and of the stack itself.

use lsinfra_engine::plan::Action;

use crate::cloud::catalog::{CLUSTER, NETWORK, ROLE};
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{id, step, text};
use crate::stack::{Link, StackSpec};

#[test]
fn what_can_be_told_before_is_shown_before() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let role = stack.add(ROLE, |_| {});
        let network = stack.add(NETWORK, |_| {});
        let both = stack.add(ROLE, |user| {
            user.links = vec![
                Link { to: role, output: 1, mapped: true },
                Link { to: network, output: 0, mapped: false },
            ];
        });
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let links = &step(&plan, Action::Create, &stack.urn(both)).inputs["links"];
        assert_eq!(format!("{links:?}"), r#"["mapped arn:sim:account-0:name-0", (known after apply)]"#);
    });
}

#[test]
fn an_output_that_an_update_may_change_is_followed() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let cluster = stack.add(CLUSTER, |cluster| cluster.label = Some(1));
        stack.add(ROLE, |role| role.links = vec![Link { to: cluster, output: 1, mapped: false }]);
        rig.up(&stack).await;
        stack.get_mut(cluster).label = Some(2);
        rig.up(&stack).await;
        crate::oracle::expect_reached(&rig, &stack);
    });
}

#[test]
fn the_stacks_outputs_are_reported_and_recorded() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |_| {});
        let report = rig.up(&stack).await.report.unwrap();
        assert_eq!(report.outputs["last"], text(&id(&rig, &stack.urn(key))));
        assert_eq!(rig.disk.state().outputs, report.outputs);
    });
}

#[test]
fn outputs_follow_although_no_step_does() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let first = stack.add(NETWORK, |_| {});
        let second = stack.add(NETWORK, |_| {});
        rig.up(&stack).await;
        stack.resources.reverse();
        let report = rig.up(&stack).await.report.unwrap();
        assert!(report.steps.is_empty());
        assert_eq!(report.outputs["last"], text(&id(&rig, &stack.urn(first))));
        assert_eq!(rig.disk.state().outputs, report.outputs);
        let serial = rig.disk.state().serial;
        rig.up(&stack).await;
        assert_eq!(rig.disk.state().serial, serial, "nothing new, nothing written");

        // What stays keeps its outputs; of nothing there are none.
        let targets = [stack.urn(second)].into();
        rig.up_with(&stack, Run { targets, ..Run::destroy() }).await;
        assert_eq!(rig.disk.state().outputs, report.outputs);
        rig.up_with(&stack, Run::destroy()).await;
        assert!(rig.disk.state().outputs.is_empty());
    });
}
