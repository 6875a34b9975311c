//! A contract as texts, one for each thing that somebody can rely on.

use std::path::Path;

use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDefKind, TypeId, WorldItem, WorldKey};

/// A contract that was read.
pub(super) struct Contract {
    pub(super) resolve: Resolve,
}

impl Contract {
    pub(super) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap())
    }

    pub(super) fn parse(text: &str) -> Self {
        let mut resolve = Resolve::default();
        resolve.push_source("node.wit", text).unwrap();
        Self { resolve }
    }

    pub(super) fn version(&self) -> semver::Version {
        let (_, package) = self.resolve.packages.iter().next().unwrap();
        package.name.version.clone().unwrap()
    }

    /// Every function, type, import and export, each with all that it is made of.
    pub(super) fn items(&self) -> Vec<(String, String)> {
        let mut items = Vec::new();
        for (id, interface) in self.resolve.interfaces.iter() {
            let name = self.interface(id);
            for (type_name, id) in &interface.types {
                items.push((format!("{name}.{type_name}"), self.definition(*id)));
            }
            for (function_name, function) in &interface.functions {
                items.push((format!("{name}.{function_name}"), self.function(function)));
            }
        }
        for (_, world) in self.resolve.worlds.iter() {
            for (direction, all) in [("import", &world.imports), ("export", &world.exports)] {
                for (key, item) in all {
                    let name = match key {
                        WorldKey::Name(name) => name.clone(),
                        WorldKey::Interface(id) => self.interface(*id),
                    };
                    let what = match item {
                        WorldItem::Function(function) => self.function(function),
                        WorldItem::Interface { .. } => "interface".to_owned(),
                        WorldItem::Type { .. } => continue,
                    };
                    items.push((format!("{direction} {name}"), what));
                }
            }
        }
        items
    }

    pub(super) fn interface(&self, id: InterfaceId) -> String {
        self.resolve.interfaces[id].name.clone().unwrap_or_default()
    }

    pub(super) fn function(&self, function: &Function) -> String {
        let params: Vec<String> =
            function.params.iter().map(|param| format!("{}: {}", param.name, self.ty(&param.ty))).collect();
        let result = function.result.as_ref().map(|result| format!(" -> {}", self.ty(result))).unwrap_or_default();
        format!("func({}){result}", params.join(", "))
    }

    /// A type by its name where it has one.
    pub(super) fn ty(&self, ty: &Type) -> String {
        match ty {
            Type::Id(id) => match &self.resolve.types[*id].name {
                Some(name) => name.clone(),
                None => self.definition(*id),
            },
            Type::ErrorContext => "error-context".to_owned(),
            primitive => format!("{primitive:?}").to_lowercase(),
        }
    }

    /// What a type is made of. The order of fields and cases counts: components have it compiled in.
    pub(super) fn definition(&self, id: TypeId) -> String {
        let optional = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.ty(ty));
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| format!("{}: {}", field.name, self.ty(&field.ty)));
                format!("record {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Variant(variant) => {
                let case = |case: &wit_parser::Case| match &case.ty {
                    Some(ty) => format!("{}({})", case.name, self.ty(ty)),
                    None => case.name.clone(),
                };
                format!("variant {{ {} }}", variant.cases.iter().map(case).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Enum(of) => {
                format!("enum {{ {} }}", of.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|ty| self.ty(ty)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Option(ty) => format!("option<{}>", self.ty(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.ty(ty)),
            TypeDefKind::Type(ty) => self.ty(ty),
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (Some(ok), None) => format!("result<{}>", self.ty(ok)),
                (ok, err) => format!("result<{}, {}>", optional(ok), optional(err)),
            },
            other => panic!("the contract uses a {}, which this test does not know yet: teach it", other.as_str()),
        }
    }
}
