/*
 * Parses messages of HTTP/1 for node:http (runtime/modules/http/parser.ts), by llhttp in its strict mode, as Node.js does.
 *
 * JavaScript makes a parser for each connection (newHttpParser) and gives it the bytes that come (executeHttp), with a
 * reader: an object whose methods the parser calls for each part of a message. execute_http lists them. The callbacks of
 * llhttp are the functions on_….
 */
#include "http-text.h"
#include "image.h"
#include "runtime.h"

#include "llhttp.h"

#include <stdlib.h>
#include <string.h>

/* The limit of Node.js on the extensions of a chunk. */
enum { MAX_EXTENSION_BYTES = 16384 };

/* The names of the methods of a reader. */
static struct { JSAtom begin, head, body, end; } methods IMAGED;

/* A text that grows. */
struct text {
  char *bytes;
  size_t length, capacity;
};

/* The parser of a connection. `llhttp` must be first: the callbacks get a pointer to it, and convert it. */
struct parser {
  llhttp_t llhttp;
  JSContext *context;
  /* The parts of a name, a value, and the URL or the reason (`line`) that llhttp has passed so far. */
  struct text line, name, value;
  /*
   * The names and values of the head, or of the trailer, so far, in turns, and their number; undefined while there are
   * none.
   */
  JSValue fields;
  uint32_t field_texts;
  size_t max_header_bytes, header_bytes, extension_bytes;
  /* The copy of the bytes that execute_http reads at this time, and the reader; otherwise NULL and undefined. */
  const char *input;
  JSValueConst reader;
  /* The parser reads at this time; a method of the reader has thrown an exception. */
  bool is_busy, has_thrown;
};

static JSClassID parser_class IMAGED;
static llhttp_settings_t settings IMAGED;

/* Wipes and frees a text, which may be a secret. */
static void free_text(struct text *text) {
  if (text->bytes != NULL) explicit_bzero(text->bytes, text->capacity);
  free(text->bytes);
}

static void free_parser(JSRuntime *runtime, JSValueConst value) {
  struct parser *const parser = JS_GetOpaque(value, parser_class);
  if (parser == NULL) return;
  JS_FreeValueRT(runtime, parser->fields);
  free_text(&parser->line);
  free_text(&parser->name);
  free_text(&parser->value);
  free(parser);
}

static bool append(struct text *text, const char *bytes, size_t length) {
  if (length == 0) return true;
  if (text->capacity - text->length < length) {
    const size_t capacity = (text->length + length) * 2 + 32;
    char *const grown = malloc(capacity);
    if (grown == NULL) return false;
    if (text->length > 0) memcpy(grown, text->bytes, text->length);
    free_text(text);
    text->bytes = grown;
    text->capacity = capacity;
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  return true;
}

/* Returns a text as a string of JavaScript, decoded as Latin-1, and empties it. */
static JSValue take_text(JSContext *context, struct text *text) {
  const size_t length = text->length;
  text->length = 0;
  bool is_ascii = true;
  for (size_t i = 0; i < length; ++i) is_ascii &= (unsigned char)text->bytes[i] < 0x80;
  if (is_ascii) return JS_NewStringLen(context, length == 0 ? "" : text->bytes, length);
  uint16_t *const wide = malloc(length * sizeof *wide);
  if (wide == NULL) return JS_ThrowOutOfMemory(context);
  for (size_t i = 0; i < length; ++i) wide[i] = (unsigned char)text->bytes[i];
  const JSValue result = JS_NewStringUTF16(context, wide, length);
  free(wide);
  return result;
}

/* Ends the parsing with an error. The reason is CODE:MESSAGE. Returns what the callback must return. */
static int fail(struct parser *parser, const char *reason) {
  llhttp_set_error_reason(&parser->llhttp, reason);
  return HPE_USER;
}

/* Appends a part of the head to a text. The head has a limit. */
static int add_header_bytes(struct parser *parser, struct text *text, const char *at, size_t length) {
  parser->header_bytes += length;
  if (parser->header_bytes >= parser->max_header_bytes) return fail(parser, "HPE_HEADER_OVERFLOW:Header overflow");
  return append(text, at, length) ? 0 : fail(parser, "HPE_INTERNAL:no memory");
}

/* Calls a method of the reader. */
static JSValue call_reader(struct parser *parser, JSAtom method, int count, JSValueConst *arguments) {
  const JSValue result = JS_Invoke(parser->context, parser->reader, method, count, arguments);
  if (JS_IsException(result)) parser->has_thrown = true;
  return result;
}

static int on_message_begin(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  parser->line.length = parser->name.length = parser->value.length = 0;
  parser->header_bytes = parser->extension_bytes = 0;
  JS_FreeValue(parser->context, parser->fields);
  parser->fields = JS_UNDEFINED;
  JS_FreeValue(parser->context, call_reader(parser, methods.begin, 0, NULL));
  return parser->has_thrown ? -1 : 0;
}

static int on_line(llhttp_t *llhttp, const char *at, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->line, at, length);
}

