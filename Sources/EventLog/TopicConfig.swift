import Diagnostics
import DurableFiles

/// The configuration of a topic, typed. Keys are Kafka's.
struct TopicConfig: Sendable {
    static let keys = ["retention.bytes", "retention.ms", "segment.bytes"]

    var retentionMilliseconds: Int64?
    var retentionBytes: Int64?
    var segmentBytes: Int64?

    /// Reads configuration texts; throws for unknown keys and values that are not numbers in range.
    init(_ texts: [String: String], topic: String) throws(PipelineError) {
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
            if let fault = Self.fault(key, text) {
                throw PipelineError(
                    .invalidTopicConfig, fault.message, hint: fault.hint, component: "topic \(topic)", exitCode: 2)
            }
            let value = Int64(text) ?? -1
            switch key {
            case "retention.ms": retentionMilliseconds = value < 0 ? nil : value
            case "retention.bytes": retentionBytes = value < 0 ? nil : value
            default: segmentBytes = value
            }
        }
    }

    /// What is wrong with one key and its value; nil = nothing.
    static func fault(_ key: String, _ text: String) -> (message: String, hint: String)? {
        guard keys.contains(key) else {
            return (
                "the embedded log does not know the topic configuration '\(key)'",
                nearestName(to: key, among: keys).map { "did you mean '\($0)'?" }
                    ?? "known are \(keys.joined(separator: ", "))"
            )
        }
        let least: Int64 = key == "segment.bytes" ? 1024 : -1
        if let value = Int64(text), value >= least { return nil }
        return (
            "'\(key)' is '\(text)', not a whole number from \(least) up",
            key == "segment.bytes" ? "a number of bytes, such as 67108864" : "-1 keeps everything"
        )
    }

    /// Checks a topic or group name against Kafka's rule.
    static func checkName(_ name: String, kind: String) throws(PipelineError) {
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isLegal, (1...249).contains(name.utf8.count), name != ".", name != ".." else {
            throw PipelineError(
                .invalidTopicName, "'\(name)' is not a \(kind) name",
                hint: "letters, digits, '.', '_' and '-', at most 249 characters, not '.' or '..'",
                component: "event log", exitCode: 2)
        }
    }
}

extension EventLog {
    /// What is wrong with a topic's configuration key and its value; nil = nothing. Pure.
    public static func fault(inTopicConfiguration key: String, value: String) -> (message: String, hint: String)? {
        TopicConfig.fault(key, value)
    }
}
