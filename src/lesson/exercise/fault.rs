//! A fault: which field becomes wrong, and what it takes for that to be seen.

use serde_json::Value;

use super::part::Part;
use super::path::Path;

/// A fault that can be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The object whose field is wrong.
    pub part: Part,
    /// The field, and other right ways to name it.
    pub fields: Vec<Path>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// A step in making a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A field gets this value; none deletes it.
    Set { part: Part, path: Path, value: Option<Value> },
    /// A field gets the value again that it had before the exercise.
    Restore { part: Part, path: Path },
    /// A workload has no pods of an older revision any more, and its pods are ready. Nothing is done until then.
    WaitForUpdate { part: Part },
    /// Another Secret is created, like that of the exchange, with another password.
    CreateSecret { name: &'static str },
    /// The pods of an app are deleted, so that what was changed takes effect.
    DeletePods { app: &'static str },
    /// The name of a Service resolves to no address any more. Nothing is done until then.
    WaitForNoName { service: &'static str },
    /// The claim is deleted and created again, so that its volume is Released.
    ReplaceClaim,
}

impl Fault {
    /// The usual one: a single field gets another value.
    #[must_use]
    pub fn of_field(part: Part, path: &str, value: impl Into<Value>) -> Self {
        let path = Path::of(path);
        let set = Step::Set { part, path: path.clone(), value: Some(value.into()) };
        Self { part, fields: vec![path], steps: vec![set] }
    }

    /// The same with another right way to name the field.
    #[must_use]
    pub fn or_named(mut self, path: &str) -> Self {
        self.fields.push(Path::of(path));
        self
    }

    /// The same with one more step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// An object's fields after each step: a start may be stopped after any of them.
    #[must_use]
    pub fn states(&self, part: Part, fields: &Value) -> Vec<Value> {
        let mut state = fields.clone();
        let after = |step: &Step| {
            match step {
                Step::Set { part: of, path, value } if *of == part => path.set(&mut state, value.clone()),
                Step::Restore { part: of, path } if *of == part => path.set(&mut state, path.get(fields).cloned()),
                _ => false,
            };
            state.clone()
        };
        self.steps.iter().map(after).collect()
    }
}
