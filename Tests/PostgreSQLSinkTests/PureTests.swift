import DataPath
import Diagnostics
import PluginAPI
import PostgresClient
import Testing

@testable import PostgreSQLSink

/// What needs no server.
@Suite("PostgreSQL sink without a server")
struct PureTests {
    @Test("before version 15 a key that may be null is refused with its reason, and another one is not")
    func oldServer() {
        let nullable = TableComparison(Sample.table(), live: nil, schema: "s", serverVersion: 140_012)
        guard case .refuse(let reason, let hint) = nullable.change else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("PostgreSQL 15") && reason.contains("version 14") && !hint.isEmpty)
        #expect(nullable.statements.isEmpty)
        var table = Sample.table()
        table.columns[1].isNullable = false
        let required = TableComparison(table, live: nil, schema: "s", serverVersion: 140_012)
        #expect(required.change == .create)
        #expect(required.statements.count == 1 && required.statements[0].contains("PRIMARY KEY"))
    }

    private static let statementCases: [(state: String, code: DiagnosticCode, isTriedAgain: Bool)] = [
        ("53100", .postgresResources, true), ("53200", .postgresResources, true), ("58030", .postgresResources, true),
        ("40001", .postgresFailed, true), ("40P01", .postgresFailed, true), ("55P03", .postgresFailed, true),
        ("57014", .postgresFailed, true), ("42501", .postgresPermission, false), ("42P01", .postgresFailed, false),
        ("22003", .postgresValue, false), ("23502", .postgresValue, false), ("54000", .postgresValue, false),
        ("P0001", .postgresValue, false), ("25006", .postgresFailed, false), ("XX000", .postgresFailed, false),
    ]

    @Test("errors of statements by SQLSTATE", arguments: statementCases)
    func statements(state: String, code: DiagnosticCode, isTriedAgain: Bool) {
        let error = PostgresFailure(component: "c").pipelineError(
            PostgresError(.statement, sqlState: state, message: "words"), .writing)
        #expect(error.code == code)
        #expect((error.retry == .backoff) == isTriedAgain)
        #expect(error.exitCode == 1 && error.component == "c")
    }

    private static let connectionCases: [(state: String, code: DiagnosticCode, isTriedAgain: Bool)] = [
        ("08006", .postgresUnavailable, true), ("57P01", .postgresUnavailable, true),
        ("57P03", .postgresUnavailable, true), ("53300", .postgresUnavailable, true), ("28P01", .postgresLogin, false),
        ("28000", .postgresLogin, false), ("3D000", .postgresDatabase, false), ("42501", .postgresPermission, false),
        ("22023", .postgresFailed, false),
    ]

    @Test("errors of connections by SQLSTATE", arguments: connectionCases)
    func connections(state: String, code: DiagnosticCode, isTriedAgain: Bool) {
        let error = PostgresFailure(component: "c").pipelineError(
            PostgresError(.connection, sqlState: state, message: "words"), .opening)
        #expect(error.code == code)
        #expect((error.retry == .backoff) == isTriedAgain)
        #expect(error.exitCode == 3)
    }
}
