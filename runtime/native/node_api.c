/*
 * Node-API for the engine QuickJS: the functions that our addons (native/) call. node_api.h says why the executable has them.
 *
 * A napi_value is a pointer to one of `slots`, which has a value of the engine. Each function of Node-API that returns
 * a napi_value takes the next free slot. When a function of an addon returns to JavaScript, all slots that it took are free
 * again. The addons need few slots: if there were too few, the process would abort.
 */
#include "node_api.h"

#include <stdlib.h>
#include <string.h>

#include "runtime.h"

/* The limits on the functions of all addons, and on the slots that calls in progress use. Beyond a limit the process aborts. */
enum { MAX_FUNCTIONS = 64, MAX_SLOTS = 64 };
struct napi_slot {
  JSValue value;
};
/* A call of an addon's function by JavaScript: its arguments, and the `data` of the function's property descriptor. */
struct napi_call {
  size_t count;
  JSValueConst *arguments;
  void *data;
};
/*
 * The first `used_slot_count` slots are in use. store_value takes the next one; call_method and create_addon free those that
 * were taken meanwhile. Only the thread that runs JavaScript uses them.
 */
static struct napi_slot slots[MAX_SLOTS];
static size_t used_slot_count;
/* The functions of all addons that were loaded. The engine passes a function's index to call_method. */
static napi_property_descriptor methods[MAX_FUNCTIONS] IMAGED;
static int method_count IMAGED;

/* Stores a value in the next slot. Fails for JS_EXCEPTION. */
static napi_status store_value(JSValue value, napi_value *result) {
  if (used_slot_count == MAX_SLOTS) abort();
  slots[used_slot_count].value = value;
  *result = &slots[used_slot_count++];
  return JS_IsException(value) ? napi_failed : napi_ok;
}

/* Arguments that the caller leaves out are undefined. */
napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments,
                             void *receiver, void **data) {
  for (size_t i = 0; i < *count; ++i) store_value(i < info->count ? info->arguments[i] : JS_UNDEFINED, &arguments[i]);
  *count = info->count;
  if (data != NULL) *data = info->data;
  return napi_ok;
}

napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result) {
  return JS_IsNumber(value->value) && JS_ToInt32(env, result, value->value) == 0 ? napi_ok : napi_failed;
}

napi_status napi_get_value_uint32(napi_env env, napi_value value, uint32_t *result) {
  return JS_IsNumber(value->value) && JS_ToUint32(env, result, value->value) == 0 ? napi_ok : napi_failed;
}

napi_status napi_get_value_int64(napi_env env, napi_value value, int64_t *result) {
  return JS_IsNumber(value->value) && JS_ToInt64(env, result, value->value) == 0 ? napi_ok : napi_failed;
}

/* Truncates a text that is too long, as Node.js does. */
napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *buffer, size_t size,
                                       size_t *length) {
  if (!JS_IsString(value->value) || size == 0) return napi_failed;
  size_t full_length = 0;
  const char *const text = utf8_of(env, value->value, &full_length);
  if (text == NULL) return napi_failed;
  const size_t copied_length = full_length < size - 1 ? full_length : size - 1;
  memcpy(buffer, text, copied_length);
  buffer[copied_length] = '\0';
  if (length != NULL) *length = copied_length;
  JS_FreeCString(env, text);
  return napi_ok;
}

napi_status napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  *data = bytes_of(env, value->value, length);
  return JS_GetTypedArrayType(value->value) == JS_TYPED_ARRAY_UINT8 ? napi_ok : napi_failed;
}

/* Stores the length in elements, not in bytes. */
napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type,
                                     size_t *length, void **data, napi_value *buffer, size_t *offset) {
  const int array_type = JS_GetTypedArrayType(value->value);
  if (array_type < 0) return napi_failed;
  size_t byte_offset = 0, byte_length = 0, element_size = 1, buffer_size = 0;
  const JSValue memory = JS_GetTypedArrayBuffer(env, value->value, &byte_offset, &byte_length, &element_size);
  if (JS_IsException(memory)) return napi_failed;
  uint8_t *const start = JS_GetArrayBuffer(env, &buffer_size, memory);
  JS_FreeValue(env, memory);
  if (type != NULL) *type = (napi_typedarray_type)array_type;
  if (length != NULL) *length = byte_length / element_size;
  if (data != NULL) *data = start == NULL ? NULL : start + byte_offset;
  if (offset != NULL) *offset = byte_offset;
  return napi_ok;
}

