#include "cnative.h"

#include <charconv>
#include <cstring>

#include <fcntl.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

int cn_has_crc32c(void) {
    // Processors since 2008 have it; the package is built for older ones, too.
    static const bool has = __builtin_cpu_supports("sse4.2");
    return has;
}

__attribute__((target("sse4.2"))) uint32_t cn_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *cursor = static_cast<const unsigned char *>(bytes);
    uint64_t wide = crc;
    for (; count >= 8; cursor += 8, count -= 8) {
        uint64_t word;
        std::memcpy(&word, cursor, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    uint32_t narrow = static_cast<uint32_t>(wide);
    for (; count > 0; cursor++, count--) narrow = _mm_crc32_u8(narrow, *cursor);
    return narrow;
}
#else
int cn_has_crc32c(void) { return 0; }

uint32_t cn_crc32c(uint32_t crc, const void *, size_t) { return crc; }
#endif

size_t cn_write_double(double value, char *out, size_t capacity) {
    const auto end = std::to_chars(out, out + capacity, value, std::chars_format::fixed);
    return end.ec == std::errc() ? static_cast<size_t>(end.ptr - out) : 0;
}

void cn_start_writeback(int descriptor, int64_t offset, int64_t count) {
#if defined(__linux__)
    // Only a beginning: what fails is told by fsync.
    (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#endif
}
