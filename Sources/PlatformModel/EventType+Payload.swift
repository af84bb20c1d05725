extension EventType {
    /// A value that a payload has under another name than its column.
    public struct PayloadName: Hashable, Sendable {
        /// The name in the payload; dots step into objects.
        public var path: String
        /// The column; for money also the field's own name, and then the value is an amount instead of cents.
        public var column: String

        public init(path: String, column: String) {
            self.path = path
            self.column = column
        }
    }

    /// What `source_name` says about the fields, also about those inside records.
    public var sourceNames: [PayloadName] { Self.sourceNames(fields) }

    /// The ``sourceNames`` and, for JSON messages, the places of the event's id and time.
    public var messageNames: [PayloadName] {
        let id = eventIDField.map { [PayloadName(path: $0, column: "event_id")] } ?? []
        let time = eventTime.map { [PayloadName(path: $0.field, column: "timestamp")] } ?? []
        return id + time + sourceNames
    }

    private static func sourceNames(
        _ fields: [Field], path: String = "", column: String = "", isMoved: Bool = false
    ) -> [PayloadName] {
        fields.flatMap { field -> [PayloadName] in
            let name = path + (field.sourceName ?? field.name)
            let isRenamed = isMoved || field.sourceName != nil
            if case .record(let inner) = field.type {
                return sourceNames(inner, path: name + ".", column: column + field.name + ".", isMoved: isRenamed)
            }
            guard isRenamed else { return [] }
            let own = PayloadName(path: name, column: column + field.name)
            // A record of another name holds its money under either name, as everywhere.
            guard field.sourceName == nil, field.storedName != field.name else { return [own] }
            return [own, PayloadName(path: path + field.storedName, column: column + field.storedName)]
        }
    }
}
