#ifndef CNATIVE_H
#define CNATIVE_H

#include <stddef.h>
#include <stdint.h>

/* Instructions, functions of the C++ library and of Linux that Swift does not reach. */

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this processor computes CRC-32C by itself; if not, cn_crc32c must not be called. */
int cn_has_crc32c(void);

/* CRC-32C of `count` bytes after `crc`, without the complement at the beginning and the end. */
uint32_t cn_crc32c(uint32_t crc, const void *bytes, size_t count);

/* The shortest digits that read back as `value`, which is finite, without an exponent: `0.1`, `100`. Returns their length; 0 when
   `capacity` does not hold them. */
size_t cn_write_double(double value, char *out, size_t capacity);

/* Has the system begin to write these bytes of a file to the disk. Does not wait until they are there; only where the disk's queue is
   full, until it has a place. */
void cn_start_writeback(int descriptor, int64_t offset, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
