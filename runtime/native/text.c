/*
 * Decodes bytes to text in the encodings of Buffer, with the same results as Node.js (bytes.c encodes text to bytes), and
 * converts the texts of the system (text_from_system in runtime.h).
 */
#include "text.h"

#include <string.h>

/* The code point that replaces what is not valid, and a number that is no code point. */
enum { REPLACEMENT = 0xfffd, INVALID = 0x110000 };

/*
 * Decodes the first character of `bytes`, which are UTF-8, and returns its length in bytes. If the bytes do not begin with
 * a valid character it stores INVALID in `character`, and returns the length of the invalid part that one U+FFFD replaces:
 * the longest that could begin a character (Unicode, 3.9, table 3-8). Unless `is_cut` is NULL, it stores there whether the
 * bytes end within a character that is valid so far.
 */
static size_t decode_character(const uint8_t *bytes, size_t size, uint32_t *character, bool *is_cut) {
  const uint8_t first = bytes[0];
  *character = first;
  if (first < 0x80) return 1;
  const size_t length = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  /*
   * After some first bytes the limits on the second byte are narrower. They exclude encodings that are longer than necessary,
   * surrogates, and code points above U+10FFFF.
   */
  uint8_t min_next = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  uint8_t max_next = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  uint32_t value = first & (0x7fu >> length);
  size_t valid_length = 1;
  for (; valid_length < length && valid_length < size; ++valid_length) {
    const uint8_t next = bytes[valid_length];
    if (next < min_next || next > max_next) break;
    value = value << 6 | (next & 0x3f);
    min_next = 0x80;
    max_next = 0xbf;
  }
  if (is_cut != NULL) *is_cut = valid_length < length && valid_length == size;
  *character = length > 1 && valid_length == length ? value : INVALID;
  return valid_length;
}

/* Returns how many bytes at the start are valid UTF-8. */
static size_t length_of_valid(const uint8_t *bytes, size_t size) {
  for (size_t offset = 0; offset < size;) {
    offset += length_of_ascii(bytes + offset, size - offset);
    for (uint32_t character; offset < size && bytes[offset] >= 0x80;) {
      const size_t length = decode_character(bytes + offset, size - offset, &character, NULL);
      if (character == INVALID) return offset;
      offset += length;
    }
  }
  return size;
}

/* How bytes that are not valid UTF-8 are decoded, and how the result is encoded again. */
enum invalid_bytes {
  /* U+FFFD, in both directions. */
  ARE_REPLACED,
  /* Surrogates from U+DC80 to U+DCFF, and from these the same bytes again: for texts of the system (text_from_system). */
  ARE_KEPT,
};

/* Decodes UTF-8 that is not only ASCII. It reads the bytes once; the function of the engine would read them three times. */
static JSValue decode_beyond_ascii(JSContext *context, const uint8_t *bytes, size_t size, enum invalid_bytes invalid_bytes) {
  uint16_t *const units = js_malloc(context, size * sizeof *units);
  if (units == NULL) return JS_EXCEPTION;
  size_t count = 0;
  for (size_t offset = 0; offset < size;) {
    if (bytes[offset] < 0x80) {
      units[count++] = bytes[offset++];
      continue;
    }
    uint32_t character;
    const size_t length = decode_character(bytes + offset, size - offset, &character, NULL);
    if (character == INVALID && invalid_bytes == ARE_KEPT) {
      for (size_t i = 0; i < length; ++i) units[count++] = (uint16_t)(0xdc00 + bytes[offset + i]);
    } else if (character == INVALID) {
      units[count++] = REPLACEMENT;
    } else if (character > 0xffff) {
      /* A surrogate pair: each half has ten bits of the code point minus 0x10000. */
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
  if (length_of_ascii(bytes, size) < size) return decode_beyond_ascii(context, bytes, size, ARE_REPLACED);
  return JS_NewStringLen(context, (const char *)bytes, size);
}

JSValue text_from_system(JSContext *context, const char *text, size_t size) {
  const uint8_t *const bytes = (const uint8_t *)text;
  if (length_of_ascii(bytes, size) < size) return decode_beyond_ascii(context, bytes, size, ARE_KEPT);
  return JS_NewStringLen(context, text, size);
}

/*
 * Encodes a string as UTF-8. The engine encodes an unpaired surrogate as three bytes, ED A0 80 to ED BF BF. This function
 * replaces them in place by U+FFFD, which also has three bytes, or by the byte for which the surrogate stands. It may
 * change the memory, since the engine has made a copy of any text that is not ASCII.
 */
static const char *encode_utf8(JSContext *context, JSValueConst text, size_t *length, enum invalid_bytes invalid_bytes) {
  const char *const encoded = JS_ToCStringLen(context, length, text);
  uint8_t *output = encoded == NULL ? NULL : memchr(encoded, 0xed, *length);
  if (output == NULL) return encoded;
  const uint8_t *const end = (const uint8_t *)encoded + *length;
  for (const uint8_t *next = output; next < end;) {
    const bool is_surrogate = next[0] == 0xed && next[1] >= 0xa0;
    if (!is_surrogate) {
      *output++ = *next++;
      continue;
    }
    const uint32_t surrogate = 0xd000 | (uint32_t)(next[1] & 0x3f) << 6 | (next[2] & 0x3f);
    next += 3;
    if (invalid_bytes == ARE_KEPT && surrogate >= 0xdc80 && surrogate <= 0xdcff) {
      *output++ = (uint8_t)(surrogate - 0xdc00);
      continue;
    }
    memcpy(output, "\xef\xbf\xbd", 3);
    output += 3;
  }
  if (output != end) *output = '\0';
  *length = (size_t)(output - (const uint8_t *)encoded);
  return encoded;
}

const char *utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return encode_utf8(context, text, length, ARE_KEPT);
}

const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length) {
  return encode_utf8(context, text, length, ARE_REPLACED);
}

