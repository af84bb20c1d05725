/// The topic over which the processes of one domain speak to each other; docs/decisions/0007.
public enum ClusterTopic {
    /// The partition that every member reads from front to back.
    public static let controlPartition = 0

    public static func name(prefix: String, domain: String) -> String { "\(prefix).cluster.\(domain)" }

    /// The partition of what one worker's shard gets from other processes.
    public static func inbox(ofWorker worker: Int) -> Int { worker + 1 }

    /// Partitions for so many workers.
    public static func partitions(slots: Int) -> Int { slots + 1 }
}
