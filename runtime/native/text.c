/* Decodes bytes to text, in the encodings of Buffer, with the results of Node.js. bytes.c has the other direction. */
#include "text.h"

#include <string.h>

enum { REPLACEMENT = 0xfffd, INVALID = 0x110000 };

/*
 * Decodes one character of UTF-8 and returns its length in bytes. If the bytes are not valid it stores INVALID, and returns
 * the length of the longest part that could begin a character: what one U+FFFD replaces (Unicode, 3.9, table 3-8). If
 * `is_cut` is not NULL, it stores true there if the bytes end within a character that is valid so far.
 */
static size_t read_character(const uint8_t *bytes, size_t size, uint32_t *character, bool *is_cut) {
  const uint8_t first = bytes[0];
  *character = first;
  if (first < 0x80) return 1;
  const size_t length = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  /*
   * The second byte has narrower limits in some characters: no encoding that is too long, no half of a pair, none above
   * U+10FFFF.
   */
  uint8_t min_next = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  uint8_t max_next = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  uint32_t value = first & (0x7fu >> length);
  size_t read = 1;
  for (; read < length && read < size && bytes[read] >= min_next && bytes[read] <= max_next; ++read) {
    value = value << 6 | (bytes[read] & 0x3f);
    min_next = 0x80;
    max_next = 0xbf;
  }
  if (is_cut != NULL) *is_cut = read < length && read == size;
  *character = length > 1 && read == length ? value : INVALID;
  return read;
}

/* Returns how many bytes at the start are valid UTF-8. */
static size_t length_of_valid(const uint8_t *bytes, size_t size) {
  for (size_t offset = 0; offset < size;) {
    offset += length_of_ascii(bytes + offset, size - offset);
    for (uint32_t character; offset < size && bytes[offset] >= 0x80;) {
      const size_t length = read_character(bytes + offset, size - offset, &character, NULL);
      if (character == INVALID) return offset;
      offset += length;
    }
  }
  return size;
}

/*
 * Decodes UTF-8 that is not only ASCII, in one pass; the function of the engine needs three. An invalid part becomes
 * U+FFFD. In a text of the system each byte of an invalid part becomes half a surrogate pair instead (text_from_system).
 */
static JSValue text_beyond_ascii(JSContext *context, const uint8_t *bytes, size_t size, bool is_system) {
  uint16_t *const units = js_malloc(context, size * sizeof *units);
  if (units == NULL) return JS_EXCEPTION;
  size_t count = 0;
  for (size_t offset = 0; offset < size;) {
    if (bytes[offset] < 0x80) {
      units[count++] = bytes[offset++];
      continue;
    }
    uint32_t character;
    const size_t length = read_character(bytes + offset, size - offset, &character, NULL);
    if (character == INVALID && is_system) {
      for (size_t i = 0; i < length; ++i) units[count++] = (uint16_t)(0xdc00 + bytes[offset + i]);
    } else if (character == INVALID) {
      units[count++] = REPLACEMENT;
    } else if (character > 0xffff) {
      units[count++] = (uint16_t)(0xd7c0 + (character >> 10));
      units[count++] = (uint16_t)(0xdc00 | (character & 0x3ff));
    } else {
      units[count++] = (uint16_t)character;
    }
    offset += length;
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
 * Encodes a string as UTF-8, and replaces each half of a surrogate pair by U+FFFD; in a text of the system, by the byte for
 * which it stands, if there is one. The engine encodes such a half in three bytes, ED A0 80 to ED BF BF. It makes a copy of
 * a text that has any, so the replacements are made in its memory.
 */
static const char *replace_halves(JSContext *context, JSValueConst text, size_t *length, bool is_system) {
  const char *const encoded = JS_ToCStringLen(context, length, text);
  uint8_t *written = encoded == NULL ? NULL : memchr(encoded, 0xed, *length);
  if (written == NULL) return encoded;
  const uint8_t *const end = (const uint8_t *)encoded + *length;
  for (const uint8_t *next = written; next < end;) {
    if (next[0] != 0xed || next[1] < 0xa0) {
      *written++ = *next++;
      continue;
    }
    const uint32_t half = (uint32_t)(next[1] & 0x3f) << 6 | (next[2] & 0x3f);
    next += 3;
    if (is_system && half >= 0xc80 && half <= 0xcff) {
      *written++ = (uint8_t)(half - 0xc00);
      continue;
    }
    memcpy(written, "\xef\xbf\xbd", 3);
    written += 3;
  }
  if (written != end) *written = '\0';
  *length = (size_t)(written - (const uint8_t *)encoded);
  return encoded;
}

const char *utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return replace_halves(context, text, length, true);
}

const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return replace_halves(context, text, length, false);
}

/* Buffer.prototype, which use_buffer sets. */
static JSValue buffer_prototype IMAGED;

/* (Buffer.prototype): makes new_buffer return Buffers */
FUNCTION(use_buffer) {
  buffer_prototype = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

uint8_t read_buffer[MAX_READ_BYTES];

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
  const size_t padded_length = (size + 2) / 3 * 4;
  char *const digits = js_malloc(context, padded_length + 1);
  if (digits == NULL) return JS_EXCEPTION;
  size_t length = 0;
  for (size_t i = 0; i < size; i += 3) {
    const size_t remaining = size - i;
    const uint32_t second = remaining > 1 ? bytes[i + 1] : 0, third = remaining > 2 ? bytes[i + 2] : 0;
    const uint32_t group = (uint32_t)bytes[i] << 16 | second << 8 | third;
    digits[length++] = alphabet[group >> 18];
    digits[length++] = alphabet[group >> 12 & 63];
    if (remaining > 1) digits[length++] = alphabet[group >> 6 & 63];
    if (remaining > 2) digits[length++] = alphabet[group & 63];
  }
  while (!is_url && length < padded_length) digits[length++] = '=';
  const JSValue text = JS_NewStringLen(context, digits, length);
  wipe_and_free(context, digits, padded_length + 1);
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

/*
 * (bytes, start, end, encoding): returns the text of a part. A start or an end outside of the bytes is moved to their
 * limits.
 */
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

/* (bytes): returns true if they are valid UTF-8 */
FUNCTION(is_utf8) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return JS_NewBool(context, length_of_valid(bytes, size) == size);
}

/* (bytes): returns how many bytes at the end begin a character that further bytes may complete */
FUNCTION(cut_length) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  for (size_t length = 1; length <= 3 && length <= size; ++length) {
    const uint8_t *const start = bytes + size - length;
    if ((*start & 0xc0) == 0x80) continue;
    uint32_t character;
    bool is_cut = false;
    read_character(start, length, &character, &is_cut);
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
