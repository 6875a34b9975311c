//! A registry that travels with the program: index, signature and packages as they lie in a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::index::{Entry, Index, Made, Packed};
use crate::registry::{self, Refused};
use crate::signature::{NoKey, PublicKey, SigningKey};
use crate::template::Template;

/// A registry that travels with the program.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// `index.json`.
    pub index: Cow<'static, [u8]>,
    /// `index.json.sig`.
    pub signature: Cow<'static, [u8]>,
    /// The key that it has to be signed with.
    pub key: Cow<'static, str>,
    /// Packages by their paths in the registry.
    pub packages: BTreeMap<Cow<'static, str>, Cow<'static, [u8]>>,
}

impl Bundle {
    /// Packs templates and signs them with a key of their own.
    ///
    /// # Errors
    /// Where there are more than an index holds, or no random numbers.
    pub fn made(name: &str, sequence: u64, templates: Vec<Made>) -> Result<Self, String> {
        let (key, _) = SigningKey::generate().map_err(|_: NoKey| "a key could not be made".to_owned())?;
        let (mut entries, mut packages) = (Vec::new(), BTreeMap::new());
        for Made { entry, package, .. } in templates {
            packages.insert(entry.path(&entry.manifest.version).into(), package.into());
            entries.push(entry);
        }
        let index = Index::new(name, sequence, "1970-01-01T00:00:00Z", entries).to_bytes()?;
        let signature = key.sign(&index).into_bytes().into();
        Ok(Self { index: index.into(), signature, key: key.public().to_string().into(), packages })
    }

    /// What it offers: believed under its key, as any other registry.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open(&self) -> Result<Index, Refused> {
        let key: PublicKey = self.key.parse().map_err(|error: NoKey| Refused::Malformed(error.to_string()))?;
        registry::open(&self.index, &self.signature, &key, 0)
    }

    /// The package of a version.
    #[must_use]
    pub fn package(&self, entry: &Entry, packed: &Packed) -> Option<&[u8]> {
        self.packages.get(&*entry.path(&packed.version)).map(|package| &**package)
    }

    /// The template of a version.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn template(&self, entry: &Entry, packed: &Packed) -> Result<Template, Refused> {
        let missing = || Refused::Malformed(format!("the package of {} {} is missing", entry.name(), packed.version));
        registry::accept(entry, packed, self.package(entry, packed).ok_or_else(missing)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::make;
    use crate::template::tests::shop;

    #[test]
    fn it_is_opened_as_any_registry_is() {
        let mut bundle = Bundle::made("ours", 1, vec![make(&shop()).unwrap()]).unwrap();
        let index = bundle.open().unwrap();
        let entry = &index.templates[0];
        assert_eq!(bundle.template(entry, entry.packed(None).unwrap()).unwrap().manifest.name, "shop");
        bundle.index.to_mut().push(b' ');
        assert_eq!(bundle.open().unwrap_err(), Refused::Signature);
        bundle.packages.clear();
        assert!(bundle.template(entry, entry.packed(None).unwrap()).is_err());
        assert!(Bundle::default().open().is_err());
    }
}
