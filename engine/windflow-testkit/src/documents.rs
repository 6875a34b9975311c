//! Random workflows.

use std::collections::HashMap;
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::host::Outcome;

/// A workflow and what its nodes do.
#[derive(Debug, Clone)]
pub struct Scripted {
    /// The document.
    pub document: String,
    /// What each node does.
    pub script: HashMap<String, Vec<Outcome>>,
}

/// Workflows of up to `most` nodes with every kind of edge and join, and any pattern of outcomes.
pub fn scripted(most: usize) -> impl Strategy<Value = Scripted> {
    vec(node(), 1..=most).prop_map(|nodes| assemble(&nodes))
}

#[derive(Debug, Clone)]
struct Sketch {
    uses: &'static str,
    /// Where each edge comes from, as a fraction of the nodes before, and its port.
    needs: Vec<(f64, usize)>,
    refers: Option<f64>,
    join_any: bool,
    disabled: bool,
    condition: Option<bool>,
    retry: bool,
    /// How many items, how many at a time, and whether failures are collected.
    items: Option<(usize, u32, bool)>,
    /// Whether something undoes it.
    compensated: bool,
    outcomes: Vec<Outcome>,
}

fn node() -> impl Strategy<Value = Sketch> {
    let uses = prop::sample::select(vec!["pure", "effect", "pure_branch", "effect_branch"]);
    let outcome = prop_oneof![
        4 => Just(Outcome::Emit("yes".into())),
        2 => Just(Outcome::Emit("no".into())),
        1 => Just(Outcome::Fail),
        1 => Just(Outcome::FailForGood),
    ];
    let needs = vec((0.0..1.0_f64, 0..6_usize), 0..4);
    let modifiers =
        (any::<bool>(), prop::bool::weighted(0.1), prop::option::weighted(0.2, any::<bool>()), any::<bool>());
    let items = prop::option::weighted(0.2, (0..5_usize, 1..4_u32, any::<bool>()));
    let more = (items, prop::bool::weighted(0.2));
    (uses, needs, prop::option::weighted(0.3, 0.0..1.0_f64), modifiers, more, vec(outcome, 1..4)).prop_map(
        |(uses, needs, refers, (join_any, disabled, condition, retry), (items, compensated), outcomes)| Sketch {
            uses,
            needs,
            refers,
            join_any,
            disabled,
            condition,
            retry,
            items,
            compensated,
            outcomes,
        },
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "picks one of few"
)]
fn pick(fraction: f64, count: usize) -> usize {
    ((fraction * count as f64) as usize).min(count.saturating_sub(1))
}

fn assemble(nodes: &[Sketch]) -> Scripted {
    let mut document = String::from("windflow: 1\nname: random\nnodes:\n");
    let mut script = HashMap::new();
    let mut undoing = String::new();
    for (index, node) in nodes.iter().enumerate() {
        let branch = node.uses.ends_with("branch");
        let _ = writeln!(document, "  n{index}:\n    uses: {}@1", node.uses);
        if let Some(fraction) = node.refers.filter(|_| index > 0) {
            let _ = writeln!(document, "    with: {{ seen: \"${{{{ nodes.n{}.status }}}}\" }}", pick(fraction, index));
        }
        if index > 0 && !node.needs.is_empty() {
            let mut needs: Vec<String> = node
                .needs
                .iter()
                .map(|(fraction, port)| {
                    let from = pick(*fraction, index);
                    let ports: &[&str] = if nodes[from].uses.ends_with("branch") && nodes[from].items.is_none() {
                        &["", ".yes", ".no", ".error"]
                    } else {
                        &["", ".out", ".error"]
                    };
                    format!("n{from}{}", ports[port % ports.len()])
                })
                .collect();
            needs.sort();
            needs.dedup();
            let _ = writeln!(document, "    needs: [{}]", needs.join(", "));
            if node.join_any {
                document.push_str("    join: any\n");
            }
        }
        if node.disabled {
            document.push_str("    disabled: true\n");
        }
        if let Some(condition) = node.condition {
            let _ = writeln!(document, "    if: \"{condition}\"");
        }
        if node.retry {
            document.push_str("    retry: { attempts: 3, backoff: fixed, initial: 1s }\n");
        }
        if let Some((count, concurrency, collect)) = node.items {
            let items: Vec<String> = (0..count).map(|item| item.to_string()).collect();
            let on_item_error = if collect { "collect" } else { "fail" };
            let _ = writeln!(
                document,
                "    for_each: [{}]\n    concurrency: {concurrency}\n    on_item_error: {on_item_error}",
                items.join(", ")
            );
        }
        if node.compensated {
            let _ = writeln!(document, "    compensate: undo_n{index}");
            let _ = writeln!(undoing, "  undo_n{index}:\n    uses: effect@1");
            // It does what the node does at first.
            let outcome = match node.outcomes.first() {
                Some(Outcome::Emit(_)) | None => Outcome::Emit("out".into()),
                Some(other) => other.clone(),
            };
            script.insert(format!("undo_n{index}"), vec![outcome]);
        }
        let fit = |outcome: &Outcome| match outcome {
            Outcome::Emit(_) if !branch => Outcome::Emit("out".into()),
            other => other.clone(),
        };
        script.insert(format!("n{index}"), node.outcomes.iter().map(fit).collect());
    }
    document.push_str(&undoing);
    Scripted { document, script }
}
