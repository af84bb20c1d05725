internal import CPostgres

/// What a statement gave: rows of text cells. It owns libpq's result. Threads: one.
public final class PostgresResult {
    private let handle: OpaquePointer

    /// Takes over `handle`.
    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    public var rowCount: Int { Int(PQntuples(handle)) }
    public var columnCount: Int { Int(PQnfields(handle)) }

    public func columnName(_ column: Int) -> String {
        PQfname(handle, Int32(clamping: column)).map { String(cString: $0) } ?? ""
    }

    /// How many rows the statement wrote; 0 for others.
    public var affectedRows: Int { PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// The OID of the column's type.
    public func typeID(_ column: Int) -> UInt32 { PQftype(handle, Int32(clamping: column)) }

    /// The cell as the server writes it; nil for null.
    public func text(_ row: Int, _ column: Int) -> String? {
        let (row, column) = (Int32(clamping: row), Int32(clamping: column))
        guard PQgetisnull(handle, row, column) == 0, let cell = PQgetvalue(handle, row, column) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: cell, count: Int(PQgetlength(handle, row, column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    var status: ExecStatusType { PQresultStatus(handle) }

    /// The server's error; its details, which quote rows, stay behind.
    var error: PostgresError {
        func field(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }
        return PostgresError(
            .statement, sqlState: field(sp_pq_sqlstate(handle)),
            message: field(sp_pq_primary(handle)) ?? "the statement failed", column: field(sp_pq_column(handle)),
            constraint: field(sp_pq_constraint(handle)))
    }
}
