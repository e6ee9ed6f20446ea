/*
 * The executable for Linux: QuickJS runs the package's own bundle, compiled to bytecode. runtime/host.ts and the modules
 * beside it replace Node.js.
 *
 * A start: the process switches to a stack of sufficient size (start_on_small_stack, switch_to); takes the engine with its
 * modules from the image, or loads them if this executable has none (load_modules); tells JavaScript how the caller started
 * it (run_javascript); and calls the function `start`, which never returns. The build runs the same file to make the image
 * (image.h).
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

enum { STACK_BYTES = 4 * 1024 * 1024, MIN_STACK_BYTES = 128 * 1024, SIGNALS = 64 };

/* The name of the processor in Node.js. */
#if defined(__x86_64__)
#define PROCESSOR "x64"
#elif defined(__aarch64__)
#define PROCESSOR "arm64"
#endif

/* The functions of runtime.h, each of which adds the functions of its file to NATIVE. */
static void (*const ADD_FUNCTIONS[])(JSContext *context, JSValueConst native) = {
  add_addons,      add_bytes,        add_child, add_crypto,  add_emitter, add_errors,  add_events,   add_files,
  add_http_head, add_http_parser, add_monitor_file, add_names, add_process, add_random,  add_sockets, add_terminal, add_text,
  add_tls,         add_trust,        add_url,   add_workers,
};

struct caller caller;

static const int FATAL[] = {FATAL_SIGNALS};

static void exit_by(int signal) { _exit(128 + signal); }

/*
 * Makes PID 1 exit at signals that end a process, with the status of preflight.ts. Without a handler the kernel would
 * discard the signals that come before JavaScript listens to them.
 */
static void end_at_signals(void) {
  const struct sigaction action = {.sa_handler = exit_by};
  for (size_t i = 0; i < COUNT(FATAL); ++i) sigaction(FATAL[i], &action, NULL);
}

static JSValue list_of_numbers(JSContext *context, const int *numbers, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) JS_SetPropertyUint32(context, list, (uint32_t)i, JS_NewInt32(context, numbers[i]));
  return list;
}

/* Lists the signals that the caller ignored, and notes them in `caller`. */
static JSValue ignored_signals(JSContext *context) {
  int signals[SIGNALS];
  size_t count = 0;
  for (int signal = 1; signal <= SIGNALS; ++signal) {
    /* By the system call, because sigaction of musl refuses the signals that musl uses itself. */
    long action[8] = {0};
    if (syscall(SYS_rt_sigaction, signal, NULL, action, sizeof(uint64_t)) == 0 && action[0] == (long)SIG_IGN) {
      signals[count++] = signal;
      caller.ignored_signals |= UINT64_C(1) << (signal - 1);
    }
  }
  return list_of_numbers(context, signals, count);
}

/*
 * Lists the standard streams that are open, and notes the others in `caller`. Their numbers are taken by other files that
 * close on exec: otherwise the next files that this process opens would become standard streams.
 */
static JSValue standard_streams(JSContext *context) {
  int open_streams[3];
  size_t count = 0;
  for (int stream = 0; stream < 3; ++stream) {
    caller.closed_streams[stream] = fcntl(stream, F_GETFD) == -1;
    if (!caller.closed_streams[stream]) open_streams[count++] = stream;
    /* In a root folder without devices the root folder itself takes the number. */
    else if (open("/dev/null", O_RDWR | O_CLOEXEC) == -1) open("/", O_PATH | O_CLOEXEC);
  }
  return list_of_numbers(context, open_streams, count);
}

/* The limits on the listed descriptors, and on the numbers that are tried if there is no /proc. */
enum { MAX_DESCRIPTORS = 4096, MAX_TRIED_DESCRIPTORS = 1024 };

/* Lists the open descriptors from 3 on. All of them are inherited, since no other code has opened any yet. */
static JSValue inherited_descriptors(JSContext *context) {
  static int descriptors[MAX_DESCRIPTORS];
  size_t count = 0;
  DIR *const folder = opendir("/proc/self/fd");
  if (folder == NULL) {
    for (int number = 3; number < MAX_TRIED_DESCRIPTORS; ++number) {
      if (fcntl(number, F_GETFD) != -1) descriptors[count++] = number;
    }
    return list_of_numbers(context, descriptors, count);
  }
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const int number = atoi(entry->d_name);
    if (number > 2 && number != dirfd(folder) && count < MAX_DESCRIPTORS) descriptors[count++] = number;
  }
  closedir(folder);
  return list_of_numbers(context, descriptors, count);
}

