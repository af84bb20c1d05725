package import Diagnostics

extension ConversionPlan.Column {
    /// What a fault of this column is called.
    package func explain(_ fault: CellFault) -> (code: DiagnosticCode, reason: String) {
        switch fault {
        case .missing, .none: (.missingValue, "the required field '\(name)' has no value")
        case .unreadable: (.unreadableValue, "'\(name)' is not \(expected)")
        case .outOfRange: (.valueOutOfRange, "'\(name)' is outside the range of \(expected)")
        case .tooManyDigits:
            (.valueOutOfRange, "'\(name)' has more digits after the point than its scale \(scale ?? 0)")
        case .unknownSymbol: (.unknownSymbol, "'\(name)' is not one of its enum's symbols")
        case .timeOutOfRange: (.timestampOutOfRange, "'\(name)' is not within the years 0 to 9999")
        case .ambiguous: (.ambiguousValue, "'\(name)' is given twice: as an amount and as cents")
        }
    }

    private var scale: Int? {
        switch conversion {
        case .decimal(_, let scale), .money(let scale): scale
        default: nil
        }
    }

    private var expected: String {
        switch conversion {
        case .boolean: "a boolean"
        case .int: "a 32-bit whole number"
        case .long: "a 64-bit whole number"
        case .float, .double: "a number"
        case .string: "a string"
        case .bytes: "hexadecimal text"
        case .date: "a date (YYYY-MM-DD)"
        case .timestamp: "a timestamp of the expected format"
        case .uuid: "a UUID"
        case .decimal(let precision, let scale): "a decimal(\(precision),\(scale))"
        case .money: "an amount of money"
        case .enumeration: "a string"
        case .json: "JSON of the field's type"
        }
    }
}
