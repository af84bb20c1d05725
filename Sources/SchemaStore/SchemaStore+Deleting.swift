extension SchemaStore {
    /// Deletes every version of a subject; gives their numbers. Softly: they are no longer offered but can be read by id
    /// and put back by registering again. Permanently: only after that, and without a way back.
    public func delete(subject: String, isPermanent: Bool) throws -> [Int] {
        try write { state in
            let all = state.ledger.versions(subject, includingDeleted: true)
            let live = all.filter { !$0.isDeleted }
            if all.isEmpty { throw SchemaRefusal.subjectNotFound(subject) }
            try state.checkWritable(subject)
            if isPermanent {
                if !live.isEmpty { throw SchemaRefusal.subjectNotDeleted(subject) }
            } else if live.isEmpty {
                throw SchemaRefusal.subjectDeleted(subject)
            }
            return (
                (isPermanent ? all : live).map(\.number),
                [.deleted(subject: subject, version: nil, isPermanent: isPermanent)]
            )
        }
    }

    /// Deletes one version, nil = the newest; gives its number. See ``delete(subject:isPermanent:)``.
    public func delete(subject: String, version: Int?, isPermanent: Bool) throws -> Int {
        try write { state in
            let all = state.ledger.versions(subject, includingDeleted: true)
            if all.isEmpty { throw SchemaRefusal.subjectNotFound(subject) }
            try state.checkWritable(subject)
            let number = version ?? all.last { !$0.isDeleted || isPermanent }?.number
            guard let number, let found = all.first(where: { $0.number == number }) else {
                throw version.map { SchemaRefusal.versionNotFound($0) } ?? .subjectNotFound(subject)
            }
            if isPermanent, !found.isDeleted {
                throw SchemaRefusal.versionNotDeleted(subject: subject, version: number)
            }
            if !isPermanent, found.isDeleted { throw SchemaRefusal.versionDeleted(subject: subject, version: number) }
            return (number, [.deleted(subject: subject, version: number, isPermanent: isPermanent)])
        }
    }
}

extension SchemaStore.State {
    func checkWritable(_ subject: String) throws(SchemaRefusal) {
        if ledger.mode(for: subject) == .readOnly { throw .readOnly(subject: subject) }
    }
}
