internal import Glibc

/// How arrays that hold state grow.
///
/// The C library moves large blocks by their pages (`mremap`): growing takes neither time nor memory for a copy, and pages
/// that nobody has written to are not resident. So large arrays can grow in small steps, and what is allocated is close to
/// what is used. Hash tables are not grown this way: their values are put into a new one (``zeroed(_:count:)``).
enum GrowingMemory {
    /// Blocks from here on grow by an eighth.
    private static let largeBytes = 1 << 24
    /// Smaller blocks may be copied when they grow (glibc's highest threshold of `mmap`): old and new are there at once.
    private static let movedBytes = 1 << 25
    /// Smaller tables take a few faults.
    private static let populatedBytes = 1 << 16

    /// The capacity in elements that an array of `capacity` grows to when it must hold `needed`.
    static func capacity(from capacity: Int, needed: Int, stride: Int) -> Int {
        guard needed > capacity else { return capacity }
        return max(needed, capacity * stride < largeBytes ? capacity * 2 : capacity + capacity / 8)
    }

    /// Bytes that growing takes at its peak, beyond what is there.
    static func growthBytes(from capacity: Int, needed: Int, stride: Int) -> Int {
        guard needed > capacity else { return 0 }
        let larger = self.capacity(from: capacity, needed: needed, stride: stride)
        return (capacity * stride < movedBytes ? larger : larger - capacity) * stride
    }

    /// A block of `newCapacity` elements that begins with what `old` has. Freed by ``free(_:)``.
    static func resize<Element: BitwiseCopyable>(
        _ old: UnsafeMutablePointer<Element>?, to newCapacity: Int
    ) -> UnsafeMutablePointer<Element> {
        guard let memory = realloc(old, max(newCapacity, 1) * MemoryLayout<Element>.stride) else {
            preconditionFailure("out of memory")
        }
        return memory.bindMemory(to: Element.self, capacity: newCapacity)
    }

    /// Where an array without elements begins. Not to be read, written or freed.
    static func none<Element: BitwiseCopyable>() -> UnsafeMutablePointer<Element> {
        guard let start = UnsafeMutablePointer<Element>(bitPattern: MemoryLayout<Element>.alignment) else {
            preconditionFailure("an alignment is not 0")
        }
        return start
    }

    static func resizeBytes(_ old: UnsafeMutableRawPointer?, to newCapacity: Int) -> UnsafeMutableRawPointer {
        guard let memory = realloc(old, max(newCapacity, 1)) else { preconditionFailure("out of memory") }
        return memory
    }

    /// `count` values of zeros, the memory of a hash table. Freed by ``free(_:)``.
    ///
    /// The kernel is asked for its pages at once. A table is read before it is written to: each page would cost two faults, one
    /// for the page of zeros that all share, one for its own, and the second interrupts every other core of the process.
    static func zeroed<Value: BitwiseCopyable>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        let byteCount = count * MemoryLayout<Value>.stride
        guard let memory = calloc(byteCount, 1) else { preconditionFailure("out of memory") }
        if byteCount >= populatedBytes {
            let start = UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: memory) & ~(UInt(getpagesize()) - 1))
            // Kernels before 5.14 do not know this; the pages then come as described.
            _ = madvise(start, byteCount, MADV_POPULATE_WRITE)
        }
        return memory.bindMemory(to: type, capacity: count)
    }

    static func free(_ memory: UnsafeMutableRawPointer?) { Glibc.free(memory) }
}
