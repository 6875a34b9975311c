//! What the API's document says, after it was put together.

use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};

/// Pages tell their items by name. The macros write them out in each page instead, and leave what they are called without a mention.
pub(super) fn tidy(mut document: OpenApi) -> OpenApi {
    let Some(components) = &mut document.components else { return document };
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let Some(item) = name.strip_prefix("Page_").filter(|item| names.iter().any(|name| name == item)) else {
            continue;
        };
        let RefOr::T(Schema::Object(page)) = schema else { continue };
        let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items") else { continue };
        if let ArrayItems::RefOrSchema(written) = &mut items.items {
            **written = RefOr::Ref(Ref::from_schema_name(item));
        }
    }
    document
}
