/*
 * Declarations that the C files of the runtime share. The runtime is QuickJS and the parts of Node.js that the package's
 * bundle uses, for the executable for Linux. Each C file adds its functions for JavaScript to one object, `NATIVE` in the
 * TypeScript of runtime/, by its `add_…` function below.
 */
#ifndef SOPHIA_RUN_RUNTIME_H
#define SOPHIA_RUN_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include "quickjs.h"

/* Marks a variable that is set while modules load: it is part of the image (image.h). */
#define IMAGED __attribute__((section("image")))

#define COUNT(array) (sizeof(array) / sizeof *(array))
/*
 * Begins the definition of a function for JavaScript. It owns none of its arguments. Those that the caller leaves out are
 * undefined, up to the number in its JS_CFUNC_DEF. Its comment lists the arguments in parentheses.
 */
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

/* Returns a context with the global objects of JavaScript, which cannot evaluate text; NULL if there is no memory. */
JSContext *new_engine(JSRuntime *runtime);

/*
 * Throws an Error like those of Node.js: `code` such as "ENOENT", `errno` (negative), `syscall`, and `path` unless it is NULL.
 * Returns JS_EXCEPTION.
 */
JSValue throw_system_error(JSContext *context, int error, const char *syscall, const char *path);
/* Returns the name of a system error, such as "ENOENT". */
const char *name_of_error(int error);

/* The state in which the caller started this process. main.c sets it before JavaScript runs. */
extern struct caller {
  /* The signals that the caller ignored: a bit for each, SIGHUP's the lowest. */
  uint64_t ignored_signals;
  bool closed_streams[3];
} caller;

/*
 * Ends this process if JavaScript computes for too long without waiting. The engine calls this in loops
 * (JSInterruptHandler).
 */
int end_long_turn(JSRuntime *runtime, void *opaque);

/* Restores a terminal that is in raw mode. Must be called before each _exit. */
void restore_terminal(void);

/* Return a number of JavaScript; -1 for anything else. */
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

/*
 * Returns the memory of a Uint8Array or Buffer, valid until JavaScript runs again; NULL without an exception for anything
 * else.
 */
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
 * Encodes a string as UTF-8; other halves of surrogate pairs become U+FFFD as in Node.js. The result, which ends with a
 * NUL, must be freed by JS_FreeCString. NULL with an exception if there is no memory.
 */
const char *utf8_of(JSContext *context, JSValueConst text, size_t *length);

/*
 * Encodes a string as UTF-8, in which each half of a surrogate pair becomes U+FFFD, also one that stands for a byte
 * (WHATWG: a scalar value string). The result is like that of utf8_of.
 */
const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length);

/* Returns a Buffer with a copy of the bytes, or with zeros if `bytes` is NULL. */
JSValue new_buffer(JSContext *context, const uint8_t *bytes, size_t size);

/* The limit on what is read of a connection at once. It is large because each part of a body costs the engine the same time. */
enum { MAX_READ_BYTES = 224 * 1024 };
/* Memory for what is read at once, until it is copied. A function that reads into it must wipe it afterwards. */
extern uint8_t read_bytes[MAX_READ_BYTES];

/* Wipes what may be a secret. explicit_bzero of musl writes byte by byte, which would take 7 % of the time of a large body. */
static inline void erase(void *memory, size_t size) {
  memset(memory, 0, size);
  /* This keeps the compiler from leaving the memset out, because it takes the memory to be read here. */
  __asm__ volatile("" : : "r"(memory) : "memory");
}

/* Work for another thread. It is the first member of a struct with what the work needs. */
struct work {
  /*
   * Does the work, in the other thread. All signals are blocked there, but for those that the kernel sends because of a
   * write.
   */
  void (*run)(struct work *work);
  /* Returns the argument for the callback, and frees the work. Runs in the main thread, afterwards. */
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
