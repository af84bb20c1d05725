// The layout of a JSON line, taken from a line before: most producers write the same keys in the same order with the same
// blanks. A line that follows it is read by comparing what stands between the values and scanning the values; one that does
// not, in any byte, is left to the parser, which then decides what is right. So a layout changes speed and nothing else.
#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "csimdjson.h"

namespace sp {

// One scalar value of a line.
struct LayoutPart {
    // What stands before it, from the end of the value before; filled up to a multiple of 16 bytes.
    std::string literal;
    size_t length = 0;
    // Where its value goes; -1 for one that is not wanted.
    int32_t slot = -1;
};

struct LineLayout {
    std::vector<LayoutPart> parts;
    // What stands behind the last value.
    std::string tail;
    // One for each unwanted key: the records that have it are counted.
    std::vector<uint64_t *> counters;

    // Reads a line that follows the layout into `row`, whose kinds are SP_JSON_ABSENT; false, with part of the row
    // written, when it does not. Up to 16 bytes behind `end` may be read.
    // `isPlain` becomes false when the line has bytes that are not ASCII.
    bool read(const char *line, const char *end, sp_json_value *row, bool &isPlain) const {
        const char *cursor = line;
        unsigned high = 0;
        for (const LayoutPart &part : parts) {
            // A value follows, so the literal ends before the line does. A word may have led behind the line's end.
            if (end - cursor <= static_cast<std::ptrdiff_t>(part.length)) return false;
            if (!stands(part, cursor)) return false;
            cursor += part.length;
            sp_json_value unwanted;
            sp_json_value &out = part.slot >= 0 ? row[part.slot] : unwanted;
            out.offset = static_cast<uint32_t>(cursor - line);
            switch (*cursor) {
            case '"': {
                const char *first = cursor + 1;
                const char *last = stringEnd(first, end, high);
                if (last == nullptr) return false;
                out.kind = SP_JSON_STRING;
                out.text = first;
                out.length = static_cast<uint32_t>(last - first);
                cursor = last + 1;
                break;
            }
            case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
                const char *last = number(cursor, end, out);
                if (last == nullptr) return false;
                cursor = last;
                break;
            }
            case 't':
                if (std::memcmp(cursor, "true", 4) != 0) return false;
                word(cursor, 4, SP_JSON_TRUE, out);
                break;
            case 'f':
                if (std::memcmp(cursor, "false", 5) != 0) return false;
                word(cursor, 5, SP_JSON_FALSE, out);
                break;
            case 'n':
                if (std::memcmp(cursor, "null", 4) != 0) return false;
                word(cursor, 4, SP_JSON_NULL, out);
                break;
            default: return false;
            }
        }
        if (end - cursor != static_cast<std::ptrdiff_t>(tail.size())) return false;
        if (std::memcmp(cursor, tail.data(), tail.size()) != 0) return false;
        isPlain = high == 0;
        return true;
    }

private:
    // Whether the part's literal stands at `cursor`. Looks at up to 15 bytes behind it.
    static bool stands(const LayoutPart &part, const char *cursor) {
#if defined(__SSE2__)
        const char *literal = part.literal.data();
        for (size_t offset = 0; offset < part.length; offset += 16) {
            const unsigned same = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(
                _mm_loadu_si128(reinterpret_cast<const __m128i *>(cursor + offset)),
                _mm_loadu_si128(reinterpret_cast<const __m128i *>(literal + offset)))));
            const size_t left = part.length - offset;
            const unsigned wanted = left >= 16 ? 0xFFFF : (1u << left) - 1;
            if ((same & wanted) != wanted) return false;
        }
        return true;
#else
        return std::memcmp(cursor, part.literal.data(), part.length) == 0;
#endif
    }

    static void word(const char *&cursor, size_t length, uint32_t kind, sp_json_value &out) {
        out.kind = kind;
        out.text = nullptr;
        out.length = 0;
        cursor += length;
    }

    // The closing quote; null when the string does not end in the line, or has an escape or a control character.
    static const char *stringEnd(const char *cursor, const char *end, unsigned &high) {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"');
        const __m128i escape = _mm_set1_epi8('\\');
        const __m128i control = _mm_set1_epi8(0x1F);
        while (cursor < end) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(cursor));
            const unsigned bad = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(
                _mm_cmpeq_epi8(bytes, escape), _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes))));
            const unsigned quotes = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote)));
            const unsigned tops = static_cast<unsigned>(_mm_movemask_epi8(bytes));
            if ((quotes | bad) == 0) {
                high |= tops;
                cursor += 16;
                continue;
            }
            const unsigned before = ((quotes | bad) & -(quotes | bad)) - 1;
            high |= tops & before;
            const char *found = cursor + __builtin_ctz(quotes | bad);
            return found < end && *found == '"' ? found : nullptr;
        }
#else
        for (; cursor < end; cursor++) {
            const unsigned char byte = static_cast<unsigned char>(*cursor);
            if (byte == '"') return cursor;
            if (byte == '\\' || byte < 0x20) return nullptr;
            high |= byte & 0x80;
        }
#endif
        return nullptr;
    }

    static bool isDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

    // Reads a number as the parser would; null for one that is not written as JSON has it, or out of range.
    static const char *number(const char *start, const char *end, sp_json_value &out) {
        const char *cursor = start;
        const bool isNegative = *cursor == '-';
        if (isNegative) cursor++;
        const char *digits = cursor;
        uint64_t mantissa = 0;
        while (cursor < end && isDigit(*cursor)) mantissa = mantissa * 10 + static_cast<uint64_t>(*cursor++ - '0');
        const size_t whole = static_cast<size_t>(cursor - digits);
        if (whole == 0 || (whole > 1 && *digits == '0')) return nullptr;
        out.text = start;
        if (cursor == end || (*cursor != '.' && *cursor != 'e' && *cursor != 'E')) {
            // 18 digits fit in any case.
            if (whole > 18) return nullptr;
            out.kind = SP_JSON_INTEGER;
            out.length = static_cast<uint32_t>(cursor - start);
            out.integer = isNegative ? -static_cast<int64_t>(mantissa) : static_cast<int64_t>(mantissa);
            return cursor;
        }
        size_t fraction = 0;
        if (*cursor == '.') {
            const char *point = ++cursor;
            while (cursor < end && isDigit(*cursor)) mantissa = mantissa * 10 + static_cast<uint64_t>(*cursor++ - '0');
            fraction = static_cast<size_t>(cursor - point);
            if (fraction == 0) return nullptr;
        }
        out.kind = SP_JSON_DOUBLE;
        if (cursor == end || (*cursor != 'e' && *cursor != 'E')) {
            out.length = static_cast<uint32_t>(cursor - start);
            // Both are exact, so their quotient is the nearest double (Clinger 1990).
            if (whole + fraction <= 19 && mantissa <= (uint64_t{1} << 53) && fraction <= 22) {
                const double value = static_cast<double>(mantissa) / powers[fraction];
                out.number = isNegative ? -value : value;
                return cursor;
            }
        } else {
            cursor++;
            if (cursor < end && (*cursor == '+' || *cursor == '-')) cursor++;
            const char *exponent = cursor;
            while (cursor < end && isDigit(*cursor)) cursor++;
            if (cursor == exponent) return nullptr;
            out.length = static_cast<uint32_t>(cursor - start);
        }
        const auto result = std::from_chars(start, cursor, out.number);
        return result.ec == std::errc() && result.ptr == cursor ? cursor : nullptr;
    }

    static constexpr double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
};

}  // namespace sp
