/*
 * The runtime of the executable for Linux: QuickJS, and the parts of Node.js that the package's bundle uses. Each C file here
 * adds functions to one object, `NATIVE` in the TypeScript of runtime/, and has an `add_…` function below.
 */
#ifndef SOPHIA_RUN_RUNTIME_H
#define SOPHIA_RUN_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include "quickjs.h"

/* A variable that is set while modules load, which belongs to the image (image.h). */
#define IMAGED __attribute__((section("image")))

#define COUNT(array) (sizeof(array) / sizeof *(array))
/* A function for JavaScript. It owns none of its arguments; those that the caller leaves out are undefined. */
#define FUNCTION(name) static JSValue name(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments)

void add_files(JSContext *context, JSValueConst native);
void add_process(JSContext *context, JSValueConst native);
void add_emitter(JSContext *context, JSValueConst native);
void add_events(JSContext *context, JSValueConst native);
void add_workers(JSContext *context, JSValueConst native);
void add_sockets(JSContext *context, JSValueConst native);
void add_names(JSContext *context, JSValueConst native);
void add_random(JSContext *context, JSValueConst native);
void add_http_head(JSContext *context, JSValueConst native);
void add_http_parser(JSContext *context, JSValueConst native);
void add_text(JSContext *context, JSValueConst native);
void add_bytes(JSContext *context, JSValueConst native);
void add_url(JSContext *context, JSValueConst native);
void add_errors(JSContext *context, JSValueConst native);
void add_child(JSContext *context, JSValueConst native);
void add_crypto(JSContext *context, JSValueConst native);
void add_monitor_file(JSContext *context, JSValueConst native);
void add_terminal(JSContext *context, JSValueConst native);
void add_tls(JSContext *context, JSValueConst native);
void add_trust(JSContext *context, JSValueConst native);
void add_addons(JSContext *context, JSValueConst native);

/* Returns a context with the objects of JavaScript; it cannot evaluate text. NULL if there is no memory. */
JSContext *new_engine(JSRuntime *runtime);

/*
 * Throws an Error like those of Node.js: `code` such as "ENOENT", `errno` (negative), `syscall`, and `path` unless it is NULL.
 * Returns JS_EXCEPTION.
 */
JSValue throw_system_error(JSContext *context, int error, const char *syscall, const char *path);
/* Returns the name of a system error, such as "ENOENT". */
const char *name_of_error(int error);

/* The state in which the caller started this process. */
extern struct caller {
  /* A bit for each, SIGHUP's the lowest. */
  uint64_t ignored_signals;
  bool closed_streams[3];
} caller;

/* Ends this process if JavaScript computes for too long without waiting. The engine calls it from its loops (JSInterruptHandler). */
int end_long_turn(JSRuntime *runtime, void *opaque);

/* Restores a terminal that is in raw mode. */
void restore_terminal(void);

/* Returns a number, or -1 for anything else. */
static inline int integer_of(JSContext *context, JSValueConst value) {
  int32_t result = -1;
  if (JS_IsNumber(value)) JS_ToInt32(context, &result, value);
  return result;
}

static inline int64_t long_of(JSContext *context, JSValueConst value) {
  int64_t result = -1;
  if (JS_IsNumber(value)) JS_ToInt64(context, &result, value);
  return result;
}

/* The memory of a Uint8Array (or Buffer); NULL, without an exception, for anything else. Valid until JavaScript runs again. */
static inline uint8_t *bytes_of(JSContext *context, JSValueConst value, size_t *size) {
  *size = 0;
  if (JS_GetTypedArrayType(value) != JS_TYPED_ARRAY_UINT8) return NULL;
  return JS_GetUint8Array(context, size, value);
}

/* Decodes UTF-8 as Node.js does: each maximal invalid part becomes U+FFFD (WHATWG, Encoding). */
JSValue text_from_utf8(JSContext *context, const uint8_t *bytes, size_t size);

/*
 * Decodes an argument, a variable or a path of the system. A byte that is not UTF-8 becomes half a surrogate pair, U+DC80 to
 * U+DCFF, of which `utf8_of` makes the same byte again (as in PEP 383), so that programs get what the caller gave.
 */
JSValue text_from_system(JSContext *context, const char *text, size_t size);

/*
 * Encodes a string as UTF-8; other halves of surrogate pairs become U+FFFD as in Node.js. The result, which ends with a NUL, must be
 * freed by JS_FreeCString. NULL with an exception if there is no memory.
 */
const char *utf8_of(JSContext *context, JSValueConst text, size_t *length);

/* Encodes a string as UTF-8 without those bytes: each half of a surrogate pair becomes U+FFFD (WHATWG: a scalar value string). */
const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length);

/* Returns a Buffer with a copy of the bytes, or with zeros if `bytes` is NULL. */
JSValue new_buffer(JSContext *context, const uint8_t *bytes, size_t size);

/* The most that is read at once of a connection. A part of a body costs the engine the same, whatever its length. */
enum { MOST_READ_BYTES = 224 * 1024 };
/* The place of what is read at once, until it is copied. Whoever reads wipes it. */
extern uint8_t read_bytes[MOST_READ_BYTES];

/* Wipes what may be a secret. Musl's explicit_bzero writes byte by byte: a fourteenth of the work of a large body. */
static inline void erase(void *memory, size_t size) {
  memset(memory, 0, size);
  /* The compiler must not leave it out. */
  __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Work for another thread. */
struct work {
  /* Runs in the other thread; signals are blocked there, except those of writes. */
  void (*run)(struct work *work);
  /* Runs in the main thread afterwards, and frees the work. Returns the arguments for the callback, or JS_UNDEFINED. */
  JSValue (*result)(JSContext *context, struct work *work);
  JSValue callback;
  struct work *next;
};
/*
 * Runs work in another thread, then calls the callback with the result in the event loop, which stays alive for it. Returns
 * false if there is no thread; the caller still owns the work then.
 */
bool start_work(JSContext *context, struct work *work, JSValueConst callback);

#endif
