/// Whether a value written as text fits a field's type.
enum ValueText {
    /// Why the text is no value of the type; nil when it is one. For arrays and maps, a value of what they hold.
    static func misfit(_ text: String, _ type: FieldType) -> String? {
        switch type {
        case .string, .bytes: nil
        case .int: Int32(text) == nil ? "is not a 32-bit integer" : nil
        case .long: Int64(text) == nil ? "is not an integer" : nil
        case .float, .double: Double(text) == nil ? "is not a number" : nil
        case .boolean: text == "true" || text == "false" ? nil : "is not true or false"
        case .date: InstantText.days(text) == nil ? "is not a date such as 2024-01-31" : nil
        case .timestamp: InstantText.milliseconds(text) == nil ? "is not a time such as 2024-01-31T12:00:00Z" : nil
        case .uuid: isUUID(text) ? nil : "is not a UUID"
        case .decimal(let precision, let scale):
            unscaled(text, precision: precision, scale: scale) == nil
                ? "is not a decimal(\(precision),\(scale))" : nil
        case .money(let scale):
            unscaled(text, precision: 18, scale: scale) == nil
                ? "is not an amount with at most \(scale) digits after the point" : nil
        case .enumeration(let symbols): symbols.contains(text) ? nil : "is none of \(symbols.joined(separator: ", "))"
        case .array(let inner), .map(let inner): misfit(text, inner)
        case .record: "cannot be one value: the field is a record"
        }
    }

    /// The integer of units of 10^-scale, or nil when the text is no such number or has too many digits.
    static func unscaled(_ text: String, precision: Int, scale: Int) -> Int128? {
        var rest = text[...]
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest.removeFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        guard let whole = parts.first, !whole.isEmpty, fraction.count <= scale, parts.count == 1 || !fraction.isEmpty
        else { return nil }
        let digits = whole.drop { $0 == "0" } + fraction + String(repeating: "0", count: scale - fraction.count)
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), digits.count <= max(precision, 1) else { return nil }
        guard let value = digits.isEmpty ? 0 : Int128(digits) else { return nil }
        return isNegative ? -value : value
    }

    static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }
}
