/* Messages of HTTP/1 for node:http (runtime/modules/http/), read by llhttp in its strict mode, as in Node.js. */
#include "http-text.h"
#include "image.h"
#include "runtime.h"

#include "llhttp.h"

#include <stdlib.h>
#include <string.h>

/* The limit of Node.js for the extensions of all chunks of a message. */
enum { MOST_EXTENSION_BYTES = 16384 };

/* The methods of the reader that `execute` gets. */
static struct { JSAtom begin, head, body, end; } methods IMAGED;

struct text {
  char *bytes;
  size_t length, capacity;
};

struct parser {
  llhttp_t llhttp;
  JSContext *context;
  /* Texts come in parts. `line` is a URL or a reason. */
  struct text line, name, value;
  /* The names and values of the head, or of the trailer, so far; undefined while there are none. */
  JSValue fields;
  uint32_t number;
  size_t most_header_bytes, header_bytes, extension_bytes;
  /* The bytes that are being read (execute_http has copied them), and the reader; NULL and undefined otherwise. */
  const char *input;
  JSValueConst reader;
  bool is_busy, has_thrown;
};

static JSClassID parser_class IMAGED;
static llhttp_settings_t settings IMAGED;

/* A value may be a secret. */
static void free_text(struct text *text) {
  if (text->bytes != NULL) explicit_bzero(text->bytes, text->capacity);
  free(text->bytes);
}

