/// Whether data written with one schema can be read with another, by the rules of "Schema Resolution" in the Avro 1.11
/// specification. Pure.
public enum SchemaCompatibility {
    /// What keeps `reader` from reading all that `writer` may write; empty when nothing does.
    ///
    /// Logical types are ignored, as the specification asks. Of a type that occurs at several places only the first
    /// place is reported. Cost: the product of the numbers of types in the worst case, their sum in practice.
    public static func findings(reader: SchemaGraph, writer: SchemaGraph) -> [SchemaFinding] {
        var resolution = SchemaResolution(reader: reader, writer: writer)
        resolution.resolve(reader.root, writer.root, path: "")
        return resolution.findings
    }

    /// One version of a subject that a new schema does not go with.
    public struct VersionFinding: Hashable, Sendable, CustomStringConvertible {
        public var version: Int
        /// True: the new schema cannot read the version. False: the version cannot read the new schema.
        public var isNewTheReader: Bool
        public var finding: SchemaFinding

        public var description: String {
            let who =
                isNewTheReader
                ? "the new schema cannot read version \(version)" : "version \(version) cannot read the new schema"
            let place = finding.path.isEmpty ? "" : "field '\(finding.path)': "
            let suggestion = finding.suggestion(changing: isNewTheReader ? .reader : .writer)
            return "\(who): \(place)\(finding.reason); \(suggestion)"
        }
    }

    /// What keeps a schema from following older versions, which stand in ascending order; a compatibility level says
    /// which directions count and whether all versions do or only the newest.
    public static func findings(
        new: SchemaGraph, versions: [(version: Int, schema: SchemaGraph)], readsOld: Bool, isReadByOld: Bool,
        isTransitive: Bool
    ) -> [VersionFinding] {
        var result: [VersionFinding] = []
        for (version, old) in isTransitive ? versions[...] : versions.suffix(1) {
            if readsOld {
                result += findings(reader: new, writer: old).map {
                    VersionFinding(version: version, isNewTheReader: true, finding: $0)
                }
            }
            if isReadByOld {
                result += findings(reader: old, writer: new).map {
                    VersionFinding(version: version, isNewTheReader: false, finding: $0)
                }
            }
        }
        return result
    }
}
