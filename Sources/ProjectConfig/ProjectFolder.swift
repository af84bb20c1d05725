import Diagnostics

/// A project: the folder that holds `config/platform.yaml`, and where its other files are looked for.
struct ProjectFolder {
    let root: String
    /// Where the person stands.
    let workingDirectory: String

    /// What a kind of file is called and where it may be.
    struct Place {
        var word: String
        var folders: [String]
        var unknown: DiagnosticCode
    }

    static let environments = Place(
        word: "environment", folders: ["environments", "config/environments"], unknown: .unknownEnvironment)
    static let domains = Place(word: "domain", folders: ["domains", "config/domains"], unknown: .unknownDomain)

    var platformFile: String { "\(root)/config/platform.yaml" }

    /// The nearest parent folder of each start, itself included, that holds `config/platform.yaml`; the first start
    /// that has one wins.
    static func find(from starts: [String], workingDirectory: String) -> ProjectFolder? {
        for start in starts {
            var folder = start
            while true {
                if PathText.exists("\(folder == "/" ? "" : folder)/config/platform.yaml") {
                    return ProjectFolder(root: folder, workingDirectory: workingDirectory)
                }
                if folder == "/" { break }
                folder = PathText.parent(folder)
            }
        }
        return nil
    }

    func shown(_ path: String) -> String { PathText.shown(path, from: workingDirectory) }

    func names(_ place: Place) -> [String] {
        Set(place.folders.flatMap { PathText.yamlStems(in: "\(root)/\($0)") }).sorted()
    }

    /// Every file of a kind, by folder and name; both endings.
    func files(_ place: Place) -> [String] {
        place.folders.flatMap { folder in
            PathText.yamlStems(in: "\(root)/\(folder)").flatMap { stem in
                ["yaml", "yml"].map { "\(root)/\(folder)/\(stem).\($0)" }.filter(PathText.exists)
            }
        }
    }

    /// Where the file of a name may be.
    func candidates(_ name: String, _ place: Place) -> [String] {
        place.folders.flatMap { ["\(root)/\($0)/\(name).yaml", "\(root)/\($0)/\(name).yml"] }
    }

    /// The file of a name; nil when there is none. Two files of one name are an error.
    func file(_ name: String, _ place: Place, at location: SourceLocation?) throws(DiagnosticsError) -> String? {
        let found = candidates(name, place).filter(PathText.exists)
        if found.count > 1 {
            throw DiagnosticsError(
                Diagnostic(
                    .ambiguousFile, "the \(place.word) '\(name)' has \(found.count) files", at: location,
                    notes: found.map { .init(shown($0)) }, hint: "keep one of them, or name the file by its path"))
        }
        return found.first
    }

    /// What to say when there is no file of a name.
    func unknown(_ name: String, _ place: Place, at location: SourceLocation?) -> Diagnostic {
        let known = names(place)
        let near = nearestName(to: name, among: known).map { "did you mean '\($0)'? " } ?? ""
        let list =
            known.isEmpty
            ? "there is no file in \(place.folders.map { shown("\(root)/\($0)") }.joined(separator: " or "))"
            : "known are \(known.joined(separator: ", "))"
        return Diagnostic(place.unknown, "no \(place.word) is named '\(name)'", at: location, hint: near + list)
    }
}
