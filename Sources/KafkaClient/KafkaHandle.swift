internal import CRdKafka
internal import Diagnostics
internal import Dispatch
internal import Foundation

/// A librdkafka instance: created in `init`, destroyed with the last reference.
///
/// Threads: any (`@unchecked Sendable`: "librdkafka is completely thread-safe", its INTRODUCTION.md). Events are served
/// by librdkafka's background thread, so nobody has to poll.
final class KafkaHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let events: KafkaEvents
    private let credentials: (username: String, password: String)
    private let opaque: Unmanaged<KafkaEvents>

    /// Throws when librdkafka refuses a property: a file of TLS that is not there, a combination that makes no sense.
    /// Connects to nothing yet.
    init(
        _ kind: rd_kafka_type_t, _ properties: [String: String], role: String, notices: KafkaNotices,
        onStatistics: @escaping @Sendable (KafkaStatistics) -> Void
    ) throws {
        guard let configuration = rd_kafka_conf_new() else {
            throw PipelineError(.kafkaClientRefused, "librdkafka gives no configuration", component: "kafka")
        }
        // Ours until `rd_kafka_new` took it.
        var isTaken = false
        defer { if !isTaken { rd_kafka_conf_destroy(configuration) } }
        func refused(_ text: String) -> PipelineError {
            let isFile = ["ssl.ca.", "ssl.certificate.", "ssl.key."].contains { text.contains($0) }
            return PipelineError(
                isFile ? .kafkaTLSFiles : .kafkaClientRefused,
                "librdkafka refuses its settings: \(notices.redacted(text))",
                hint: isFile ? KafkaHandle.hint(forFileError: text) : nil, component: "kafka", exitCode: 3)
        }
        try withErrorText { text, size in
            for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
                let result = rd_kafka_conf_set(configuration, name, value, text, size)
                guard result == RD_KAFKA_CONF_OK else { throw refused(String(cString: text)) }
            }
        }
        events = KafkaEvents(
            role: role, notices: notices, logsEverything: properties["debug"] != nil,
            // So late a fetch may be answered when there is nothing to read; the rest is for a busy broker.
            patienceMilliseconds: (properties["fetch.wait.max.ms"].flatMap(Int64.init) ?? 500) + 1500,
            onStatistics: onStatistics)
        credentials = (properties["sasl.username"] ?? "", properties["sasl.password"] ?? "")
        opaque = .passRetained(events)
        rd_kafka_conf_set_opaque(configuration, opaque.toOpaque())
        rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS)
        rd_kafka_conf_set_background_event_cb(configuration, takeEvent)
        rd_kafka_conf_set_log_cb(configuration, takeLogLine)
        if properties["enable.ssl.certificate.verification"] != "false" {
            // Only a library without TLS refuses it, and that refuses to connect with TLS too.
            _ = rd_kafka_conf_set_ssl_cert_verify_cb(configuration, judgeCertificate)
        }
        do {
            pointer = try withErrorText { text, size in
                guard let made = rd_kafka_new(kind, configuration, text, size) else {
                    throw refused(String(cString: text))
                }
                return made
            }
        } catch {
            opaque.release()
            throw error
        }
        isTaken = true
        // Errors, statistics and delivery reports arrive on the main queue; the background thread serves both.
        let main = rd_kafka_queue_get_main(pointer)
        let background = rd_kafka_queue_get_background(pointer)
        rd_kafka_queue_forward(main, background)
        rd_kafka_queue_destroy(background)
        rd_kafka_queue_destroy(main)
    }

    /// Has the threads of the brokers look at once what there is to do, as for partitions that may be fetched again.
    ///
    /// Nothing in librdkafka 2.0's interface says so alone. Giving it credentials does, and these are those that it has; without
    /// a login it does not look at them.
    func wakeBrokers() {
        if let error = rd_kafka_sasl_set_credentials(pointer, credentials.username, credentials.password) {
            rd_kafka_error_destroy(error)
        }
    }

    /// What to look at, by librdkafka's words for a file of TLS that it cannot use.
    private static func hint(forFileError text: String) -> String {
        if text.contains("ssl.ca.") { return "ca_file must be a file of certificates in PEM that can be read" }
        if text.contains("ssl.certificate.") {
            return "cert_file must be a file with our certificate in PEM that can be read"
        }
        return
            "key_file must be a file with the private key of cert_file in PEM that can be read, and key_password its "
            + "password if it has one"
    }

    /// Waits for librdkafka's threads, after which no callback comes; for ten seconds at most.
    ///
    /// librdkafka 2.0.2 can wait for ever for a thread of its own (after `rd_kafka_consume_stop` on a topic that was
    /// deleted). Then the instance is left behind: better a few threads too many than a program that does not end.
    deinit {
        let remains = Remains(pointer: pointer, opaque: opaque)
        let isDestroyed = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            rd_kafka_destroy_flags(remains.pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            remains.opaque.takeUnretainedValue().end()
            remains.opaque.release()
            isDestroyed.signal()
        }
        _ = isDestroyed.wait(timeout: .now() + 10)
    }

    /// What goes to the thread that destroys it (`@unchecked Sendable`: nobody else has it any more).
    private struct Remains: @unchecked Sendable {
        var pointer: OpaquePointer
        var opaque: Unmanaged<KafkaEvents>
    }
}

/// On librdkafka's background thread. The opaque pointer is the handle's, alive until the thread has ended.
private func takeEvent(_ rk: OpaquePointer?, _ event: OpaquePointer?, _ opaque: UnsafeMutableRawPointer?) {
    guard let event else { return }
    defer { rd_kafka_event_destroy(event) }
    guard let opaque else { return }
    Unmanaged<KafkaEvents>.fromOpaque(opaque).takeUnretainedValue().handle(event)
}

/// On librdkafka's threads, for each certificate of a broker's chain: 1 = it is accepted. OpenSSL's verdict stands.
private func judgeCertificate(
    _ rk: OpaquePointer?, _ broker: UnsafePointer<CChar>?, _ id: Int32, _ error: UnsafeMutablePointer<Int32>?,
    _ depth: Int32, _ certificate: UnsafePointer<CChar>?, _ size: Int, _ text: UnsafeMutablePointer<CChar>?,
    _ textSize: Int, _ opaque: UnsafeMutableRawPointer?
) -> Int32 {
    guard let error, let opaque else { return 0 }
    return Unmanaged<KafkaEvents>.fromOpaque(opaque).takeUnretainedValue().judgeCertificate(error: error.pointee)
        ? 1 : 0
}

/// On any of librdkafka's threads, and during `rd_kafka_new` on the caller's.
private func takeLogLine(
    _ rk: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?
) {
    guard let rk, let opaque = rd_kafka_opaque(rk), let facility, let text else { return }
    Unmanaged<KafkaEvents>.fromOpaque(opaque).takeUnretainedValue().log(
        level: level, facility: String(cString: facility), text: String(cString: text))
}

/// Lends the buffer that librdkafka's calls write their error text to.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) throws -> Result) rethrows -> Result {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
        buffer.initialize(repeating: 0)
        guard let base = buffer.baseAddress else { preconditionFailure("an allocation of 512 bytes has an address") }
        return try body(base, buffer.count)
    }
}
