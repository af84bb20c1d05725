import Foundation

/// The scripts beside the tests: Kafka as other people's programs see it.
enum Scripts {
    static let kafka = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scripts/kafka.py")
}