static int on_name(llhttp_t *llhttp, const char *at, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->name, at, length);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->value, at, length);
}

static int on_value_complete(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  struct text *const value = &parser->value;
  /* Blanks at the end are not part of the value (RFC 9110, 5.5). */
  while (value->length > 0 && strchr(" \t", value->bytes[value->length - 1]) != NULL) --value->length;
  if (JS_IsUndefined(parser->fields)) {
    parser->fields = JS_NewArray(parser->context);
    parser->field_texts = 0;
  }
  JS_SetPropertyUint32(parser->context, parser->fields, parser->field_texts++, take_text(parser->context, &parser->name));
  JS_SetPropertyUint32(parser->context, parser->fields, parser->field_texts++, take_text(parser->context, value));
  return 0;
}

static JSValue take_fields(struct parser *parser) {
  const JSValue result = parser->fields;
  parser->fields = JS_UNDEFINED;
  return result;
}

static int on_headers_complete(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  JSContext *const context = parser->context;
  const bool is_request = llhttp->type == HTTP_REQUEST;
  parser->header_bytes = 0;
  const JSValue fields = JS_IsUndefined(parser->fields) ? JS_NewArray(context) : take_fields(parser);
  JSValue arguments[] = {
    JS_NewInt32(context, llhttp->http_major),
    JS_NewInt32(context, llhttp->http_minor),
    fields,
    is_request ? JS_NewString(context, llhttp_method_name(llhttp->method)) : JS_NewInt32(context, llhttp->status_code),
    take_text(context, &parser->line),
    JS_NewBool(context, llhttp->upgrade),
    JS_NewBool(context, llhttp_should_keep_alive(llhttp)),
  };
  const JSValue result = call_reader(parser, methods.head, COUNT(arguments), (JSValueConst *)arguments);
  for (size_t i = 0; i < COUNT(arguments); ++i) JS_FreeValue(context, arguments[i]);
  const int action = integer_of(context, result);
  JS_FreeValue(context, result);
  return parser->has_thrown ? -1 : action;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  JSValueConst arguments[] = {
    JS_NewInt64(parser->context, at - parser->input),
    JS_NewInt64(parser->context, at - parser->input + (int64_t)length),
  };
  JS_FreeValue(parser->context, call_reader(parser, methods.body, COUNT(arguments), arguments));
  return parser->has_thrown ? -1 : 0;
}

static int on_message_complete(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  const JSValue trailers = take_fields(parser);
  JS_FreeValue(parser->context, call_reader(parser, methods.end, 1, (JSValueConst[]){trailers}));
  JS_FreeValue(parser->context, trailers);
  return parser->has_thrown ? -1 : 0;
}

static int on_chunk_header(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  parser->header_bytes = parser->extension_bytes = 0;
  return 0;
}

static int on_chunk_extension(llhttp_t *llhttp, const char *at, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  parser->extension_bytes += length;
  if (parser->extension_bytes <= MAX_EXTENSION_BYTES) return 0;
  return fail(parser, "HPE_CHUNK_EXTENSIONS_OVERFLOW:Chunk extensions overflow");
}

/* (true to read requests or false for responses, limit on a head in bytes): returns a parser */
FUNCTION(new_http_parser) {
  struct parser *const parser = calloc(1, sizeof *parser);
  if (parser == NULL) return JS_ThrowOutOfMemory(context);
  const JSValue result = new_native_object(context, parser_class);
  if (JS_IsException(result)) {
    free(parser);
    return result;
  }
  llhttp_init(&parser->llhttp, JS_ToBool(context, arguments[0]) ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
  parser->context = context;
  parser->fields = JS_UNDEFINED;
  parser->max_header_bytes = (size_t)long_of(context, arguments[1]);
  JS_SetOpaque(result, parser);
  return result;
}

/*
 * Parses bytes, or with NULL the end of the input. Returns the number of bytes that were read; or, after an error, a list
 * of its code, its reason, and that number. JavaScript runs in between, and must not be able to change or free the bytes.
 */
static JSValue run(JSContext *context, struct parser *parser, const char *bytes, size_t length, JSValueConst reader) {
  const bool has_failed = llhttp_get_errno(&parser->llhttp) != HPE_OK;
  parser->input = bytes;
  parser->reader = reader;
  parser->is_busy = true;
  parser->has_thrown = false;
  llhttp_errno_t error = bytes == NULL ? llhttp_finish(&parser->llhttp) : llhttp_execute(&parser->llhttp, bytes, length);
  parser->input = NULL;
  parser->reader = JS_UNDEFINED;
  parser->is_busy = false;
  if (parser->has_thrown) return JS_EXCEPTION;
  const char *const position = llhttp_get_error_pos(&parser->llhttp);
  /* After an earlier error the position is one in the bytes of an earlier call. */
  const size_t error_offset = bytes == NULL || has_failed ? 0 : (size_t)((uintptr_t)position - (uintptr_t)bytes);
  int64_t size_read = 0;
  if (bytes != NULL && error == HPE_OK) size_read = (int64_t)length;
  else if (bytes != NULL && error_offset <= length) size_read = (int64_t)error_offset;
  if (error == HPE_PAUSED_UPGRADE) {
    error = HPE_OK;
    llhttp_resume_after_upgrade(&parser->llhttp);
  }
  if (error == HPE_OK || parser->llhttp.upgrade) return JS_NewInt64(context, size_read);
  const char *const reason = llhttp_get_error_reason(&parser->llhttp), *const name = llhttp_errno_name(error);
  const char *const colon = error == HPE_USER ? strchr(reason, ':') : NULL;
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0,
                       colon == NULL ? JS_NewString(context, name)
                                     : JS_NewStringLen(context, reason, (size_t)(colon - reason)));
  JS_SetPropertyUint32(context, result, 1, JS_NewString(context, colon == NULL ? reason : colon + 1));
  JS_SetPropertyUint32(context, result, 2, JS_NewInt64(context, size_read));
  return result;
}

