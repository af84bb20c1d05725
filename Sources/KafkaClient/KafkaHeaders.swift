internal import CRdKafka

/// Record headers between librdkafka's list and ours.
enum KafkaHeaders {
    /// A header with a null value becomes one with an empty value: a ``RecordBlock`` does not tell them apart.
    static func decode(_ list: OpaquePointer) -> [(name: String, value: [UInt8])] {
        var headers: [(name: String, value: [UInt8])] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            headers.append(
                (
                    name.map { String(cString: $0) } ?? "",
                    Array(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size))
                ))
        }
        return headers
    }

    /// A new list, the caller's to hand over or to destroy; nil for none.
    static func encode(_ headers: [(name: String, value: [UInt8])]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            var name = header.name
            name.withUTF8 { name in
                header.value.withUnsafeBytes { value in
                    name.withMemoryRebound(to: CChar.self) { name in
                        _ = rd_kafka_header_add(
                            list, name.baseAddress, name.count, value.baseAddress ?? UnsafeRawPointer(list),
                            value.count)
                    }
                }
            }
        }
        return list
    }
}
