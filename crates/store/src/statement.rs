//! How a module declares its SQL.

/// Declares the statements of a module as constants, and lists them for the test that prepares every statement on both
/// databases. A name that ends in `_SQLITE` or `_POSTGRES` is meant for that database only.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$meta])* const $name: &str = $sql;)*

        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
