//! What the vocabulary promises, checked against somebody else's answers.

mod quartz;
