import Diagnostics
import DurableFiles

/// A topic as it is.
public struct LogTopic: Hashable, Sendable {
    public var name: String
    /// 128 random bits as hex: a topic made again has another one.
    public var id: String
    public var partitions: Int
    public var config: [String: String]

    var json: String {
        JSONValue.object([
            .init(name: "name", value: .string(name)), .init(name: "id", value: .string(id)),
            .init(name: "partitions", value: .integer(Int64(partitions))),
            .init(
                name: "config",
                value: .object(config.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) })),
        ]).text + "\n"
    }

    /// The topic whose folder is `folder`; nil when there is none.
    static func read(_ name: String, folder: String) throws(PipelineError) -> LogTopic? {
        let path = "\(folder)/topic.json"
        guard let file = try LogFile(reading: path) else { return nil }
        guard let json = JSONValue.parse(try file.contents()), let id = json["id"]?.string,
            let partitions = json["partitions"]?.integer, (1...Int64(EventLog.maximumPartitions)).contains(partitions),
            let members = json["config"]?.members
        else {
            throw LogErrors.damagedFile(
                path, "it does not hold a topic", hint: "put the file back from a copy, or move the topic's folder away"
            )
        }
        var config: [String: String] = [:]
        for member in members { config[member.name] = member.value.string ?? member.value.text }
        return LogTopic(name: name, id: id, partitions: Int(partitions), config: config)
    }
}
