/*
 * Parses HTTP/1 messages for node:http (runtime/modules/http/parser.ts), by the library llhttp in its strict mode, as
 * Node.js does.
 *
 * JavaScript makes a parser for each connection (newHttpParser), and passes to it the bytes that it reads from the
 * connection (executeHttp). It also passes a reader: an object with a method for each part of a message, which the parser
 * calls. execute_http lists the methods. llhttp calls the functions on_… below, which collect the parts and call the
 * reader.
 */
#include "http-text.h"
#include "image.h"
#include "runtime.h"

#include "llhttp.h"

#include <stdlib.h>
#include <string.h>

/* The limit on the extensions of one chunk, which is that of Node.js. */
enum { MAX_EXTENSION_BYTES = 16384 };

/* The names of the reader's methods, as atoms of the engine. */
static struct { JSAtom begin, head, body, end; } methods IMAGED;

/* A text to which bytes are appended. It owns `bytes`, which may be a secret and are wiped before they are freed. */
struct growing_text {
  char *bytes;
  size_t length, capacity;
};

/*
 * The parser of a connection. An object of the class HTTPParser owns it. `llhttp` must be its first member, because llhttp
 * passes a pointer to it to the callbacks, which convert the pointer.
 */
struct parser {
  llhttp_t llhttp;
  JSContext *context;
  /*
   * llhttp passes each text in several parts. These have the parts so far: of the URL of a request or the reason of a
   * response, and of the name and the value of a header field.
   */
  struct growing_text url_or_reason, name, value;
  /* A list of the fields in the head or trailer so far, as [name, value, name, value, ...]; undefined if there are none. */
  JSValue fields;
  uint32_t fields_length;
  /* The limit on a head or trailer, its length so far, and the length of the extensions of the present chunk. */
  size_t max_header_bytes, header_bytes, extension_bytes;
  /* These two are set while the parser reads: the bytes, and the reader of the caller. */
  const char *input;
  JSValueConst reader;
  bool is_reading;
  /* A method of the reader has thrown an exception. */
  bool has_thrown;
};

/* The class of parsers, and the callbacks that all parsers share. add_http_parser sets both. */
static JSClassID parser_class IMAGED;
static llhttp_settings_t settings IMAGED;

/* Wipes a text, which may be a secret, and frees it. */
static void free_text(struct growing_text *text) {
  if (text->bytes != NULL) explicit_bzero(text->bytes, text->capacity);
  free(text->bytes);
}

static void free_parser(JSRuntime *runtime, JSValueConst value) {
  struct parser *const parser = JS_GetOpaque(value, parser_class);
  if (parser == NULL) return;
  JS_FreeValueRT(runtime, parser->fields);
  free_text(&parser->url_or_reason);
  free_text(&parser->name);
  free_text(&parser->value);
  free(parser);
}

/* Appends bytes. Returns false if there is no memory. */
static bool append(struct growing_text *text, const char *bytes, size_t length) {
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

/* Decodes a text as Latin-1, as Node.js does with heads, and empties the text. Returns the string. */
static JSValue take_text(JSContext *context, struct growing_text *text) {
  const size_t length = text->length;
  text->length = 0;
  bool is_ascii = true;
  for (size_t i = 0; i < length; ++i) is_ascii &= (unsigned char)text->bytes[i] < 0x80;
  if (is_ascii) return JS_NewStringLen(context, length == 0 ? "" : text->bytes, length);
  uint16_t *const units = malloc(length * sizeof *units);
  if (units == NULL) return JS_ThrowOutOfMemory(context);
  for (size_t i = 0; i < length; ++i) units[i] = (unsigned char)text->bytes[i];
  const JSValue result = JS_NewStringUTF16(context, units, length);
  free(units);
  return result;
}

/*
 * Makes the parser fail with a reason, which is CODE:MESSAGE. Returns the result that the callback of llhttp must return.
 */
static int fail(struct parser *parser, const char *reason) {
  llhttp_set_error_reason(&parser->llhttp, reason);
  return HPE_USER;
}

/* Appends a part of a head or trailer to a text. Fails if the head or trailer exceeds its limit. */
static int add_header_bytes(struct parser *parser, struct growing_text *text, const char *part, size_t length) {
  parser->header_bytes += length;
  if (parser->header_bytes >= parser->max_header_bytes) return fail(parser, "HPE_HEADER_OVERFLOW:Header overflow");
  return append(text, part, length) ? 0 : fail(parser, "HPE_INTERNAL:no memory");
}

/* Calls a method of the reader. If it throws, sets `has_thrown`; then the caller must return -1 to llhttp, which stops. */
static JSValue call_reader(struct parser *parser, JSAtom method, int count, JSValueConst *arguments) {
  const JSValue result = JS_Invoke(parser->context, parser->reader, method, count, arguments);
  if (JS_IsException(result)) parser->has_thrown = true;
  return result;
}

/*
 * The functions on_… are the callbacks of llhttp, in the order of a message. The result 0 means that llhttp must continue.
 * Any other result is an error, except in on_headers_complete.
 */
static int on_message_begin(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  parser->url_or_reason.length = parser->name.length = parser->value.length = 0;
  parser->header_bytes = parser->extension_bytes = 0;
  JS_FreeValue(parser->context, parser->fields);
  parser->fields = JS_UNDEFINED;
  JS_FreeValue(parser->context, call_reader(parser, methods.begin, 0, NULL));
  return parser->has_thrown ? -1 : 0;
}

static int on_url_or_reason(llhttp_t *llhttp, const char *part, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->url_or_reason, part, length);
}

