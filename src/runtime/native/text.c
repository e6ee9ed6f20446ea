/* UTF-8, as the Encoding standard of the WHATWG decodes it. */
#include "runtime.h"

#include <string.h>

/* Returns the length of a valid sequence, or 0 with the length of the invalid part that becomes one U+FFFD. */
static size_t sequence(const uint8_t *bytes, size_t size, size_t *invalid) {
  const uint8_t first = bytes[0];
  const size_t more = first < 0x80 ? 0 : first < 0xc2 ? 9 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 9;
  *invalid = 1;
  if (more == 9) return 0;
  for (size_t i = 1; i <= more; ++i) {
    uint8_t lowest = 0x80, highest = 0xbf;
    if (i == 1 && first == 0xe0) lowest = 0xa0;
    if (i == 1 && first == 0xed) highest = 0x9f;
    if (i == 1 && first == 0xf0) lowest = 0x90;
    if (i == 1 && first == 0xf4) highest = 0x8f;
    *invalid = i;
    if (i >= size || bytes[i] < lowest || bytes[i] > highest) return 0;
  }
  return more + 1;
}

JSValue text_from_utf8(JSContext *context, const uint8_t *bytes, size_t size) {
  size_t at = 0, invalid = 0, bad = 0;
  while (at < size) {
    const size_t length = sequence(bytes + at, size - at, &invalid);
    if (length == 0) ++bad;
    at += length == 0 ? invalid : length;
  }
  if (bad == 0) return JS_NewStringLen(context, (const char *)bytes, size);
  uint8_t *const valid = js_malloc(context, size + 3 * bad);
  if (valid == NULL) return JS_EXCEPTION;
  size_t to = 0;
  for (at = 0; at < size;) {
    const size_t length = sequence(bytes + at, size - at, &invalid);
    memcpy(valid + to, length == 0 ? (const uint8_t *)"\xef\xbf\xbd" : bytes + at, length == 0 ? 3 : length);
    to += length == 0 ? 3 : length;
    at += length == 0 ? invalid : length;
  }
  const JSValue text = JS_NewStringLen(context, (const char *)valid, to);
  js_free(context, valid);
  return text;
}

JSValue text_from_system(JSContext *context, const char *text, size_t size) {
  const uint8_t *const bytes = (const uint8_t *)text;
  size_t invalid = 0, at = 0;
  for (size_t length; at < size && (length = sequence(bytes + at, size - at, &invalid)) != 0;) at += length;
  if (at == size) return JS_NewStringLen(context, text, size);
  uint16_t *const units = js_malloc(context, 2 * size);
  if (units == NULL) return JS_EXCEPTION;
  size_t count = 0;
  for (at = 0; at < size;) {
    const size_t length = sequence(bytes + at, size - at, &invalid);
    if (length == 0) {
      units[count++] = (uint16_t)(0xdc00 + bytes[at++]);
      continue;
    }
    uint32_t point = length == 1 ? bytes[at] : bytes[at] & (0xff >> (length + 1));
    for (size_t i = 1; i < length; ++i) point = point << 6 | (bytes[at + i] & 0x3f);
    if (point >= 0x10000) {
      units[count++] = (uint16_t)(0xd7c0 + (point >> 10));
      point = 0xdc00 + (point & 0x3ff);
    }
    units[count++] = (uint16_t)point;
    at += length;
  }
  const JSValue result = JS_NewStringUTF16(context, units, count);
  js_free(context, units);
  return result;
}

const char *utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  const char *const encoded = JS_ToCStringLen(context, length, text);
  if (encoded == NULL) return NULL;
  /* QuickJS encodes half a surrogate pair in three bytes, ED A0 80 to ED BF BF. Only a text of its own has any. */
  uint8_t *to = (uint8_t *)memchr(encoded, 0xed, *length);
  if (to == NULL) return encoded;
  const uint8_t *from = to;
  const uint8_t *const end = (const uint8_t *)encoded + *length;
  while (from < end) {
    const bool is_half = from[0] == 0xed && end - from >= 3 && from[1] >= 0xa0;
    if (!is_half) {
      if (to != from) *to = *from;
      ++to, ++from;
      continue;
    }
    const uint32_t half = (uint32_t)(from[1] & 0x3f) << 6 | (from[2] & 0x3f);
    from += 3;
    if (half >= 0xc80 && half <= 0xcff) *to++ = (uint8_t)(half - 0xc00);
    else {
      memcpy(to, "\xef\xbf\xbd", 3);
      to += 3;
    }
  }
  if (to != end) *to = '\0';
  *length = (size_t)(to - (uint8_t *)encoded);
  return encoded;
}

static JSValue buffer_prototype = JS_UNDEFINED;

/* (Buffer.prototype) */
FUNCTION(use_buffer) {
  buffer_prototype = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

JSValue new_buffer(JSContext *context, const uint8_t *bytes, size_t size) {
  JSValue result;
  if (bytes != NULL) result = JS_NewUint8ArrayCopy(context, bytes, size);
  else {
    JSValue length = JS_NewInt64(context, (int64_t)size);
    result = JS_NewTypedArray(context, 1, &length, JS_TYPED_ARRAY_UINT8);
  }
  if (!JS_IsException(result)) JS_SetPrototype(context, result, buffer_prototype);
  return result;
}

FUNCTION(decode_utf8) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return bytes == NULL && size > 0 ? JS_ThrowTypeError(context, "no bytes") : text_from_utf8(context, bytes, size);
}

FUNCTION(encode_utf8) {
  size_t length = 0;
  const char *const text = utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  const JSValue bytes = JS_NewUint8ArrayCopy(context, (const uint8_t *)text, length);
  JS_FreeCString(context, text);
  return bytes;
}

FUNCTION(decode_from_system) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return text_from_system(context, (const char *)bytes, size);
}

void add_text(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("decodeUtf8", 1, decode_utf8),
    JS_CFUNC_DEF("encodeUtf8", 1, encode_utf8),
    JS_CFUNC_DEF("useBuffer", 1, use_buffer),
    JS_CFUNC_DEF("textFromSystem", 1, decode_from_system),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
