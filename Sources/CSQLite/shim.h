#pragma once
#include <sqlite3.h>

/* SQLITE_STATIC is a cast macro, which Swift cannot import. Bytes bound this way must live until the next step. */
static inline int sp_sqlite3_bind_text_static(sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

static inline int sp_sqlite3_bind_blob_static(sqlite3_stmt *s, int i, const void *p, sqlite3_uint64 n) {
    return sqlite3_bind_blob64(s, i, p, n, SQLITE_STATIC);
}

/* SQLITE_TRANSIENT is a cast macro too: SQLite copies the bytes. */
static inline int sp_sqlite3_bind_text_copied(sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, p, n, SQLITE_TRANSIENT, SQLITE_UTF8);
}
