import Foundation
import Testing

/// What a test does to the world around a project, and how it looks at it.
extension TestProject {
    /// Runs as the user nobody, who owns nothing here. The program is copied to where nobody may read it.
    /// Gives nil, and prints why, where that is not possible.
    func asNobody(_ arguments: [String]) async throws -> Outcome? {
        guard getuid() == 0 else {
            // Without root's rights, modes alone keep us out.
            return try await start(arguments).wait(limit: .seconds(60))
        }
        let copy = path(Self.programCopy)
        if !FileManager.default.fileExists(atPath: copy) {
            try FileManager.default.copyItem(atPath: Requirements.binary, toPath: copy)
            try setMode(0o755, Self.programCopy)
        }
        let drop = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\""
        let check = try await ChildProcess("/bin/sh", ["-c", drop, copy, "--version"], folder: folder)
            .wait(limit: .seconds(20))
        guard check.code == 0 else {
            print("skipped: the program cannot run as another user here: \(check.errors)")
            return nil
        }
        return try await ChildProcess("/bin/sh", ["-c", drop, copy] + arguments, folder: folder)
            .wait(limit: .seconds(60))
    }

    private static let programCopy = "streamplat-copy"

    /// Every file and folder below the project with its contents, its mode and the time of its last change.
    func snapshot() throws -> [String: String] {
        var found: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: folder.path)?.allObjects ?? []
        where name != Self.programCopy {
            let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
            let contents = attributes[.type] as? FileAttributeType == .typeRegular ? try read(name).hashValue : 0
            let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            found[name] = "\(attributes[.size] ?? 0) \(attributes[.posixPermissions] ?? 0) \(changed) \(contents)"
        }
        return found
    }

    /// What two snapshots differ in, a line a file.
    static func changes(from before: [String: String], to after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).sorted().filter { before[$0] != after[$0] }.map {
            "\($0): \(before[$0] ?? "not there"), then \(after[$0] ?? "not there")"
        }
    }

    /// Takes away, or gives back, every right to write below the project.
    func setReadOnly(_ isReadOnly: Bool) throws {
        for case let name as String in FileManager.default.enumerator(atPath: folder.path)?.allObjects ?? []
        where name != Self.programCopy {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder)
            try setMode((isFolder.boolValue ? 0o555 : 0o444) | (isReadOnly ? 0 : 0o200), name)
        }
        try setMode(isReadOnly ? 0o555 : 0o755, ".")
    }
}
