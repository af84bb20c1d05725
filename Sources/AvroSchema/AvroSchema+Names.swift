extension AvroSchema {
    /// The full name of a record, enum or fixed that stands inside `enclosing` (a namespace); nil for other types.
    ///
    /// A `nil` namespace of a named type means "that of the type around it"; an empty one means none at all.
    public func fullName(in enclosing: String? = nil) -> String? {
        switch self {
        case .record(let record): Self.fullName(record.name, record.namespace ?? enclosing)
        case .enumeration(let name, let namespace, _), .fixed(let name, let namespace, _):
            Self.fullName(name, namespace ?? enclosing)
        case .logical(let base, _): base.fullName(in: enclosing)
        default: nil
        }
    }

    static func fullName(_ name: String, _ namespace: String?) -> String {
        guard let namespace, !namespace.isEmpty else { return name }
        return "\(namespace).\(name)"
    }

    /// The type without its logical type.
    public var base: AvroSchema {
        if case .logical(let base, _) = self { return base }
        return self
    }

    /// The record, if this is one.
    public var record: AvroRecord? {
        if case .record(let record) = self { return record }
        return nil
    }

    /// Whether `null` is a value of this type.
    public var allowsNull: Bool {
        switch self {
        case .null: true
        case .union(let branches): branches.contains(.null)
        default: false
        }
    }

    /// Whether a name follows Avro's rule: a letter or `_`, then letters, digits and `_`, all ASCII.
    static func isName(_ text: String) -> Bool {
        var isFirst = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
            default: return false
            }
            isFirst = false
        }
        return !isFirst
    }
}
