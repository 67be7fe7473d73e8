//! Explanations: what types say of planned changes goes into the plan, and decides nothing.

use lsinfra_engine::OperationKind;
use lsinfra_engine::plan::Action;
use lsinfra_engine::provider::Explanation;

use crate::cloud::catalog::NETWORK;
use crate::rig::{Rig, Run, simulate};
use crate::scenarios::{calls, step};
use crate::stack::StackSpec;

fn told(compared_with: &str, may_call: bool) -> Option<Explanation> {
    Some(Explanation {
        compared_with: Some(compared_with.to_owned()),
        notes: vec![format!("may call: {may_call}")],
        ..Explanation::default()
    })
}

#[test]
fn a_type_explains_what_is_created_and_changed() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(1));
        let urn = stack.urn(key);
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let created = step(&plan, Action::Create, &urn).explanation.clone();
        let place = created.as_ref().and_then(|it| it.compared_with.clone()).unwrap_or_default();
        let account = place.split(' ').next().unwrap_or_default();
        assert!(!account.is_empty(), "where it lives is told: {created:?}");
        assert_eq!(created, told(&format!("{account} nothing -> label-1"), true));
        rig.up(&stack).await;

        stack.get_mut(key).label = Some(2);
        let expected = |may_call| told(&format!("{account} label-1 -> label-2"), may_call);
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        assert_eq!(step(&plan, Action::Update, &urn).explanation, expected(true));
        // A preview that makes no calls says so to the type.
        let offline = Run { refresh: false, ..Run::default() };
        let plan = rig.preview(&stack, &offline).await.unwrap();
        assert_eq!(step(&plan, Action::Update, &urn).explanation, expected(false));

        // It is a part of the plan that is saved, and where the object lives is not.
        let text = serde_json::to_string(&plan).unwrap();
        let read: lsinfra_engine::plan::Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(step(&read, Action::Update, &urn).explanation, expected(false));
        assert!(!text.contains("\"connection\""), "{text}");

        let destroy = Run { kind: OperationKind::Destroy, ..Run::default() };
        let plan = rig.preview(&StackSpec::default(), &destroy).await.unwrap();
        assert_eq!(step(&plan, Action::Delete, &urn).explanation, None);
    });
}

#[test]
fn what_cannot_be_explained_is_planned_and_done_all_the_same() {
    simulate(async {
        let (rig, mut stack) = (Rig::strict(), StackSpec::default());
        let key = stack.add(NETWORK, |network| network.label = Some(249));
        let before = calls(&rig);
        let plan = rig.preview(&stack, &Run::default()).await.unwrap();
        let explanation = step(&plan, Action::Create, &stack.urn(key)).explanation.clone().unwrap();
        assert_eq!((explanation.compared_with, explanation.parts.len()), (None, 0));
        assert!(explanation.notes[0].contains("nobody may know"), "{:?}", explanation.notes);
        rig.up_with(&stack, Run { approved: Some(plan), ..Run::default() }).await;
        assert!(calls(&rig) > before);
    });
}
