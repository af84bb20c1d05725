/// The known name nearest to a mistyped one, or nil when none is near.
///
/// Damerau-Levenshtein distance (optimal string alignment), at most a third of the longer name's length and never more
/// than 3; a known name that contains or begins with the typed one counts as near. Ties go to the first known name.
public func nearestName(to typed: String, among known: some Sequence<String>) -> String? {
    let a = Array(typed.lowercased().unicodeScalars)
    var best: (name: String, distance: Int)?
    for name in known where name != typed {
        let b = Array(name.lowercased().unicodeScalars)
        let limit = max(1, min(3, max(a.count, b.count) / 3))
        let distance = alignmentDistance(a, b)
        if distance <= limit, distance < (best?.distance ?? .max) { best = (name, distance) }
    }
    if let best { return best.name }
    guard typed.count >= 3 else { return nil }
    return known.first { $0.hasPrefix(typed) || $0.hasSuffix(typed) || typed.hasPrefix($0) && $0.count >= 3 }
}

private func alignmentDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
        var row = [i] + [Int](repeating: 0, count: b.count)
        for j in 1...b.count {
            let cost = a[i - 1] == b[j - 1] ? 0 : 1
            row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], beforeLast[j - 2] + 1) }
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
