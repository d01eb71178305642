//! One run of one source: plan, discover, extract, load, commit.
