#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot import: one wrapper for each kind of argument. */
static inline CURLcode sp_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

/* libcurl copies the text, except for CURLOPT_POSTFIELDS, which has its own wrapper. NULL restores the default. */
static inline CURLcode sp_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/* Not copied: the memory must live until the transfer ends or the option is set anew. */
static inline CURLcode sp_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

/* Not copied either. A null pointer would make libcurl call the read function instead: pass one for an empty body too. */
static inline CURLcode sp_curl_set_body(CURL *handle, const void *bytes, curl_off_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_POSTFIELDS, (const char *)bytes);
}

static inline CURLcode sp_curl_set_body_size(CURL *handle, curl_off_t count) {
    return curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
}

/* The type of libcurl's write, header and read functions. */
typedef size_t (*sp_curl_data_function)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode sp_curl_set_function(CURL *handle, CURLoption option, sp_curl_data_function function) {
    return curl_easy_setopt(handle, option, function);
}

static inline CURLcode sp_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

/* The text option came with 7.85, which deprecated the number. */
static inline CURLcode sp_curl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* The flags are macros in terms of macros. */
static inline CURLcode sp_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_ALL); }
