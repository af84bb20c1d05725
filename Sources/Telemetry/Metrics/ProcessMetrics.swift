internal import Glibc

/// What the operating system knows of this process, under the names that all Prometheus clients use. Threads: any.
public enum ProcessMetrics {
    /// Adds them to a registry: they are read at each scrape. What the system does not say is left out.
    public static func register(in registry: PrometheusRegistry) {
        registry.pull("process_resident_memory_bytes") { residentBytes }
        registry.pull("process_cpu_seconds_total") { processorSeconds }
        let start = startSeconds
        registry.pull("process_start_time_seconds") { start }
    }

    /// The second number of /proc/self/statm counts pages in memory; see proc(5).
    private static var residentBytes: Double? {
        guard let pages = contents("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var processorSeconds: Double? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Field 22 of /proc/self/stat: clock ticks between the system's start (`btime` of /proc/stat) and the process's. The
    /// second field, the program's name, may hold blanks: fields are counted behind its closing parenthesis.
    private static var startSeconds: Double? {
        guard let stat = contents("/proc/self/stat"), let nameEnd = stat.lastIndex(of: ")"),
            let ticks = stat[nameEnd...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) }),
            let boot = contents("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let bootSeconds = Double(boot.dropFirst("btime ".count))
        else { return nil }
        return bootSeconds + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes += chunk[..<count]
        }
    }
}
