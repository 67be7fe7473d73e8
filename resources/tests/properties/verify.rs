//! What is verified of a case: that each change is planned as what it is, for the reason that it is, in the
//! right order, that nothing is left to do afterwards, and that somebody else's change is found and mended.

use std::collections::{BTreeMap, BTreeSet};

use lsinfra_engine::events::{EventKind, StepOutcome};
use lsinfra_engine::operation::OperationError;
use lsinfra_engine::plan::{Action, Plan, PropertyChange, Reason, Step, drift};
use lsinfra_engine::provider::Observation;
use lsinfra_engine::schema::Schema;
use lsinfra_engine::{Declaration, Expression, Graph, InputProblem, Object, Options, Properties, Urn, Value};

use crate::case::Case;
use crate::rig::Rig;
use crate::unseen::is_unseen;

/// Takes a case through all its changes.
pub(crate) async fn verify(case: &Case) {
    let rig = Rig::open().await;
    let schema = *rig.providers.get(case.resource_type).unwrap().schema();
    let verification = Verification { case, rig, schema };
    verification.run().await;
}

struct Verification<'a> {
    case: &'a Case,
    rig: Rig,
    schema: Schema,
}

impl Verification<'_> {
    async fn run(&self) {
        let (graph, urn) = self.declared(0, true);
        self.rig.up(&graph, |_| ()).await;
        self.assert_settled(&graph, &urn, "once it is created").await;
        if let Some(hand) = self.case.preparation {
            hand(&self.rig, &self.object(&urn).await).await;
        }
        let (mut updated, mut mended) = (BTreeSet::new(), BTreeSet::new());
        for (index, fields) in self.case.changes.iter().enumerate() {
            let (former, _) = self.declared(index, true);
            let (graph, urn) = self.declared(index + 1, true);
            let object = self.object(&urn).await;
            let comes_later = self.case.changes[index + 1..].contains(fields);
            let is_replaced = |name: &&&str| {
                let field = self.schema.input(name).unwrap();
                field.replace && (!field.restorable || object.inputs.contains_key(**name))
            };
            match &fields[..] {
                _ if fields.iter().any(|name| is_replaced(&name)) => self.replace(&graph, &urn, fields).await,
                [field] if self.is_one_way(field) && !comes_later => {
                    self.follow(&former, &graph, &urn, field).await;
                    mended.insert(*field);
                }
                _ => {
                    updated.extend(fields);
                    mended.extend(self.update(&graph, &urn, fields).await);
                }
            }
        }
        let (graph, urn) = self.declared(self.case.changes.len(), true);
        for (field, hand) in &self.case.meddling {
            hand(&self.rig, &self.object(&urn).await).await;
            self.mend(&graph, &urn, &[field], &[field]).await;
            mended.insert(field);
        }
        let is_left_out = |name: &&&str| {
            // What AWS takes back in company only, or never, is followed alone if at all.
            let is_alone =
                self.case.changes.iter().any(|fields| matches!(&fields[..], [alone] if alone == *name));
            let stays = self.case.one_way.contains(**name) && !(is_alone && self.is_one_way(name));
            !stays && !is_unseen(self.case.resource_type, name) && !mended.contains(**name)
        };
        let left_out: Vec<_> = updated.into_iter().filter(is_left_out).collect();
        assert!(left_out.is_empty(), "no change of {left_out:?} by somebody else was mended");
        for declared in graph.get(&urn).unwrap().inputs.keys() {
            let field = self.schema.input(declared).unwrap();
            if !field.required && !field.replace && !self.case.needed.contains(declared) {
                self.take_away(&graph, &urn, declared).await;
            }
        }
        self.lose().await;
        let nothing = Graph::new([], BTreeMap::new()).unwrap();
        self.rig.up(&nothing, |_| ()).await;
        assert!(self.rig.snapshot().await.resources.is_empty(), "all is deleted");
    }

    fn declared(&self, changes: usize, with_dependants: bool) -> (Graph, Urn) {
        let stack = self.rig.stack();
        let urn = self.case.declare(&stack, changes, with_dependants);
        (stack.graph().unwrap(), urn)
    }

    /// Whether AWS changes an input of an object one way only; what is restorable nobody takes away at all.
    fn is_one_way(&self, field: &str) -> bool {
        self.case.one_way.contains(field) && !self.schema.input(field).unwrap().restorable
    }

    /// Whether the new object that a change of these makes cannot exist beside the old one.
    fn is_exclusive(&self, fields: &[&str]) -> bool {
        matches!(fields, [field] if self.case.exclusive.contains(field))
    }

    async fn object(&self, urn: &Urn) -> Object {
        self.rig.snapshot().await.current(urn).unwrap().clone()
    }

    /// Nothing is to be done, and all that is given is read back.
    async fn assert_settled(&self, graph: &Graph, urn: &Urn, when: &str) {
        let plan = self.rig.preview(graph).await;
        assert!(plan.is_empty() && plan.drift.is_empty(), "{when}, nothing is to be done:\n{}", told(&plan));
        let object = self.object(urn).await;
        let inputs = self.observed(urn, &object).await;
        let declared = &graph.get(urn).unwrap().inputs;
        for name in declared.keys().filter(|name| !inputs.contains_key(**name)) {
            assert!(is_unseen(self.case.resource_type, name), "{when}: {name} is not read back");
        }
    }

    async fn observed(&self, urn: &Urn, object: &Object) -> Properties {
        match self.rig.read(urn, object).await {
            Observation::Gone => panic!("{urn} is gone"),
            Observation::Present { inputs, .. } => inputs,
        }
    }

    /// These inputs change in place, and are mended when somebody else changes them back. Gives the ones in
    /// which that shows.
    async fn update<'a>(&self, graph: &Graph, urn: &Urn, fields: &[&'a str]) -> BTreeSet<&'a str> {
        let before = self.object(urn).await.inputs;
        self.rig.up(graph, |plan| self.assert_updates(plan, graph, urn, fields, false)).await;
        self.assert_settled(graph, urn, &format!("after {fields:?} changed")).await;
        let object = self.object(urn).await;
        let may_show =
            |field: &&str| object.inputs.contains_key(*field) && !is_unseen(self.case.resource_type, field);
        let may_show: Vec<&str> = fields.iter().copied().filter(may_show).collect();
        // What nobody gave mostly stays as it is when it is computed.
        let shows = |field: &&str| before.contains_key(*field) || !self.schema.input(field).unwrap().computed;
        if fields.iter().all(|field| self.case.one_way.contains(field)) {
            return BTreeSet::new();
        }
        let shown: Vec<&str> = may_show.iter().copied().filter(shows).collect();
        // Nobody knows the secret that was given before.
        if shown.is_empty() && fields.iter().any(|field| before.get(*field).is_some_and(Value::has_secret)) {
            return BTreeSet::new();
        }
        self.rig.update_by_hand(urn, &object, &before).await;
        let drifted = self.mend(graph, urn, &shown, &may_show).await;
        may_show.into_iter().filter(|field| drifted.contains(*field)).collect()
    }

    /// Somebody else makes a change that AWS does not take back: that is refused before anything is done,
    /// and nothing is to be done once the stack declares what is there.
    async fn follow(&self, former: &Graph, graph: &Graph, urn: &Urn, field: &str) {
        let object = self.object(urn).await;
        let Expression::Value(value) = graph.get(urn).unwrap().inputs[field].clone() else {
            panic!("{field} is plain")
        };
        let mut inputs = object.inputs.clone();
        inputs.insert(field.to_owned(), value);
        self.rig.update_by_hand(urn, &object, &inputs).await;
        let refused = self.rig.try_preview(former).await;
        let names_it = |problems: &[(Urn, InputProblem)]| matches!(problems, [(of, problem)] if of == urn && problem.path == field);
        assert!(
            matches!(&refused, Err(OperationError::InvalidInputs { problems }) if names_it(problems)),
            "{field} goes one way: {refused:#?}"
        );
        self.rig.up(graph, |plan| assert!(plan.is_empty(), "{field} is there:\n{}", told(plan))).await;
        self.assert_settled(graph, urn, &format!("after {field} was followed")).await;
    }

    /// Somebody else's change shows in `fields` at least, in `others` at most, and is mended. Gives the ones
    /// in which it shows.
    async fn mend(&self, graph: &Graph, urn: &Urn, fields: &[&str], others: &[&str]) -> BTreeSet<String> {
        // A secret that changed shows in what gives it, too.
        let drifted = |plan: &Plan| -> BTreeSet<String> {
            let of_object = plan.drift.iter().filter(|drift| drift.urn == *urn);
            let fields = of_object.flat_map(|drift| changed(&drift.changes));
            fields.filter(|name| self.schema.input(name).is_some()).map(str::to_owned).collect()
        };
        let (plan, _) = self
            .rig
            .up(graph, |plan| {
                let drifted = drifted(plan);
                let drifted: BTreeSet<&str> = drifted.iter().map(String::as_str).collect();
                let is_expected = set(fields).is_subset(&drifted) && drifted.is_subset(&set(others));
                assert!(is_expected, "{fields:?} drifted, of {others:?} at most:\n{}", told(plan));
                let followers = followers(graph, urn);
                for drift in plan.drift.iter().filter(|drift| drift.urn != *urn) {
                    assert!(followers.contains(&drift.urn), "nothing else drifted:\n{}", told(plan));
                }
                if !drifted.is_empty() {
                    let drifted: Vec<&str> = drifted.into_iter().collect();
                    self.assert_updates(plan, graph, urn, &drifted, true);
                }
            })
            .await;
        self.assert_settled(graph, urn, &format!("after {fields:?} drifted")).await;
        drifted(&plan)
    }

    /// Exactly these inputs are updated, and beside the object only what follows from it.
    fn assert_updates(&self, plan: &Plan, graph: &Graph, urn: &Urn, fields: &[&str], drift: bool) {
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.urn == *urn).collect();
        let [step] = steps[..] else { panic!("{fields:?} take one step:\n{}", told(plan)) };
        assert_eq!(step.action, Action::Update, "{fields:?} change in place:\n{}", told(plan));
        assert_eq!(changed(&step.changes), set(fields), "what changes:\n{}", told(plan));
        assert!(step.changes.iter().all(|change| change.drift == drift), "drift is {drift}:\n{}", told(plan));
        let reason = if drift { Reason::Drifted } else { Reason::InputsChanged };
        assert!(step.reasons.contains(&reason), "because of {reason:?}:\n{}", told(plan));
        self.assert_only_follows(plan, graph, urn);
    }

    fn assert_only_follows(&self, plan: &Plan, graph: &Graph, urn: &Urn) {
        let followers = followers(graph, urn);
        for step in plan.steps.iter().filter(|step| step.urn != *urn) {
            assert!(followers.contains(&step.urn), "only what depends on it follows:\n{}", told(plan));
        }
    }

    /// These inputs need a new object.
    async fn replace(&self, graph: &Graph, urn: &Urn, fields: &[&str]) {
        let old = self.object(urn).await;
        let insisted =
            if self.is_exclusive(fields) { BTreeSet::from([urn.clone()]) } else { BTreeSet::new() };
        let (plan, events) = self
            .rig
            .up_insisting(graph, insisted, |plan| {
                let step = half(plan, urn, Action::Create);
                assert_eq!(changed(&step.changes), set(fields), "what changes:\n{}", told(plan));
                let forced = step.reasons.iter().find_map(|reason| match reason {
                    Reason::ForcesReplacement { fields } => {
                        Some(fields.iter().map(String::as_str).collect::<BTreeSet<_>>())
                    }
                    _ => None,
                });
                let forcing = fields.iter().copied().filter(|name| self.schema.input(name).unwrap().replace);
                assert_eq!(forced, Some(forcing.collect()), "what forces it:\n{}", told(plan));
                half(plan, urn, Action::Delete);
                self.assert_only_follows(plan, graph, urn);
                self.assert_dependants_follow(plan, graph, urn);
            })
            .await;
        self.assert_order(&plan, &events, graph, urn, fields);
        let record = self.rig.snapshot().await.resources[urn].clone();
        assert_eq!(record.objects.len(), 1, "one object is left: {:#?}", record.objects);
        let is_another = record.current().unwrap().physical_id != old.physical_id;
        match self.rig.read(urn, &old).await {
            _ if !is_another => {}
            Observation::Gone => {}
            // AWS keeps it for ever, and it is ours no more.
            Observation::Present { owner_tags, .. } => {
                assert!(self.case.is_always_there && owner_tags.is_empty(), "the old one is gone");
            }
        }
        self.assert_settled(graph, urn, &format!("after {fields:?} changed")).await;
        self.assert_shown(urn, &old.inputs, fields).await;
    }

    /// A read tells what these inputs are, whatever is on record.
    async fn assert_shown(&self, urn: &Urn, before: &Properties, fields: &[&str]) {
        let object = self.object(urn).await;
        let recorded = Object { inputs: before.clone(), ..object.clone() };
        let observed = self.observed(urn, &recorded).await;
        let generation = object.name_generation;
        let differs = drift(&self.schema, &object.inputs, &observed, generation, &Options::default());
        for field in fields.iter().filter(|field| object.inputs.contains_key(**field)) {
            let is_shown = observed.contains_key(*field) && !changed(&differs).contains(field);
            let is_unseen = is_unseen(self.case.resource_type, field);
            assert_ne!(is_shown, is_unseen, "{field} is read, or listed as one that is not: {observed:#?}");
        }
    }

    /// What takes an output of a replaced object is replaced or updated with it, as its schema says.
    fn assert_dependants_follow(&self, plan: &Plan, graph: &Graph, urn: &Urn) {
        for dependant in graph.dependants(urn) {
            if self.is_replaced_with(graph.get(&dependant).unwrap(), urn) {
                half(plan, &dependant, Action::Create);
                half(plan, &dependant, Action::Delete);
            } else {
                let steps: Vec<_> = plan.steps.iter().filter(|step| step.urn == dependant).collect();
                assert!(
                    matches!(steps[..], [step] if step.action == Action::Update),
                    "{dependant} follows in place:\n{}",
                    told(plan)
                );
            }
        }
    }

    fn is_replaced_with(&self, dependant: &Declaration, urn: &Urn) -> bool {
        let schema = self.rig.providers.get(dependant.resource_type).unwrap().schema();
        dependant.inputs.iter().any(|(name, expression)| {
            let mut references = BTreeSet::new();
            expression.collect_references(&mut references);
            references.contains(urn) && schema.input(name).unwrap().replace
        })
    }

    /// The new object comes first, then what depends on it moves, then the old one goes; where only one can
    /// exist, the old one goes first, after what depends on it.
    fn assert_order(&self, plan: &Plan, events: &[EventKind], graph: &Graph, urn: &Urn, fields: &[&str]) {
        let place = |urn: &Urn, action: Action, ends: bool| {
            let is_it = |event: &EventKind| match event {
                EventKind::StepStarted { urn: of, action: what, .. } => !ends && of == urn && *what == action,
                EventKind::StepFinished { urn: of, action: what, .. } => ends && of == urn && *what == action,
                _ => false,
            };
            events.iter().position(is_it)
        };
        let precedes = |first: (&Urn, Action), second: (&Urn, Action)| {
            let (ended, began) = (place(first.0, first.1, true), place(second.0, second.1, false));
            let (Some(ended), Some(began)) = (ended, began) else {
                panic!("{first:?} and {second:?} both happen:\n{}", told(plan))
            };
            assert!(ended < began, "{first:?} comes before {second:?}:\n{}", told(plan));
        };
        let is_deleted_first = half(plan, urn, Action::Create).delete_first;
        let is_exclusive = self.is_exclusive(fields);
        assert_eq!(
            is_deleted_first,
            self.schema.singleton || is_exclusive,
            "which goes first:\n{}",
            told(plan)
        );
        if is_deleted_first {
            precedes((urn, Action::Delete), (urn, Action::Create));
        } else {
            precedes((urn, Action::Create), (urn, Action::Delete));
        }
        let is_lowered = |of: &Urn| {
            let nothing = StepOutcome::Done { done: None };
            events.iter().any(|event| {
                matches!(event, EventKind::StepFinished { urn, outcome, .. } if urn == of && *outcome == nothing)
            })
        };
        for dependant in graph.dependants(urn).iter().filter(|dependant| !is_lowered(dependant)) {
            let is_replaced = self.is_replaced_with(graph.get(dependant).unwrap(), urn);
            let moves = if is_replaced { Action::Create } else { Action::Update };
            precedes((urn, Action::Create), (dependant, moves));
            let leaves = if is_replaced { Action::Delete } else { Action::Update };
            if is_replaced || !is_deleted_first {
                precedes((dependant, leaves), (urn, Action::Delete));
            }
        }
    }

    /// An input that is no longer given goes back to AWS's default, or stays where AWS had chosen it.
    async fn take_away(&self, graph: &Graph, urn: &Urn, name: &'static str) {
        let field = self.schema.input(name).unwrap();
        let declarations = graph.declarations().cloned().map(|mut declaration| {
            if declaration.urn == *urn {
                declaration.inputs.remove(name);
            }
            declaration
        });
        let without = Graph::new(declarations, BTreeMap::new()).unwrap();
        let check = |plan: &Plan| {
            if field.computed {
                assert!(plan.is_empty(), "{name} stays as it is:\n{}", told(plan));
            } else {
                self.assert_updates(plan, &without, urn, &[name], false);
                let step = plan.steps.iter().find(|step| step.urn == *urn).unwrap();
                assert!(step.changes.iter().all(|change| change.new.is_none()), "{}", told(plan));
            }
        };
        self.rig.up(&without, check).await;
        self.assert_settled(&without, urn, &format!("after {name} was taken away")).await;
        // Given again, it is a change unless it is what AWS has by itself.
        let check = |plan: &Plan| {
            if !plan.is_empty() {
                self.assert_updates(plan, graph, urn, &[name], false);
            }
        };
        self.rig.up(graph, check).await;
        self.assert_settled(graph, urn, &format!("after {name} was given again")).await;
    }

    /// An object that somebody deleted is made anew.
    async fn lose(&self) {
        let (graph, urn) = self.declared(self.case.changes.len(), false);
        self.rig.up(&graph, |_| ()).await;
        let object = self.object(&urn).await;
        self.rig.delete_by_hand(&urn, &object).await;
        if self.case.is_always_there {
            return;
        }
        self.rig
            .up(&graph, |plan| {
                assert!(
                    matches!(&plan.drift[..], [drift] if drift.gone && drift.urn == urn),
                    "it is gone:\n{}",
                    told(plan)
                );
                let [step] = &plan.steps[..] else { panic!("it is made anew:\n{}", told(plan)) };
                assert_eq!(step.action, Action::Create, "it is made anew:\n{}", told(plan));
                // What it is made from is told beside the reason, and no other.
                let others = step.reasons.iter().filter(|reason| !matches!(reason, Reason::MadeFrom { .. }));
                assert_eq!(others.collect::<Vec<_>>(), [&Reason::Gone], "{}", told(plan));
            })
            .await;
        self.assert_settled(&graph, &urn, "after it was lost").await;
    }
}

