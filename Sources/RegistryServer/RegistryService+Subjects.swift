internal import Diagnostics
internal import HTTPServer
internal import PluginAPI
internal import SchemaStore

extension RegistryService {
    /// `/subjects…`; the path after it.
    func subjects(_ method: String, _ path: [String], _ request: HTTPServerRequest) throws -> RegistryAnswer {
        let isDeletedToo = flag("deleted", request)
        let isPermanent = flag("permanent", request)
        guard let subject = path.first else {
            return try only(["GET"], method) { _ in
                let prefix = request.query("subjectPrefix") ?? ""
                return .strings(
                    try listed(request) { try store.subjects(includingDeleted: $0).filter { $0.hasPrefix(prefix) } })
            }
        }
        if path.count == 1 {
            return try only(["POST", "DELETE"], method) { method in
                if method == "DELETE" {
                    return .integers(try store.delete(subject: subject, isPermanent: isPermanent))
                }
                let schema = try RegistryRequestBody.read(request.body).avroSchema()
                return .version(
                    try store.lookUp(subject: subject, schema: schema, includingDeleted: isDeletedToo))
            }
        }
        guard path[1] == "versions", path.count <= 4 else { throw RegistryFailure.notFound }
        if path.count == 2 {
            return try only(["GET", "POST"], method) { method in
                if method == "POST" { return try register(subject, request) }
                return .integers(try listed(request) { try store.versions(of: subject, includingDeleted: $0) })
            }
        }
        if path.count == 3, method == "DELETE" {
            let number = try store.delete(subject: subject, version: try version(path[2]), isPermanent: isPermanent)
            return .json(.integer(number))
        }
        return try only(["GET"], method) { _ in
            let found = try store.version(
                try version(path[2]), of: subject, includingDeleted: isDeletedToo)
            switch path.dropFirst(3).first {
            case nil: return .version(found)
            case "schema": return .text(found.schema)
            // Nothing refers to anything: references are refused.
            case "referencedby": return .integers([])
            default: throw RegistryFailure.notFound
            }
        }
    }

    private func register(_ subject: String, _ request: HTTPServerRequest) throws -> RegistryAnswer {
        let body = try RegistryRequestBody.read(request.body)
        if body.id != nil || body.version != nil {
            throw RegistryFailure(
                422, 42205, "An id or a version can be given only in IMPORT mode, which is not supported.")
        }
        let schema = try body.avroSchema()
        do {
            let id = try store.register(subject: subject, schema: schema).id
            return .json(.object(["id": .integer(Int(id))]))
        } catch SchemaRefusal.incompatible(let reasons) {
            let level = try store.compatibility(subject: subject)
            throw RegistryFailure(
                409, 409,
                "Schema being registered is incompatible with an earlier schema for subject \"\(subject)\", details: ["
                    + reasons.joined(separator: ", ") + ", {compatibility: '\(level.rawValue)'}]")
        }
    }

    /// `/schemas…`; the path after it.
    func schemas(_ path: [String], _ request: HTTPServerRequest) throws -> RegistryAnswer {
        if path == ["types"] { return .strings(["AVRO"]) }
        guard path.count >= 2, path.count <= 3, path[0] == "ids", let id = Int32(path[1]) else {
            throw RegistryFailure.notFound
        }
        guard let schema = try store.schema(id: id) else {
            throw RegistryFailure(404, 40403, "Schema \(id) not found")
        }
        guard path.count == 3 else { return .json(.object(["schema": .string(schema)])) }
        switch path[2] {
        case "schema": return .text(schema)
        case "versions", "subjects":
            let usages = try store.usages(id: id, includingDeleted: flag("deleted", request))
            if path[2] == "subjects" { return .strings(page(Set(usages.map(\.subject)).sorted(), request)) }
            return .json(
                .array(
                    page(usages, request).map {
                        .object(["subject": .string($0.subject), "version": .integer($0.version)])
                    }))
        default: throw RegistryFailure.notFound
        }
    }
}
