//! The real binary, driven as its users drive it.

mod authorization;
mod clients;
mod command_line;
mod control_plane;
mod failures;
mod files;
mod gate;
mod guides;
mod incremental;
mod journey;
mod kills;
mod mysql;
mod nested;
mod one_off;
mod pipeline;
mod plans;
mod platform;
mod pushed;
mod quickstart;
mod reference;
mod replacement;
mod schema_change;
mod server;
mod stop;
mod surroundings;
mod unheard_commits;
