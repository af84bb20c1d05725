import FuzzTargets
import Glibc

/// What libFuzzer calls with each input; `STREAMPLAT_FUZZ_TARGET` names the target.
@_cdecl("LLVMFuzzerTestOneInput")
public func runInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try chosen.run(UnsafeRawBufferPointer(start: bytes, count: count))
    } catch {
        fail("\(error)")
    }
    return 0
}

private let chosen: FuzzTarget = {
    let name = getenv("STREAMPLAT_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fail("STREAMPLAT_FUZZ_TARGET takes \(FuzzTarget.all.map(\.name).joined(separator: ", ")), not '\(name)'")
    }
    return target
}()

/// Ends with the signal that makes libFuzzer keep the input.
private func fail(_ text: String) -> Never {
    let line = Array("== broken promise: \(text)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    abort()
}
