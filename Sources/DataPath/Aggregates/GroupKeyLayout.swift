/// Where each part of a group key stands in the fixed-width words of ``GroupTable``.
///
/// First the pane's slot (32 bits), then per column: strings and booleans 32 bits (`nullCode` for null), integers and
/// doubles a null flag of 32 bits and 64 bits, decimals a flag and 128 bits.
struct GroupKeyLayout {
    static let nullCode = UInt32.max

    let types: [PhysicalType]
    /// Byte offsets of the columns.
    let offsets: [Int]
    let wordCount: Int

    init(_ groups: [ColumnSpec]) {
        types = groups.map(\.type.physical)
        var end = 4
        var offsets: [Int] = []
        for type in types {
            offsets.append(end)
            switch type {
            case .bytes, .boolean: end += 4
            case .int64, .double: end += 12
            case .int128: end += 20
            }
        }
        self.offsets = offsets
        wordCount = (end + 7) / 8
    }
}
