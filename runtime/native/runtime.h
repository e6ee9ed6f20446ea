/*
 * Declarations that the C files of the runtime share. The runtime executes the JavaScript of sophia-run in the executable
 * for Linux: it is the engine QuickJS, and the parts of Node.js that sophia-run uses, in C here and in TypeScript in
 * runtime/.
 *
 * Each C file offers functions to that TypeScript. Its `add_…` function below, which main.c calls at the start, adds them
 * to one object, which is called NATIVE there.
 */
#ifndef SOPHIA_RUN_RUNTIME_H
#define SOPHIA_RUN_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include "quickjs.h"

/*
 * Marks a variable that is set while the modules of JavaScript load. The build stores its value in the executable
 * (image.h), so that it is set already when a process starts.
 */
#define IMAGED __attribute__((section("image")))

#define COUNT(array) (sizeof(array) / sizeof *(array))
/*
 * Begins the definition of a function that JavaScript calls, and defines its parameters: `context` of the engine,
 * `receiver` (`this`), and `count` values in `arguments`. The function must not free the arguments. Arguments that the
 * caller omits are undefined, up to the number in the function's JS_CFUNC_DEF. The comment of each function lists its
 * arguments in parentheses.
 */
#define JAVASCRIPT_FUNCTION(name) \
  static JSValue name(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments)

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
 * Throws an Error such as Node.js throws after a failed system call, with the properties `code`, such as "ENOENT", `errno`,
 * which is negative, `syscall` (`call_name`), and `path` unless it is NULL. Returns JS_EXCEPTION.
 */
JSValue throw_system_error(JSContext *context, int error, const char *call_name, const char *path);
/* Returns the name of a system error, such as "ENOENT". */
const char *name_of_error(int error);

/* The state in which the caller started this process. main.c sets it before JavaScript runs. */
extern struct caller {
  /* The signals that the caller ignored, a bit for each. The lowest bit is SIGHUP's. */
  uint64_t ignored_signals;
  /* By descriptor, 0 to 2: true if the caller had closed this standard stream. */
  bool closed_streams[3];
} caller;

/*
 * Ends this process if JavaScript computes for too long without waiting (events.c). The engine calls this function
 * regularly while it runs JavaScript (JSInterruptHandler).
 */
int end_long_turn(JSRuntime *runtime, void *opaque);

/* Restores a terminal that is in raw mode. Must be called before each _exit. */
void restore_terminal(void);

/* Convert a JavaScript number. They return -1 for a value that is not a number. */
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

/* Decodes UTF-8. As in Node.js, each maximal invalid part becomes U+FFFD (WHATWG, Encoding). */
JSValue text_from_utf8(JSContext *context, const uint8_t *bytes, size_t size);

/*
 * Decodes a text that comes from the system: an argument, an environment variable or a path. Each byte that is not valid
 * UTF-8 becomes half a surrogate pair, U+DC80 to U+DCFF, as in PEP 383. `utf8_of` encodes it to the same byte again, so
 * that a program gets exactly the bytes that the caller passed.
 */
JSValue text_from_system(JSContext *context, const char *text, size_t size);

/*
 * Encodes a string as UTF-8, and is the inverse of text_from_system: U+DC80 to U+DCFF become bytes again. All other
 * unpaired surrogates become U+FFFD as in Node.js. The result ends with a NUL and must be freed by JS_FreeCString. Returns
 * NULL with an exception if there is no memory.
 */
const char *utf8_of(JSContext *context, JSValueConst text, size_t *length);

/*
 * Encodes a string as UTF-8. Differs from utf8_of in U+DC80 to U+DCFF, which become U+FFFD as well (WHATWG: a scalar value
 * string).
 */
const char *scalar_utf8_of(JSContext *context, JSValueConst text, size_t *length);

/* Returns a Buffer with a copy of the bytes, or with zeros if `bytes` is NULL. */
JSValue new_buffer(JSContext *context, const uint8_t *bytes, size_t size);

/*
 * The limit on what one call reads from a connection. It is large because the engine needs the same time for each part of
 * a body, however long the part is.
 */
enum { MAX_READ_BYTES = 224 * 1024 };
/* The memory into which a call reads, before it copies the bytes to a Buffer. The call must wipe it afterwards. */
extern uint8_t read_buffer[MAX_READ_BYTES];

/*
 * Wipes memory that may contain a secret. explicit_bzero of musl writes byte by byte, which would take 7 % of the time that
 * a large body needs.
 */
static inline void erase(void *memory, size_t size) {
  memset(memory, 0, size);
  /* The compiler must assume that this reads the memory, so it cannot remove the memset. */
  __asm__ volatile("" : : "r"(memory) : "memory");
}

/*
 * A task for another thread. It is the first member of a larger struct, which has the data of the task. The caller of
 * start_work allocates the larger struct; from then on this struct belongs to workers.c, until `result` frees it.
 */
struct work {
  /*
   * Performs the task. Runs in the other thread, in which all signals are blocked except those that the kernel sends
   * because of a write (SIGPIPE, SIGXFSZ, SIGTTOU).
   */
  void (*run)(struct work *work);
  /* Returns the argument for the callback, and frees the larger struct. Runs in the main thread after `run`. */
  JSValue (*result)(JSContext *context, struct work *work);
  /* The function for the result. start_work sets it, and owns a reference to it. */
  JSValue callback;
  /* The next in the list of finished work (workers.c). */
  struct work *next;
};
/*
 * Runs the work in another thread, and then makes the event loop call the callback with the result. The event loop does not
 * end before that. Returns false if no thread can be started; then the caller must free the work.
 */
bool start_work(JSContext *context, struct work *work, JSValueConst callback);

#endif
