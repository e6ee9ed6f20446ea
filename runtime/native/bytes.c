/*
 * Encodes text to bytes, in the encodings of Buffer, with the results of Node.js; text.c has the other direction. Also
 * searches, compares and copies bytes for Buffer.
 */
#include "text.h"

/*
 * The UTF-16 units of a string, of which Node.js uses only the lower byte in encodings such as Latin-1 and hexadecimal.
 * free_narrow must be called for it before JavaScript runs again.
 */
struct narrow {
  const uint8_t *bytes;
  size_t length;
  /* The memory of the engine in which `bytes` are, and the copy if the text is not ASCII; otherwise NULL. */
  const char *text;
  uint8_t *copy;
};

/* Returns false with an exception if there is no memory. */
static bool make_narrow(JSContext *context, JSValueConst text, struct narrow *narrow) {
  *narrow = (struct narrow){0};
  narrow->text = JS_ToCStringLen(context, &narrow->length, text);
  if (narrow->text == NULL) return false;
  narrow->bytes = (const uint8_t *)narrow->text;
  if (length_of_ascii(narrow->bytes, narrow->length) == narrow->length) return true;
  const uint16_t *const units = JS_ToCStringLenUTF16(context, &narrow->length, text);
  narrow->copy = units == NULL ? NULL : js_malloc(context, narrow->length);
  if (narrow->copy != NULL) {
    for (size_t i = 0; i < narrow->length; ++i) narrow->copy[i] = (uint8_t)units[i];
  }
  JS_FreeCStringUTF16(context, units);
  narrow->bytes = narrow->copy;
  if (narrow->copy == NULL) JS_FreeCString(context, narrow->text);
  return narrow->copy != NULL;
}

static void free_narrow(JSContext *context, struct narrow *narrow) {
  wipe_and_free(context, narrow->copy, narrow->length);
  JS_FreeCString(context, narrow->text);
}

static int value_of_hex(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes hexadecimal digits, up to the first pair that is invalid. Returns the number of bytes, `room` at most. */
static size_t read_hex(const uint8_t *text, size_t length, uint8_t *to, size_t room) {
  size_t count = 0;
  for (; count < room && 2 * count + 1 < length; ++count) {
    const int high = value_of_hex(text[2 * count]), low = value_of_hex(text[2 * count + 1]);
    if (high < 0 || low < 0) break;
    to[count] = (uint8_t)(high << 4 | low);
  }
  return count;
}

static int value_of_base64(uint8_t digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  return digit == '+' || digit == '-' ? 62 : digit == '/' || digit == '_' ? 63 : -1;
}

/*
 * Decodes base64 of both alphabets up to a "=", and ignores all other characters. Returns the number of bytes, `room` at
 * most.
 */
static size_t read_base64(const uint8_t *text, size_t length, uint8_t *to, size_t room) {
  uint32_t group = 0;
  size_t count = 0, digits = 0;
  for (size_t i = 0; i < length && count < room && text[i] != '='; ++i) {
    const int value = value_of_base64(text[i]);
    if (value < 0) continue;
    group = group << 6 | (uint32_t)value;
    /* Each digit has six bits, so each but the first of four completes a byte, with 4, 2 or 0 bits left over. */
    const size_t position = digits++ % 4;
    if (position > 0) to[count++] = (uint8_t)(group >> (6 - 2 * position));
  }
  return count;
}

/* Writes UTF-8, without a character that does not fit as a whole. Returns the number of bytes. */
static size_t write_utf8(const char *text, size_t length, uint8_t *to, size_t room) {
  if (length > room) {
    length = room;
    while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) --length;
  }
  memcpy(to, text, length);
  return length;
}

