import DataPath
import Diagnostics
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("Dead letters that earlier runs have sent")
struct ReportedLettersTests {
    static let partition = TopicPartition(topic: "events.purchase", partition: 3)

    private func fault(_ field: String? = nil, _ code: DiagnosticCode = .undecodable) -> RecordDecoder.Fault {
        RecordDecoder.Fault(entry: 0, code: code, reason: "", field: field)
    }

    @Test("only faults before the offset count as sent, and only those that could be seen then")
    func covers() {
        let reported = ReportedLetters(nextOffset: 10, columns: ["a"])
        let now: Set = ["a", "b"]
        #expect(reported.covers(fault(), offset: 9, current: now))
        #expect(!reported.covers(fault(), offset: 10, current: now))
        #expect(reported.covers(fault("a"), offset: 9, current: now))
        #expect(!reported.covers(fault("b"), offset: 9, current: now), "nothing read it then")
        #expect(reported.covers(fault("c"), offset: 9, current: now), "stepped over then and now")
        #expect(!reported.covers(fault(nil, .unknownSchema), offset: 9, current: now))
        #expect(reported.covers(fault(nil, .unknownSchema), offset: 9, current: ["a"]))
        #expect(!ReportedLetters.none.covers(fault(), offset: 0, current: now))
    }

    @Test("the columns of now hold only when the backfill has passed all that was reported")
    func advanced() {
        let reported = ReportedLetters(nextOffset: 10, columns: ["a"])
        #expect(reported.advanced(to: 9, current: ["b"]) == reported)
        #expect(reported.advanced(to: 10, current: ["b"]) == ReportedLetters(nextOffset: 10, columns: ["b"]))
    }

    @Test(
        "a checkpoint keeps it",
        arguments: [
            ReportedLetters(nextOffset: 10, columns: ["b", "a.x"]), ReportedLetters(nextOffset: 7),
            ReportedLetters(nextOffset: 0, columns: []),
        ])
    func checkpoint(_ reported: ReportedLetters) throws {
        let checkpoint = Checkpoint(
            sequence: 1, epoch: 1, hashKey: HashKey(k0: 1, k1: 2), sections: [reported.section(Self.partition)])
        let read = try Checkpoint(decoding: checkpoint.encoded())
        #expect(ReportedLetters(Self.partition, in: read, end: 10) == reported)
        #expect(ReportedLetters(Self.partition, in: read, end: -1) == .none, "the topic was replaced")
    }

    @Test("a checkpoint of a version before gives the furthest position of any section")
    func older() {
        func section(_ name: String, _ offset: Int64) -> Checkpoint.Section {
            .init(
                name: name, fingerprint: "f",
                positions: [.init(partition: Self.partition, nextOffset: offset, maxEventTime: 0)], shards: [])
        }
        let checkpoint = Checkpoint(
            sequence: 1, epoch: 1, hashKey: HashKey(k0: 1, k1: 2), sections: [section("a", 4), section("b", 6)])
        #expect(ReportedLetters(Self.partition, in: checkpoint, end: 10) == ReportedLetters(nextOffset: 6))
        #expect(ReportedLetters(Self.partition, in: nil, end: 10) == .none)
    }

    @Test("every error of the engine has a code of its own")
    func codes() {
        let errors: [AggregationError] = [
            .unsupported(measure: "m", reason: ""), .invalidWindow(reason: ""), .missingColumn("c"),
            .wrongLayout(column: "c"), .overflow(measure: "m"), .otherState(reason: ""), .corruptState(reason: ""),
        ]
        #expect(Set(errors.map(\.code.id)).count == errors.count)
        #expect(AggregationError.overflow(measure: "m").code.id == "SP6108")
    }
}
