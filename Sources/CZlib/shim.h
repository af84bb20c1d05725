#pragma once
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros that add the version and the size of the struct.
static inline int sp_deflateInit2(z_streamp stream, int level, int windowBits) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY);
}
static inline int sp_inflateInit2(z_streamp stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
