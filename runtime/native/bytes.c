/*
 * Encodes text to bytes in the encodings of Buffer, with the same results as Node.js (text.c decodes bytes to text); and
 * searches, compares and copies bytes. These are the functions of runtime/modules/buffer.ts and runtime/bytes/.
 */
#include "text.h"

/*
 * The lower bytes of the UTF-16 units of a string. Node.js encodes only these in encodings such as Latin-1 and hexadecimal.
 * free_low_bytes must be called before JavaScript runs again.
 */
struct low_bytes {
  const uint8_t *bytes;
  size_t length;
  /* The text in UTF-8, in memory of the engine. It is the same as `bytes` if the text is ASCII. */
  const char *utf8;
  /* The memory of `bytes` if the text is not ASCII; otherwise NULL. */
  uint8_t *copy;
};

/* Reads a string. Returns false with an exception if there is no memory. */
static bool read_low_bytes(JSContext *context, JSValueConst text, struct low_bytes *low) {
  *low = (struct low_bytes){0};
  low->utf8 = JS_ToCStringLen(context, &low->length, text);
  if (low->utf8 == NULL) return false;
  low->bytes = (const uint8_t *)low->utf8;
  if (length_of_ascii(low->bytes, low->length) == low->length) return true;
  const uint16_t *const units = JS_ToCStringLenUTF16(context, &low->length, text);
  low->copy = units == NULL ? NULL : js_malloc(context, low->length);
  if (low->copy != NULL) {
    for (size_t i = 0; i < low->length; ++i) low->copy[i] = (uint8_t)units[i];
  }
  JS_FreeCStringUTF16(context, units);
  low->bytes = low->copy;
  if (low->copy == NULL) JS_FreeCString(context, low->utf8);
  return low->copy != NULL;
}

/* Wipes the copy of the bytes, and frees it and the text. */
static void free_low_bytes(JSContext *context, struct low_bytes *low) {
  wipe_and_free(context, low->copy, low->length);
  JS_FreeCString(context, low->utf8);
}

/* Returns the value of a hexadecimal digit; -1 for any other byte. */
static int value_of_hex(uint8_t digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  /* This makes an upper-case letter lower case. */
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes hexadecimal digits, up to the first invalid pair, to at most `max_count` bytes. Returns the number of bytes. */
static size_t decode_hex(const uint8_t *text, size_t length, uint8_t *output, size_t max_count) {
  size_t count = 0;
  for (; count < max_count && 2 * count + 1 < length; ++count) {
    const int high = value_of_hex(text[2 * count]), low = value_of_hex(text[2 * count + 1]);
    if (high < 0 || low < 0) break;
    output[count] = (uint8_t)(high << 4 | low);
  }
  return count;
}

/* Returns the value of a digit of base64 or base64url; -1 for any other byte. */
static int value_of_base64(uint8_t digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  return digit == '+' || digit == '-' ? 62 : digit == '/' || digit == '_' ? 63 : -1;
}

/*
 * Decodes base64 and base64url up to a "=", to at most `max_count` bytes. As in Node.js, all characters that are not digits are
 * ignored. Returns the number of bytes.
 */
static size_t decode_base64(const uint8_t *text, size_t length, uint8_t *output, size_t max_count) {
  uint32_t bits = 0;
  size_t count = 0, digit_count = 0;
  for (size_t i = 0; i < length && count < max_count && text[i] != '='; ++i) {
    const int value = value_of_base64(text[i]);
    if (value < 0) continue;
    bits = bits << 6 | (uint32_t)value;
    /* A digit has six bits. Of four digits each but the first completes a byte, and leaves 4, 2 or 0 bits for the next. */
    const size_t index_in_group = digit_count++ % 4;
    if (index_in_group > 0) output[count++] = (uint8_t)(bits >> (6 - 2 * index_in_group));
  }
  return count;
}

/* Copies UTF-8, at most `max_count` bytes, and no part of a character. Returns the number of bytes. */
static size_t copy_utf8(const char *text, size_t length, uint8_t *output, size_t max_count) {
  if (length > max_count) {
    length = max_count;
    while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) --length;
  }
  memcpy(output, text, length);
  return length;
}

/*
 * Encodes a text to at most `max_count` bytes. Returns the number of bytes; -1 with an exception if there is no memory. (In the
 * encodings HEX and BASE64 the text consists of digits, so to encode the text means to decode the digits.)
 */
