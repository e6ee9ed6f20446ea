/* Bytes as text: the encodings of Buffer, as Node.js reads them. */
#include "text.h"

#include <string.h>

enum { REPLACEMENT = 0xfffd, INVALID = 0x110000 };

/*
 * Reads one character. For an invalid one it stores INVALID and returns the length of its maximal part, or, if `is_cut` is not
 * NULL, stores there whether it may be valid with more bytes than there are.
 */
static size_t read_character(const uint8_t *bytes, size_t size, uint32_t *character, bool *is_cut) {
  const uint8_t first = bytes[0];
  *character = first;
  if (first < 0x80) return 1;
  const size_t length = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  uint32_t value = first & (0x7fu >> length);
  size_t at = 1;
  for (; at < length && at < size && bytes[at] >= least && bytes[at] <= most; ++at) {
    value = value << 6 | (bytes[at] & 0x3f);
    least = 0x80;
    most = 0xbf;
  }
  if (is_cut != NULL) *is_cut = at < length && at == size;
  *character = length > 1 && at == length ? value : INVALID;
  return at;
}

/* Returns the length of the longest valid beginning. */
static size_t length_of_valid(const uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    at += length_of_ascii(bytes + at, size - at);
    for (uint32_t character; at < size && bytes[at] >= 0x80;) {
      const size_t length = read_character(bytes + at, size - at, &character, NULL);
      if (character == INVALID) return at;
      at += length;
    }
  }
  return size;
}

/*
 * Decodes text beyond ASCII in one pass, which the engine's own function takes three for. An invalid part becomes U+FFFD, or, in
 * a text of the system, each of its bytes half a pair.
 */
static JSValue text_beyond_ascii(JSContext *context, const uint8_t *bytes, size_t size, bool is_system) {
  uint16_t *const units = js_malloc(context, size * sizeof *units);
  if (units == NULL) return JS_EXCEPTION;
  size_t count = 0;
  for (size_t at = 0; at < size;) {
    if (bytes[at] < 0x80) {
      units[count++] = bytes[at++];
      continue;
    }
    uint32_t character;
    const size_t length = read_character(bytes + at, size - at, &character, NULL);
    if (character == INVALID && is_system) {
      for (size_t i = 0; i < length; ++i) units[count++] = (uint16_t)(0xdc00 + bytes[at + i]);
    } else if (character == INVALID) {
      units[count++] = REPLACEMENT;
    } else if (character > 0xffff) {
      units[count++] = (uint16_t)(0xd7c0 + (character >> 10));
      units[count++] = (uint16_t)(0xdc00 | (character & 0x3ff));
    } else {
      units[count++] = (uint16_t)character;
    }
    at += length;
  }
  const JSValue text = JS_NewStringUTF16(context, units, count);
  wipe_and_free(context, units, size * sizeof *units);
  return text;
}

JSValue text_from_utf8(JSContext *context, const uint8_t *bytes, size_t size) {
  if (length_of_ascii(bytes, size) < size) return text_beyond_ascii(context, bytes, size, false);
  return JS_NewStringLen(context, (const char *)bytes, size);
}

JSValue text_from_system(JSContext *context, const char *text, size_t size) {
  const uint8_t *const bytes = (const uint8_t *)text;
  if (length_of_ascii(bytes, size) < size) return text_beyond_ascii(context, bytes, size, true);
  return JS_NewStringLen(context, text, size);
}

/*
 * The engine encodes half a pair in three bytes, ED A0 80 to ED BF BF. Only a text of which it made a copy has any, so it may
 * be changed.
 */
static const char *replace_halves(JSContext *context, JSValueConst text, size_t *length, bool is_system) {
  const char *const encoded = JS_ToCStringLen(context, length, text);
  uint8_t *to = encoded == NULL ? NULL : memchr(encoded, 0xed, *length);
  if (to == NULL) return encoded;
  const uint8_t *const end = (const uint8_t *)encoded + *length;
  for (const uint8_t *from = to; from < end;) {
    if (from[0] != 0xed || from[1] < 0xa0) {
      *to++ = *from++;
      continue;
    }
    const uint32_t half = (uint32_t)(from[1] & 0x3f) << 6 | (from[2] & 0x3f);
    from += 3;
    if (is_system && half >= 0xc80 && half <= 0xcff) {
      *to++ = (uint8_t)(half - 0xc00);
      continue;
    }
    memcpy(to, "\xef\xbf\xbd", 3);
    to += 3;
  }
  if (to != end) *to = '\0';
  *length = (size_t)(to - (const uint8_t *)encoded);
  return encoded;
}

const char *utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return replace_halves(context, text, length, true);
}

const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return replace_halves(context, text, length, false);
}