static int on_name(llhttp_t *llhttp, const char *part, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->name, part, length);
}

static int on_value(llhttp_t *llhttp, const char *part, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  return add_header_bytes(parser, &parser->value, part, length);
}

static int on_value_complete(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  struct growing_text *const value = &parser->value;
  /* Blanks at the end are not part of the value (RFC 9110, 5.5). */
  while (value->length > 0 && strchr(" \t", value->bytes[value->length - 1]) != NULL) --value->length;
  if (JS_IsUndefined(parser->fields)) {
    parser->fields = JS_NewArray(parser->context);
    parser->fields_length = 0;
  }
  JS_SetPropertyUint32(parser->context, parser->fields, parser->fields_length++, take_text(parser->context, &parser->name));
  JS_SetPropertyUint32(parser->context, parser->fields, parser->fields_length++, take_text(parser->context, value));
  return 0;
}

/* Returns the fields so far, which the caller must free, or undefined if there are none. The parser then has no fields. */
static JSValue take_fields(struct parser *parser) {
  const JSValue result = parser->fields;
  parser->fields = JS_UNDEFINED;
  return result;
}

static int on_headers_complete(llhttp_t *llhttp) {
  struct parser *const parser = (struct parser *)llhttp;
  JSContext *const context = parser->context;
  const bool is_request = llhttp->type == HTTP_REQUEST;
  /* The trailer after the body has the whole limit again. */
  parser->header_bytes = 0;
  const JSValue fields = JS_IsUndefined(parser->fields) ? JS_NewArray(context) : take_fields(parser);
  JSValue arguments[] = {
    JS_NewInt32(context, llhttp->http_major),
    JS_NewInt32(context, llhttp->http_minor),
    fields,
    is_request ? JS_NewString(context, llhttp_method_name(llhttp->method)) : JS_NewInt32(context, llhttp->status_code),
    take_text(context, &parser->url_or_reason),
    JS_NewBool(context, llhttp->upgrade),
    JS_NewBool(context, llhttp_should_keep_alive(llhttp)),
  };
  const JSValue result = call_reader(parser, methods.head, COUNT(arguments), (JSValueConst *)arguments);
  for (size_t i = 0; i < COUNT(arguments); ++i) JS_FreeValue(context, arguments[i]);
  /* The method `head` returns what this callback must return (execute_http). */
  const int action = integer_of(context, result);
  JS_FreeValue(context, result);
  return parser->has_thrown ? -1 : action;
}

