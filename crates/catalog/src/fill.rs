//! Values that the server sets itself when the caller does not send them.

use serde_json::Value;
use uuid::Uuid;

/// How a property gets its value without the caller.
#[derive(Clone, Debug)]
pub(crate) enum Fill {
    /// A text with `{uuid}` and `{image_version}` replaced, set at creation.
    Template(String),
    /// The value found along a path that starts with another property's name.
    CopyOf(Vec<String>),
}

/// What templates draw from.
#[derive(Clone, Copy)]
pub(crate) struct FillContext<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) image_version: &'a str,
}

pub(crate) fn render(template: &str, context: FillContext<'_>) -> String {
    template
        .replace("{uuid}", &context.uuid.hyphenated().to_string())
        .replace("{image_version}", context.image_version)
}

/// Follows `path` below `root`; `None` when it leads nowhere.
pub(crate) fn follow<'a>(root: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_the_uuid_and_the_image_version() {
        let context = FillContext {
            uuid: Uuid::nil(),
            image_version: "2.latest",
        };
        assert_eq!(render("none", context), "none");
        assert_eq!(
            render("file-{uuid}@{image_version}", context),
            "file-00000000-0000-0000-0000-000000000000@2.latest"
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_finds_nothing() {
        let root = serde_json::json!({"a": {"b": "c"}});
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(follow(&root, &path(&["a", "b"])), Some(&Value::from("c")));
        assert_eq!(follow(&root, &path(&["a", "x"])), None);
        assert_eq!(follow(&Value::from("text"), &path(&["a"])), None);
    }
}
