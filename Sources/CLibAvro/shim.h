#pragma once
#include <avro.h>

/* The avro_value_... calls are macros that call through the value's interface; Swift imports neither. */
static inline void sp_avro_value_iface_decref(avro_value_iface_t *iface) {
    avro_value_iface_decref(iface);
}

static inline int sp_avro_value_to_json(const avro_value_t *value, char **json) {
    return avro_value_to_json(value, 1, json);
}
