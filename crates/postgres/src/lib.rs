//! What both PostgreSQL connectors share: connecting, identifiers, errors, the binary formats.
