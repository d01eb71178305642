//! What can be connected, and what it needs.
