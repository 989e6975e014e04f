//! The reader of compiled schemas, which a plugin of the schema compiler gets from its standard input.

use super::Run;

/// Reads requests.
pub(super) fn start() -> Run {
    Box::new(|input| {
        if let Ok(schema) = mp_schema::Schema::from_request(input) {
            for file in schema.requested_files() {
                for id in &file.items {
                    drop(schema.ancestors(*id));
                    drop(schema.all_methods(*id));
                }
            }
        }
    })
}
