//! Evaluating code.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::budget::{Budget, Fault};
use super::code::{Code, CodeKind, Comprehension, Operator};
use super::lookup::Lookup;
use super::path::missing_key;
use super::reference::Target;
use super::value::V;
use super::walk::{keys, no_index, walk};
use super::{functions, operators};

pub(super) type Evaluated<'a> = Result<V<'a>, Fault>;

/// One evaluation.
pub(super) struct Evaluator<'a, 'b> {
    pub(super) scope: &'a dyn Lookup,
    pub(super) budget: &'b mut Budget,
    /// Variables of the comprehensions around.
    pub(super) locals: Vec<V<'a>>,
}

impl<'a> Evaluator<'a, '_> {
    pub(super) fn eval(&mut self, code: &'a Code) -> Evaluated<'a> {
        self.budget.work(1)?;
        self.part(code).map_err(|fault| fault.at(code))
    }

    fn part(&mut self, code: &'a Code) -> Evaluated<'a> {
        Ok(match &code.kind {
            CodeKind::Null => V::Null,
            CodeKind::Bool(value) => V::Bool(*value),
            CodeKind::Int(value) => V::Int(*value),
            CodeKind::Uint(value) => V::Uint(*value),
            CodeKind::Double(value) => V::Double(*value),
            CodeKind::Text(text) => V::Text(text),
            CodeKind::Type(name) => V::Type(name),
            CodeKind::Path(path) => walk(path, self.scope)?.value(),
            CodeKind::HasTarget(target) => V::Bool(self.has_target(target)),
            CodeKind::Local(at) => self.locals.get(*at).cloned().unwrap_or(V::Null),
            CodeKind::Select(from, field) => {
                let from = self.eval(from)?;
                select(&from, field)?
            }
            CodeKind::Has(from, field) => {
                let from = self.eval(from)?;
                match from.field(field) {
                    Ok(found) => V::Bool(found.is_some()),
                    // The output of a node that did not run is null, and has no field.
                    Err(()) if matches!(from, V::Null) => V::Bool(false),
                    Err(()) => return Err(Fault::new(format!("`has` asks an object, not {}", from.kind()))),
                }
            }
            CodeKind::Index(from, index) => {
                let from = self.eval(from)?;
                let at = self.eval(index)?;
                index_value(&from, &at)?
            }
            CodeKind::Not(inner) => V::Bool(!self.boolean(inner)?),
            CodeKind::Negate(inner) => operators::negate(&self.eval(inner)?)?,
            CodeKind::Binary(operator, left, right) => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                self.binary(*operator, &left, &right)?
            }
            CodeKind::And(parts) => V::Bool(self.decide(parts, false)?),
            CodeKind::Or(parts) => V::Bool(self.decide(parts, true)?),
            CodeKind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let branch = if self.boolean(condition)? { then } else { otherwise };
                self.eval(branch)?
            }
            CodeKind::List(items) => {
                self.budget.built(items.len() * 32)?;
                V::List(Rc::new(items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>()?))
            }
            CodeKind::Map(entries) => self.map(entries)?,
            CodeKind::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
                functions::call(*function, &arguments, self.budget)?
            }
            CodeKind::Matches(text, pattern) => {
                let text = self.eval(text)?;
                V::Bool(functions::matches(&text, pattern, self.budget)?)
            }
            CodeKind::Each(what, over, each) => self.each(*what, over, each)?,
            CodeKind::MapIf(over, condition, each) => {
                let mut out = Vec::new();
                for item in self.sequence(over)? {
                    self.locals.push(item);
                    let value = self.boolean(condition).and_then(|kept| kept.then(|| self.eval(each)).transpose());
                    self.locals.pop();
                    out.extend(value?);
                }
                self.list(out)?
            }
        })
    }

    fn has_target(&self, target: &Target) -> bool {
        match target {
            Target::Output(node) => self.scope.node_output(node).is_some(),
            Target::Error(node) => self.scope.node_error(node).is_some(),
            Target::Status(node) => self.scope.node_status(node).is_some(),
            Target::Callback(node) => self.scope.callback(node).is_some(),
            Target::RunId => self.scope.run_id().is_some(),
            Target::Inputs(_) | Target::Input | Target::Item | Target::ItemIndex | Target::Trigger => true,
        }
    }

    pub(super) fn boolean(&mut self, code: &'a Code) -> Result<bool, Fault> {
        match self.eval(code)? {
            V::Bool(value) => Ok(value),
            other => Err(Fault::new(format!("this must be true or false, but it is {}", other.kind())).at(code)),
        }
    }

    /// `&&` and `||`: a part that decides makes up for one that has no value, wherever it stands.
    fn decide(&mut self, parts: &'a [Code], decisive: bool) -> Result<bool, Fault> {
        let mut failed = None;
        for part in parts {
            match self.boolean(part) {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(fault) if fault.is_fatal() => return Err(fault),
                Err(fault) => {
                    failed.get_or_insert(fault);
                }
            }
        }
        failed.map_or(Ok(!decisive), Err)
    }

    fn map(&mut self, entries: &'a [(Code, Code)]) -> Evaluated<'a> {
        let mut map = BTreeMap::new();
        for (key_code, value) in entries {
            let key = self.eval(key_code)?;
            let text =
                key.text().ok_or_else(|| Fault::new(format!("a key must be text, not {}", key.kind())).at(key_code))?;
            let text: Rc<str> = text.into();
            self.budget.built(64 + text.len())?;
            let value = self.eval(value)?;
            if map.insert(text.clone(), value).is_some() {
                return Err(Fault::new(format!("the key `{text}` is there twice")).at(key_code));
            }
        }
        Ok(V::Map(Rc::new(map)))
    }

    fn sequence(&mut self, over: &'a Code) -> Result<Vec<V<'a>>, Fault> {
        let over_value = self.eval(over)?;
        let wrong =
            || Fault::new(format!("this must be a list or an object, but it is {}", over_value.kind())).at(over);
        over_value.sequence(self.budget)?.ok_or_else(wrong)
    }

    fn list(&mut self, items: Vec<V<'a>>) -> Evaluated<'a> {
        self.budget.built(items.len() * 32)?;
        Ok(V::List(Rc::new(items)))
    }

    fn each(&mut self, what: Comprehension, over: &'a Code, each: &'a Code) -> Evaluated<'a> {
        let items = self.sequence(over)?;
        let mut out = Vec::new();
        let mut count = 0_usize;
        let mut failed = None;
        for item in items {
            self.locals.push(item.clone());
            let value = if what == Comprehension::Map { self.eval(each) } else { self.boolean(each).map(V::Bool) };
            self.locals.pop();
            match (what, value) {
                (Comprehension::Map, Ok(value)) => out.push(value),
                (Comprehension::Filter, Ok(V::Bool(true))) => out.push(item),
                (Comprehension::All, Ok(V::Bool(false))) => return Ok(V::Bool(false)),
                (Comprehension::Exists, Ok(V::Bool(true))) => return Ok(V::Bool(true)),
                (Comprehension::ExistsOne, Ok(V::Bool(true))) => count += 1,
                (_, Ok(_)) => {}
                (Comprehension::All | Comprehension::Exists, Err(fault)) if !fault.is_fatal() => {
                    failed.get_or_insert(fault);
                }
                (_, Err(fault)) => return Err(fault),
            }
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
        match what {
            Comprehension::All => Ok(V::Bool(true)),
            Comprehension::Exists => Ok(V::Bool(false)),
            Comprehension::ExistsOne => Ok(V::Bool(count == 1)),
            Comprehension::Filter | Comprehension::Map => self.list(out),
        }
    }

    fn binary(&mut self, operator: Operator, left: &V<'a>, right: &V<'a>) -> Evaluated<'a> {
        let budget = &mut *self.budget;
        match operator {
            Operator::Add => operators::add(left, right, budget),
            Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                operators::arithmetic(operator, left, right)
            }
            Operator::Equal => Ok(V::Bool(operators::equal(left, right, budget)?)),
            Operator::NotEqual => Ok(V::Bool(!operators::equal(left, right, budget)?)),
            Operator::In => Ok(V::Bool(operators::contains(left, right, budget)?)),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                Ok(V::Bool(operators::compare(operator, left, right, budget)?))
            }
        }
    }
}

