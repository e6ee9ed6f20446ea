/*
 * Builds the head of an HTTP message that node:http sends, and reports which fields it has
 * (runtime/modules/http/headers.ts):
 *   GET /path HTTP/1.1
 *   Host: example.org
 *   Connection: close
 */
#include "http-text.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Flags for the fields that a head has. headers.ts has the same numbers. */
enum {
  HAS_CONNECTION = 1,
  CLOSES = 2,
  HAS_ENCODING = 4,
  IS_CHUNKED = 8,
  HAS_LENGTH = 16,
  HAS_DATE = 32,
  EXPECTS = 64,
  HAS_TRAILER = 128,
  HAS_KEEP_ALIVE = 256,
};

/* The head that head_of builds, and frees at its end. `bytes` has `length` bytes, and room for `capacity`. */
struct head {
  char *bytes;
  size_t length, capacity;
};

/*
 * Appends bytes. Returns false if there is no memory. Wipes the memory that the head outgrows, because a head may contain
 * an API key.
 */
static bool append(struct head *head, const char *bytes, size_t length) {
  if (head->capacity - head->length < length) {
    const size_t capacity = (head->length + length) * 2 + 512;
    char *const grown = malloc(capacity);
    if (grown == NULL) return false;
    if (head->bytes != NULL) {
      memcpy(grown, head->bytes, head->length);
      explicit_bzero(head->bytes, head->length);
      free(head->bytes);
    }
    head->bytes = grown;
    head->capacity = capacity;
  }
  memcpy(head->bytes + head->length, bytes, length);
  head->length += length;
  return true;
}

/* Returns true for a character that \w of a regular expression matches. */
static bool is_word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Returns true if /\bword\b/i, by which Node.js recognizes these words, matches the text. */
static bool has_word(const char *text, size_t length, const char *word) {
  const size_t word_length = strlen(word);
  for (size_t i = 0; i + word_length <= length; ++i) {
    if (strncasecmp(text + i, word, word_length) != 0) continue;
    const bool begins_word = i == 0 || !is_word_character(text[i - 1]);
    const bool ends_word = i + word_length == length || !is_word_character(text[i + word_length]);
    if (begins_word && ends_word) return true;
  }
  return false;
}

/* Compares a name with another of lower case. */
static bool is_name(const char *name, size_t length, const char *other) {
  return strlen(other) == length && strncasecmp(name, other, length) == 0;
}

/* Returns the flags of one field. The switch by length avoids most comparisons. */
static int flags_of(const char *name, size_t length, const char *value, size_t value_length) {
  switch (length) {
    case 4: return is_name(name, length, "date") ? HAS_DATE : 0;
    case 6: return is_name(name, length, "expect") ? EXPECTS : 0;
    case 7: return is_name(name, length, "trailer") ? HAS_TRAILER : 0;
    case 10:
      if (is_name(name, length, "keep-alive")) return HAS_KEEP_ALIVE;
      if (!is_name(name, length, "connection")) return 0;
      return has_word(value, value_length, "close") ? HAS_CONNECTION | CLOSES : HAS_CONNECTION;
    case 14: return is_name(name, length, "content-length") ? HAS_LENGTH : 0;
    case 17:
      if (!is_name(name, length, "transfer-encoding")) return 0;
      return has_word(value, value_length, "chunked") ? HAS_ENCODING | IS_CHUNKED : HAS_ENCODING;
    default: return 0;
  }
}

/* The problem of a head is one of these, or the index of a name or value that HTTP does not allow. */
enum { NO_PROBLEM = -1, NO_MEMORY = -2 };

/*
 * Adds to a head the field whose name and value are at `index` and `index + 1` of a list. Adds its flags to `flags`, and
 * stores the value of a Content-Length. Returns the problem.
 */
static int64_t add_field(JSContext *context, struct head *head, JSValueConst list, int64_t index, int *flags,
                         JSValue *content_length) {
  const JSValue name = JS_GetPropertyInt64(context, list, index), value = JS_GetPropertyInt64(context, list, index + 1);
  size_t name_length = 0, value_length = 0;
  const char *const name_text = JS_IsString(name) ? JS_ToCStringLen(context, &name_length, name) : NULL;
  const char *const value_text = JS_IsString(value) ? JS_ToCStringLen(context, &value_length, value) : NULL;
  int64_t problem = NO_PROBLEM;
  if (name_text == NULL || !is_token_text(name_text, name_length)) problem = index;
  else if (value_text == NULL || !is_field_value_text(value_text, value_length)) problem = index + 1;
  else {
    const int field_flags = flags_of(name_text, name_length, value_text, value_length);
    *flags |= field_flags;
    if (field_flags == HAS_LENGTH) {
      JS_FreeValue(context, *content_length);
      *content_length = JS_DupValue(context, value);
    }
    const bool is_added = append(head, name_text, name_length) && append(head, ": ", 2) &&
                          append(head, value_text, value_length) && append(head, "\r\n", 2);
    if (!is_added) problem = NO_MEMORY;
  }
  if (name_text != NULL) JS_FreeCString(context, name_text);
  if (value_text != NULL) JS_FreeCString(context, value_text);
  JS_FreeValue(context, name);
  JS_FreeValue(context, value);
  return problem;
}

/*
 * (first line with its line end, list of fields as [name, value, name, value, ...]): returns a list of the head without its
 * empty last line, the flags of all fields, and the value of Content-Length or undefined. If HTTP does not allow a name or
 * value, returns the index of that text in the list of fields instead.
 */
JAVASCRIPT_FUNCTION(head_of) {
  enum { FIRST_LINE, FIELDS };
  int64_t text_count = 0;
  if (JS_GetLength(context, arguments[FIELDS], &text_count) != 0) return JS_EXCEPTION;
  size_t length = 0;
  const char *const line = JS_ToCStringLen(context, &length, arguments[FIRST_LINE]);
  if (line == NULL) return JS_EXCEPTION;
  struct head head = {NULL, 0, 0};
  int flags = 0;
  JSValue content_length = JS_UNDEFINED;
  int64_t problem = append(&head, line, length) ? NO_PROBLEM : NO_MEMORY;
  JS_FreeCString(context, line);
  for (int64_t i = 0; i + 1 < text_count && problem == NO_PROBLEM; i += 2) {
    problem = add_field(context, &head, arguments[FIELDS], i, &flags, &content_length);
  }
  JSValue result;
  if (problem == NO_MEMORY) result = JS_ThrowOutOfMemory(context);
  else if (problem >= 0) result = JS_NewInt64(context, problem);
  else {
    result = JS_NewArray(context);
    JS_SetPropertyUint32(context, result, 0, JS_NewStringLen(context, head.bytes, head.length));
    JS_SetPropertyUint32(context, result, 1, JS_NewInt32(context, flags));
    JS_SetPropertyUint32(context, result, 2, JS_DupValue(context, content_length));
  }
  JS_FreeValue(context, content_length);
  /* The head may contain an API key. */
  if (head.bytes != NULL) explicit_bzero(head.bytes, head.length);
  free(head.bytes);
  return result;
}

void add_http_head(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {JS_CFUNC_DEF("headOf", 2, head_of)};
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
