//! What evaluating expressions costs. A plain path is the common case: it must stay near a microsecond.
#![allow(missing_docs, reason = "criterion's macros make items without documentation")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot compile its expressions has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use windflow_core::expression::{Expression, Lookup, Template};
use windflow_core::id::NodeId;
use windflow_core::json::Json;
use windflow_core::place::Place;
use windflow_core::workflow::Workflow;

struct Run {
    inputs: Value,
    output: Json,
}

impl Lookup for Run {
    fn inputs(&self) -> &Value {
        &self.inputs
    }
    fn node_output(&self, _: &NodeId) -> Option<&Json> {
        Some(&self.output)
    }
}

fn expressions(criterion: &mut Criterion) {
    let tasks: Vec<_> = (0..300).map(|n| json!({ "n": n, "done": n % 3 == 0, "title": format!("task {n}") })).collect();
    let run = Run { inputs: json!({ "x": 2 }), output: Json::from(json!({ "status": 200, "tasks": tasks })) };
    for source in [
        "inputs.x",
        "nodes.a.output.status",
        "nodes.a.output.tasks[7].title",
        "nodes.a.output.status < 400 && inputs.x == 2",
        "nodes.a.output.tasks.filter(t, t.done).size()",
        "nodes.a.output.tasks.map(t, t.title)",
    ] {
        let expression = Expression::compile(source, &Place::default()).unwrap();
        criterion.bench_function(source, |bench| bench.iter(|| black_box(expression.evaluate(&run))));
    }
    let config = json!({ "url": "https://${{ nodes.a.output.status }}.test/", "method": "GET", "body": { "x": "${{ inputs.x }}" } });
    let template = Template::from_json(&config, &Place::default()).unwrap();
    criterion.bench_function("render a configuration", |bench| bench.iter(|| black_box(template.render(&run))));
    let source = "nodes.a.output.status < 400 && inputs.x == 2";
    criterion
        .bench_function("compile", |bench| bench.iter(|| black_box(Expression::compile(source, &Place::default()))));
    let document = include_str!("../tests/documents/valid.yaml");
    criterion.bench_function("parse a workflow", |bench| bench.iter(|| black_box(Workflow::parse(document))));
}

criterion_group!(benches, expressions);
criterion_main!(benches);
