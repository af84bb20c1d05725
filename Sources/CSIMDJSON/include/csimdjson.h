// A thin C face over simdjson's on-demand parser, for newline-delimited JSON objects.
//
// One call reads many lines: each line gives one row of values, one per wanted path. Threads: a reader belongs to one.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Readable bytes that must follow the input of sp_json_read_lines.
enum { SP_JSON_PADDING = 64 };

enum {
    SP_JSON_ABSENT = 0,
    SP_JSON_NULL = 1,
    SP_JSON_FALSE = 2,
    SP_JSON_TRUE = 3,
    // `integer` holds the value; `text` its digits as written.
    SP_JSON_INTEGER = 4,
    // `number` holds the nearest double; `text` the number as written.
    SP_JSON_DOUBLE = 5,
    // A well-formed number outside the range of a 64-bit integer and of a double: only `text`.
    SP_JSON_BIG_NUMBER = 6,
    // `text` is the unescaped string: a slice of the input, or of the reader's arena when it had escapes.
    SP_JSON_STRING = 7,
    // `text` is the slice of the input, brackets included. Its inside is only checked for balanced brackets.
    SP_JSON_ARRAY = 8,
    SP_JSON_OBJECT = 9,
    // Not made here: a cell of delimited text, for readers of other formats that share this struct.
    SP_JSON_CELL = 10,
};

typedef struct {
    const char *text;
    uint32_t length;
    // Where the value begins, in bytes from the start of its record.
    uint32_t offset;
    uint32_t kind;
    uint32_t reserved;
    union {
        int64_t integer;
        double number;
    };
} sp_json_value;

enum {
    SP_JSON_OK = 0,
    // The record is not one well-formed JSON object; `error_offset` says where it was noticed.
    SP_JSON_MALFORMED = 1,
    SP_JSON_NOT_OBJECT = 2,
    SP_JSON_NOT_UTF8 = 3,
    // Something follows the object on its line.
    SP_JSON_TRAILING = 4,
    SP_JSON_TOO_DEEP = 5,
    SP_JSON_BAD_STRING = 6,
    SP_JSON_BAD_NUMBER = 7,
    SP_JSON_NO_MEMORY = 8,
    // A wanted record is a scalar or an array.
    SP_JSON_RECORD_EXPECTED = 9,
};

typedef struct {
    // Bytes of the line without its line end, from the start of the input.
    size_t start;
    size_t length;
    // Physical lines between the input's start and this record.
    uint32_t line;
    uint32_t status;
    uint32_t error_offset;
    uint32_t reserved;
} sp_json_record;

typedef struct sp_json_reader sp_json_reader;

// A reader for `count` wanted paths (UTF-8; dots step into objects). The paths are copied. Null when memory is short.
sp_json_reader *sp_json_reader_new(const char *const *paths, size_t count);
void sp_json_reader_free(sp_json_reader *reader);

// Reads whole lines of `bytes[0..<length]`, up to `max_records`. `capacity` bytes are readable; at least
// `length + SP_JSON_PADDING`. Row `r` of `values` is `values[r * count ..< (r + 1) * count]`; a path that the record
// lacks is SP_JSON_ABSENT; of a repeated key the last one counts. Blank lines are skipped. The last line counts as
// whole without a line end only when `is_final`. `consumed` and `lines` say how far the input was used. Slices are valid
// until the next call and as long as the input. Returns the number of records, also counting those with a status.
size_t sp_json_read_lines(
    sp_json_reader *reader, const char *bytes, size_t length, size_t capacity, int is_final, size_t max_records,
    sp_json_value *values, sp_json_record *records, size_t *consumed, size_t *lines);

// Keys that occurred and were not wanted, in order of first sight; at most 256 are told apart.
size_t sp_json_reader_ignored_count(const sp_json_reader *reader);
const char *sp_json_reader_ignored_name(const sp_json_reader *reader, size_t index);
uint64_t sp_json_reader_ignored_records(const sp_json_reader *reader, size_t index);

// 1 when the bytes are valid UTF-8.
int sp_utf8_valid(const char *bytes, size_t length);
// The double nearest to a decimal number text (JSON's syntax, also a leading '+'), 1 when it was one and is finite.
int sp_parse_double(const char *bytes, size_t length, double *value);

#ifdef __cplusplus
}
#endif
