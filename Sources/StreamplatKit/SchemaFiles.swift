internal import AvroSchema
internal import Foundation
internal import Diagnostics
public import PlatformModel

/// The generated schemas of a domain as files: `schemas/<domain>/<event>.avsc`. They are committed; a second generation
/// gives the same bytes.
public struct SchemaFiles: Sendable {
    public struct File: Sendable, Equatable {
        /// Relative to the project root.
        public var path: String
        public var text: String
    }

    public let files: [File]
    private let root: String
    private let folder: String

    public init(domain: DomainDefinition, root: String) {
        self.root = root
        folder = "schemas/\(domain.name)"
        files = domain.eventTypes.map { eventType in
            File(
                path: "schemas/\(domain.name)/\(eventType.name).avsc",
                text: AvroSchema.record(eventType.schema).json(pretty: true) + "\n")
        }
    }

    /// The files that are missing or differ, and those of event types that are gone.
    public func stale() throws -> (changed: [File], obsolete: [String]) {
        let changed = files.filter { (try? String(contentsOfFile: "\(root)/\($0.path)", encoding: .utf8)) != $0.text }
        let present = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []
        let wanted = Set(files.map(\.path))
        let obsolete = present.filter { $0.hasSuffix(".avsc") }.map { "\(folder)/\($0)" }.filter {
            !wanted.contains($0)
        }
        return (changed, obsolete.sorted())
    }

    /// Writes what is stale; obsolete files are left to the person. Gives the written paths.
    public func write() throws -> [String] {
        let changed = try stale().changed
        guard !changed.isEmpty else { return [] }
        do {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            for file in changed {
                try file.text.write(toFile: "\(root)/\(file.path)", atomically: true, encoding: .utf8)
            }
        } catch {
            throw PipelineError(
                .staleSchemaFile, "cannot write into \(folder): \(error.localizedDescription)",
                hint: "check who owns the folder", exitCode: 3)
        }
        return changed.map(\.path)
    }
}
