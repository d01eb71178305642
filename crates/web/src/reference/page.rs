//! The page: what it is about, the table to search in, and the sections of the objects.

use askama::Template;
use selvedge_catalog::reference::{Connection, Reference};

use super::objects;
use super::search::{Search, kind_name, runs_name};
use crate::shell::Section;
use crate::{Document, Policy, Shell, Site};

/// Searching while somebody types, and copying samples. The page works without it.
const SCRIPT: &str = include_str!("../../assets/reference.js");

#[derive(Template)]
#[template(path = "reference/page.html")]
struct Page<'a> {
    shell: &'a Shell,
    search: &'a Search,
    rows: Vec<Row<'a>>,
    found: usize,
    listed: usize,
    beyond: usize,
    objects: &'a str,
    script: &'a str,
}

struct Row<'a> {
    connection: &'a Connection,
    title: String,
    kind: &'static str,
    runs: &'static str,
    is_hidden: bool,
}

/// Draws the page for any search.
pub(super) struct Renderer {
    shell: Shell,
    reference: Reference,
    objects: String,
    policy: Policy,
}

impl Renderer {
    pub(super) fn new(site: &Site, reference: Reference) -> Self {
        Self {
            shell: Shell::new(site, Section::Reference),
            objects: objects::render(&reference, &site.public_url),
            reference,
            policy: Policy::default().with_script(SCRIPT),
        }
    }

    pub(super) fn page(&self, search: &Search) -> Document {
        let connections = self.reference.connections();
        let rows: Vec<Row<'_>> = connections
            .iter()
            .map(|connection| Row {
                connection,
                title: connection.title(),
                kind: kind_name(connection.connection_type),
                runs: runs_name(connection.runs),
                is_hidden: !search.finds(connection),
            })
            .collect();
        let listed = connections
            .iter()
            .filter(|connection| connection.listed)
            .count();
        let page = Page {
            shell: &self.shell,
            search,
            found: rows.iter().filter(|row| !row.is_hidden).count(),
            rows,
            listed,
            beyond: connections.len() - listed,
            objects: &self.objects,
            script: SCRIPT,
        };
        let html = page.render().expect("the template writes to memory only");
        Document::page(html, &self.policy)
    }
}
