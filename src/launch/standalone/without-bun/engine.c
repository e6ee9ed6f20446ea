/*
 * A start without Bun: QuickJS runs the package's own bundle, compiled to bytecode, up to execve in a few milliseconds. host.ts
 * replaces the few parts of Node.js that such a start needs. For anything else, such as an error message or a session of ESC,
 * Bun starts from the beginning. So this start must have no visible effect before execve.
 */
#include <sys/resource.h>

#include "node_api.h"

#include "engine.h"

#include "../../../system/addon/addon.c"

/* The build's bytecode by name; the first file is host.ts. */
extern const struct file {
  const char *name;
  const uint8_t *code;
  const uint8_t *end;
} FILES[];
extern const size_t FILE_COUNT;

enum { STACK_BYTES = 512 * 1024 };

/* Node's name. */
#if defined(__x86_64__)
#define PROCESSOR "x64"
#elif defined(__aarch64__)
#define PROCESSOR "arm64"
#endif

/* This process's environment, not the C library's. */
char **environ;

static JSValue fall_back_from_script(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t length = 0;
  fall_back(utf8_of(context, arguments[0], &length));
}

static JSValue load(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t length = 0;
  const char *const name = utf8_of(context, arguments[0], &length);
  for (size_t i = 0; i < FILE_COUNT; ++i) {
    if (strcmp(FILES[i].name, name) != 0) continue;
    JS_FreeCString(context, name);
    const size_t size = (size_t)(FILES[i].end - FILES[i].code);
    const JSValue code = JS_ReadObject(context, FILES[i].code, size, JS_READ_OBJ_BYTECODE);
    return JS_EvalFunction(context, code);
  }
  fall_back(name);
}

#include "natives.h"

static JSValue words(JSContext *context, char **given, size_t count) {
  const JSValue array = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) {
    const size_t length = strlen(given[i]);
    if (!is_utf8((unsigned char *)given[i], length)) fall_back("an argument that is not UTF-8");
    JS_SetPropertyUint32(context, array, (uint32_t)i, JS_NewStringLen(context, given[i], length));
  }
  return array;
}

static void define(JSContext *context, JSValue object, const char *name, JSCFunction *function) {
  JS_SetPropertyStr(context, object, name, JS_NewCFunction(context, function, name, 1));
}

/* Half of the limit, since arguments and variables share the stack. */
static size_t stack_bytes(void) {
  struct rlimit limit = {.rlim_cur = 0};
  syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
  return limit.rlim_cur / 2 < STACK_BYTES ? limit.rlim_cur / 2 : STACK_BYTES;
}

static JSContext *new_context(void) {
  JSRuntime *const runtime = JS_NewRuntime();
  JS_SetMaxStackSize(runtime, stack_bytes());
  /* No garbage collection: this ends in milliseconds. */
  JS_SetGCThreshold(runtime, (size_t)-1);
  JSContext *const context = JS_NewContextRaw(runtime);
  JS_AddIntrinsicBaseObjects(context);
  JS_AddIntrinsicDate(context);
  JS_AddIntrinsicRegExpCompiler(context);
  JS_AddIntrinsicRegExp(context);
  JS_AddIntrinsicJSON(context);
  JS_AddIntrinsicProxy(context);
  JS_AddIntrinsicMapSet(context);
  JS_AddIntrinsicTypedArrays(context);
  JS_AddIntrinsicPromise(context);
  return context;
}

static void run(size_t count, char **arguments, uint64_t ignored) {
  ignored_on_exec = ignored;
  JSContext *const context = new_context();
  const JSValue native = JS_NewObject(context);
  JSValue addon = JS_NewObject(context);
  define_addon(context, &addon);
  define(context, addon, "exchangeCoreFilter", exchange_filter);
  JS_SetPropertyStr(context, native, "addon", addon);
  JS_SetPropertyStr(context, native, "words", words(context, arguments, count));
  JS_SetPropertyStr(context, native, "processor", JS_NewString(context, PROCESSOR));
  JS_SetPropertyStr(context, native, "pid", JS_NewInt32(context, (int)syscall(SYS_getpid)));
  JS_SetPropertyStr(context, native, "user", JS_NewUint32(context, (unsigned)syscall(SYS_geteuid)));
  define(context, native, "load", load);
  define(context, native, "fallBack", fall_back_from_script);
  define(context, native, "canAccess", can_access);
  define(context, native, "close", close_file);
  define(context, native, "decode", decode);
  define(context, native, "encode", encode);
  define(context, native, "open", open_to_read);
  define(context, native, "read", read_into);
  define(context, native, "status", status);
  define(context, native, "workingDirectory", working_directory);

  JSValue name = JS_NewString(context, FILES[0].name);
  const JSValue host = load(context, JS_UNDEFINED, 1, &name);
  JSValue given = native;
  JSValue result = JS_Call(context, host, JS_UNDEFINED, 1, &given);
  if (JS_IsException(result)) {
    JSValue error = JS_GetException(context);
    fall_back_from_script(context, JS_UNDEFINED, 1, &error);
  }
  JSContext *of = NULL;
  while (JS_ExecutePendingJob(JS_GetRuntime(context), &of) > 0) continue;
  fall_back("the event loop ended without a launch");
}

static bool is_for_esc(char **variables) {
  static const char name[] = "ESC_ENV=";
  for (; *variables != NULL; ++variables) {
    if (strncmp(*variables, name, sizeof name - 1) == 0 && (*variables)[sizeof name - 1] != '\0') return true;
  }
  return false;
}

/* Returns only if Bun must start. */
void start_without_bun(size_t count, char **arguments, char **variables, uint64_t ignored) {
  environ = variables;
  if (is_for_esc(variables) || !open_region()) return;
  find_descriptor();
  if (__builtin_setjmp(fallback_target) == 0) run(count, arguments, ignored);
  close(descriptor);
  if (former_core_filter != -1) exchange((unsigned)former_core_filter);
  close_region();
}
