/// One column of intermediate values while a program runs.
///
/// `state[row]` is 0 for a value, with bit 0 set for null and bit 1 for an error; a strict operation joins the states of
/// its inputs with "or". Booleans are held as bytes 0 and 1. What stands under a state other than 0 is initialised but
/// means nothing.
final class VectorRegister {
    static let null: UInt8 = 1
    static let error: UInt8 = 2

    private(set) var data: UnsafeMutableRawPointer
    private var storage: UnsafeMutableRawPointer
    private var storageBytes = 64
    private(set) var state: UnsafeMutablePointer<UInt8>
    private var stateCapacity = 64
    /// False when every state is 0, so that loops may skip them.
    var hasState = false

    /// A bytes column as it came, until its views are asked for.
    private(set) var codes: UnsafeMutablePointer<UInt32>?
    private(set) var dictionary: StringDictionary?
    private var viewsAreReady = true

    /// Bytes that this register's own views point into.
    private var arena: UnsafeMutablePointer<UInt8>?
    private var arenaCapacity = 0
    private var broadcastRows = 0

    init() {
        storage = .allocate(byteCount: storageBytes, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0, count: storageBytes)
        data = storage
        state = .allocate(capacity: stateCapacity)
        state.initialize(repeating: 0, count: stateCapacity)
    }

    deinit {
        storage.deallocate()
        state.deallocate()
        arena?.deallocate()
    }

    @inline(__always)
    func pointer<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
        data.assumingMemoryBound(to: type)
    }

    /// Makes room for `rows` values of `type`, whose old values are lost.
    @discardableResult
    func prepare<Element: BitwiseCopyable>(_ rows: Int, _ type: Element.Type) -> UnsafeMutablePointer<Element> {
        let needed = rows * MemoryLayout<Element>.stride
        if needed > storageBytes {
            storage.deallocate()
            storageBytes = max(needed, storageBytes * 2)
            storage = .allocate(byteCount: storageBytes, alignment: 16)
            storage.initializeMemory(as: UInt8.self, repeating: 0, count: storageBytes)
        }
        data = storage
        hasState = false
        viewsAreReady = true
        return storage.bindMemory(to: type, capacity: rows)
    }

    /// Makes room for `rows` states, which are all 0 if there were none.
    @discardableResult
    func prepareState(_ rows: Int) -> UnsafeMutablePointer<UInt8> {
        if rows > stateCapacity {
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: max(rows, stateCapacity * 2))
            larger.initialize(repeating: 0, count: max(rows, stateCapacity * 2))
            if hasState { larger.update(from: state, count: stateCapacity) }
            state.deallocate()
            (state, stateCapacity) = (larger, max(rows, stateCapacity * 2))
        }
        if !hasState { state.update(repeating: 0, count: rows) }
        hasState = true
        return state
    }

    /// Takes over the joined states of the inputs of a strict operation.
    func joinStates(_ inputs: [VectorRegister], rows: Int) {
        hasState = false
        for input in inputs where input.hasState {
            if hasState {
                for row in 0..<rows { state[row] |= input.state[row] }
            } else {
                prepareState(rows).update(from: input.state, count: rows)
            }
        }
    }

    // MARK: Columns and constants

    func load<Element: BitwiseCopyable>(_ vector: FixedVector<Element>, rows: Int) {
        data = UnsafeMutableRawPointer(vector.values)
        loadNulls(vector.nulls, vector.nullCount, rows: rows)
    }

    func load(_ vector: FixedVector<Bool>, rows: Int) {
        UnsafeMutableRawPointer(prepare(rows, UInt8.self)).copyMemory(from: vector.values, byteCount: rows)
        loadNulls(vector.nulls, vector.nullCount, rows: rows)
    }

    func load(_ vector: BytesVector, rows: Int) {
        let views = prepare(rows, ByteView.self)
        let (arena, offsets) = (UnsafePointer(vector.arena), vector.offsets)
        for row in 0..<rows {
            let start = offsets[row]
            views[row] = ByteView(start: arena + Int(start), count: Int(offsets[row &+ 1] &- start))
        }
        loadNulls(vector.nulls, vector.nullCount, rows: rows)
    }

    func load(_ vector: FixedVector<UInt32>, _ dictionary: StringDictionary, rows: Int) {
        codes = vector.values
        self.dictionary = dictionary
        loadNulls(vector.nulls, vector.nullCount, rows: rows)
        viewsAreReady = false
    }

    private func loadNulls(_ nulls: UnsafeMutablePointer<Bool>, _ nullCount: Int, rows: Int) {
        hasState = false
        guard nullCount > 0 else { return }
        UnsafeMutableRawPointer(prepareState(rows)).copyMemory(from: nulls, byteCount: rows)
    }

    /// Fills the register with a constant; done once for as many rows as were ever asked for.
    func broadcast(_ constant: VectorConstant, rows: Int) {
        guard rows > broadcastRows else { return }
        let count = max(rows, broadcastRows * 2)
        switch constant {
        case .null(let type):
            fillZero(type, count)
            prepareState(count).update(repeating: Self.null, count: count)
        case .boolean(let value): prepare(count, UInt8.self).update(repeating: value ? 1 : 0, count: count)
        case .int64(let value): prepare(count, Int64.self).update(repeating: value, count: count)
        case .int128(let value): prepare(count, Int128.self).update(repeating: value, count: count)
        case .double(let value): prepare(count, Double.self).update(repeating: value, count: count)
        case .bytes(let value):
            let copy = reserveArena(value.count)
            copy.update(from: value, count: value.count)
            prepare(count, ByteView.self).update(
                repeating: ByteView(start: copy, count: value.count), count: count)
        }
        broadcastRows = count
    }

    private func fillZero(_ type: PhysicalType, _ rows: Int) {
        switch type {
        case .boolean: prepare(rows, UInt8.self).update(repeating: 0, count: rows)
        case .int64: prepare(rows, Int64.self).update(repeating: 0, count: rows)
        case .int128: prepare(rows, Int128.self).update(repeating: 0, count: rows)
        case .double: prepare(rows, Double.self).update(repeating: 0, count: rows)
        case .bytes:
            prepare(rows, ByteView.self).update(
                repeating: ByteView(start: UnsafePointer(reserveArena(1)), count: 0), count: rows)
        }
    }

    // MARK: Bytes

    /// The byte strings, row by row; a dictionary column is looked up here. Views of rows without a value are empty.
    func views(rows: Int) -> UnsafeMutablePointer<ByteView> {
        guard !viewsAreReady, let codes, let dictionary else { return pointer(ByteView.self) }
        let hadState = hasState
        let views = prepare(rows, ByteView.self)
        hasState = hadState
        let empty = ByteView(start: UnsafePointer(reserveArena(1)), count: 0)
        for row in 0..<rows {
            guard !hadState || state[row] == 0 else {
                views[row] = empty
                continue
            }
            let bytes = dictionary[codes[row]]
            views[row] =
                bytes.baseAddress.map { ByteView(start: $0.assumingMemoryBound(to: UInt8.self), count: bytes.count) }
                ?? empty
        }
        return views
    }

    /// Room for `count` bytes that live until the next call.
    func reserveArena(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if let arena, count <= arenaCapacity { return arena }
        arena?.deallocate()
        arenaCapacity = max(count, arenaCapacity * 2, 64)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaCapacity)
        larger.initialize(repeating: 0, count: arenaCapacity)
        arena = larger
        return larger
    }
}
