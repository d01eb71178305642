//! The only place with control-plane SQL.