/*
 * (parser, bytes, reader): parses bytes. Returns what `run` returns. The methods of the reader are
 * - begin(): a message begins.
 * - head(major version, minor version, fields, method or status, URL or reason, is an upgrade, keeps the connection): returns
 *   0; 1 if there is no body; 2 if another protocol follows; 3 to stop, which is an error.
 * - body(start, end): a part of the body, as indexes of the bytes.
 * - end(fields of the trailer, or undefined): the message has ended.
 */
FUNCTION(execute_http) {
  struct parser *const parser = JS_GetOpaque2(context, arguments[0], parser_class);
  if (parser == NULL) return JS_EXCEPTION;
  if (parser->is_busy) return JS_ThrowTypeError(context, "the parser is busy");
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &length);
  if (bytes == NULL) return JS_ThrowTypeError(context, "no bytes");
  /* A copy in the same memory each time: new pages for each part of a large body would cost as much as its encryption. */
  static char shared_memory[MAX_READ_BYTES];
  static bool is_shared_memory_used = false;
  const bool uses_shared_memory = length <= sizeof shared_memory && !is_shared_memory_used;
  char *const copy = uses_shared_memory ? shared_memory : malloc(length + 1);
  if (copy == NULL) return JS_ThrowOutOfMemory(context);
  is_shared_memory_used |= uses_shared_memory;
  memcpy(copy, bytes, length);
  const JSValue result = run(context, parser, copy, length, arguments[2]);
  /* The bytes may contain a secret. */
  erase(copy, length);
  if (uses_shared_memory) is_shared_memory_used = false;
  else free(copy);
  return result;
}

/* (parser, reader): parses the end of the input */
FUNCTION(finish_http) {
  struct parser *const parser = JS_GetOpaque2(context, arguments[0], parser_class);
  if (parser == NULL) return JS_EXCEPTION;
  if (parser->is_busy) return JS_ThrowTypeError(context, "the parser is busy");
  return run(context, parser, NULL, 0, arguments[1]);
}

/* (text): returns true for a token */
FUNCTION(is_token) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  const bool result = is_token_text(text, length);
  JS_FreeCString(context, text);
  return JS_NewBool(context, result);
}

/* (text): returns true for a value of a field */
FUNCTION(is_field_value) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  const bool result = is_field_value_text(text, length);
  JS_FreeCString(context, text);
  return JS_NewBool(context, result);
}

void add_http_parser(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("newHttpParser", 2, new_http_parser),
    JS_CFUNC_DEF("executeHttp", 3, execute_http),
    JS_CFUNC_DEF("finishHttp", 2, finish_http),
    JS_CFUNC_DEF("isToken", 1, is_token),
    JS_CFUNC_DEF("isFieldValue", 1, is_field_value),
  };
  static const JSClassDef CLASS = {"HTTPParser", .finalizer = free_parser};
  JS_NewClassID(JS_GetRuntime(context), &parser_class);
  JS_NewClass(JS_GetRuntime(context), parser_class, &CLASS);
  methods.begin = JS_NewAtom(context, "begin");
  methods.head = JS_NewAtom(context, "head");
  methods.body = JS_NewAtom(context, "body");
  methods.end = JS_NewAtom(context, "end");
  llhttp_settings_init(&settings);
  settings.on_message_begin = on_message_begin;
  settings.on_url = settings.on_status = on_line;
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_headers_complete;
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  settings.on_chunk_header = on_chunk_header;
  settings.on_chunk_extension_name = settings.on_chunk_extension_value = on_chunk_extension;
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