/*
 * Buffer.prototype, after use_buffer; before that undefined. runtime/modules/buffer.ts calls use_buffer while the modules load,
 * so it is in the image and is never freed.
 */
static JSValue buffer_prototype IMAGED;

/* (Buffer.prototype): makes new_buffer return Buffers */
JAVASCRIPT_FUNCTION(use_buffer) {
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

/* Decodes Latin-1. For ASCII, the mask 0x7f removes the highest bit of each byte, as Node.js does. */
static JSValue text_from_latin1(JSContext *context, const uint8_t *bytes, size_t size, uint8_t mask) {
  if (length_of_ascii(bytes, size) == size) return JS_NewStringLen(context, (const char *)bytes, size);
  uint16_t *const units = js_malloc(context, size * sizeof *units);
  if (units == NULL) return JS_EXCEPTION;
  for (size_t i = 0; i < size; ++i) units[i] = bytes[i] & mask;
  const JSValue text = JS_NewStringUTF16(context, units, size);
  wipe_and_free(context, units, size * sizeof *units);
  return text;
}

/* Returns bytes as hexadecimal digits. */
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

/* Returns bytes as base64, or as base64url, which has no padding. */
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

/* Decodes UTF-16 in the order of bytes of the processor, which is little-endian. Ignores half a unit at the end. */
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
 * (Uint8Array, start, end, encoding): decodes the bytes from start to end. A negative start means the first byte, an end
 * that is negative or too large the last one.
 */
JAVASCRIPT_FUNCTION(decode) {
  enum { BYTES, START, END, ENCODING };
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  int64_t start = long_of(context, arguments[START]), end = long_of(context, arguments[END]);
  if (start < 0) start = 0;
  if (end < 0 || (uint64_t)end > size) end = (int64_t)size;
  if (bytes == NULL || start >= end) return JS_NewStringLen(context, "", 0);
  const uint8_t *const first = bytes + start;
  const size_t length = (size_t)(end - start);
  switch (integer_of(context, arguments[ENCODING])) {
    case UTF8: return text_from_utf8(context, first, length);
    case LATIN1: return text_from_latin1(context, first, length, 0xff);
    case ASCII: return text_from_latin1(context, first, length, 0x7f);
    case HEX: return hex_of(context, first, length);
    case BASE64: return base64_of(context, first, length, false);
    case BASE64URL: return base64_of(context, first, length, true);
    case UTF16LE: return text_from_utf16(context, first, length);
  }
  return JS_ThrowRangeError(context, "an unknown encoding");
}

/* (Uint8Array): decodes a text of the system (text_from_system) */
JAVASCRIPT_FUNCTION(decode_from_system) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return text_from_system(context, (const char *)bytes, size);
}

/* (Uint8Array): returns true if the bytes are valid UTF-8 */
JAVASCRIPT_FUNCTION(is_utf8) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  return JS_NewBool(context, length_of_valid(bytes, size) == size);
}

/*
 * (Uint8Array): returns how many bytes at the end belong to a character of UTF-8 that is incomplete, and that the next
 * bytes of a stream may complete
 */
JAVASCRIPT_FUNCTION(cut_length) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  /* An incomplete character has three bytes at most. */
  for (size_t length = 1; length <= 3 && length <= size; ++length) {
    const uint8_t *const start = bytes + size - length;
    const bool is_continuation = (*start & 0xc0) == 0x80;
    if (is_continuation) continue;
    uint32_t character;
    bool is_cut = false;
    decode_character(start, length, &character, &is_cut);
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
