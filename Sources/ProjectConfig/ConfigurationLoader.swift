public import ConfigTree
public import Diagnostics
import Glibc
import PluginAPI
import YAMLTree

/// Finds a project's files and merges them: platform ← environment ← domain ← the environment's block for that
/// domain ← `--set`.
///
/// It reads files and nothing else: no network, no secret.
public struct ConfigurationLoader {
    /// What a person asked for on the command line.
    public struct Request: Sendable {
        /// A domain's name or the path of its file; nil = `default_domain` of the configuration.
        public var domain: String?
        /// Nil = the variable `STREAMPLAT_ENVIRONMENT`, else `local`.
        public var environment: String?
        /// The arguments of `--set`, in order.
        public var overrides: [String]
        /// Whether the lack of both a domain and a default is an error.
        public var needsDomain: Bool

        public init(
            domain: String? = nil, environment: String? = nil, overrides: [String] = [], needsDomain: Bool = true
        ) {
            self.domain = domain
            self.environment = environment
            self.overrides = overrides
            self.needsDomain = needsDomain
        }
    }

    public static let platformLayer = ConfigLayer("platform")
    public static let environmentLayer = ConfigLayer("environment")
    public static let domainLayer = ConfigLayer("domain")
    public static let environmentDomainLayer = ConfigLayer("environment (domain block)")
    static let environmentVariable = "STREAMPLAT_ENVIRONMENT"

    private let workingDirectory: String
    private let lookup: (String) -> String?

    /// - Parameters:
    ///   - workingDirectory: An absolute path; nil = the process's. Relative paths and the search for the project start
    ///     here, and paths are shown as seen from here.
    ///   - lookup: The value of an environment variable of the process.
    public init(workingDirectory: String? = nil, lookup: @escaping (String) -> String? = Self.processEnvironment) {
        self.workingDirectory = workingDirectory ?? PathText.workingDirectory
        self.lookup = lookup
    }

    /// The process's environment.
    public static func processEnvironment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The merged configuration.
    ///
    /// Throws all findings together: exit code 3 when a file that is needed is not there, else 2.
    /// - Parameter sources: Gets every text that was read, also when it throws, for excerpts.
    public func load(
        _ request: Request, sources: inout SourceTexts
    ) throws(DiagnosticsError) -> LoadedConfiguration {
        let project = try findProject(request)
        var reader = LayerReader(project: project, sources: sources)
        defer { sources = reader.sources }

        let platform = reader.read(project.platformFile, layer: Self.platformLayer)
        let (environmentName, environmentFile) = try reader.reportingAll { () throws(DiagnosticsError) in
            try findEnvironment(request, in: project)
        }
        let environment = environmentFile.flatMap { reader.read($0, layer: Self.environmentLayer) }
        let settings = reader.readSettings(request.overrides)

        let defaultDomain = Self.defaultDomain(platform, environment, settings)
        let hasErrors = reader.diagnostics.hasErrors
        let domain = try reader.reportingAll { () throws(DiagnosticsError) in
            try findDomain(request, default: defaultDomain, in: project, isIncomplete: hasErrors)
        }
        let domainTree = domain.flatMap { reader.read($0, layer: Self.domainLayer) }
        // The domain's own name and the merge need every layer; what is wrong in any of them is reported together.
        try reader.diagnostics.throwIfErrors(exitCode: reader.exitCode)
        guard let platform else { throw DiagnosticsError(diagnostics: reader.diagnostics, exitCode: 3) }

        let name = domain.map { file in domainTree?.mapping?["domain"]?.scalar?.text ?? PathText.stem(file) }
        var merge = ConfigMerge(platform) { path in path.first == "types" && path.last == "default" }
        let blocks = environment.map { reader.split($0, domain: name) }
        for layer in [blocks?.environment, domainTree, blocks?.block].compactMap({ $0 }) { merge.apply(layer) }
        for setting in settings {
            setting.checkAgainst(merge.tree, into: &reader.diagnostics)
            merge.apply(setting.tree)
        }
        VariableResolver.checkSyntax(merge.tree, into: &reader.diagnostics)
        try reader.diagnostics.throwIfErrors(exitCode: 2)
        return LoadedConfiguration(
            root: project.root, environment: environmentName, domainName: name,
            domainFile: domain.map(project.shown), tree: merge.tree, removals: merge.removals, sources: reader.sources,
            files: [project.platformFile] + project.candidates(environmentName, ProjectFolder.environments)
                + (domain.map { Self.whereabouts(of: $0, request, in: project) } ?? []),
            surroundings: DomainOutline.Surroundings(
                project: project, domainFile: domain, platform: platform, environment: environment,
                settings: settings.map(\.tree)))
    }