static JSValue buffer_prototype IMAGED;

/* (Buffer.prototype) */
FUNCTION(use_buffer) {
  buffer_prototype = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

uint8_t read_bytes[MOST_READ_BYTES];

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

static JSValue text_from_latin1(JSContext *context, const uint8_t *bytes, size_t size, uint8_t mask) {
  if (length_of_ascii(bytes, size) == size) return JS_NewStringLen(context, (const char *)bytes, size);
  uint16_t *const units = js_malloc(context, size * sizeof *units);
  if (units == NULL) return JS_EXCEPTION;
  for (size_t i = 0; i < size; ++i) units[i] = bytes[i] & mask;
  const JSValue text = JS_NewStringUTF16(context, units, size);
  wipe_and_free(context, units, size * sizeof *units);
  return text;
}

static JSValue hex_of(JSContext *context, const uint8_t *bytes, size_t size) {
  char *const digits = js_malloc(context, 2 * size + 1);
  if (digits == NULL) return JS_EXCEPTION;
  for (size_t i = 0; i < size; ++i) {
    digits[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    digits[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  const JSValue text = JS_NewStringLen(context, digits, 2 * size);
  wipe_and_free(context, digits, 2 * size + 1);
  return text;
}

static JSValue base64_of(JSContext *context, const uint8_t *bytes, size_t size, bool is_url) {
  const char *const alphabet = is_url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t most = (size + 2) / 3 * 4;
  char *const digits = js_malloc(context, most + 1);
  if (digits == NULL) return JS_EXCEPTION;
  size_t length = 0;
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    digits[length++] = alphabet[group >> 18];
    digits[length++] = alphabet[group >> 12 & 63];
    if (left > 1) digits[length++] = alphabet[group >> 6 & 63];
    if (left > 2) digits[length++] = alphabet[group & 63];
  }
  while (!is_url && length < most) digits[length++] = '=';
  const JSValue text = JS_NewStringLen(context, digits, length);
  wipe_and_free(context, digits, most + 1);
  return text;
}

static JSValue text_from_utf16(JSContext *context, const uint8_t *bytes, size_t size) {
  const size_t count = size / 2;
  uint16_t *const units = js_malloc(context, 2 * count + 1);
  if (units == NULL) return JS_EXCEPTION;
  memcpy(units, bytes, 2 * count);
  const JSValue text = JS_NewStringUTF16(context, units, count);
  wipe_and_free(context, units, 2 * count);
  return text;
}

/* (bytes, start, end, encoding): the text of a part; start and end are clamped */
FUNCTION(decode) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  int64_t start = long_of(context, arguments[1]), end = long_of(context, arguments[2]);
  if (start < 0) start = 0;
  if (end < 0 || (uint64_t)end > size) end = (int64_t)size;
  if (bytes == NULL || start >= end) return JS_NewStringLen(context, "", 0);
  const uint8_t *const from = bytes + start;
  const size_t length = (size_t)(end - start);
  switch (integer_of(context, arguments[3])) {
    case UTF8: return text_from_utf8(context, from, length);
    case LATIN1: return text_from_latin1(context, from, length, 0xff);
    case ASCII: return text_from_latin1(context, from, length, 0x7f);
    case HEX: return hex_of(context, from, length);
    case BASE64: return base64_of(context, from, length, false);
    case BASE64URL: return base64_of(context, from, length, true);
    case UTF16LE: return text_from_utf16(context, from, length);
  }
  return JS_ThrowRangeError(context, "an unknown encoding");
}

FUNCTION(decode_from_system) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return text_from_system(context, (const char *)bytes, size);
}

FUNCTION(is_utf8) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return JS_NewBool(context, length_of_valid(bytes, size) == size);
}

/* How many bytes at the end are the beginning of a character that more bytes may complete. */
FUNCTION(cut_length) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  for (size_t length = 1; length <= 3 && length <= size; ++length) {
    const uint8_t *const at = bytes + size - length;
    if ((*at & 0xc0) == 0x80) continue;
    uint32_t character;
    bool is_cut = false;
    read_character(at, length, &character, &is_cut);
    return JS_NewInt32(context, is_cut ? (int)length : 0);
  }
  return JS_NewInt32(context, 0);
}

void add_text(JSContext *context, JSValueConst native) {
  buffer_prototype = JS_UNDEFINED;
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("decode", 4, decode),
    JS_CFUNC_DEF("isUtf8", 1, is_utf8),
    JS_CFUNC_DEF("cutLength", 1, cut_length),
    JS_CFUNC_DEF("textFromSystem", 1, decode_from_system),
    JS_CFUNC_DEF("useBuffer", 1, use_buffer),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
