internal import Diagnostics
internal import HTTPServer
internal import PluginAPI
internal import SchemaStore

extension RegistryService {
    /// `/compatibility…`; the path after it.
    func compatibility(_ path: [String], _ request: HTTPServerRequest) throws -> RegistryAnswer {
        guard path.count >= 3, path.count <= 4, path[0] == "subjects", path[2] == "versions" else {
            throw RegistryFailure.notFound
        }
        let subject = path[1]
        let schema = try RegistryRequestBody.read(request.body).avroSchema()
        let reasons =
            path.count == 4
            ? try store.incompatibilities(subject: subject, schema: schema, version: try version(path[3]))
            : try store.incompatibilities(subject: subject, schema: schema)
        var answer: [String: JSONValue] = ["is_compatible": .boolean(reasons.isEmpty)]
        if flag("verbose", request), !reasons.isEmpty { answer["messages"] = .array(reasons.map { .string($0) }) }
        return .json(.object(answer))
    }

    /// `/config` or `/config/{subject}`.
    func config(_ method: String, _ subject: String?, _ request: HTTPServerRequest) throws -> RegistryAnswer {
        func own() throws -> CompatibilityLevel {
            guard let subject else { return try store.globalCompatibility() }
            guard let level = try store.ownCompatibility(subject: subject) else {
                throw SchemaRefusal.noLevel(subject: subject)
            }
            return level
        }
        return try only(["GET", "PUT", "DELETE"], method) { method in
            switch method {
            case "PUT":
                let body = try RegistryRequestBody.read(request.body)
                guard let level = body.compatibility.flatMap({ CompatibilityLevel(rawValue: $0.uppercased()) }) else {
                    throw RegistryFailure(
                        422, 42203,
                        "Invalid compatibility level. Valid values are "
                            + CompatibilityLevel.allCases.map(\.rawValue).joined(separator: ", "))
                }
                try store.setCompatibility(level, subject: subject)
                return .json(.object(["compatibility": .string(level.rawValue)]))
            case "DELETE":
                let old = try own()
                try store.setCompatibility(nil, subject: subject)
                return .json(.object(["compatibilityLevel": .string(old.rawValue)]))
            default:
                let level =
                    if let subject, flag("defaultToGlobal", request) {
                        try store.compatibility(subject: subject)
                    } else {
                        try own()
                    }
                return .json(.object(["compatibilityLevel": .string(level.rawValue)]))
            }
        }
    }

    /// `/mode` or `/mode/{subject}`.
    func mode(_ method: String, _ subject: String?, _ request: HTTPServerRequest) throws -> RegistryAnswer {
        func own() throws -> RegistryMode {
            guard let subject else { return try store.globalMode() }
            guard let mode = try store.ownMode(subject: subject) else { throw SchemaRefusal.noMode(subject: subject) }
            return mode
        }
        let result: RegistryMode
        switch method {
        case "PUT":
            let wanted = try RegistryRequestBody.read(request.body).mode
            guard let mode = wanted.flatMap({ RegistryMode(rawValue: $0.uppercased()) }) else {
                throw RegistryFailure(
                    422, 42204,
                    "Invalid mode. Valid values are " + RegistryMode.allCases.map(\.rawValue).joined(separator: ", "))
            }
            try store.setMode(mode, subject: subject)
            result = mode
        case "DELETE":
            result = try own()
            try store.setMode(nil, subject: subject)
        case "GET":
            result =
                if let subject, flag("defaultToGlobal", request) { try store.mode(subject: subject) } else { try own() }
        default: throw RegistryFailure.methodNotAllowed
        }
        return .json(.object(["mode": .string(result.rawValue)]))
    }
}
