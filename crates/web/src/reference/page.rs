//! The page: what it is about, the table to search in, and the sections of the objects.

use std::collections::HashSet;

use askama::Template;
use selvedge_catalog::ConnectionKind;
use selvedge_catalog::reference::{Connection, Reference};

use super::objects::{self, Drawn};
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
    /// Sections under a heading.
    groups: Vec<(&'static str, Vec<&'a str>)>,
    script: &'a str,
}

struct Row<'a> {
    connection: &'a Connection,
    title: String,
    kind: &'static str,
    runs: &'static str,
    is_hidden: bool,
    /// Whether its object is.
    is_on_page: bool,
}

/// Draws the page for any search.
pub(super) struct Renderer {
    shell: Shell,
    reference: Reference,
    objects: Vec<Drawn>,
    policy: Policy,
}

impl Renderer {
    pub(super) fn new(site: &Site, reference: Reference) -> Self {
        Self {
            shell: Shell::new(site, Section::Reference),
            objects: objects::draw(&reference, &site.public_url),
            reference,
            policy: Policy::default().with_script(SCRIPT),
        }
    }

    /// The page with the rows that the search finds, and the objects that they lead to.
    pub(super) fn page(&self, search: &Search) -> Document {
        let connections = self.reference.connections();
        let found: HashSet<&str> = connections
            .iter()
            .filter(|connection| search.finds(connection))
            .filter_map(|connection| connection.property)
            .collect();
        let rows: Vec<Row<'_>> = connections
            .iter()
            .map(|connection| Row {
                connection,
                title: connection.title(),
                kind: kind_name(connection.connection_type),
                runs: runs_name(connection.runs),
                is_hidden: !search.finds(connection),
                is_on_page: connection.property.is_some_and(|name| found.contains(name)),
            })
            .collect();
        let listed = connections
            .iter()
            .filter(|connection| connection.listed)
            .count();
        let sections = |kind| {
            self.objects
                .iter()
                .filter(|object| object.kind == kind && found.contains(object.property))
                .map(|object| object.html.as_str())
                .collect::<Vec<_>>()
        };
        let mut groups = vec![
            ("Destinations", sections(ConnectionKind::Destination)),
            ("Sources", sections(ConnectionKind::Source)),
        ];
        groups.retain(|(_, sections)| !sections.is_empty());
        let page = Page {
            shell: &self.shell,
            search,
            found: rows.iter().filter(|row| !row.is_hidden).count(),
            rows,
            listed,
            beyond: connections.len() - listed,
            groups,
            script: SCRIPT,
        };
        let html = page.render().expect("the template writes to memory only");
        Document::page(html, &self.policy)
    }
}
