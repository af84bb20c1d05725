#pragma once
#include <sqlite3.h>

/* SQLITE_TRANSIENT and SQLITE_STATIC are cast macros, which Swift cannot import. SQLite copies these bytes. */
static inline int sp_sqlite3_bind_text_copied(sqlite3_stmt *s, int i, const char *p, sqlite3_uint64 n) {
    return sqlite3_bind_text64(s, i, p, n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Bytes given this way must live until the statement that reads them is reset. */
static inline void sp_sqlite3_result_text_static(sqlite3_context *c, const char *p, sqlite3_uint64 n) {
    sqlite3_result_text64(c, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

static inline void sp_sqlite3_result_blob_static(sqlite3_context *c, const void *p, sqlite3_uint64 n) {
    sqlite3_result_blob64(c, p, n, SQLITE_STATIC);
}

/* Rows in memory that a connection reads as a table of their module's name: a virtual table that is scanned from `first` up to
   `end`. `cell` gives SQLite the value of a column of a row. Everything must outlive the statements that read it. */
typedef struct sp_rows {
    sqlite3_int64 first;
    sqlite3_int64 end;
    void (*cell)(void *state, sqlite3_context *context, int column, sqlite3_int64 row);
    void *state;
    /* CREATE TABLE, which names the columns. */
    const char *schema;
} sp_rows;

typedef struct sp_rows_table {
    sqlite3_vtab base;
    sp_rows *rows;
} sp_rows_table;

typedef struct sp_rows_cursor {
    sqlite3_vtab_cursor base;
    sp_rows *rows;
    sqlite3_int64 row;
} sp_rows_cursor;

static inline int sp_rows_connect(sqlite3 *db, void *context, int count, const char *const *arguments,
                                  sqlite3_vtab **table, char **message) {
    (void)count, (void)arguments, (void)message;
    int code = sqlite3_declare_vtab(db, ((sp_rows *)context)->schema);
    if (code != SQLITE_OK) return code;
    sp_rows_table *made = sqlite3_malloc64(sizeof *made);
    if (!made) return SQLITE_NOMEM;
    *made = (sp_rows_table){.rows = context};
    *table = &made->base;
    return SQLITE_OK;
}

static inline int sp_rows_disconnect(sqlite3_vtab *table) {
    sqlite3_free(table);
    return SQLITE_OK;
}

static inline int sp_rows_best_index(sqlite3_vtab *table, sqlite3_index_info *plan) {
    (void)table, (void)plan;
    return SQLITE_OK;
}

static inline int sp_rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor) {
    sp_rows_cursor *made = sqlite3_malloc64(sizeof *made);
    if (!made) return SQLITE_NOMEM;
    *made = (sp_rows_cursor){.rows = ((sp_rows_table *)table)->rows};
    *cursor = &made->base;
    return SQLITE_OK;
}

static inline int sp_rows_close(sqlite3_vtab_cursor *cursor) {
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static inline int sp_rows_filter(sqlite3_vtab_cursor *cursor, int number, const char *name, int count,
                                 sqlite3_value **values) {
    (void)number, (void)name, (void)count, (void)values;
    sp_rows_cursor *own = (sp_rows_cursor *)cursor;
    own->row = own->rows->first;
    return SQLITE_OK;
}

static inline int sp_rows_next(sqlite3_vtab_cursor *cursor) {
    ((sp_rows_cursor *)cursor)->row++;
    return SQLITE_OK;
}

static inline int sp_rows_eof(sqlite3_vtab_cursor *cursor) {
    sp_rows_cursor *own = (sp_rows_cursor *)cursor;
    return own->row >= own->rows->end;
}

static inline int sp_rows_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column) {
    sp_rows_cursor *own = (sp_rows_cursor *)cursor;
    own->rows->cell(own->rows->state, context, column, own->row);
    return SQLITE_OK;
}

static inline int sp_rows_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row) {
    *row = ((sp_rows_cursor *)cursor)->row;
    return SQLITE_OK;
}

/* `destroy` is called with `rows` when the connection needs them no more, also when this fails. */
static inline int sp_sqlite3_create_rows(sqlite3 *db, const char *name, sp_rows *rows, void (*destroy)(void *)) {
    static const sqlite3_module module = {
        .iVersion = 1,
        .xConnect = sp_rows_connect,
        .xBestIndex = sp_rows_best_index,
        .xDisconnect = sp_rows_disconnect,
        .xOpen = sp_rows_open,
        .xClose = sp_rows_close,
        .xFilter = sp_rows_filter,
        .xNext = sp_rows_next,
        .xEof = sp_rows_eof,
        .xColumn = sp_rows_column,
        .xRowid = sp_rows_rowid,
    };
    return sqlite3_create_module_v2(db, name, &module, rows, destroy);
}
