/*
 * The part of Node-API that our addons use (native/). Node-API is the interface by which C code adds functions to Node.js.
 * In the executable for Linux, which has no Node.js, the same addons are compiled with this header in place of Node.js's
 * own, and node_api.c implements its functions by the engine QuickJS.
 */
#ifndef SOPHIA_RUN_NODE_API_H
#define SOPHIA_RUN_NODE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { napi_ok, napi_failed } napi_status;
typedef struct JSContext *napi_env;
typedef struct napi_slot *napi_value;
typedef struct napi_call *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef struct {
  const char *utf8name;
  napi_value name;
  napi_callback method, getter, setter;
  napi_value value;
  int attributes;
  void *data;
} napi_property_descriptor;
typedef int napi_typedarray_type;

#define NAPI_AUTO_LENGTH SIZE_MAX

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments, void *receiver,
                             void **data);
napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result);
napi_status napi_get_value_uint32(napi_env env, napi_value value, uint32_t *result);
napi_status napi_get_value_int64(napi_env env, napi_value value, int64_t *result);
napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t size, size_t *length);
napi_status napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length);
napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length,
                                     void **data, napi_value *buffer, size_t *offset);
napi_status napi_create_int32(napi_env env, int32_t number, napi_value *result);
napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value *result);
napi_status napi_get_boolean(napi_env env, bool value, napi_value *result);
napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result);
napi_status napi_create_string_latin1(napi_env env, const char *text, size_t length, napi_value *result);
napi_status napi_create_buffer_copy(napi_env env, size_t length, const void *data, void **copy, napi_value *result);
napi_status napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result);
napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *result);
napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value value);
napi_status napi_define_properties(napi_env env, napi_value object, size_t count, const napi_property_descriptor *properties);

/*
 * Begins the function of an addon that adds the addon's functions to the object `exports`. The build defines ADDON as the
 * name of that function (ADDONS in runtime/build/runtime.mjs).
 */
#define NAPI_MODULE_INIT()                           \
  napi_value ADDON(napi_env env, napi_value exports); \
  napi_value ADDON(napi_env env, napi_value exports)

#endif
