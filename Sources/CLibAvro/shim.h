#pragma once
#include <avro.h>

/* The avro_value_... calls are macros that call through the value's interface; Swift imports neither. */
static inline void sp_avro_value_iface_decref(avro_value_iface_t *iface) {
    avro_value_iface_decref(iface);
}

static inline int sp_avro_value_to_json(const avro_value_t *value, char **json) {
    return avro_value_to_json(value, 1, json);
}

/* A field of a record by its place. */
static inline int sp_avro_value_get_string(const avro_value_t *record, size_t index, const char **text, size_t *size) {
    avro_value_t field;
    const int status = avro_value_get_by_index(record, index, &field, NULL);
    return status != 0 ? status : avro_value_get_string(&field, text, size);
}

static inline int sp_avro_value_get_long(const avro_value_t *record, size_t index, int64_t *number) {
    avro_value_t field;
    const int status = avro_value_get_by_index(record, index, &field, NULL);
    return status != 0 ? status : avro_value_get_long(&field, number);
}

static inline int sp_avro_value_get_double(const avro_value_t *record, size_t index, double *number) {
    avro_value_t field;
    const int status = avro_value_get_by_index(record, index, &field, NULL);
    return status != 0 ? status : avro_value_get_double(&field, number);
}