/* Encodes a text, and writes `room` bytes at most. Returns their number; -1 with an exception if there is no memory. */
static int64_t write_text(JSContext *context, JSValueConst text, int encoding, uint8_t *to, size_t room) {
  size_t length = 0;
  if (encoding == UTF8) {
    const char *const encoded = utf8_of(context, text, &length);
    if (encoded == NULL) return -1;
    length = write_utf8(encoded, length, to, room);
    JS_FreeCString(context, encoded);
    return (int64_t)length;
  }
  if (encoding == UTF16LE) {
    const uint16_t *const units = JS_ToCStringLenUTF16(context, &length, text);
    if (units == NULL) return -1;
    length = 2 * length < room ? 2 * length : room & ~(size_t)1;
    memcpy(to, units, length);
    JS_FreeCStringUTF16(context, units);
    return (int64_t)length;
  }
  struct narrow narrow;
  if (!make_narrow(context, text, &narrow)) return -1;
  if (encoding == HEX) length = read_hex(narrow.bytes, narrow.length, to, room);
  else if (encoding == BASE64 || encoding == BASE64URL) length = read_base64(narrow.bytes, narrow.length, to, room);
  else memcpy(to, narrow.bytes, length = narrow.length < room ? narrow.length : room);
  free_narrow(context, &narrow);
  return (int64_t)length;
}

/* (text, encoding, bytes, offset, length): encodes the text into this part of the bytes. Returns how many were written. */
FUNCTION(write_into) {
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[2], &size);
  const int64_t offset = long_of(context, arguments[3]), length = long_of(context, arguments[4]);
  if (bytes == NULL || offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > size) {
    return JS_ThrowRangeError(context, "a part outside of the bytes");
  }
  const int64_t written = write_text(context, arguments[0], integer_of(context, arguments[1]), bytes + offset, (size_t)length);
  return written < 0 ? JS_EXCEPTION : JS_NewInt64(context, written);
}

static void *resize_bytes(JSRuntime *runtime, void *unused, void *bytes, size_t size) {
  (void)unused;
  return js_realloc_rt(runtime, bytes, size);
}

/* (text, encoding): returns a new ArrayBuffer with the encoded text */
FUNCTION(encode) {
  const int encoding = integer_of(context, arguments[1]);
  size_t length = 0;
  if (encoding == UTF8) {
    const char *const text = utf8_of(context, arguments[0], &length);
    if (text == NULL) return JS_EXCEPTION;
    const JSValue result = JS_NewArrayBufferCopy(context, (const uint8_t *)text, length);
    JS_FreeCString(context, text);
    return result;
  }
  int64_t units = 0;
  if (JS_GetLength(context, arguments[0], &units) < 0) return JS_EXCEPTION;
  const size_t room = encoding == UTF16LE ? 2 * (size_t)units : (size_t)units;
  uint8_t *const bytes = js_malloc(context, room + 1);
  if (bytes == NULL) return JS_EXCEPTION;
  const int64_t written = write_text(context, arguments[0], encoding, bytes, room);
  if (written < 0) {
    js_free(context, bytes);
    return JS_EXCEPTION;
  }
  return JS_NewArrayBuffer(context, bytes, (size_t)written, 0, resize_bytes, NULL, false);
}

/* (text): returns the number of its bytes in UTF-8 */
FUNCTION(utf8_length) {
  size_t length = 0;
  const char *const text = utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  JS_FreeCString(context, text);
  return JS_NewInt64(context, (int64_t)length);
}

/* (bytes, other bytes): returns a negative number, 0 or a positive one, by the order of the two */
FUNCTION(compare_bytes) {
  size_t size = 0, other_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  const uint8_t *const other = bytes_of(context, arguments[1], &other_size);
  const size_t common_size = size < other_size ? size : other_size;
  const int order = common_size == 0 ? 0 : memcmp(bytes, other, common_size);
  return JS_NewInt32(context, order != 0 ? order : (size > other_size) - (size < other_size));
}

/*
 * (bytes, sought bytes, offset, step): returns the first match from the offset on that is at a multiple of the step; -1 if
 * none is
 */
FUNCTION(find_bytes) {
  size_t size = 0, sought_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  const uint8_t *const sought = bytes_of(context, arguments[1], &sought_size);
  const int64_t step = long_of(context, arguments[3]);
  for (uint64_t from = (uint64_t)long_of(context, arguments[2]); from < size; ++from) {
    const uint8_t *const found = memmem(bytes + from, size - from, sought, sought_size);
    if (found == NULL) break;
    from = (uint64_t)(found - bytes);
    if (step < 2 || from % (uint64_t)step == 0) return JS_NewInt64(context, (int64_t)from);
  }
  return JS_NewInt32(context, -1);
}

