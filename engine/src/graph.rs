//! The desired graph: declarations with their dependency edges, in an order that respects them.
//!
//! Built on petgraph. Owns the errors of a graph as a whole; it must not know state or diffs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::Direction;
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeRef, Reversed};

use crate::output::Expression;
use crate::secret::Secret;
use crate::snapshot::PhysicalId;
use crate::stack::Declaration;
use crate::urn::Urn;

/// The declared resources and their edges: from a dependency to its dependant.
#[derive(Clone)]
pub struct Graph {
    graph: DiGraph<Declaration, ()>,
    order: Vec<NodeIndex>,
    by_urn: HashMap<Urn, NodeIndex>,
    outputs: BTreeMap<String, Expression>,
}

/// Why declarations make no graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two declarations with one URN.
    #[error("{urn} is declared twice")]
    Duplicate {
        /// The URN.
        urn: Urn,
    },
    /// A reference to a resource that is not declared.
    #[error("{urn} refers to {missing}, which is not declared")]
    Missing {
        /// The resource that refers.
        urn: Urn,
        /// What it refers to.
        missing: Urn,
    },
    /// Resources that depend on each other.
    #[error("resources depend on each other: {}", path.iter().map(Urn::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The path, which ends where it begins; each depends on the next.
        path: Vec<Urn>,
    },
}

impl Graph {
    /// The graph of declarations.
    ///
    /// # Errors
    /// [`GraphError`], for the first problem found.
    pub fn new(
        declarations: impl IntoIterator<Item = Declaration>,
        outputs: BTreeMap<String, Expression>,
    ) -> Result<Self, GraphError> {
        let mut graph = DiGraph::new();
        let mut by_urn = HashMap::new();
        for declaration in declarations {
            let urn = declaration.urn.clone();
            let node = graph.add_node(declaration);
            if by_urn.insert(urn.clone(), node).is_some() {
                return Err(GraphError::Duplicate { urn });
            }
        }
        for node in graph.node_indices() {
            let urn = graph[node].urn.clone();
            for dependency in dependencies_of(&graph[node]) {
                let Some(&from) = by_urn.get(&dependency) else {
                    return Err(GraphError::Missing { urn, missing: dependency });
                };
                graph.add_edge(from, node, ());
            }
        }
        // Sorted from the dependants' end, so that it comes out as declared where edges leave a choice.
        let mut order = toposort(Reversed(&graph), None).map_err(|_| cycle(&graph))?;
        order.reverse();
        Ok(Self { graph, order, by_urn, outputs })
    }

    /// Gives a declared resource the option [`import`](crate::Options::import). Returns whether there is
    /// such a resource.
    pub fn import(&mut self, urn: &Urn, id: PhysicalId) -> bool {
        let declaration = self.by_urn.get(urn).map(|&node| &mut self.graph[node]);
        declaration.map(|declaration| declaration.options.import = Some(id)).is_some()
    }

    /// Gives secrets that are asked for, by the names by which they are. Names that no declaration asks for
    /// have no effect.
    pub fn give(&mut self, given: &BTreeMap<String, Secret>) {
        for declaration in self.graph.node_weights_mut() {
            for input in declaration.inputs.values_mut() {
                *input = input.given_from(given);
            }
        }
    }

    /// The declarations, dependencies first, otherwise in the order in which they were declared.
    pub fn declarations(&self) -> impl DoubleEndedIterator<Item = &Declaration> {
        self.order.iter().map(|&node| &self.graph[node])
    }

    /// The declaration of that URN.
    pub fn get(&self, urn: &Urn) -> Option<&Declaration> {
        self.by_urn.get(urn).map(|&node| &self.graph[node])
    }

    /// How many resources are declared.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The direct dependencies of a resource.
    pub fn dependencies(&self, urn: &Urn) -> BTreeSet<Urn> {
        self.neighbors(urn, Direction::Incoming)
    }

    /// The resources that depend directly on a resource.
    pub fn dependants(&self, urn: &Urn) -> BTreeSet<Urn> {
        self.neighbors(urn, Direction::Outgoing)
    }

    /// All edges as (dependency, dependant).
    pub fn edges(&self) -> impl Iterator<Item = (&Urn, &Urn)> {
        self.graph
            .edge_references()
            .map(|edge| (&self.graph[edge.source()].urn, &self.graph[edge.target()].urn))
    }

    /// The stack's outputs by name.
    pub fn outputs(&self) -> &BTreeMap<String, Expression> {
        &self.outputs
    }

    fn neighbors(&self, urn: &Urn, direction: petgraph::Direction) -> BTreeSet<Urn> {
        self.by_urn.get(urn).map_or_else(BTreeSet::new, |&node| {
            self.graph
                .neighbors_directed(node, direction)
                .map(|neighbor| self.graph[neighbor].urn.clone())
                .collect()
        })
    }
}

/// What a declaration waits for: used outputs, and what its options name.
fn dependencies_of(declaration: &Declaration) -> BTreeSet<Urn> {
    let mut dependencies = declaration.options.depends_on.clone();
    declaration.connection.collect_references(&mut dependencies);
    for expression in declaration.inputs.values() {
        expression.collect_references(&mut dependencies);
    }
    dependencies
}

/// The shortest way round within one knot of resources that depend on each other.
fn cycle(graph: &DiGraph<Declaration, ()>) -> GraphError {
    let knot = tarjan_scc(graph)
        .into_iter()
        .find(|nodes| nodes.len() > 1 || nodes.iter().any(|&node| graph.contains_edge(node, node)))
        .unwrap_or_default();
    let members: BTreeSet<NodeIndex> = knot.iter().copied().collect();
    let Some(&start) = knot.iter().min_by_key(|&&node| &graph[node].urn) else {
        return GraphError::Cycle { path: Vec::new() };
    };
    // Breadth first against the edges, so that the path reads "depends on".
    let mut came_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.neighbors_directed(node, Direction::Incoming) {
            if next == start {
                let mut path = vec![graph[start].urn.clone()];
                let mut back = node;
                while back != start {
                    path.push(graph[back].urn.clone());
                    back = came_from[&back];
                }
                path.push(graph[start].urn.clone());
                path.reverse();
                return GraphError::Cycle { path };
            }
            if members.contains(&next) && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    GraphError::Cycle { path: vec![graph[start].urn.clone()] }
}
