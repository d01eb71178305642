//! What this server adds to the upstream catalogue, and how it is laid over it. Format: `data/README.md`.

use serde::Deserialize;

use crate::catalog::LoadCatalogError;
use crate::fill::Fill;
use crate::{ConnectionKind, ConnectionType, Property, StepType};

/// The file of own types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlays {
    pub(crate) sources: Overlay,
    pub(crate) destinations: Overlay,
}

/// Additions to one list of types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    pub(crate) types: Vec<ConnectionType>,
    #[serde(default)]
    offered: Vec<String>,
    #[serde(default)]
    added_properties: Vec<AddedProperty>,
    fills: Vec<FillRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedProperty {
    #[serde(rename = "type")]
    type_name: String,
    step: StepType,
    property: Property,
}

/// Exactly one of `value` and `copy_of`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FillRule {
    name: String,
    /// Every type that has the property when absent.
    #[serde(rename = "type")]
    type_name: Option<String>,
    value: Option<String>,
    copy_of: Option<Vec<String>>,
}

/// The finished list: upstream types, then own ones, with every addition in place.
pub(crate) fn apply(
    kind: ConnectionKind,
    mut types: Vec<ConnectionType>,
    mut overlay: Overlay,
) -> Result<Vec<ConnectionType>, LoadCatalogError> {
    overlay.types.iter_mut().for_each(ConnectionType::set_own);
    types.extend(overlay.types);
    for connection_type in &mut types {
        connection_type.set_kind(kind);
    }
    for name in &overlay.offered {
        find(&mut types, name)?.offer();
    }
    for added in overlay.added_properties {
        let connection_type = find(&mut types, &added.type_name)?;
        if !connection_type.add_property(added.step, added.property) {
            return Err(LoadCatalogError::Contradiction(format!(
                "the type {} lacks the step of an added property",
                added.type_name
            )));
        }
    }
    for rule in overlay.fills {
        let fill = rule.fill()?;
        let mut used = false;
        for connection_type in &mut types {
            if rule
                .type_name
                .as_deref()
                .is_none_or(|name| name == connection_type.name())
            {
                used |= connection_type.set_fill(&rule.name, &fill);
            }
        }
        if !used {
            return Err(LoadCatalogError::Contradiction(format!(
                "no type has the property {} that is to be filled",
                rule.name
            )));
        }
    }
    Ok(types)
}

fn find<'a>(
    types: &'a mut [ConnectionType],
    name: &str,
) -> Result<&'a mut ConnectionType, LoadCatalogError> {
    types
        .iter_mut()
        .find(|connection_type| connection_type.name() == name)
        .ok_or_else(|| {
            LoadCatalogError::Contradiction(format!("there is no type {name} to lay over"))
        })
}

impl FillRule {
    fn fill(&self) -> Result<Fill, LoadCatalogError> {
        match (&self.value, &self.copy_of) {
            (Some(template), None) => Ok(Fill::Template(template.clone())),
            (None, Some(path)) if path.len() > 1 => Ok(Fill::CopyOf(path.clone())),
            _ => Err(LoadCatalogError::Contradiction(format!(
                "the property {} needs either a value or a copy_of path",
                self.name
            ))),
        }
    }
}
