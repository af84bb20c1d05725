/// What a predicate says about each string of a dictionary, computed once a string.
final class DictionaryAnswers {
    private var answers: [UInt8] = []
    private var dictionary: StringDictionary?
    private var generation = 0

    /// The answers for all codes of `dictionary`. Cost: the predicate for each code that is new since the last call.
    @inline(__always)
    func update(_ dictionary: StringDictionary, _ predicate: (ByteView) -> Bool) -> [UInt8] {
        if dictionary !== self.dictionary || dictionary.generation != generation {
            answers.removeAll(keepingCapacity: true)
            (self.dictionary, generation) = (dictionary, dictionary.generation)
        }
        while answers.count < dictionary.count {
            let bytes = dictionary[UInt32(truncatingIfNeeded: answers.count)]
            let isTrue = bytes.baseAddress.map {
                predicate(ByteView(start: $0.assumingMemoryBound(to: UInt8.self), count: bytes.count))
            }
            answers.append(isTrue == true ? 1 : 0)
        }
        return answers
    }
}
