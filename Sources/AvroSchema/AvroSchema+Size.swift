internal import Diagnostics

extension AvroSchema {
    /// The most types of a schema that records are read with, counted as often as they are referred to.
    public static let typeLimit = 100_000

    /// Throws for more than ``typeLimit`` types.
    ///
    /// A tree shares what is referred to more than once, but whoever walks it meets each reference: forty records that
    /// each refer twice to the next one would take more time and memory than there is.
    func checkTypeCount() throws(AvroSchemaError) {
        var rest = Self.typeLimit
        takeTypes(from: &rest)
        guard rest < 0 else { return }
        throw AvroSchemaError(
            .schemaCannotRead, "the schema refers to its types so often that it has more than \(Self.typeLimit)")
    }

    /// Takes the number of types in this one from `rest`; ends when that is below zero.
    private func takeTypes(from rest: inout Int) {
        rest -= 1
        guard rest >= 0 else { return }
        switch self {
        case .record(let record): for field in record.fields { field.type.takeTypes(from: &rest) }
        case .array(let element), .map(let element): element.takeTypes(from: &rest)
        case .union(let branches): for branch in branches { branch.takeTypes(from: &rest) }
        case .logical(let base, _): base.takeTypes(from: &rest)
        case .null, .boolean, .int, .long, .float, .double, .bytes, .string, .enumeration, .fixed: break
        }
    }
}
