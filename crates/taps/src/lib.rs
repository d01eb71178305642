//! Which program serves a source type as a Singer tap, with which settings, and the environment it runs in.
