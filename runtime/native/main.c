/*
 * The executable for Linux: QuickJS runs the package's own bundle, compiled to bytecode. runtime/host.ts and the modules
 * beside it replace Node.js.
 */
#include <dirent.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "../../native/generated/shared.h"
#ifdef CHECKED
#include "checked/checked.h"
#endif
#include "files.h"
#include "image.h"
#include "memory.h"
#include "runtime.h"

enum { STACK_BYTES = 4 * 1024 * 1024, LEAST_STACK_BYTES = 128 * 1024, SIGNALS = 64 };

/* Node's name. */
#if defined(__x86_64__)
#define PROCESSOR "x64"
#elif defined(__aarch64__)
#define PROCESSOR "arm64"
#endif

/* Each fills NATIVE with the functions of its file. */
static void (*const PARTS[])(JSContext *context, JSValueConst native) = {
  add_addons,      add_bytes,        add_child, add_crypto,  add_emitter, add_errors,  add_events,   add_files,
  add_http_head, add_http_parser, add_monitor_file, add_names, add_process, add_random,  add_sockets, add_terminal, add_text,
  add_tls,         add_trust,        add_url,   add_workers,
};

struct caller caller;

static const int FATAL[] = {FATAL_SIGNALS};

static void exit_by(int signal) { _exit(128 + signal); }

/* Makes PID 1 exit at signals, with the status of preflight.ts: the kernel would drop those before JavaScript listens. */
static void end_at_signals(void) {
  const struct sigaction action = {.sa_handler = exit_by};
  for (size_t i = 0; i < COUNT(FATAL); ++i) sigaction(FATAL[i], &action, NULL);
}

static JSValue numbers(JSContext *context, const int *of, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) JS_SetPropertyUint32(context, list, (uint32_t)i, JS_NewInt32(context, of[i]));
  return list;
}

static JSValue ignored_signals(JSContext *context) {
  int found[SIGNALS];
  size_t count = 0;
  for (int signal = 1; signal <= SIGNALS; ++signal) {
    /* By the system call: musl keeps some real-time signals for itself. */
    long action[8] = {0};
    if (syscall(SYS_rt_sigaction, signal, NULL, action, sizeof(uint64_t)) == 0 && action[0] == (long)SIG_IGN) {
      found[count++] = signal;
      caller.ignored_signals |= UINT64_C(1) << (signal - 1);
    }
  }
  return numbers(context, found, count);
}

/* Lists the open ones. Takes the numbers of the others, which the next files would get; the program does not inherit those. */
static JSValue standard_streams(JSContext *context) {
  int found[3];
  size_t count = 0;
  for (int stream = 0; stream < 3; ++stream) {
    caller.closed_streams[stream] = fcntl(stream, F_GETFD) == -1;
    if (!caller.closed_streams[stream]) found[count++] = stream;
    /* A root folder may have no devices. */
    else if (open("/dev/null", O_RDWR | O_CLOEXEC) == -1) open("/", O_PATH | O_CLOEXEC);
  }
  return numbers(context, found, count);
}

enum { MOST_DESCRIPTORS = 4096, WITHOUT_PROC = 1024 };

/* Lists the open descriptors from 3 on, all inherited, since no other code has run. */
static JSValue inherited_descriptors(JSContext *context) {
  static int found[MOST_DESCRIPTORS];
  size_t count = 0;
  DIR *const folder = opendir("/proc/self/fd");
  if (folder == NULL) {
    for (int number = 3; number < WITHOUT_PROC; ++number) {
      if (fcntl(number, F_GETFD) != -1) found[count++] = number;
    }
    return numbers(context, found, count);
  }
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const int number = atoi(entry->d_name);
    if (number > 2 && number != dirfd(folder) && count < MOST_DESCRIPTORS) found[count++] = number;
  }
  closedir(folder);
  return numbers(context, found, count);
}

static JSValue words(JSContext *context, char **of, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) {
    const JSValue word = text_from_system(context, of[i], strlen(of[i]));
    JS_SetPropertyUint32(context, list, (uint32_t)i, word);
  }
  return list;
}

static const struct file *find_file(const struct file *files, size_t count, const char *name) {
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(files[i].name, name) == 0) return &files[i];
  }
  return NULL;
}

static JSValue read_code(JSContext *context, const struct file *file) {
  const size_t stored = (size_t)(file->end - file->start);
  if (stored == file->size) return JS_ReadObject(context, file->start, stored, JS_READ_OBJ_BYTECODE);
  uint8_t *const code = js_malloc(context, file->size);
  if (code == NULL) end_without_memory();
  uLongf size = file->size;
  const int outcome = uncompress(code, &size, file->start, stored);
  /* To a handler of JavaScript a file that cannot be loaded is a mistake of this program. */
  if (outcome == Z_MEM_ERROR) end_without_memory();
  const JSValue result = outcome == Z_OK && size == file->size
                           ? JS_ReadObject(context, code, size, JS_READ_OBJ_BYTECODE)
                           : JS_ThrowInternalError(context, "%s is damaged", file->name);
  js_free(context, code);
  return result;
}

