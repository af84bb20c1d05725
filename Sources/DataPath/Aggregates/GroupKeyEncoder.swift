/// Makes canonical keys (``GroupKeyCodec``) of the fixed-width words of ``GroupTable``. Threads: one at a time.
final class GroupKeyEncoder {
    /// Strings of group columns; codes of the batches' dictionaries are translated to these.
    let strings: [StringDictionary]
    private let layout: GroupKeyLayout
    private var bytes: UnsafeMutableRawPointer
    private var capacity = 1024
    /// What the fetching ahead read, kept so that it is not optimised away.
    private var fetched: UInt8 = 0

    init(_ layout: GroupKeyLayout) {
        self.layout = layout
        strings = layout.types.map { _ in StringDictionary() }
        bytes = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { bytes.deallocate() }

    /// The key's bytes; valid until the next call.
    func encode(_ words: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        var end = 0
        for column in 0..<layout.types.count {
            let type = layout.types[column]
            let place = words + layout.offsets[column]
            let code = place.loadUnaligned(as: UInt32.self)
            let isNull = type == .bytes || type == .boolean ? code == GroupKeyLayout.nullCode : code == 1
            // A flag and the widest fixed value.
            reserve(end + 17)
            bytes.storeBytes(of: isNull ? 0 : 1, toByteOffset: end, as: UInt8.self)
            end += 1
            if isNull { continue }
            switch type {
            case .boolean:
                bytes.storeBytes(of: UInt8(truncatingIfNeeded: code), toByteOffset: end, as: UInt8.self)
                end += 1
            case .int64, .double:
                let value = (place + 4).loadUnaligned(as: UInt64.self)
                bytes.storeBytes(of: value.littleEndian, toByteOffset: end, as: UInt64.self)
                end += 8
            case .int128:
                let value = (place + 4).loadUnaligned(as: Int128.self)
                bytes.storeBytes(of: value.littleEndian, toByteOffset: end, as: Int128.self)
                end += 16
            case .bytes:
                let text = strings[column][code]
                reserve(end + 4 + text.count)
                bytes.storeBytes(of: UInt32(text.count).littleEndian, toByteOffset: end, as: UInt32.self)
                if let base = text.baseAddress { (bytes + end + 4).copyMemory(from: base, byteCount: text.count) }
                end += 4 + text.count
            }
        }
        return UnsafeRawBufferPointer(start: bytes, count: end)
    }

    /// Reads the strings of the next keys, none of which waits for another, so that encoding finds them in the caches.
    func fetch(_ words: UnsafeRawPointer, count: Int, stride: Int) {
        for column in 0..<layout.types.count where layout.types[column] == .bytes {
            let strings = strings[column]
            guard strings.count > 1 << 12 else { continue }
            var fetched: UInt8 = 0
            for key in 0..<count {
                let code = (words + key &* stride + layout.offsets[column]).loadUnaligned(as: UInt32.self)
                if code != GroupKeyLayout.nullCode { fetched ^= strings[code].first ?? 0 }
            }
            self.fetched = fetched
        }
    }

    @inline(__always)
    private func reserve(_ size: Int) {
        if size > capacity { grow(to: size) }
    }

    @inline(never)
    private func grow(to size: Int) {
        let larger = max(size, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: bytes, byteCount: capacity)
        bytes.deallocate()
        (bytes, capacity) = (moved, larger)
    }
}
