public import Diagnostics

/// Puts values for the variables in a tree's string leaves, and reports all that are missing together.
///
/// It works on the parsed tree, so a value can never change its structure. Each name is asked for once. Keys and
/// everything under a key that begins with `x-` are left alone (such keys are free for anchors).
public struct VariableResolver {
    /// The value of an environment variable; nil when it is not set.
    public typealias EnvironmentLookup = (String) -> String?
    /// The value of a secret; nil when there is none of that key. It throws when the backend itself fails.
    public typealias SecretLookup = (String) throws -> String?

    private let environment: EnvironmentLookup?
    private let secret: SecretLookup?

    /// A resolver of the kinds that have a lookup. A scalar that holds a variable of a kind without one stays as it is,
    /// whole, so that a later resolver finds its text as it was written.
    public init(environment: EnvironmentLookup? = nil, secret: SecretLookup? = nil) {
        self.environment = environment
        self.secret = secret
    }

    /// The tree with its variables resolved. Scalars that hold a secret are marked and print as `***`.
    ///
    /// Reports `SP1021` for each malformed variable and, one for each name with all its places, `SP1022` and `SP1023`
    /// for what is missing and `SP1024` when the backend fails. A scalar with a finding stays as it is.
    /// - Parameter path: The dotted path of `node` in the whole configuration.
    public func resolve(_ node: ConfigNode, path: String = "", into diagnostics: inout Diagnostics) -> ConfigNode {
        var pass = Pass(environment: environment, secret: secret)
        let result = pass.resolve(node, path: path.isEmpty ? [] : ConfigPath(path).segments)
        diagnostics.append(contentsOf: pass.findings)
        return result
    }

    /// Reports every malformed variable of a tree; asks nobody for a value.
    public static func checkSyntax(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        _ = VariableResolver().resolve(node, into: &diagnostics)
    }
}

/// One walk over a tree.
private struct Pass {
    struct Name: Hashable {
        var kind: VariableText.Kind
        var name: String
    }

    enum Answer {
        case value(String)
        case missing
        case failed(message: String, hint: String?)
    }

    struct Failure {
        var diagnostic: Diagnostic
        var otherPlaces: [SourceLocation] = []
    }

    let environment: VariableResolver.EnvironmentLookup?
    let secret: VariableResolver.SecretLookup?
    private var answers: [Name: Answer] = [:]
    private var malformed = Diagnostics()
    private var failures: [Failure] = []
    private var failurePositions: [String: Int] = [:]

    init(environment: VariableResolver.EnvironmentLookup?, secret: VariableResolver.SecretLookup?) {
        self.environment = environment
        self.secret = secret
    }

    var findings: Diagnostics {
        var all = malformed
        for failure in failures {
            var diagnostic = failure.diagnostic
            diagnostic.notes += failure.otherPlaces.map { .init("also needed here", at: $0) }
            all.add(diagnostic)
        }
        return all
    }

    mutating func resolve(_ node: ConfigNode, path: [String]) -> ConfigNode {
        var result = node
        switch node.value {
        case .scalar(let scalar):
            if scalar.holdsVariable { result.value = .scalar(resolve(scalar, of: node, path: path)) }
        case .sequence(let items):
            result.value = .sequence(items.enumerated().map { resolve($1, path: path + [String($0)]) })
        case .mapping(let mapping):
            var resolved = mapping
            for var entry in mapping.entries where !entry.key.hasPrefix("x-") {
                entry.node = resolve(entry.node, path: path + [entry.key])
                resolved.set(entry)
            }
            result.value = .mapping(resolved)
        }
        return result
    }

    private mutating func resolve(_ scalar: ConfigScalar, of node: ConfigNode, path: [String]) -> ConfigScalar {
        let pieces: [VariableText.Piece]
        do {
            pieces = try VariableText.parse(scalar.text)
        } catch {
            malformed.error(
                .malformedVariable, error.message, at: node.location(ofText: error.range),
                path: ConfigPath(segments: path).description, hint: error.hint)
            return scalar
        }
        let needsOtherPass = pieces.contains { piece in
            guard case .variable(let variable) = piece else { return false }
            return variable.kind == .env ? environment == nil : secret == nil
        }
        if needsOtherPass { return scalar }
        var text = ""
        var isSecret = scalar.isSecret
        var isComplete = true
        for piece in pieces {
            switch piece {
            case .literal(let literal): text += literal
            case .variable(let variable):
                guard let value = value(of: variable, in: node, path: path) else {
                    isComplete = false
                    continue
                }
                text += value
                if variable.kind == .secret { isSecret = true }
            }
        }
        guard isComplete else { return scalar }
        return ConfigScalar(text, isPlain: scalar.isPlain, isSecret: isSecret, isResolved: true)
    }

    private mutating func value(
        of variable: VariableText.Variable, in node: ConfigNode, path: [String]
    ) -> String? {
        let place = node.location(ofText: variable.range)
        let name = Name(kind: variable.kind, name: variable.name)
        let answer = answers[name] ?? ask(variable)
        answers[name] = answer
        switch answer {
        case .value(let value): return value
        case .failed(let message, let hint):
            fail("failed:\(message)", at: place, path: path) {
                Diagnostic(.secretBackendFailed, "cannot read the secret '\(variable.name)': \(message)", hint: hint)
            }
        case .missing where variable.kind == .env:
            if let defaultText = variable.defaultText { return defaultText }
            fail("env:\(variable.name)", at: place, path: path) {
                Diagnostic(
                    .missingVariable, "the environment variable '\(variable.name)' is not set",
                    hint: "set it, or give a default: $<env:\(variable.name):-default>")
            }
        case .missing:
            fail("secret:\(variable.name)", at: place, path: path) {
                Diagnostic(
                    .missingSecret, "there is no secret '\(variable.name)'",
                    hint: "'secrets.type' of the configuration says which backend is asked")
            }
        }
        return nil
    }

    private func ask(_ variable: VariableText.Variable) -> Answer {
        do {
            let value = variable.kind == .env ? environment?(variable.name) : try secret?(variable.name)
            return value.map(Answer.value) ?? .missing
        } catch let error as PipelineError {
            return .failed(message: error.description, hint: error.hint)
        } catch let error as DiagnosticsError {
            let first = error.diagnostics.sorted.first { $0.severity == .error }
            return .failed(message: first?.message ?? "the backend refused", hint: first?.hint)
        } catch {
            // Only the type: an unknown error's own text could quote what it read.
            return .failed(message: "the backend failed with \(type(of: error))", hint: nil)
        }
    }

    private mutating func fail(
        _ cause: String, at place: SourceLocation, path: [String], _ make: () -> Diagnostic
    ) {
        if let position = failurePositions[cause] {
            failures[position].otherPlaces.append(place)
            return
        }
        failurePositions[cause] = failures.count
        var diagnostic = make()
        diagnostic.location = place
        diagnostic.path = ConfigPath(segments: path).description
        failures.append(Failure(diagnostic: diagnostic))
    }
}
