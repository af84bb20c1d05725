import Diagnostics
import PluginAPI

/// What an open backend knows: its token and the paths that were read. Threads: one at a time.
final class VaultSession {
    private struct CachedPath {
        /// A field that is no value has none.
        var fields: [String: Secret?]
        /// Nil = for ever.
        var expires: ContinuousClock.Instant?
    }

    let settings: VaultSettings
    private let connection: VaultConnection
    let token: VaultToken
    /// Whether the last attempt to keep the token alive failed.
    var isMaintenanceFailing = false
    /// The engine's version, once it is known.
    private(set) var version: Int?
    private var cache: [String: CachedPath] = [:]

    init(_ settings: VaultSettings) throws(PipelineError) {
        self.settings = settings
        do {
            connection = try VaultConnection(settings)
        } catch {
            throw VaultFailure.transport(error).error("use the vault", settings)
        }
        token = try VaultToken(settings, connection, now: .now)
        version = settings.version
    }

    /// The value of one field; one request for each path, which is kept for its lease.
    func secret(_ key: VaultPath) throws(PipelineError) -> Secret {
        let now = ContinuousClock.now
        if let cached = cache[key.path], cached.expires.map({ now < $0 }) ?? true {
            return try field(key, of: cached.fields)
        }
        try token.prepare(now: now)
        let (fields, leaseSeconds): ([String: Secret?], Int)
        do throws(VaultFailure) {
            (fields, leaseSeconds) = try read(key.path)
        } catch {
            guard case .denied = error, try !token.isAlive(now: .now) else { throw explained(error, key) }
            // The token is gone before its time: revoked, or the server lost it.
            guard token.canLogIn else { throw token.invalid }
            try token.logIn(now: .now)
            do throws(VaultFailure) {
                (fields, leaseSeconds) = try read(key.path)
            } catch {
                throw explained(error, key)
            }
        }
        let lease = leaseSeconds > 0 ? Duration.seconds(leaseSeconds) : nil
        let limit = [lease, settings.cacheLimit].compactMap { $0 }.min()
        cache[key.path] = CachedPath(fields: fields, expires: limit.map { now + $0 })
        return try field(key, of: fields)
    }

    func health() throws(PipelineError) -> ComponentHealth {
        do throws(VaultFailure) {
            let (version, isStandby) = try connection.health()
            return ComponentHealth(
                version: "vault \(version)", detail: "mount \(settings.mount)\(isStandby ? ", standby node" : "")")
        } catch {
            throw error.error("look at the vault", settings)
        }
    }

    // MARK: Reading

    private func read(_ path: String) throws(VaultFailure) -> ([String: Secret?], Int) {
        let version = try engineVersion()
        let mount = VaultPath.escaped(settings.mount)
        let name = VaultPath.escaped(path)
        let answer = try connection.send(
            version == 2 ? "\(mount)/data/\(name)" : "\(mount)/\(name)", token: token.value)
        guard let fields = version == 2 ? answer.data?["data"]?.object : answer.data?.object else {
            throw .malformed(status: 200)
        }
        return (fields.mapValues { $0.text.map { Secret($0) } }, answer.leaseSeconds ?? 0)
    }

    /// The way of Vault's own command line: the mount says its version to everybody who may read something in it.
    private func engineVersion() throws(VaultFailure) -> Int {
        if let version { return version }
        let answer = try connection.send(
            "sys/internal/ui/mounts/\(VaultPath.escaped(settings.mount))", token: token.value)
        guard let type = answer.data?["type"]?.string else { throw .malformed(status: 200) }
        guard type == "kv" || type == "generic" else { throw .otherEngine(type) }
        let found = answer.data?["options"]?["version"]?.text == "2" ? 2 : 1
        version = found
        return found
    }

    private func field(_ key: VaultPath, of fields: [String: Secret?]) throws(PipelineError) -> Secret {
        guard let value = fields[key.field] else {
            let near = nearestName(to: key.field, among: fields.keys.sorted()).map { "did you mean '\($0)'? " } ?? ""
            throw PipelineError(
                .vaultFieldMissing, "'\(key.path)' of the mount '\(settings.mount)' has no field '\(key.field)'",
                hint: "\(near)a key is written path#field; without '#' the field is 'value'",
                component: "secrets vault", exitCode: 2)
        }
        guard let value else {
            throw PipelineError(
                .vaultFieldNotText,
                "the field '\(key.field)' of '\(key.path)' is empty, a list or an object, not a value",
                hint: "store a text, a number or a boolean under a field of its own", component: "secrets vault",
                exitCode: 2)
        }
        return value
    }
}
