internal import AvroSchema
public import Diagnostics
internal import DurableFiles
internal import Glibc
public import PluginAPI
internal import Synchronization

/// Schemas by subject, version and id, with compatibility levels: a schema registry in one append-only file of JSON lines.
///
/// Ids are dense from 1, the same for the same schema under every subject, and never given twice. Several processes may
/// use one folder: writers wait for each other, readers see what others wrote. A line that was torn by a crash is cut
/// with a notice. Errors: ``SchemaRefusal`` for what may not be done, `PipelineError` when the files fail. Threads: any.
public final class SchemaStore: Sendable {
    struct State {
        var ledger = SchemaLedger()
        /// Schemas that were parsed to be compared, by id.
        var graphs: [Int32: SchemaGraph] = [:]
        var position: Int64 = 0
        var lineCount = 0
    }

    private static let owner = FileOwner(
        component: "schema registry", setting: "the registry's 'path'", room: "free space",
        codes: .init(notAccessible: .registryFiles, failed: .registryFiles, full: .registryFiles))

    private let folder: String
    private let path: String
    private let lockPath: String
    private let durable: Bool
    private let notify: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// The store in a folder; `create` makes the folder where it is missing, else it counts as empty. `durable`: an entry
    /// survives a loss of power once the method that wrote it has returned.
    public init(
        folder: String, create: Bool, durable: Bool = true, notify: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(PipelineError) {
        path = "\(folder)/schemas.jsonl"
        lockPath = "\(folder)/~lock"
        self.durable = durable
        self.notify = notify
        self.folder = folder
        if create { try createFolder() }
    }

    /// Makes the folder where it is missing; nothing can be written before.
    public func createFolder() throws(PipelineError) { try Self.owner.createFolder(folder) }

    // MARK: Questions.

    /// Names in ascending order.
    public func subjects(includingDeleted: Bool = false) throws -> [String] {
        try read { state in
            state.ledger.subjects.filter { includingDeleted || !$0.value.allSatisfy(\.isDeleted) }.keys.sorted()
        }
    }

    /// Version numbers in ascending order.
    public func versions(of subject: String, includingDeleted: Bool = false) throws -> [Int] {
        try read { state in
            let versions = state.ledger.versions(subject, includingDeleted: includingDeleted)
            if versions.isEmpty { throw SchemaRefusal.subjectNotFound(subject) }
            return versions.map(\.number)
        }
    }

    /// A version of a subject; nil = the newest.
    public func version(
        _ number: Int?, of subject: String, includingDeleted: Bool = false
    ) throws -> RegisteredSchema {
        try read { try $0.version(number, of: subject, includingDeleted: includingDeleted) }
    }

    /// The newest version of a subject; nil when it has none.
    public func latest(subject: String) throws -> RegisteredSchema? {
        try read { state in
            state.ledger.versions(subject, includingDeleted: false).last.map { state.registered(subject, $0) }
        }
    }

    /// The schema's text; nil when the id is not known or all its versions were deleted permanently.
    public func schema(id: Int32) throws -> String? {
        try read { state in state.usages(id, includingDeleted: true).isEmpty ? nil : state.ledger.text(id) }
    }

    /// The versions that have the schema, by subject and number. Throws for an unknown id.
    public func usages(id: Int32, includingDeleted: Bool = false) throws -> [(subject: String, version: Int)] {
        try read { state in
            if state.usages(id, includingDeleted: true).isEmpty { throw SchemaRefusal.schemaNotFound }
            return state.usages(id, includingDeleted: includingDeleted)
        }
    }

    /// The version of the subject that holds this schema.
    public func lookUp(
        subject: String, schema: String, includingDeleted: Bool = false
    ) throws -> RegisteredSchema {
        let text = try Self.parse(schema).canonicalText
        return try read { state in
            let versions = state.ledger.versions(subject, includingDeleted: includingDeleted)
            if versions.isEmpty { throw SchemaRefusal.subjectNotFound(subject) }
            guard let id = state.ledger.ids[text], let version = versions.last(where: { $0.id == id }) else {
                throw SchemaRefusal.schemaNotFound
            }
            return state.registered(subject, version)
        }
    }

    /// How many subjects are offered.
    public func subjectCount() throws -> Int { try subjects().count }

    // MARK: Files.

    /// A valid schema, or why it is none.
    static func parse(_ text: String) throws(SchemaRefusal) -> SchemaGraph {
        let graph: SchemaGraph
        do {
            graph = try SchemaGraph.parse(json: text)
        } catch {
            throw .invalidSchema(error.description)
        }
        let invalid = graph.invalidDefaults()
        if !invalid.isEmpty {
            throw .invalidSchema("the default is no value of the field's type: \(invalid.joined(separator: ", "))")
        }
        return graph
    }

    func read<Result: Sendable>(_ body: (inout State) throws -> Result) throws -> Result {
        try state.withLock { state in
            if let file = try DurableFile(reading: path, owner: Self.owner) { _ = try load(file, &state) }
            return try body(&state)
        }
    }

    /// Appends what `body` gives, after it has seen all that every process wrote; no other process writes meanwhile.
    func write<Result: Sendable>(_ body: (inout State) throws -> (Result, [LedgerEntry])) throws -> Result {
        try state.withLock { state in
            try DurableFile(path: lockPath, flags: O_RDWR | O_CREAT, owner: Self.owner).withLock {
                let file = try DurableFile(path: path, flags: O_RDWR | O_CREAT, owner: Self.owner)
                let torn = try load(file, &state)
                if torn > 0 {
                    try file.truncate(to: state.position)
                    notify("schema registry: cut \(torn) bytes of a torn line after line \(state.lineCount)")
                }
                let (result, entries) = try body(&state)
                if entries.isEmpty { return result }
                do {
                    try Array(entries.map(\.line).joined().utf8).withUnsafeBytes {
                        try file.write($0, at: state.position)
                    }
                } catch {
                    try file.truncate(to: state.position)
                    throw error
                }
                if durable { try file.synchronize() }
                _ = try load(file, &state)
                return result
            }
        }
    }

    /// Takes in the whole lines that were added; returns how many bytes of a torn line follow them.
    private func load(_ file: DurableFile, _ state: inout State) throws -> Int {
        if try file.status().size <= state.position { return 0 }
        let bytes = try file.contents(from: state.position)
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let entry = LedgerEntry(line: bytes[start..<end]), state.ledger.apply(entry) else {
                throw PipelineError(
                    .registryFiles,
                    "\(path) is damaged: the line at byte \(state.position) is no entry that may follow",
                    hint: "put the file back from a copy", component: "schema registry")
            }
            state.position += Int64(end + 1 - start)
            state.lineCount += 1
            start = end + 1
        }
        return bytes.count - start
    }
}

