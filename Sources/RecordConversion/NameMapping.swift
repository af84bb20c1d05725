/// A name in a payload and the field that it fills.
package struct NameMapping: Hashable, Sendable {
    package var column: String
    package var field: String

    package init(column: String, field: String) {
        self.column = column
        self.field = field
    }
}