static JSValue list_of_texts(JSContext *context, char **texts, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) {
    const JSValue text = text_from_system(context, texts[i], strlen(texts[i]));
    JS_SetPropertyUint32(context, list, (uint32_t)i, text);
  }
  return list;
}

static const struct file *find_file(const struct file *files, size_t count, const char *name) {
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(files[i].name, name) == 0) return &files[i];
  }
  return NULL;
}

/* Reads the bytecode of a file. */
static JSValue read_code(JSContext *context, const struct file *file) {
  const size_t stored_size = (size_t)(file->end - file->start);
  if (stored_size == file->size) return JS_ReadObject(context, file->start, stored_size, JS_READ_OBJ_BYTECODE);
  uint8_t *const code = js_malloc(context, file->size);
  if (code == NULL) end_without_memory();
  uLongf size = file->size;
  const int status = uncompress(code, &size, file->start, stored_size);
  /* An exception would be reported as a bug of this program. */
  if (status == Z_MEM_ERROR) end_without_memory();
  const JSValue result = status == Z_OK && size == file->size
                           ? JS_ReadObject(context, code, size, JS_READ_OBJ_BYTECODE)
                           : JS_ThrowInternalError(context, "%s is damaged", file->name);
  js_free(context, code);
  return result;
}

/* (name): returns the function that a file of this executable contains; undefined if there is no such file */
FUNCTION(load) {
  size_t length = 0;
  const char *const name = utf8_of(context, arguments[0], &length);
  if (name == NULL) return JS_EXCEPTION;
  const struct file *script = find_file(image_files, image_file_count, name);
  if (script == NULL) script = find_file(FILES, FILE_COUNT, name);
  JS_FreeCString(context, name);
  if (script == NULL) return JS_UNDEFINED;
  const JSValue code = read_code(context, script);
  return JS_IsException(code) ? code : JS_EvalFunction(context, code);
}

/* Runs the jobs of promises until none is left. */
FUNCTION(run_promises) {
  JSContext *job_context = NULL;
  while (JS_ExecutePendingJob(JS_GetRuntime(context), &job_context) > 0) continue;
  return JS_UNDEFINED;
}

#ifdef SHELL
/* (text, file name for errors): runs a script. Only the shell of the tests has this. */
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

/* The function of on_rejection. */
static JSValue rejection_listener IMAGED;

static void track_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque) {
  if (JS_IsUndefined(rejection_listener)) return;
  JSValue values[] = {promise, reason, JS_NewBool(context, is_handled)};
  JS_FreeValue(context, JS_Call(context, rejection_listener, JS_UNDEFINED, 3, values));
}

/*
 * (function): sets the function that is called with a promise, its reason, and false when a promise is rejected that
 * nothing handles; and again with true if it is handled later
 */
FUNCTION(on_rejection) {
  rejection_listener = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

static void print_exception(JSContext *context) {
  const JSValue error = JS_GetException(context);
  const char *const text = JS_ToCString(context, error);
  const JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char *const lines = JS_ToCString(context, stack);
  dprintf(2, "sophia-run: internal error: %s\n%s", text == NULL ? "" : text, lines == NULL ? "" : lines);
}

/* The engine, the object NATIVE, and the function that starts the program. They are NULL until load_modules has run. */
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
  /* JavaScript sleeps by Atomics.wait. */
  JS_SetCanBlock(runtime, true);
  /* Most starts end before garbage collection would be worth its time. */
  JS_SetGCThreshold(runtime, 8 * 1024 * 1024);
  JS_SetInterruptHandler(runtime, end_long_turn, NULL);
  context = new_engine(runtime);
  rejection_listener = JS_UNDEFINED;
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
  for (size_t i = 0; i < COUNT(ADD_FUNCTIONS); ++i) ADD_FUNCTIONS[i](context, native);
  JS_SetPropertyStr(context, native, "imageFiles", names_of_image_files());
  JSValue name = JS_NewString(context, "boot");
  const JSValue boot = load(context, JS_UNDEFINED, 1, &name);
  JS_FreeValue(context, name);
  JSValue boot_arguments[] = {JS_UNDEFINED, JS_UNDEFINED, native};
  start = JS_IsException(boot) ? boot : JS_Call(context, boot, JS_UNDEFINED, COUNT(boot_arguments), boot_arguments);
  JS_FreeValue(context, boot);
}