extension SchemaStore.State {
    func registered(_ subject: String, _ version: SchemaLedger.Version) -> RegisteredSchema {
        RegisteredSchema(
            subject: subject, id: version.id, version: version.number, schema: ledger.text(version.id))
    }

    func version(_ number: Int?, of subject: String, includingDeleted: Bool) throws(SchemaRefusal) -> RegisteredSchema {
        let versions = ledger.versions(subject, includingDeleted: includingDeleted)
        guard let newest = versions.last else { throw .subjectNotFound(subject) }
        guard let number else { return registered(subject, newest) }
        guard let version = versions.first(where: { $0.number == number }) else { throw .versionNotFound(number) }
        return registered(subject, version)
    }

    func usages(_ id: Int32, includingDeleted: Bool) -> [(subject: String, version: Int)] {
        ledger.subjects.keys.sorted().flatMap { subject in
            ledger.versions(subject, includingDeleted: includingDeleted).filter { $0.id == id }.map {
                (subject, $0.number)
            }
        }
    }

    /// The parsed schema of an id.
    mutating func graph(_ id: Int32) throws -> SchemaGraph {
        if let graph = graphs[id] { return graph }
        do {
            let graph = try SchemaGraph.parse(json: ledger.text(id))
            graphs[id] = graph
            return graph
        } catch {
            throw PipelineError(
                .registryFiles, "schema \(id) of the registry is no valid schema: \(error)",
                hint: "delete the versions that have it, permanently", component: "schema registry")
        }
    }
}