static int64_t encode_text(JSContext *context, JSValueConst text, int encoding, uint8_t *output, size_t max_count) {
  size_t length = 0;
  if (encoding == UTF8) {
    const char *const encoded = utf8_of(context, text, &length);
    if (encoded == NULL) return -1;
    length = copy_utf8(encoded, length, output, max_count);
    JS_FreeCString(context, encoded);
    return (int64_t)length;
  }
  if (encoding == UTF16LE) {
    const uint16_t *const units = JS_ToCStringLenUTF16(context, &length, text);
    if (units == NULL) return -1;
    const size_t max_whole_units = max_count & ~(size_t)1;
    length = 2 * length < max_whole_units ? 2 * length : max_whole_units;
    memcpy(output, units, length);
    JS_FreeCStringUTF16(context, units);
    return (int64_t)length;
  }
  struct low_bytes low;
  if (!read_low_bytes(context, text, &low)) return -1;
  if (encoding == HEX) length = decode_hex(low.bytes, low.length, output, max_count);
  else if (encoding == BASE64 || encoding == BASE64URL) length = decode_base64(low.bytes, low.length, output, max_count);
  else {
    length = low.length < max_count ? low.length : max_count;
    memcpy(output, low.bytes, length);
  }
  free_low_bytes(context, &low);
  return (int64_t)length;
}

/*
 * (text, encoding, Uint8Array, offset, length): encodes the text into `length` bytes of the array from the offset on.
 * Returns the number of bytes that were written.
 */
JAVASCRIPT_FUNCTION(write_into) {
  enum { TEXT, ENCODING, BYTES, OFFSET, LENGTH };
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  const int64_t offset = long_of(context, arguments[OFFSET]), length = long_of(context, arguments[LENGTH]);
  if (bytes == NULL || offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > size) {
    return JS_ThrowRangeError(context, "offset and length are outside of the bytes");
  }
  const int encoding = integer_of(context, arguments[ENCODING]);
  const int64_t written = encode_text(context, arguments[TEXT], encoding, bytes + offset, (size_t)length);
  return written < 0 ? JS_EXCEPTION : JS_NewInt64(context, written);
}

/* Frees or resizes the memory of an ArrayBuffer, for JS_NewArrayBuffer. */
static void *resize_bytes(JSRuntime *runtime, void *unused, void *bytes, size_t size) {
  (void)unused;
  return js_realloc_rt(runtime, bytes, size);
}

/* (text, encoding): returns a new ArrayBuffer with the encoded text */
JAVASCRIPT_FUNCTION(encode) {
  const int encoding = integer_of(context, arguments[1]);
  size_t length = 0;
  if (encoding == UTF8) {
    const char *const text = utf8_of(context, arguments[0], &length);
    if (text == NULL) return JS_EXCEPTION;
    const JSValue result = JS_NewArrayBufferCopy(context, (const uint8_t *)text, length);
    JS_FreeCString(context, text);
    return result;
  }
  int64_t unit_count = 0;
  if (JS_GetLength(context, arguments[0], &unit_count) < 0) return JS_EXCEPTION;
  /* In the encodings other than UTF-16 a unit of the text becomes one byte at most. */
  const size_t max_count = encoding == UTF16LE ? 2 * (size_t)unit_count : (size_t)unit_count;
  uint8_t *const bytes = js_malloc(context, max_count + 1);
  if (bytes == NULL) return JS_EXCEPTION;
  const int64_t written = encode_text(context, arguments[0], encoding, bytes, max_count);
  if (written < 0) {
    js_free(context, bytes);
    return JS_EXCEPTION;
  }
  return JS_NewArrayBuffer(context, bytes, (size_t)written, 0, resize_bytes, NULL, false);
}

/* (text): returns the number of bytes of the text in UTF-8 */
JAVASCRIPT_FUNCTION(utf8_length) {
  size_t length = 0;
  const char *const text = utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  JS_FreeCString(context, text);
  return JS_NewInt64(context, (int64_t)length);
}

/* (Uint8Array, Uint8Array): compares bytes. Returns a negative number, 0 or a positive number, as memcmp(3) does. */
JAVASCRIPT_FUNCTION(compare_bytes) {
  size_t size = 0, other_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size);
  const uint8_t *const other = bytes_of(context, arguments[1], &other_size);
  const size_t common_size = size < other_size ? size : other_size;
  const int order = common_size == 0 ? 0 : memcmp(bytes, other, common_size);
  return JS_NewInt32(context, order != 0 ? order : (size > other_size) - (size < other_size));
}