static int on_body(llhttp_t *llhttp, const char *part, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  const int64_t start = part - parser->input;
  JSValueConst arguments[] = {
    JS_NewInt64(parser->context, start),
    JS_NewInt64(parser->context, start + (int64_t)length),
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

static int on_chunk_extension(llhttp_t *llhttp, const char *part, size_t length) {
  struct parser *const parser = (struct parser *)llhttp;
  parser->extension_bytes += length;
  if (parser->extension_bytes <= MAX_EXTENSION_BYTES) return 0;
  return fail(parser, "HPE_CHUNK_EXTENSIONS_OVERFLOW:Chunk extensions overflow");
}

/* (true to parse requests or false to parse responses, limit on a head or trailer in bytes): returns a parser */
JAVASCRIPT_FUNCTION(new_http_parser) {
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

/* Returns a list of the code of an error, such as "HPE_INVALID_METHOD", its message, and the number of parsed bytes. */
static JSValue list_error(JSContext *context, const struct parser *parser, llhttp_errno_t error, int64_t parsed_length) {
  const char *const reason = llhttp_get_error_reason(&parser->llhttp), *const name = llhttp_errno_name(error);
  /* A reason of `fail` is CODE:MESSAGE. */
  const char *const colon = error == HPE_USER ? strchr(reason, ':') : NULL;
  const JSValue code =
    colon == NULL ? JS_NewString(context, name) : JS_NewStringLen(context, reason, (size_t)(colon - reason));
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0, code);
  JS_SetPropertyUint32(context, result, 1, JS_NewString(context, colon == NULL ? reason : colon + 1));
  JS_SetPropertyUint32(context, result, 2, JS_NewInt64(context, parsed_length));
  return result;
}

/*
 * Parses bytes, or the end of the input if `bytes` is NULL. Returns the number of parsed bytes; after an error, the list of
 * list_error. This function runs JavaScript, which must not be able to change or free the bytes.
 */
static JSValue parse_bytes(JSContext *context, struct parser *parser, const char *bytes, size_t length, JSValueConst reader) {
  const bool has_failed_before = llhttp_get_errno(&parser->llhttp) != HPE_OK;
  parser->input = bytes;
  parser->reader = reader;
  parser->is_reading = true;
  parser->has_thrown = false;
  llhttp_errno_t error = bytes == NULL ? llhttp_finish(&parser->llhttp) : llhttp_execute(&parser->llhttp, bytes, length);
  parser->input = NULL;
  parser->reader = JS_UNDEFINED;
  parser->is_reading = false;
  if (parser->has_thrown) return JS_EXCEPTION;
  const char *const error_position = llhttp_get_error_pos(&parser->llhttp);
  /* After an earlier error llhttp returns the position in the bytes of that call, which are gone. */
  const bool has_position = bytes != NULL && !has_failed_before;
  const size_t error_offset = has_position ? (size_t)((uintptr_t)error_position - (uintptr_t)bytes) : 0;
  int64_t parsed_length = 0;
  if (bytes != NULL && error == HPE_OK) parsed_length = (int64_t)length;
  else if (bytes != NULL && error_offset <= length) parsed_length = (int64_t)error_offset;
  /* llhttp stops in front of the bytes of another protocol. That is no error. */
  if (error == HPE_PAUSED_UPGRADE) {
    error = HPE_OK;
    llhttp_resume_after_upgrade(&parser->llhttp);
  }
  if (error == HPE_OK || parser->llhttp.upgrade) return JS_NewInt64(context, parsed_length);
  return list_error(context, parser, error, parsed_length);
}

/*
 * (parser, bytes, reader): parses bytes. Returns what parse_bytes returns. The methods of the reader are
 * - begin(): A message begins.
 * - head(major version, minor version, fields, method or status, URL or reason, asks for an upgrade, keeps the connection):
 *   The head is complete. `fields` is a list as in struct parser. The method must return 0, 1 if the message has no body, 2 if
 *   another protocol follows the head, or 3 to stop with an error.
 * - body(start, end): A part of the body has come: the bytes from index `start` to index `end`.
 * - end(fields of the trailer, or undefined): The message is complete.
 */
JAVASCRIPT_FUNCTION(execute_http) {
  enum { PARSER, BYTES, READER };
  struct parser *const parser = JS_GetOpaque2(context, arguments[PARSER], parser_class);
  if (parser == NULL) return JS_EXCEPTION;
  if (parser->is_reading) return JS_ThrowTypeError(context, "the parser is busy");
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[BYTES], &length);
  if (bytes == NULL) return JS_ThrowTypeError(context, "no bytes");
  /*
   * The bytes are copied (parse_bytes), to the same memory each time if possible: new pages for each part of a large body
   * would cost as much time as its encryption. The memory is in use if a method of a reader calls this function for another
   * parser.
   */
  static char shared_memory[MAX_READ_BYTES];
  static bool is_shared_memory_used = false;
  const bool uses_shared_memory = length <= sizeof shared_memory && !is_shared_memory_used;
  char *const copy = uses_shared_memory ? shared_memory : malloc(length + 1);
  if (copy == NULL) return JS_ThrowOutOfMemory(context);
  is_shared_memory_used |= uses_shared_memory;
  memcpy(copy, bytes, length);
  const JSValue result = parse_bytes(context, parser, copy, length, arguments[READER]);
  /* The bytes may contain a secret. */
  erase(copy, length);
  if (uses_shared_memory) is_shared_memory_used = false;
  else free(copy);
  return result;
}

/* (parser, reader): parses the end of the input. Returns what parse_bytes returns. */
JAVASCRIPT_FUNCTION(finish_http) {
  struct parser *const parser = JS_GetOpaque2(context, arguments[0], parser_class);
  if (parser == NULL) return JS_EXCEPTION;
  if (parser->is_reading) return JS_ThrowTypeError(context, "the parser is busy");
  return parse_bytes(context, parser, NULL, 0, arguments[1]);
}

/* (text): returns true if the text may be the name of a field (is_token_text) */
JAVASCRIPT_FUNCTION(is_token) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  const bool result = is_token_text(text, length);
  JS_FreeCString(context, text);
  return JS_NewBool(context, result);
}

/* (text): returns true if the text may be the value of a field (is_field_value_text) */
JAVASCRIPT_FUNCTION(is_field_value) {
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
  settings.on_url = settings.on_status = on_url_or_reason;
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
