import Foundation
import Testing

@testable import TerminalViews

@Suite("Numbers as text")
struct NumberTextTests {
    @Test("thousands are grouped", arguments: [(0, "0"), (999, "999"), (1_234_567, "1,234,567"), (-1000, "-1,000")])
    func grouped(value: Int, text: String) {
        #expect(NumberText.grouped(value) == text)
    }

    @Test(
        "fixed decimals keep sign and groups",
        arguments: [(1234.5, 2, "1,234.50"), (-0.25, 1, "-0.2"), (-1234.0, 0, "-1,234"), (1e300, 2, "1e+300")])
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(value, decimals: decimals) == text)
    }

    @Test(
        "short numbers have about three digits",
        arguments: [
            (0.0, "0"), (2.54, "2.5"), (950, "950"), (999.7, "1k"), (1000, "1k"), (12_400, "12.4k"),
            (830_000, "830k"), (999_960, "1M"), (3_100_000, "3.1M"), (-2_000_000_000, "-2G"),
        ])
    func short(value: Double, text: String) {
        #expect(NumberText.short(value) == text)
    }

    @Test("bytes have binary units", arguments: [(512, "512 B"), (1536, "1.5 KiB"), (300 << 20, "300 MiB")])
    func bytes(count: Int, text: String) {
        #expect(NumberText.bytes(count) == text)
    }

    @Test(
        "durations show their two largest units",
        arguments: [
            (0.85, "850 ms"), (0.99996, "1.0 s"), (2.44, "2.4 s"), (42.0, "42 s"), (125.0, "2 min 5 s"),
            (3600.0, "1 h"), (3725.0, "1 h 2 min"), (273_600.0, "3 d 4 h"),
        ])
    func duration(seconds: Double, text: String) {
        #expect(NumberText.duration(.seconds(seconds)) == text)
    }

    @Test(
        "UTC text equals Foundation's calendar",
        arguments: [0, -1, 951_782_400_000, 1_709_164_799_999, -2_208_988_800_001, 253_402_300_799_000])
    func utc(milliseconds: Int64) {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: "UTC") ?? .current
        formatter.calendar = calendar
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss 'UTC'"
        let seconds = (Double(milliseconds) / 1000).rounded(.down)
        #expect(
            NumberText.utc(milliseconds: milliseconds) == formatter.string(from: Date(timeIntervalSince1970: seconds)))
    }
}
