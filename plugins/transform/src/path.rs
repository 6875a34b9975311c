//! Paths to fields: `customer.address.city`, `lines.0.price`; a dot that belongs to a name is written `\.`.

use jaq_json::{Map, Rc, Val};
use windflow_sdk::NodeError;

/// The names on the way to a field.
pub(crate) struct Path<'a> {
    text: &'a str,
    names: Vec<String>,
}

impl<'a> Path<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, NodeError> {
        let mut names = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match (character, names.last_mut()) {
                ('\\', Some(name)) => name.extend(characters.next()),
                ('.', _) => names.push(String::new()),
                (_, Some(name)) => name.push(character),
                (_, None) => {}
            }
        }
        if names.iter().any(String::is_empty) {
            return Err(NodeError::new(
                "invalid_config",
                format!(
                    "`{text}` is no path to a field: write names with single dots between, such as `customer.name`"
                ),
            ));
        }
        Ok(Self { text, names })
    }

    /// The value there, if there is one.
    pub(crate) fn get<'v>(&self, root: &'v Val) -> Option<&'v Val> {
        self.names.iter().try_fold(root, |value, name| match value {
            Val::Obj(fields) => fields.get(&key(name)),
            Val::Arr(items) => items.get(index(name)?),
            _ => None,
        })
    }

    /// Puts a value there. Objects that are missing on the way are made; a list can be extended by one item.
    pub(crate) fn set(&self, root: &mut Val, value: Val) -> Result<(), NodeError> {
        let mut place = root;
        for (depth, name) in self.names.iter().enumerate() {
            if matches!(place, Val::Null) {
                *place = Val::obj(Map::default());
            }
            place = match place {
                Val::Obj(fields) => Rc::make_mut(fields).entry(key(name)).or_default(),
                Val::Arr(items) => {
                    let items = Rc::make_mut(items);
                    let length = items.len();
                    match index(name) {
                        Some(index) if index < length => &mut items[index],
                        Some(index) if index == length => items.push_mut(Val::Null),
                        _ => return Err(self.no_way(depth, &format!("a list of {length} items"))),
                    }
                }
                _ => return Err(self.no_way(depth, "neither an object nor a list")),
            };
        }
        *place = value;
        Ok(())
    }

    /// Takes the value away from there, if there is one. What comes behind it keeps its order.
    pub(crate) fn take(&self, root: &mut Val) -> Option<Val> {
        self.get(root)?;
        let (last, way) = self.names.split_last()?;
        let mut place = root;
        for name in way {
            place = match place {
                Val::Obj(fields) => Rc::make_mut(fields).get_mut(&key(name))?,
                Val::Arr(items) => Rc::make_mut(items).get_mut(index(name)?)?,
                _ => return None,
            };
        }
        match place {
            Val::Obj(fields) => Rc::make_mut(fields).shift_remove(&key(last)),
            Val::Arr(items) => Some(Rc::make_mut(items).remove(index(last)?)),
            _ => None,
        }
    }

    fn no_way(&self, depth: usize, what: &str) -> NodeError {
        let way = self.names[..depth].join(".");
        NodeError::new("no_such_field", format!("cannot set `{}`: `{way}` is {what}", self.text))
    }
}

fn key(name: &str) -> Val {
    Val::utf8_str(name.to_owned())
}

fn index(name: &str) -> Option<usize> {
    name.parse().ok()
}
