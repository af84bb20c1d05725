extension String {
    /// The text between two of `quote`, each of which inside is doubled, as names and values stand in SQL.
    ///
    /// By scalars: a quote is one also when a combining mark follows it, for whoever reads the bytes.
    public func quoted(_ quote: Unicode.Scalar) -> String {
        var result = UnicodeScalarView([quote])
        for scalar in unicodeScalars {
            if scalar == quote { result.append(quote) }
            result.append(scalar)
        }
        result.append(quote)
        return String(result)
    }
}