    // MARK: Finding files

    private static func isPath(_ text: String) -> Bool {
        text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
    }

    private func findProject(_ request: Request) throws(DiagnosticsError) -> ProjectFolder {
        var starts = [workingDirectory]
        if let domain = request.domain, Self.isPath(domain) {
            let file = PathText.absolute(domain, from: workingDirectory)
            if PathText.exists(file) { starts.insert(PathText.parent(file), at: 0) }
        }
        if let found = ProjectFolder.find(from: starts, workingDirectory: workingDirectory) { return found }
        throw DiagnosticsError(
            Diagnostic(
                .noProject, "there is no project here: no parent folder holds config/platform.yaml",
                hint: "go to a project's folder, or create config/platform.yaml"),
            exitCode: 3)
    }

    private func findEnvironment(
        _ request: Request, in project: ProjectFolder
    ) throws(DiagnosticsError) -> (name: String, file: String?) {
        let fromVariable = lookup(Self.environmentVariable).flatMap { $0.isEmpty ? nil : $0 }
        guard let name = request.environment ?? fromVariable else {
            // The defaults of platform.yaml are those of `local`, so that environment needs no file.
            return ("local", try project.file("local", ProjectFolder.environments, at: nil))
        }
        if !name.contains("/"), let file = try project.file(name, ProjectFolder.environments, at: nil) {
            return (name, file)
        }
        var finding = project.unknown(name, ProjectFolder.environments, at: nil)
        if request.environment == nil { finding.notes = [.init("the name comes from \(Self.environmentVariable)")] }
        throw DiagnosticsError(finding)
    }

    private static func defaultDomain(
        _ platform: ConfigNode?, _ environment: ConfigNode?, _ settings: [SetArgument]
    ) -> ConfigNode? {
        let layers = [platform, environment].compactMap { $0 } + settings.map(\.tree)
        let last = layers.compactMap { $0.mapping?["default_domain"] }.last
        return last.flatMap { $0.isNull ? nil : $0 }
    }

    /// Where the domain may be found the next time: beside its file, unless it was named by its path.
    private static func whereabouts(of file: String, _ request: Request, in project: ProjectFolder) -> [String] {
        if let domain = request.domain, isPath(domain) { return [file] }
        return project.candidates(PathText.stem(file), ProjectFolder.domains)
    }

    private func findDomain(
        _ request: Request, default defaultDomain: ConfigNode?, in project: ProjectFolder, isIncomplete: Bool
    ) throws(DiagnosticsError) -> String? {
        if let domain = request.domain, Self.isPath(domain) {
            let places = [workingDirectory, project.root].map { PathText.absolute(domain, from: $0) }
            // A path that is not there is opened all the same: the reader says so.
            return places.first(where: PathText.exists) ?? places[0]
        }
        if let domain = request.domain {
            if let file = try project.file(domain, ProjectFolder.domains, at: nil) { return file }
            throw DiagnosticsError(project.unknown(domain, ProjectFolder.domains, at: nil))
        }
        if let defaultDomain {
            let name = defaultDomain.scalar?.text ?? defaultDomain.kindDescription
            if let file = try project.file(name, ProjectFolder.domains, at: defaultDomain.location) { return file }
            if !request.needsDomain { return nil }
            throw DiagnosticsError(project.unknown(name, ProjectFolder.domains, at: defaultDomain.location))
        }
        // A default may stand in a layer that could not be read.
        guard request.needsDomain, !isIncomplete else { return nil }
        let known = project.names(ProjectFolder.domains)
        throw DiagnosticsError(
            Diagnostic(
                .noDomain, "no domain was given, and the configuration has no default_domain",
                hint: known.isEmpty
                    ? "write a file into \(project.shown("\(project.root)/domains"))"
                    : "name one of \(known.joined(separator: ", "))"))
    }
}