fn select<'a>(from: &V<'a>, field: &str) -> Evaluated<'a> {
    match from.field(field) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Fault::new(format!("no such key: `{field}`")).remedy_if(missing_key(field, keys(from)))),
        Err(()) => Err(Fault::new(format!("`.{field}` is asked of {}, which has no fields", from.kind()))),
    }
}

fn index_value<'a>(from: &V<'a>, at: &V<'a>) -> Evaluated<'a> {
    if let Some(items) = from.items() {
        let index = match at {
            V::Int(index) => *index,
            V::Uint(index) => i64::try_from(*index).unwrap_or(i64::MAX),
            V::Double(index) if index.fract() == 0.0 && index.abs() < 1e15 => *index as i64,
            other => return Err(Fault::new(format!("a list is indexed by an integer, not by {}", other.kind()))),
        };
        return usize::try_from(index).ok().and_then(|at| items.get(at)).ok_or_else(|| no_index(index, items.len()));
    }
    match (from, at.text()) {
        (V::Json(_) | V::Map(_), Some(key)) => select(from, key),
        (V::Json(_) | V::Map(_), None) => {
            Err(Fault::new(format!("an object is indexed by text, not by {}", at.kind())))
        }
        _ => Err(Fault::new(format!("{} cannot be indexed", from.kind()))),
    }
}
