internal import Diagnostics

/// Names and values of one thing, a line each.
public enum FieldList {
    /// Values stand in one column; control characters in them are shown as escapes. Ended by a line feed.
    public static func render(_ fields: [(name: String, value: String)]) -> String {
        let width = fields.map { DisplayText.width($0.name) }.max() ?? 0
        return fields.map { field in
            let padding = String(repeating: " ", count: width - DisplayText.width(field.name))
            return "\(field.name)\(padding)  \(VisibleText.escaped(field.value))\n"
        }.joined()
    }
}
