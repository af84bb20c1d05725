/// Sizes as people write them: `4096`, `64 MiB`, `1 GB`.
public enum ByteSizeText {
    public static let hint = "write a number and a unit: 4096, 64 KiB, 16 MiB, 1 GiB, 1 GB"

    public static func bytes(_ text: String) -> Int64? {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        guard let value = Int64(number) else { return nil }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
        let factors: [String: Int64] = [
            "": 1, "b": 1, "kb": 1000, "kib": 1 << 10, "mb": 1_000_000, "mib": 1 << 20, "gb": 1_000_000_000,
            "gib": 1 << 30,
        ]
        guard let factor = factors[unit] else { return nil }
        let (bytes, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }
}
