internal import Diagnostics
public import HTTPServer
public import SchemaStore

/// The REST interface of the Confluent Schema Registry over a schema store: subjects, versions, schemas by id,
/// compatibility, configuration and mode, for Avro. Threads: any.
public struct RegistryService: Sendable {
    public static let contentType = "application/vnd.schemaregistry.v1+json"
    let store: SchemaStore

    public init(_ store: SchemaStore) { self.store = store }

    /// Answers a request; never fails but in its answer, which is always JSON.
    public func respond(to request: HTTPServerRequest) -> HTTPServerResponse {
        do {
            return response(200, try answer(request).body)
        } catch {
            let failure = RegistryFailure(error)
            return response(
                failure.status,
                RegistryAnswer.json(
                    .object(["error_code": .integer(failure.code), "message": .string(failure.message)])
                ).body)
        }
    }

    private func response(_ status: Int, _ json: String) -> HTTPServerResponse {
        HTTPServerResponse(status: status, contentType: Self.contentType, text: json)
    }

    private func answer(_ request: HTTPServerRequest) throws -> RegistryAnswer {
        let path = request.path
        // HEAD is GET without a body; the server leaves it out.
        let method = request.method == "HEAD" ? "GET" : request.method
        let rest = Array(path.dropFirst())
        switch path.first {
        case nil: return try only(["GET"], method) { _ in .json(.object([:])) }
        case "subjects": return try subjects(method, rest, request)
        case "schemas": return try only(["GET"], method) { _ in try schemas(rest, request) }
        case "compatibility": return try only(["POST"], method) { _ in try compatibility(rest, request) }
        case "config" where rest.count <= 1: return try config(method, rest.first, request)
        case "mode" where rest.count <= 1: return try mode(method, rest.first, request)
        case "contexts" where rest.isEmpty: return try only(["GET"], method) { _ in .strings(["."]) }
        default: throw RegistryFailure.notFound
        }
    }

    func only(_ methods: [String], _ method: String, _ body: (String) throws -> RegistryAnswer) throws -> RegistryAnswer
    {
        guard methods.contains(method) else { throw RegistryFailure.methodNotAllowed }
        return try body(method)
    }

    /// `name=true` in the query.
    func flag(_ name: String, _ request: HTTPServerRequest) -> Bool { request.query(name)?.lowercased() == "true" }

    /// The part of a list that `offset` and `limit` ask for; a negative limit is none.
    func page<Item>(_ items: [Item], _ request: HTTPServerRequest) -> [Item] {
        let offset = max(0, request.query("offset").flatMap(Int.init) ?? 0)
        let limit = request.query("limit").flatMap(Int.init) ?? -1
        let rest = items.dropFirst(offset)
        return Array(limit < 0 ? rest : rest.prefix(limit))
    }

    /// What is offered, with `deleted=true` what was softly deleted too, with `deletedOnly=true` only that; one page of it.
    func listed<Item: Hashable>(_ request: HTTPServerRequest, _ items: (_ isDeletedToo: Bool) throws -> [Item]) throws
        -> [Item]
    {
        guard flag("deletedOnly", request) else { return page(try items(flag("deleted", request)), request) }
        let all = try items(true)
        let offered: Set<Item>
        do {
            offered = Set(try items(false))
        } catch SchemaRefusal.subjectNotFound {
            offered = []
        }
        return page(all.filter { !offered.contains($0) }, request)
    }

    /// A version in a path; nil = the newest.
    func version(_ text: String) throws(RegistryFailure) -> Int? {
        if text == "latest" || text == "-1" { return nil }
        guard let number = Int32(text), number >= 1 else {
            throw RegistryFailure(
                422, 42202,
                "The specified version '\(text)' is not a valid version id. Allowed values are between [1, 2^31-1] and "
                    + "the string \"latest\"")
        }
        return Int(number)
    }
}