static void free_parser(JSRuntime *runtime, JSValueConst value) {
  struct parser *const this = JS_GetOpaque(value, parser_class);
  if (this == NULL) return;
  JS_FreeValueRT(runtime, this->fields);
  free_text(&this->line);
  free_text(&this->name);
  free_text(&this->value);
  free(this);
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

/* Decodes latin1, and empties the text. */
static JSValue take(JSContext *context, struct text *text) {
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

static int fail(struct parser *this, const char *reason) {
  llhttp_set_error_reason(&this->llhttp, reason);
  return HPE_USER;
}

static int add_header_bytes(struct parser *this, struct text *text, const char *at, size_t length) {
  this->header_bytes += length;
  if (this->header_bytes >= this->most_header_bytes) return fail(this, "HPE_HEADER_OVERFLOW:Header overflow");
  return append(text, at, length) ? 0 : fail(this, "HPE_INTERNAL:no memory");
}

static JSValue call(struct parser *this, JSAtom method, int count, JSValueConst *arguments) {
  const JSValue result = JS_Invoke(this->context, this->reader, method, count, arguments);
  if (JS_IsException(result)) this->has_thrown = true;
  return result;
}

static int on_message_begin(llhttp_t *of) {
  struct parser *const this = (struct parser *)of;
  this->line.length = this->name.length = this->value.length = 0;
  this->header_bytes = this->extension_bytes = 0;
  JS_FreeValue(this->context, this->fields);
  this->fields = JS_UNDEFINED;
  JS_FreeValue(this->context, call(this, methods.begin, 0, NULL));
  return this->has_thrown ? -1 : 0;
}

static int on_line(llhttp_t *of, const char *at, size_t length) {
  struct parser *const this = (struct parser *)of;
  return add_header_bytes(this, &this->line, at, length);
}

static int on_name(llhttp_t *of, const char *at, size_t length) {
  struct parser *const this = (struct parser *)of;
  return add_header_bytes(this, &this->name, at, length);
}

static int on_value(llhttp_t *of, const char *at, size_t length) {
  struct parser *const this = (struct parser *)of;
  return add_header_bytes(this, &this->value, at, length);
}

static int on_value_complete(llhttp_t *of) {
  struct parser *const this = (struct parser *)of;
  struct text *const value = &this->value;
  while (value->length > 0 && strchr(" \t", value->bytes[value->length - 1]) != NULL) --value->length;
  if (JS_IsUndefined(this->fields)) {
    this->fields = JS_NewArray(this->context);
    this->number = 0;
  }
  JS_SetPropertyUint32(this->context, this->fields, this->number++, take(this->context, &this->name));
  JS_SetPropertyUint32(this->context, this->fields, this->number++, take(this->context, value));
  return 0;
}

static JSValue take_fields(struct parser *this) {
  const JSValue result = this->fields;
  this->fields = JS_UNDEFINED;
  return result;
}

static int on_headers_complete(llhttp_t *of) {
  struct parser *const this = (struct parser *)of;
  JSContext *const context = this->context;
  const bool is_request = of->type == HTTP_REQUEST;
  this->header_bytes = 0;
  const JSValue fields = JS_IsUndefined(this->fields) ? JS_NewArray(context) : take_fields(this);
  JSValue arguments[] = {
    JS_NewInt32(context, of->http_major),
    JS_NewInt32(context, of->http_minor),
    fields,
    is_request ? JS_NewString(context, llhttp_method_name(of->method)) : JS_NewInt32(context, of->status_code),
    take(context, &this->line),
    JS_NewBool(context, of->upgrade),
    JS_NewBool(context, llhttp_should_keep_alive(of)),
  };
  const JSValue result = call(this, methods.head, COUNT(arguments), (JSValueConst *)arguments);
  for (size_t i = 0; i < COUNT(arguments); ++i) JS_FreeValue(context, arguments[i]);
  const int action = integer_of(context, result);
  JS_FreeValue(context, result);
  return this->has_thrown ? -1 : action;
}

static int on_body(llhttp_t *of, const char *at, size_t length) {
  struct parser *const this = (struct parser *)of;
  JSValueConst arguments[] = {
    JS_NewInt64(this->context, at - this->input),
    JS_NewInt64(this->context, at - this->input + (int64_t)length),
  };
  JS_FreeValue(this->context, call(this, methods.body, COUNT(arguments), arguments));
  return this->has_thrown ? -1 : 0;
}

static int on_message_complete(llhttp_t *of) {
  struct parser *const this = (struct parser *)of;
  const JSValue trailers = take_fields(this);
  JS_FreeValue(this->context, call(this, methods.end, 1, (JSValueConst[]){trailers}));
  JS_FreeValue(this->context, trailers);
  return this->has_thrown ? -1 : 0;
}

static int on_chunk_header(llhttp_t *of) {
  struct parser *const this = (struct parser *)of;
  this->header_bytes = this->extension_bytes = 0;
  return 0;
}

static int on_chunk_extension(llhttp_t *of, const char *at, size_t length) {
  struct parser *const this = (struct parser *)of;
  this->extension_bytes += length;
  if (this->extension_bytes <= MOST_EXTENSION_BYTES) return 0;
  return fail(this, "HPE_CHUNK_EXTENSIONS_OVERFLOW:Chunk extensions overflow");
}

/* (reads requests, limit of a head in bytes) */
FUNCTION(new_http_parser) {
  struct parser *const this = calloc(1, sizeof *this);
  if (this == NULL) return JS_ThrowOutOfMemory(context);
  const JSValue result = new_native_object(context, parser_class);
  if (JS_IsException(result)) {
    free(this);
    return result;
  }
  llhttp_init(&this->llhttp, JS_ToBool(context, arguments[0]) ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
  this->context = context;
  this->fields = JS_UNDEFINED;
  this->most_header_bytes = (size_t)long_of(context, arguments[1]);
  JS_SetOpaque(result, this);
  return result;
}

/*
 * Returns the number of bytes that were read, or the code of an error, its reason, and that number. The reader must not be
 * able to change the bytes, nor to free them.
 */
static JSValue run(JSContext *context, struct parser *this, const char *bytes, size_t length, JSValueConst reader) {
  const bool has_failed = llhttp_get_errno(&this->llhttp) != HPE_OK;
  this->input = bytes;
  this->reader = reader;
  this->is_busy = true;
  this->has_thrown = false;
  llhttp_errno_t error = bytes == NULL ? llhttp_finish(&this->llhttp) : llhttp_execute(&this->llhttp, bytes, length);
  this->input = NULL;
  this->reader = JS_UNDEFINED;
  this->is_busy = false;
  if (this->has_thrown) return JS_EXCEPTION;
  const char *const position = llhttp_get_error_pos(&this->llhttp);
  /* The position of an earlier error is one in earlier bytes. */
  const size_t behind = bytes == NULL || has_failed ? 0 : (size_t)((uintptr_t)position - (uintptr_t)bytes);
  const int64_t read = bytes == NULL ? 0 : error == HPE_OK ? (int64_t)length : behind <= length ? (int64_t)behind : 0;
  if (error == HPE_PAUSED_UPGRADE) {
    error = HPE_OK;
    llhttp_resume_after_upgrade(&this->llhttp);
  }
  if (error == HPE_OK || this->llhttp.upgrade) return JS_NewInt64(context, read);
  const char *const reason = llhttp_get_error_reason(&this->llhttp), *const name = llhttp_errno_name(error);
  const char *const colon = error == HPE_USER ? strchr(reason, ':') : NULL;
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0,
                       colon == NULL ? JS_NewString(context, name)
                                     : JS_NewStringLen(context, reason, (size_t)(colon - reason)));
  JS_SetPropertyUint32(context, result, 1, JS_NewString(context, colon == NULL ? reason : colon + 1));
  JS_SetPropertyUint32(context, result, 2, JS_NewInt64(context, read));
  return result;
}

/*
 * (parser, bytes, reader), of which are called
 * begin: a message begins
 * head: (major, minor, fields, method or status, URL or reason, is an upgrade, keeps the connection) => 0, or 1 if there is
 *   no body, or 2 if another protocol follows, or 3 to stop, which is an error
 * body: (start, end) in the bytes
 * end: (trailer's fields, if there are any)
 */
FUNCTION(execute_http) {
  struct parser *const this = JS_GetOpaque2(context, arguments[0], parser_class);
  if (this == NULL) return JS_EXCEPTION;
  if (this->is_busy) return JS_ThrowTypeError(context, "the parser is busy");
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &length);
  if (bytes == NULL) return JS_ThrowTypeError(context, "no bytes");
  /* The pages of a new block for each part of a large body cost as much as its encryption. */
  static char shared[MOST_READ_BYTES];
  static bool is_shared_used = false;
  const bool is_shared = length <= sizeof shared && !is_shared_used;
  char *const copy = is_shared ? shared : malloc(length + 1);
  if (copy == NULL) return JS_ThrowOutOfMemory(context);
  is_shared_used |= is_shared;
  memcpy(copy, bytes, length);
  const JSValue result = run(context, this, copy, length, arguments[2]);
  /* They may have a secret. */
  erase(copy, length);
  if (is_shared) is_shared_used = false;
  else free(copy);
  return result;
}

/* (parser, reader): the input has ended */
FUNCTION(finish_http) {
  struct parser *const this = JS_GetOpaque2(context, arguments[0], parser_class);
  if (this == NULL) return JS_EXCEPTION;
  if (this->is_busy) return JS_ThrowTypeError(context, "the parser is busy");
  return run(context, this, NULL, 0, arguments[1]);
}

/* (text) */
FUNCTION(is_token) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  if (text == NULL) return JS_EXCEPTION;
  const bool result = is_token_text(text, length);
  JS_FreeCString(context, text);
  return JS_NewBool(context, result);
}

/* (text) */
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