/* (name): returns the function of a file, or undefined */
FUNCTION(load) {
  size_t length = 0;
  const char *const name = utf8_of(context, arguments[0], &length);
  if (name == NULL) return JS_EXCEPTION;
  const struct file *found = find_file(image_files, image_file_count, name);
  if (found == NULL) found = find_file(FILES, FILE_COUNT, name);
  JS_FreeCString(context, name);
  if (found == NULL) return JS_UNDEFINED;
  const JSValue code = read_code(context, found);
  return JS_IsException(code) ? code : JS_EvalFunction(context, code);
}

/* Runs promises until none is ready. */
FUNCTION(run_promises) {
  JSContext *of = NULL;
  while (JS_ExecutePendingJob(JS_GetRuntime(context), &of) > 0) continue;
  return JS_UNDEFINED;
}

#ifdef SHELL
/* (text, file): runs a script, for the shell of tests */
FUNCTION(evaluate) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  const char *const file = JS_ToCString(context, arguments[1]);
  const JSValue result = JS_Eval(context, text, length, file, JS_EVAL_TYPE_GLOBAL);
  JS_FreeCString(context, text);
  JS_FreeCString(context, file);
  return result;
}
#endif

static JSValue unhandled IMAGED;

static void track_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque) {
  if (JS_IsUndefined(unhandled)) return;
  JSValue given[] = {promise, reason, JS_NewBool(context, is_handled)};
  JS_FreeValue(context, JS_Call(context, unhandled, JS_UNDEFINED, 3, given));
}