/// The half of a replacement that a plan has.
fn half<'a>(plan: &'a Plan, urn: &Urn, action: Action) -> &'a Step {
    let is_it = |step: &&Step| step.urn == *urn && step.action == action && step.replacement;
    let found = plan.steps.iter().find(is_it);
    found.unwrap_or_else(|| panic!("{urn} is replaced:\n{}", told(plan)))
}

/// All that depends on a resource, however far.
fn followers(graph: &Graph, urn: &Urn) -> BTreeSet<Urn> {
    let mut found = BTreeSet::new();
    let mut open = vec![urn.clone()];
    while let Some(urn) = open.pop() {
        open.extend(graph.dependants(&urn).into_iter().filter(|dependant| found.insert(dependant.clone())));
    }
    found
}

fn set<'a>(fields: &[&'a str]) -> BTreeSet<&'a str> {
    fields.iter().copied().collect()
}

/// The fields of changes.
fn changed(changes: &[PropertyChange]) -> BTreeSet<&str> {
    changes.iter().map(|change| change.path.split(['.', '[']).next().unwrap_or_default()).collect()
}

/// A plan, for who has to find out what is wrong with it.
fn told(plan: &Plan) -> String {
    let step = |step: &Step| {
        let half = if step.replacement { " (replacement)" } else { "" };
        let reasons = &step.reasons;
        format!("{:?}{half} {} because {reasons:?}\n{}", step.action, step.urn, told_changes(&step.changes))
    };
    let drift = plan.drift.iter().map(|drift| {
        let gone = if drift.gone { " is gone" } else { "" };
        format!("drift: {}{gone}\n{}", drift.urn, told_changes(&drift.changes))
    });
    plan.steps.iter().map(step).chain(drift).collect()
}

fn told_changes(changes: &[PropertyChange]) -> String {
    let line = |change: &PropertyChange| {
        let (old, new) = (&change.old, &change.new);
        format!("    {}: {old:?} -> {new:?}, drift {}\n", change.path, change.drift)
    };
    changes.iter().map(line).collect()
}
