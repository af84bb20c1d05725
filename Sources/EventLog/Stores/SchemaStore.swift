public import Diagnostics
import Glibc
import Synchronization

/// Schemas with dense ids from 1, in one append-only file of JSON lines. Threads: any.
public final class SchemaStore: Sendable {
    private struct State {
        var texts: [String] = []
        var ids: [String: Int32] = [:]
        /// Ids by subject, in the order of their versions.
        var subjects: [String: [Int32]] = [:]
        var position: Int64 = 0
    }

    private let path: String
    private let lockPath: String
    private let durable: Bool
    private let notify: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// The store in a folder; `create` makes the folder where it is missing, else it counts as empty.
    public init(
        folder: String, create: Bool, durable: Bool, notify: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(PipelineError) {
        if create { try Folder.create(folder) }
        path = "\(folder)/schemas.jsonl"
        lockPath = "\(folder)/~lock"
        self.durable = durable
        self.notify = notify
    }

    private func read<Result>(_ body: (State) -> Result) throws -> Result where Result: Sendable {
        try state.withLock { state in
            if let file = try LogFile(reading: path) { _ = try load(file, &state) }
            return body(state)
        }
    }

    /// The id of the schema under the subject. The same text has the same id under every subject.
    public func register(subject: String, schema: String) throws -> Int32 {
        try state.withLock { state in
            try LogFile(path: lockPath, flags: O_RDWR | O_CREAT).withLock {
                let file = try LogFile(path: path, flags: O_RDWR | O_CREAT)
                let torn = try load(file, &state)
                if torn > 0 {
                    try file.truncate(to: state.position)
                    notify("schemas: cut \(torn) bytes of a torn line after schema \(state.texts.count)")
                }
                let known = state.ids[schema]
                if let known, state.subjects[subject]?.contains(known) == true { return known }
                let id = known ?? Int32(state.texts.count + 1)
                let line = JSONValue.object([
                    .init(name: "id", value: .integer(Int64(id))), .init(name: "subject", value: .string(subject)),
                    .init(name: "version", value: .integer(Int64((state.subjects[subject]?.count ?? 0) + 1))),
                    .init(name: "schema", value: .string(schema)),
                ])
                do {
                    try Array((line.text + "\n").utf8).withUnsafeBytes { try file.write($0, at: state.position) }
                } catch {
                    try file.truncate(to: state.position)
                    throw error
                }
                if durable { try file.synchronize() }
                _ = try load(file, &state)
                return id
            }
        }
    }

    /// Takes in the whole lines that were added; returns how many bytes of a torn line follow them.
    private func load(_ file: LogFile, _ state: inout State) throws -> Int {
        if try file.status().size <= state.position { return 0 }
        let bytes = try file.contents(from: state.position)
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            guard let json = JSONValue.parse(bytes[start..<end]), let id = json["id"]?.integer,
                let subject = json["subject"]?.string, let schema = json["schema"]?.string,
                id >= 1, id <= state.texts.count + 1,
                id == state.texts.count + 1 ? state.ids[schema] == nil : state.texts[Int(id) - 1] == schema
            else {
                throw LogErrors.damagedFile(
                    path, "the line at byte \(state.position) is not a schema", hint: "put the file back from a copy")
            }
            if id == state.texts.count + 1 {
                state.texts.append(schema)
                state.ids[schema] = Int32(id)
            }
            state.subjects[subject, default: []].append(Int32(id))
            state.position += Int64(end + 1 - start)
            start = end + 1
        }
        return bytes.count - start
    }

    /// The schema's text; nil when the id is not known.
    public func schema(id: Int32) throws -> String? {
        try read { id >= 1 && Int(id) <= $0.texts.count ? $0.texts[Int(id) - 1] : nil }
    }

    /// The newest version of a subject.
    public func latest(subject: String) throws -> (id: Int32, version: Int, schema: String)? {
        try read { state in
            guard let ids = state.subjects[subject], let id = ids.last else { return nil }
            return (id, ids.count, state.texts[Int(id) - 1])
        }
    }

    /// How many subjects there are.
    public func subjectCount() throws -> Int { try read { $0.subjects.count } }
}
