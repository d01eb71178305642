//! The headers that say where a caller stands.

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{HeaderBuilder, OpenApi, RefOr};

use super::general::operations;

const HEADERS: [(&str, &str); 3] = [
    (
        "RateLimit-Limit",
        "Requests that an account may make in 10 minutes, over the whole group of endpoints.",
    ),
    ("RateLimit-Remaining", "How many of them are left."),
    ("RateLimit-Reset", "Seconds until the count starts anew."),
];

/// Describes the headers in all answers of these operations that get as far as being counted.
pub(crate) fn describe_rate_limit(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            for response in operation.responses.responses.values_mut() {
                let RefOr::T(response) = response else {
                    continue;
                };
                for (name, description) in HEADERS {
                    let schema = ObjectBuilder::new()
                        .schema_type(Type::Integer)
                        .minimum(Some(0))
                        .build();
                    let header = HeaderBuilder::new()
                        .schema(Some(schema))
                        .description(Some(description))
                        .build();
                    response.headers.insert(name.to_owned(), RefOr::T(header));
                }
            }
        }
    }
}
