import Foundation

/// The scripts beside the tests: Kafka as other people's programs see it.
enum Scripts {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scripts")
    static let refusingBroker = folder.appendingPathComponent("refusing_broker.py")
    static let secureProxy = folder.appendingPathComponent("secure_proxy.py")
}
