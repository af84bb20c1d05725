/// A constraint of the table refuses at least one row of an insert, and with it the insert.
struct ViolatedConstraint: Error {
    /// Without values of rows, which the server's words hold.
    let reason: String
}