/* (function): is called with the promise, its reason, and true if it is handled later after all */
FUNCTION(on_rejection) {
  unhandled = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

static void print_exception(JSContext *context) {
  const JSValue error = JS_GetException(context);
  const char *const text = JS_ToCString(context, error);
  const JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char *const lines = JS_ToCString(context, stack);
  dprintf(2, "sophia-run: internal error: %s\n%s", text == NULL ? "" : text, lines == NULL ? "" : lines);
}

/* The engine after its modules have been loaded. */
static JSRuntime *runtime IMAGED;
static JSContext *context IMAGED;
static JSValue native IMAGED, start IMAGED;

static JSValue names_of_image_files(void) {
  const JSValue names = JS_NewArray(context);
  for (size_t i = 0; i < image_file_count; ++i) {
    JS_SetPropertyUint32(context, names, (uint32_t)i, JS_NewString(context, image_files[i].name));
  }
  return names;
}

/* Starts the engine and loads the runtime, and with it the files of the image. */
static void load_modules(size_t stack) {
#ifdef SANITIZED
  /* AddressSanitizer watches the blocks of malloc(3). */
  runtime = JS_NewRuntime();
#else
  runtime = JS_NewRuntime2(&MEMORY, NULL);
#endif
  JS_SetMaxStackSize(runtime, stack);
  /* Atomics.wait is the way to sleep. */
  JS_SetCanBlock(runtime, true);
  /* Most starts end before a collection would pay. */
  JS_SetGCThreshold(runtime, 8 * 1024 * 1024);
  JS_SetInterruptHandler(runtime, end_long_turn, NULL);
  context = new_engine(runtime);
  unhandled = JS_UNDEFINED;
  JS_SetHostPromiseRejectionTracker(runtime, track_rejection, NULL);
  native = JS_NewObject(context);
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("load", 1, load),
    JS_CFUNC_DEF("runPromises", 0, run_promises),
    JS_CFUNC_DEF("onRejection", 1, on_rejection),
#ifdef SHELL
    JS_CFUNC_DEF("evaluate", 2, evaluate),
#endif
    JS_PROP_STRING_DEF("processor", PROCESSOR, 0),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
  for (size_t i = 0; i < COUNT(PARTS); ++i) PARTS[i](context, native);
  JS_SetPropertyStr(context, native, "imageFiles", names_of_image_files());
  JSValue name = JS_NewString(context, "boot");
  const JSValue boot = load(context, JS_UNDEFINED, 1, &name);
  JS_FreeValue(context, name);
  JSValue given[] = {JS_UNDEFINED, JS_UNDEFINED, native};
  start = JS_IsException(boot) ? boot : JS_Call(context, boot, JS_UNDEFINED, COUNT(given), given);
  JS_FreeValue(context, boot);
}

static const char *load_image(void) {
  load_modules(STACK_BYTES);
  if (JS_IsException(start)) {
    print_exception(context);
    return NULL;
  }
  JS_RunGC(runtime);
  return JS_FixObjects(runtime, end_of_image);
}

static struct {
  int count;
  char **words;
} command;

/* Runs JavaScript on so many bytes of the stack; it ends this process. */
static _Noreturn void run_on(size_t stack) {
  if (context == NULL) load_modules(stack);
  JS_UpdateStackTop(runtime);
  JS_SetMaxStackSize(runtime, stack);
  JS_SetPropertyStr(context, native, "words", words(context, command.words, (size_t)command.count));
  JS_SetPropertyStr(context, native, "ignoredSignals", ignored_signals(context));
  JS_SetPropertyStr(context, native, "descriptors", inherited_descriptors(context));
  JS_SetPropertyStr(context, native, "streams", standard_streams(context));
#ifdef CHECKED
  watch_memory(runtime);
  be_wrong(context, native, command.count, command.words);
#endif
  /* Like Node.js, which native/system.c expects: it restores them on execve. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const JSValue result = JS_IsException(start) ? start : JS_Call(context, start, JS_UNDEFINED, 0, NULL);
  if (JS_IsException(result)) print_exception(context);
  exit(125);
}

static size_t stack_bytes = STACK_BYTES;
static _Noreturn void run_here(void) { run_on(stack_bytes); }

/* The stack pointer at the first instruction. Below it is the caller's limit of the stack, in which words and variables are, too. */
char *given_stack;

/*
 * A stack of `ulimit -s 8` may have no room left for a function call. So the process begins on one of its own, where only main()
 * runs, and the C library before it (start_on_small_stack is the entry, runtime/build/runtime.mjs).
 */
enum { SMALL_STACK = 16 * 1024 };
_Alignas(16) char small_stack[SMALL_STACK];

#if defined(__x86_64__)
__asm__(".text\n.weak _start_c\n.globl start_on_small_stack\nstart_on_small_stack:\n\t"
        "xor %ebp, %ebp\n\tmov %rsp, given_stack(%rip)\n\tmov %rsp, %rdi\n\t"
        "lea small_stack+16384(%rip), %rsp\n\tcall _start_c\n\tud2\n");
#elif defined(__aarch64__)
__asm__(".text\n.weak _start_c\n.globl start_on_small_stack\nstart_on_small_stack:\n\t"
        "mov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tadrp x1, given_stack\n\tstr x0, [x1, :lo12:given_stack]\n\t"
        "adrp x1, small_stack+16384\n\tadd x1, x1, :lo12:small_stack+16384\n\tmov sp, x1\n\tbl _start_c\n\tbrk #0\n");
#endif

static _Noreturn void switch_to(char *stack) {
  stack = (char *)((uintptr_t)stack & ~(uintptr_t)15);
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\tcall *%1\n\tud2" ::"r"(stack), "r"(run_here) : "memory");
#elif defined(__aarch64__)
  __asm__ volatile("mov sp, %0\n\tblr %1\n\tbrk #0" ::"r"(stack), "r"(run_here) : "memory");
#endif
  __builtin_unreachable();
}

/*
 * Returns a stack of the usual size, or NULL. Programs inherit the limit (ulimit -s), so it stays as it is. The kernel gives the
 * new stack its pages as they are used.
 */
static char *larger_stack(void) {
  const size_t size = 2 * (size_t)STACK_BYTES;
  char *const stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  return stack == MAP_FAILED ? NULL : stack + size;
}

/* Returns a part of the kernel's random bytes for this process, without a system call (getauxval(3)). */
static uint64_t random_number(void) {
  uint64_t numbers[2] = {0};
  const void *const bytes = (const void *)getauxval(AT_RANDOM);
  if (bytes != NULL) memcpy(numbers, bytes, sizeof numbers);
  return numbers[1];
}

/*
 * Functions that the C library calls at the end are not written to after the start: the linker puts them in a segment for that.
 * musl protects it in programs with a dynamic linker only. All other constants are in segments that nothing may write to, since
 * this file has fixed addresses.
 */
static void protect_constants(void) {
  const ElfW(Phdr) *const headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
  const uintptr_t page = getauxval(AT_PAGESZ);
  const size_t count = getauxval(AT_PHNUM);
  for (size_t i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_GNU_RELRO) continue;
    const uintptr_t start = headers[i].p_vaddr & -page, end = (headers[i].p_vaddr + headers[i].p_memsz) & -page;
    if (end > start) mprotect((void *)start, end - start, PROT_READ);
  }
}

int main(int count, char **arguments) {
  protect_constants();
  if (getpid() == 1) end_at_signals();
  if (makes_image(count, arguments)) make_image(load_image);
  JS_SetHashKey(random_number());
  command.count = count;
  command.words = arguments;
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  getrlimit(RLIMIT_STACK, &limit);
  /* Arguments and variables share the stack. */
  const rlim_t half = limit.rlim_cur / 2;
  char *stack = half >= STACK_BYTES ? given_stack : larger_stack();
  if (stack == NULL) {
    stack = given_stack;
    if (half < STACK_BYTES) stack_bytes = half;
    if (half < LEAST_STACK_BYTES) end_without_memory();
  }
  if (stack == NULL) run_here();
  switch_to(stack);
}
