internal import CPostgres

extension PostgresConnection {
    /// Sends `bytes` as the data of a `COPY … FROM STDIN` statement and gives the number of rows that the server took.
    ///
    /// An error of the server leaves the connection usable; the transaction is the caller's to roll back.
    @discardableResult
    public func copyIn(_ sql: String, _ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Int {
        try requireConnection()
        guard PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 0) == 1 else { throw lost() }
        guard let begun = try nextResult() else { throw lost() }
        guard begun.status == PGRES_COPY_IN else {
            while try nextResult() != nil {}
            throw classified(begun.error)
        }
        var sent = 0
        while sent < bytes.count, let start = bytes.baseAddress?.advanced(by: sent) {
            let chunk = min(copyChunk, bytes.count - sent)
            switch PQputCopyData(handle, start.assumingMemoryBound(to: CChar.self), Int32(clamping: chunk)) {
            case 1:
                sent += chunk
                try flushOutput()
            case 0: try flushOutput()
            default: throw lost()
            }
        }
        while true {
            let ended = PQputCopyEnd(handle, nil)
            if ended == 1 { break }
            guard ended == 0 else { throw lost() }
            try flushOutput()
        }
        return try completed().affectedRows
    }
}

/// Small enough that libpq's own buffer stays small, large enough for few system calls.
private let copyChunk = 1 << 18