/*
 * (Uint8Array, sought bytes, offset, step): returns the offset of the first match from the given offset on; -1 if there is
 * none. Only matches at multiples of the step are accepted, which is 2 for the units of UTF-16.
 */
JAVASCRIPT_FUNCTION(find_bytes) {
  enum { BYTES, SOUGHT, OFFSET, STEP };
  size_t size = 0, sought_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  const uint8_t *const sought = bytes_of(context, arguments[SOUGHT], &sought_size);
  const int64_t step = long_of(context, arguments[STEP]);
  for (uint64_t offset = (uint64_t)long_of(context, arguments[OFFSET]); offset < size; ++offset) {
    const uint8_t *const match = memmem(bytes + offset, size - offset, sought, sought_size);
    if (match == NULL) break;
    offset = (uint64_t)(match - bytes);
    if (step < 2 || offset % (uint64_t)step == 0) return JS_NewInt64(context, (int64_t)offset);
  }
  return JS_NewInt32(context, -1);
}

/* (Uint8Array, sought bytes, offset, step): the same for the last match that begins at the given offset or before it */
JAVASCRIPT_FUNCTION(find_bytes_backwards) {
  enum { BYTES, SOUGHT, OFFSET, STEP };
  size_t size = 0, sought_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  const uint8_t *const sought = bytes_of(context, arguments[SOUGHT], &sought_size);
  const int64_t step = long_of(context, arguments[STEP]), last_offset = (int64_t)size - (int64_t)sought_size;
  int64_t offset = long_of(context, arguments[OFFSET]);
  if (offset > last_offset) offset = last_offset;
  for (; offset >= 0; --offset) {
    const bool is_match = memcmp(bytes + offset, sought, sought_size) == 0;
    if (is_match && (step < 2 || offset % step == 0)) return JS_NewInt64(context, offset);
  }
  return JS_NewInt32(context, -1);
}

/*
 * (Uint8Array, start, end, target array, offset): copies the bytes from start to end to an offset of the target, where they
 * must fit
 */
JAVASCRIPT_FUNCTION(copy_bytes) {
  enum { BYTES, START, END, TARGET, OFFSET };
  size_t size = 0, target_size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  uint8_t *const target = bytes_of(context, arguments[TARGET], &target_size);
  const int64_t start = long_of(context, arguments[START]), end = long_of(context, arguments[END]);
  const int64_t offset = long_of(context, arguments[OFFSET]);
  const bool is_valid_range = start >= 0 && end >= start && (uint64_t)end <= size && offset >= 0;
  if (!is_valid_range || (uint64_t)offset + (uint64_t)(end - start) > target_size) {
    return JS_ThrowRangeError(context, "start, end or offset are outside of the bytes");
  }
  if (end > start) memmove(target + offset, bytes + start, (size_t)(end - start));
  return JS_UNDEFINED;
}

/*
 * (list): returns the total length of the elements. If an element is not a Uint8Array, returns `-index - 1`, a negative
 * number.
 */
JAVASCRIPT_FUNCTION(length_of_all) {
  int64_t length = 0, total = 0;
  if (JS_GetLength(context, arguments[0], &length) < 0) return JS_EXCEPTION;
  for (int64_t i = 0; i < length; ++i) {
    size_t size = 0;
    const JSValue bytes = JS_GetPropertyInt64(context, arguments[0], i);
    /* An empty array may have no memory, so NULL alone does not mean another type. */
    const bool is_other_type = bytes_of(context, bytes, &size) == NULL && JS_GetTypedArrayType(bytes) != JS_TYPED_ARRAY_UINT8;
    JS_FreeValue(context, bytes);
    if (is_other_type) return JS_NewInt64(context, -i - 1);
    total += (int64_t)size;
  }
  return JS_NewInt64(context, total);
}

/* (list, target array): copies the bytes of all elements to the target, one after the other, as far as they fit */
JAVASCRIPT_FUNCTION(copy_all) {
  int64_t length = 0;
  size_t free_size = 0;
  uint8_t *target = bytes_of(context, arguments[1], &free_size);
  if (JS_GetLength(context, arguments[0], &length) < 0) return JS_EXCEPTION;
  for (int64_t i = 0; i < length && free_size > 0; ++i) {
    size_t size = 0;
    const JSValue element = JS_GetPropertyInt64(context, arguments[0], i);
    const uint8_t *const bytes = bytes_of(context, element, &size);
    if (size > free_size) size = free_size;
    if (size > 0) memmove(target, bytes, size);
    JS_FreeValue(context, element);
    target += size;
    free_size -= size;
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