napi_status napi_create_int32(napi_env env, int32_t number, napi_value *result) {
  return store_value(JS_NewInt32(env, number), result);
}

napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value *result) {
  return store_value(JS_NewUint32(env, number), result);
}

napi_status napi_get_boolean(napi_env env, bool value, napi_value *result) {
  return store_value(JS_NewBool(env, value), result);
}

napi_status napi_create_string_utf8(napi_env env, const char *text, size_t length, napi_value *result) {
  const size_t size = length == NAPI_AUTO_LENGTH ? strlen(text) : length;
  return store_value(text_from_utf8(env, (const uint8_t *)text, size), result);
}

napi_status napi_create_string_latin1(napi_env env, const char *text, size_t length, napi_value *result) {
  uint16_t *const units = malloc(2 * length + 2);
  if (units == NULL) return napi_failed;
  for (size_t i = 0; i < length; ++i) units[i] = (unsigned char)text[i];
  const napi_status status = store_value(JS_NewStringUTF16(env, units, length), result);
  free(units);
  return status;
}

napi_status napi_create_buffer_copy(napi_env env, size_t length, const void *data, void **copy,
                                    napi_value *result) {
  const napi_status status = store_value(new_buffer(env, data, length), result);
  size_t size = 0;
  if (copy != NULL && status == napi_ok) *copy = bytes_of(env, (*result)->value, &size);
  return status;
}

napi_status napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result) {
  return napi_create_buffer_copy(env, length, NULL, data, result);
}

napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *result) {
  return store_value(JS_NewArray(env), result);
}

/* Moves the value into the array. So unlike with Node.js, the caller must not use the value afterwards. */
napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value value) {
  return JS_SetPropertyUint32(env, array->value, index, value->value) < 0 ? napi_failed : napi_ok;
}

/* Calls a function of an addon for JavaScript. `method` is its index in `methods`. */
static JSValue call_method(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments, int method) {
  struct napi_call call = {.count = (size_t)count, .arguments = arguments, .data = methods[method].data};
  const size_t former_slot_count = used_slot_count;
  const napi_value result = methods[method].method(context, &call);
  const JSValue value = result == NULL ? JS_UNDEFINED : result->value;
  used_slot_count = former_slot_count;
  return value;
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor *properties) {
  for (size_t i = 0; i < count; ++i) {
    if (method_count == MAX_FUNCTIONS) abort();
    methods[method_count] = properties[i];
    const char *const name = properties[i].utf8name;
    JS_SetPropertyStr(env, object->value, name,
                      JS_NewCFunctionMagic(env, call_method, name, 0, JS_CFUNC_generic_magic, method_count++));
  }
  return napi_ok;
}

/* Returns an object with the functions of an addon, which `fill` adds. */
static JSValue create_addon(JSContext *context, napi_value (*fill)(napi_env, napi_value)) {
  napi_value object = NULL;
  const size_t former_slot_count = used_slot_count;
  store_value(JS_NewObject(context), &object);
  fill(context, object);
  used_slot_count = former_slot_count;
  return object->value;
}

/* The functions that NAPI_MODULE_INIT defines in system.c, masking-addon.c and monitor-addon.c (node_api.h). */
napi_value fill_system_addon(napi_env env, napi_value exports);
napi_value fill_masking_addon(napi_env env, napi_value exports);
napi_value fill_monitor_addon(napi_env env, napi_value exports);

/*
 * (name): returns the object of an addon; undefined for an unknown name. The name is the part behind the platform in the
 * name of the addon's file in the npm package, as "-masking" in linux-x64-masking.node.
 */
JAVASCRIPT_FUNCTION(addon) {
  size_t length = 0;
  const char *const name = utf8_of(context, arguments[0], &length);
  if (name == NULL) return JS_EXCEPTION;
  JSValue result = JS_UNDEFINED;
  if (strcmp(name, "") == 0) result = create_addon(context, fill_system_addon);
  else if (strcmp(name, "-masking") == 0) result = create_addon(context, fill_masking_addon);
  else if (strcmp(name, "-monitor") == 0) result = create_addon(context, fill_monitor_addon);
  JS_FreeCString(context, name);
  return result;
}

void add_addons(JSContext *context, JSValueConst native) {
  JS_SetPropertyStr(context, native, "addon", JS_NewCFunction(context, addon, "addon", 1));
}
