//! What every page has around it.

use crate::assets;

/// The operator's words about this server, the same on every page.
#[derive(Clone, Debug)]
pub struct Site {
    /// Name of the product in pages: `brand.name` of the configuration.
    pub brand: String,
    /// Where callers reach this server, without a slash at the end; samples are written for it.
    pub public_url: String,
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Docs,
    Reference,
    /// A page that the navigation does not lead to.
    Elsewhere,
}

/// What `layout.html` draws; every page's template has one in a field called `shell`.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) brand: String,
    pub(crate) version: &'static str,
    /// Address of the stylesheet; it changes with its content.
    pub(crate) stylesheet: &'static str,
    pub(crate) section: Section,
}

impl Shell {
    pub(crate) fn new(site: &Site, section: Section) -> Self {
        Self {
            brand: site.brand.clone(),
            version: env!("CARGO_PKG_VERSION"),
            stylesheet: assets::stylesheet_address(),
            section,
        }
    }

    /// For `aria-current` in the navigation.
    pub(crate) fn shows(&self, section: Section) -> bool {
        self.section == section
    }
}