/* (bytes, sought bytes, offset, step): returns the last match that begins at the offset or before it; -1 if there is none */
FUNCTION(find_bytes_backwards) {
  size_t size = 0, sought_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  const uint8_t *const sought = bytes_of(context, arguments[1], &sought_size);
  const int64_t step = long_of(context, arguments[3]), last = (int64_t)size - (int64_t)sought_size;
  int64_t from = long_of(context, arguments[2]);
  for (from = from > last ? last : from; from >= 0; --from) {
    if (memcmp(bytes + from, sought, sought_size) == 0 && (step < 2 || from % step == 0)) return JS_NewInt64(context, from);
  }
  return JS_NewInt32(context, -1);
}

/* (bytes, start, end, other bytes, offset): copies a part to an offset of the other bytes, where it must fit */
FUNCTION(copy_bytes) {
  size_t size = 0, room = 0;
  const uint8_t *const from = bytes_of(context, arguments[0], &size);
  uint8_t *const to = bytes_of(context, arguments[3], &room);
  const int64_t start = long_of(context, arguments[1]), end = long_of(context, arguments[2]);
  const int64_t offset = long_of(context, arguments[4]);
  if (start < 0 || end < start || (uint64_t)end > size || offset < 0 || (uint64_t)offset + (uint64_t)(end - start) > room) {
    return JS_ThrowRangeError(context, "a part outside of the bytes");
  }
  if (end > start) memmove(to + offset, from + start, (size_t)(end - start));
  return JS_UNDEFINED;
}

/* (list): returns the number of bytes of all elements; if an element is not a Uint8Array, `-index - 1` */
FUNCTION(length_of_all) {
  int64_t length = 0, total = 0;
  if (JS_GetLength(context, arguments[0], &length) < 0) return JS_EXCEPTION;
  for (int64_t i = 0; i < length; ++i) {
    size_t size = 0;
    const JSValue bytes = JS_GetPropertyInt64(context, arguments[0], i);
    const bool is_wrong = bytes_of(context, bytes, &size) == NULL && JS_GetTypedArrayType(bytes) != JS_TYPED_ARRAY_UINT8;
    JS_FreeValue(context, bytes);
    if (is_wrong) return JS_NewInt64(context, -i - 1);
    total += (int64_t)size;
  }
  return JS_NewInt64(context, total);
}

/* (list, bytes): copies the bytes of all elements, one after the other, as far as they fit */
FUNCTION(copy_all) {
  int64_t length = 0;
  size_t room = 0;
  uint8_t *to = bytes_of(context, arguments[1], &room);
  if (JS_GetLength(context, arguments[0], &length) < 0) return JS_EXCEPTION;
  for (int64_t i = 0; i < length && room > 0; ++i) {
    size_t size = 0;
    const JSValue bytes = JS_GetPropertyInt64(context, arguments[0], i);
    const uint8_t *const from = bytes_of(context, bytes, &size);
    if (size > room) size = room;
    if (size > 0) memmove(to, from, size);
    JS_FreeValue(context, bytes);
    to += size;
    room -= size;
  }
  return JS_UNDEFINED;
}

void add_bytes(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("encode", 2, encode),
    JS_CFUNC_DEF("writeInto", 5, write_into),
    JS_CFUNC_DEF("utf8Length", 1, utf8_length),
    JS_CFUNC_DEF("compareBytes", 2, compare_bytes),
    JS_CFUNC_DEF("findBytes", 4, find_bytes),
    JS_CFUNC_DEF("findBytesBackwards", 4, find_bytes_backwards),
    JS_CFUNC_DEF("copyBytes", 5, copy_bytes),
    JS_CFUNC_DEF("lengthOfAll", 1, length_of_all),
    JS_CFUNC_DEF("copyAll", 2, copy_all),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
