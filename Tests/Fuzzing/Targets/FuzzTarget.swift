/// A reader of bytes from outside, and what must hold for any bytes: no crash, no hang, memory in proportion to the
/// input, and the promises that its ``run`` checks.
///
/// The fuzzer (`make fuzz`) and the replay of the kept inputs (`FuzzCorpusTests`) run the same function.
public struct FuzzTarget: Sendable {
    /// The folder of its kept inputs below `Tests/FuzzCorpus`.
    public let name: String
    /// Longer inputs bring nothing that shorter ones do not.
    public let byteLimit: Int
    /// Reads an input; throws ``BrokenPromise`` when something does not hold that must.
    public let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    init(_ name: String, byteLimit: Int = 4096, run: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) {
        self.name = name
        self.byteLimit = byteLimit
        self.run = run
    }

    public static let all = [
        yaml, domain, expression, schema, avro, message, ingest, segment, checkpoint, state, pieces, parts,
    ]
}

/// Something did not hold that a reader promises.
public struct BrokenPromise: Error, CustomStringConvertible {
    public let description: String
}

/// Throws unless `isKept`.
func promise(_ isKept: Bool, _ text: @autoclosure () -> String) throws {
    if !isKept { throw BrokenPromise(description: text()) }
}

extension UnsafeRawBufferPointer {
    /// The first byte, which chooses a variant, and the rest; nil for no bytes.
    var variant: (UInt8, UnsafeRawBufferPointer)? {
        guard let first else { return nil }
        return (first, UnsafeRawBufferPointer(rebasing: dropFirst()))
    }

    /// The parts between zero bytes, of which there are at most `count`; the last one may hold zero bytes.
    func parts(_ count: Int) -> [[UInt8]] {
        split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    }
}
