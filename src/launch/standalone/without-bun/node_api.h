/* Functions of Node-API for system/addon/addon.c in QuickJS. There is room for one created value, which must be returned. */
#ifndef SOPHIA_RUN_NODE_API_H
#define SOPHIA_RUN_NODE_API_H

#include <stdbool.h>
#include <string.h>

#include "engine.h"
#include "quickjs.h"

typedef enum { napi_ok, napi_failed } napi_status;
typedef JSContext *napi_env;
typedef JSValue *napi_value;
typedef const struct call {
  size_t count;
  JSValue *arguments;
} *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef struct {
  const char *utf8name;
  napi_callback method;
} napi_property_descriptor;

enum { MOST_FUNCTIONS = 32 };
static JSValue made_value;
static napi_callback methods[MOST_FUNCTIONS];
static int method_count;

/* RFC 3629. Invalid bytes fall back to Bun, since engines differ in the number of U+FFFD for them. */
static bool is_utf8(const unsigned char *text, size_t length) {
  for (size_t at = 0; at < length;) {
    const unsigned char first = text[at++];
    if (first < 0x80) continue;
    const int more = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    if (more == 0 || length - at < (size_t)more) return false;
    const unsigned char second = text[at];
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (int i = 0; i < more; ++i) {
      if ((text[at++] & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

/* Returns UTF-8 for JS_FreeCString; falls back to Bun for half a surrogate pair. */
static const char *utf8_of(JSContext *context, JSValue value, size_t *length) {
  const char *const text = JS_ToCStringLen(context, length, value);
  if (text == NULL || !is_utf8((const unsigned char *)text, *length)) fall_back("a text without UTF-8");
  return text;
}

static inline napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments,
                                           void *receiver, void *data) {
  static JSValue undefined;
  undefined = JS_UNDEFINED;
  for (size_t i = 0; i < *count; ++i) arguments[i] = i < info->count ? &info->arguments[i] : &undefined;
  *count = info->count;
  return napi_ok;
}

static inline napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result) {
  return JS_IsNumber(*value) && JS_ToInt32(env, result, *value) == 0 ? napi_ok : napi_failed;
}

static inline napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *to, size_t size,
                                                     size_t *length) {
  if (!JS_IsString(*value)) return napi_failed;
  const char *const text = utf8_of(env, *value, length);
  if (*length >= size) fall_back("a long text");
  memcpy(to, text, *length + 1);
  JS_FreeCString(env, text);
  return napi_ok;
}

static inline napi_status napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  *data = JS_GetUint8Array(env, length, *value);
  return *data == NULL ? napi_failed : napi_ok;
}

static inline napi_status made(JSValue value, napi_value *result) {
  made_value = value;
  *result = &made_value;
  return JS_IsException(value) ? napi_failed : napi_ok;
}

static inline napi_status napi_create_int32(napi_env env, int32_t number, napi_value *result) {
  return made(JS_NewInt32(env, number), result);
}

static inline napi_status napi_get_boolean(napi_env env, bool value, napi_value *result) {
  return made(JS_NewBool(env, value), result);
}

static inline napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  if (!is_utf8((const unsigned char *)text, length)) fall_back("bytes that are not UTF-8");
  return made(JS_NewStringLen(env, text, length), result);
}

/* Unused here: Node.js reads its code cache by these. */
static inline napi_status napi_create_string_latin1(napi_env env, const char *text, size_t length, napi_value *result) {
  fall_back("napi_create_string_latin1");
}

static inline napi_status napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result) {
  fall_back("napi_create_buffer");
}

static inline napi_status napi_create_buffer_copy(napi_env env, size_t length, const void *data, void **copy,
                                                  napi_value *result) {
  return made(JS_NewUint8ArrayCopy(env, data, length), result);
}

static JSValue call_method(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments, int method) {
  const struct call call = {.count = (size_t)count, .arguments = arguments};
  const napi_value result = methods[method](context, &call);
  return result == NULL ? JS_UNDEFINED : *result;
}

static inline napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                                 const napi_property_descriptor *properties) {
  for (size_t i = 0; i < count; ++i) {
    if (method_count == MOST_FUNCTIONS) fall_back("the number of functions");
    methods[method_count] = properties[i].method;
    const char *const name = properties[i].utf8name;
    JS_SetPropertyStr(env, *object, name,
                      JS_NewCFunctionMagic(env, call_method, name, 0, JS_CFUNC_generic_magic, method_count++));
  }
  return napi_ok;
}

#define NAPI_MODULE_INIT() static napi_value define_addon(napi_env env, napi_value exports)

#endif
