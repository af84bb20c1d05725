/// Names as Prometheus' data model allows them.
enum PrometheusName {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`; whatever else becomes an underscore.
    static func metric(_ text: String) -> String { cleaned(text, allowsColon: true) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and neither `le`, which histograms use, nor a name that begins with two underscores,
    /// which Prometheus keeps for itself.
    static func label(_ text: String) -> String {
        let name = cleaned(text, allowsColon: false)
        return name == "le" || name.hasPrefix("__") ? "label_\(name)" : name
    }

    private static func cleaned(_ text: String, allowsColon: Bool) -> String {
        var name = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.append(scalar)
            case "0"..."9":
                if name.isEmpty { name.append("_") }
                name.append(scalar)
            case ":" where allowsColon: name.append(scalar)
            default: name.append("_")
            }
        }
        return name.isEmpty ? "_" : String(name)
    }
}
