import Foundation
import Testing

/// All tests of the sink against the engine of today, one at a time: they share one, as a process has one. They are
/// skipped unless they are asked for: the engine is some 900 MB. That holds for CI, too.
@Suite(
    "Sink clickhouse, engine of today", .serialized,
    .enabled(
        if: ModernServer.python != nil,
        Comment(
            rawValue: "opt-in, because of its size: `make test-clickhouse`, or scripts/chdb-env.sh and then "
                + "STREAMPLAT_CHDB_PYTHON=$PWD/.venv-chdb/bin/python")))
enum Modern {
    static let shared = Result { try ModernServer() }

    /// A database that nobody else uses.
    static func database() throws -> (server: ModernServer, name: String) {
        (try shared.get(), "t" + UUID().uuidString.prefix(8).lowercased())
    }
}
