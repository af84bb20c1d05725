internal import Glibc

/// How much memory this process can have: the lowest limit of its control groups, or what the machine has.
struct MachineMemory {
    /// Where `/proc` and `/sys` are; a test has its own.
    var root = ""

    /// At least 64 MiB, also when nothing is known.
    var bytes: Int { max(limits.min() ?? 1 << 30, 1 << 26) }

    private var limits: [Int] { [total].compactMap { $0 } + groups.flatMap { limits(of: $0) } }

    private var total: Int? {
        for line in lines("/proc/meminfo") where line.hasPrefix("MemTotal:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }

    /// The control groups of the process: hierarchy (empty for version 2) and path.
    private var groups: [(controllers: Substring, path: Substring)] {
        lines("/proc/self/cgroup").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return parts.count == 3 ? (parts[1], parts[2]) : nil
        }
    }

    /// The limits of a group and of those that it is in. In a container the path is often one that only the host has: what is
    /// mounted is the group itself then.
    private func limits(of group: (controllers: Substring, path: Substring)) -> [Int] {
        let (folder, file): (String, String)
        if group.controllers.isEmpty {
            (folder, file) = ("/sys/fs/cgroup", "memory.max")
        } else if group.controllers.split(separator: ",").contains("memory") {
            (folder, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            return []
        }
        var parts = group.path.split(separator: "/")
        var found: [Int] = []
        while true {
            let path = ([folder] + parts.map(String.init) + [file]).joined(separator: "/")
            // "max" is no number, and neither version's "no limit" is below the machine's memory.
            if let limit = lines(path).first.flatMap({ Int($0) }), limit > 0 { found.append(limit) }
            guard !parts.isEmpty else { return found }
            parts.removeLast()
        }
    }

    private func lines(_ path: String) -> [Substring] {
        guard let file = fopen(root + path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }
}
