import Diagnostics
import PluginAPI

/// The token of a session: obtained, renewed in time, obtained anew. Threads: one at a time.
final class VaultToken {
    private let settings: VaultSettings
    private let connection: VaultConnection
    private(set) var value: Secret
    private(set) var lease: TokenLease

    /// Logs in, or looks at the token that is given.
    init(_ settings: VaultSettings, _ connection: VaultConnection, now: ContinuousClock.Instant) throws(PipelineError) {
        self.settings = settings
        self.connection = connection
        switch settings.login {
        case .token(let token):
            value = token
            lease = TokenLease(seconds: 0, isRenewable: false, at: now)
            guard let lease = try lookUp(now: now) else { throw invalid }
            self.lease = lease
        case .appRole, .kubernetes:
            (value, lease) = try Self.logIn(settings, connection, now: now)
        }
    }

    var canLogIn: Bool { if case .token = settings.login { false } else { true } }

    /// Does what the lease asks for before the token is used.
    func prepare(now: ContinuousClock.Instant) throws(PipelineError) {
        switch lease.action(at: now, canLogIn: canLogIn) {
        case .use: break
        case .renew:
            // A token that could not be renewed still lives; what it is used for says what is wrong with the server.
            do throws(PipelineError) { try renewOrLogIn(now: now) } catch { break }
        case .logIn: try logIn(now: now)
        case .expired: throw invalid
        }
    }

    /// Renews the token; when it is not to be renewed any more, logs in anew, where there is a way to.
    func renewOrLogIn(now: ContinuousClock.Instant) throws(PipelineError) {
        do throws(VaultFailure) {
            try renew(now: now)
        } catch {
            guard lease.action(at: now, canLogIn: canLogIn) == .logIn else {
                throw error.error("renew the token", settings)
            }
            try logIn(now: now)
        }
    }

    /// Whether the server still knows the token.
    func isAlive(now: ContinuousClock.Instant) throws(PipelineError) -> Bool { try lookUp(now: now) != nil }

    private func renew(now: ContinuousClock.Instant) throws(VaultFailure) {
        let answer: VaultAnswer
        do throws(VaultFailure) {
            answer = try connection.send("auth/token/renew-self", token: value, fields: [:])
        } catch {
            switch error {
            case .denied, .refused: lease = lease.withoutRenewal
            default: break
            }
            throw error
        }
        guard let auth = answer.auth else { throw .malformed(status: 200) }
        lease = lease.renewed(seconds: auth.leaseSeconds, isRenewable: auth.isRenewable, at: now)
    }

    func logIn(now: ContinuousClock.Instant) throws(PipelineError) {
        (value, lease) = try Self.logIn(settings, connection, now: now)
    }

    /// The token that was given is of no use.
    var invalid: PipelineError {
        PipelineError(
            .vaultTokenInvalid,
            "the vault at \(settings.address) does not accept the token: it is wrong, revoked or expired",
            hint:
                "put a new one where 'token' of the secret backend 'vault' comes from; it needs the policy 'default', "
                + "or one that allows to read auth/token/lookup-self", component: "secrets vault", exitCode: 3,
            options: ["token"])
    }

    /// The lease of the token; nil when the server does not accept it.
    private func lookUp(now: ContinuousClock.Instant) throws(PipelineError) -> TokenLease? {
        let answer: VaultAnswer
        do throws(VaultFailure) {
            answer = try connection.send("auth/token/lookup-self", token: value)
        } catch {
            if case .denied = error { return nil }
            throw error.error("look at the token", settings)
        }
        guard let seconds = answer.data?["ttl"]?.integer else {
            throw VaultFailure.malformed(status: 200).error("look at the token", settings)
        }
        // Whole seconds: in its last one a token that expires has 0, as has one that never does.
        let isLast = seconds == 0 && answer.data?["expire_time"]?.string != nil
        return TokenLease(
            seconds: isLast ? 1 : seconds, isRenewable: answer.data?["renewable"]?.boolean == true, at: now)
    }

    private static func logIn(
        _ settings: VaultSettings, _ connection: VaultConnection, now: ContinuousClock.Instant
    ) throws(PipelineError) -> (Secret, TokenLease) {
        let action = "log in by auth/\(settings.authMount)"
        let fields = try credentials(settings)
        let answer: VaultAnswer
        do throws(VaultFailure) {
            answer = try connection.send(
                "auth/\(VaultPath.escaped(settings.authMount))/login", token: nil, fields: fields)
        } catch {
            throw refusal(error, action, settings) ?? error.error(action, settings)
        }
        guard let auth = answer.auth, !auth.token.isEmpty else {
            throw VaultFailure.malformed(status: 200).error(action, settings)
        }
        return (
            Secret(auth.token), TokenLease(seconds: auth.leaseSeconds, isRenewable: auth.isRenewable, at: now)
        )
    }

    private static func credentials(_ settings: VaultSettings) throws(PipelineError) -> [String: Secret] {
        switch settings.login {
        case .token: return [:]
        case .appRole(let roleID, let secretID):
            var fields = ["role_id": Secret(roleID)]
            fields["secret_id"] = secretID
            return fields
        case .kubernetes(let role, let jwtFile):
            let bytes: [UInt8]
            do throws(FileReadError) {
                bytes = try FileBytes(path: jwtFile, byteLimit: 1 << 20).bytes
            } catch {
                throw PipelineError(
                    .vaultOptions, "cannot read the service account's token '\(jwtFile)': \(error)",
                    hint: "'jwt_file' of the secret backend 'vault' names it", component: "secrets vault", exitCode: 3)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            return ["role": Secret(role), "jwt": Secret(text.filter { !$0.isWhitespace && !$0.isNewline })]
        }
    }

    private static func refusal(
        _ failure: VaultFailure, _ action: String, _ settings: VaultSettings
    ) -> PipelineError? {
        let words: String
        switch failure {
        case .denied: words = "permission denied (403)"
        case .refused(let status, let text): words = text.isEmpty ? "status \(status)" : "\(text) (\(status))"
        default: return nil
        }
        return PipelineError(
            .vaultLoginRefused, "cannot \(action) at \(settings.address): \(words)",
            hint: "the credentials are wrong or used up, or no such auth method is mounted there ('auth_mount')",
            component: "secrets vault", exitCode: 3, options: settings.login.options)
    }
}