/* Loads the modules in the process that makes the image. Returns the end of the memory in use; NULL if it fails. */
static const char *load_image(void) {
  load_modules(STACK_BYTES);
  if (JS_IsException(start)) {
    print_exception(context);
    return NULL;
  }
  JS_RunGC(runtime);
  return JS_FixObjects(runtime, end_of_image);
}

/* The command line. */
static struct {
  int count;
  char **words;
} command;

/* Runs JavaScript, with this limit in bytes on its stack. Never returns: JavaScript ends this process. */
static _Noreturn void run_javascript(size_t stack) {
  if (context == NULL) load_modules(stack);
  JS_UpdateStackTop(runtime);
  JS_SetMaxStackSize(runtime, stack);
  JS_SetPropertyStr(context, native, "words", list_of_texts(context, command.words, (size_t)command.count));
  JS_SetPropertyStr(context, native, "ignoredSignals", ignored_signals(context));
  JS_SetPropertyStr(context, native, "descriptors", inherited_descriptors(context));
  JS_SetPropertyStr(context, native, "streams", standard_streams(context));
#ifdef CHECKED
  watch_memory(runtime);
  make_mistake(context, native, command.count, command.words);
#endif
  /* Node.js ignores these two as well, and native/system.c restores them before an execve. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const JSValue result = JS_IsException(start) ? start : JS_Call(context, start, JS_UNDEFINED, 0, NULL);
  if (JS_IsException(result)) print_exception(context);
  exit(125);
}

static size_t stack_bytes = STACK_BYTES;
static _Noreturn void run_on_this_stack(void) { run_javascript(stack_bytes); }

/*
 * The stack pointer at the first instruction; NULL if the C library's own entry was used. The kernel's stack is below this
 * address. It contains the arguments and variables, and has the caller's limit (ulimit -s).
 */
char *given_stack;

/*
 * With `ulimit -s 8` the kernel's stack may have no room for even one function call. So the process begins at
 * start_on_small_stack (the entry, runtime/build/runtime.mjs) and on this stack. Only the start of the C library and main()
 * run here.
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

/* Continues in run_on_this_stack, on a stack that ends at this address. */
static _Noreturn void switch_to(char *stack) {
  stack = (char *)((uintptr_t)stack & ~(uintptr_t)15);
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\tcall *%1\n\tud2" ::"r"(stack), "r"(run_on_this_stack) : "memory");
#elif defined(__aarch64__)
  __asm__ volatile("mov sp, %0\n\tblr %1\n\tbrk #0" ::"r"(stack), "r"(run_on_this_stack) : "memory");
#endif
  __builtin_unreachable();
}

/*
 * Returns the end of a new stack of the usual size; NULL if there is no memory. The limit itself (ulimit -s) stays as it
 * is, because programs inherit it. The kernel gives the stack its pages only as they are used.
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
 * Makes the segment RELRO read-only, in which the linker puts what is set once at the start, such as the pointers to
 * functions that the C library calls at the end. musl does that only in programs with a dynamic linker. All other constants
 * are in segments that are never writable, since this file has fixed addresses.
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
  /* Arguments and variables, which are on the same stack, may use the other half. */
  const rlim_t half = limit.rlim_cur / 2;
  char *stack = half >= STACK_BYTES ? given_stack : larger_stack();
  if (stack == NULL) {
    stack = given_stack;
    if (half < STACK_BYTES) stack_bytes = half;
    if (half < MIN_STACK_BYTES) end_without_memory();
  }
  if (stack == NULL) run_on_this_stack();
  switch_to(stack);
}
