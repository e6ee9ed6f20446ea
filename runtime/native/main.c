/*
 * The main program of the executable for Linux. It runs the JavaScript of sophia-run, which the build has compiled to
 * bytecode, by the engine QuickJS. runtime/host.ts and the modules beside it take the place of Node.js.
 *
 * A start has these steps:
 * 1. The process switches to a stack of sufficient size (start_on_small_stack, choose_stack, run_on_stack).
 * 2. The engine is in memory, with all modules loaded, because the executable contains an image: a copy of the memory of a
 *    process that had loaded them (image.h). An executable without an image loads the modules now (load_modules).
 * 3. It passes to JavaScript how the caller started it, and calls the function `start`, which never returns (run_javascript).
 *
 * The build also runs this program, as `sophia-run --make-image`. That process only writes the image (load_image), and ends.
 *
 * The global variables. No two threads use them at the same time.
 * - kernel_stack: the assembly of start_on_small_stack sets it, before main(); choose_stack reads it.
 * - runtime, context, native, start and rejection_listener: load_modules sets them. They are in the image, so a process that
 *   starts from an image finds them set, and `context` is not NULL.
 * - command_line and javascript_stack: main() sets them; run_javascript reads them.
 * - caller: run_javascript sets it before it calls `start`; child.c reads it.
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

/* The limit on the stack of JavaScript, and the least with which a start is attempted. */
enum { STACK_BYTES = 4 * 1024 * 1024, MIN_STACK_BYTES = 128 * 1024 };
/* The number of signals of Linux. */
enum { SIGNALS = 64 };

/* The name of the processor, as in process.arch of Node.js. */
#if defined(__x86_64__)
#define PROCESSOR "x64"
#elif defined(__aarch64__)
#define PROCESSOR "arm64"
#endif

/* The functions of runtime.h. Each adds the functions of its file to NATIVE (runtime.h). load_modules calls all of them. */
static void (*const ADD_FUNCTIONS[])(JSContext *context, JSValueConst native) = {
  add_addons,    add_bytes,       add_child,        add_crypto, add_emitter, add_errors, add_events,
  add_files,     add_http_head,   add_http_parser,  add_names,  add_process, add_random, add_sockets,
  add_terminal,  add_text,        add_monitor_file, add_tls,    add_trust,   add_url,    add_workers,
};

/* list_ignored_signals and list_standard_streams set this, before JavaScript runs. child.c reads it. */
struct caller caller;

/* The status with which a shell reports that a program died of a signal. */
static void exit_after_signal(int signal) { _exit(128 + signal); }

/*
 * Makes this process, which is PID 1, exit when it gets a signal that would end any other process, with the status that
 * preflight.ts uses. The kernel discards such signals for PID 1 if they have no handler, and JavaScript listens to them
 * only later.
 */
static void exit_at_fatal_signals(void) {
  static const int fatal_signals[] = {FATAL_SIGNALS};
  const struct sigaction action = {.sa_handler = exit_after_signal};
  for (size_t i = 0; i < COUNT(fatal_signals); ++i) sigaction(fatal_signals[i], &action, NULL);
}

/* Returns a new array of JavaScript with these numbers. */
static JSValue list_of_numbers(JSContext *context, const int *numbers, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) JS_SetPropertyUint32(context, list, (uint32_t)i, JS_NewInt32(context, numbers[i]));
  return list;
}

/* Lists the signals that the caller ignored, and stores them in `caller`. */
static JSValue list_ignored_signals(JSContext *context) {
  int signals[SIGNALS];
  size_t count = 0;
  for (int signal = 1; signal <= SIGNALS; ++signal) {
    /*
     * This is the system call itself, because sigaction(3) of musl refuses the signals that musl uses. The handler is the
     * first word of the kernel's struct sigaction, which the array has room for.
     */
    long action[8] = {0};
    if (syscall(SYS_rt_sigaction, signal, NULL, action, sizeof(uint64_t)) == 0 && action[0] == (long)SIG_IGN) {
      signals[count++] = signal;
      caller.ignored_signals |= UINT64_C(1) << (signal - 1);
    }
  }
  return list_of_numbers(context, signals, count);
}

/*
 * Lists the standard streams that are open, and stores in `caller` which are closed. In place of a closed stream it opens a
 * file that an execve closes: otherwise the next file that this process opens would become a standard stream.
 */
static JSValue list_standard_streams(JSContext *context) {
  int open_streams[3];
  size_t count = 0;
  for (int stream = 0; stream < 3; ++stream) {
    caller.closed_streams[stream] = fcntl(stream, F_GETFD) == -1;
    if (!caller.closed_streams[stream]) open_streams[count++] = stream;
    /* If the root folder has no /dev/null, the root folder itself is opened. */
    else if (open("/dev/null", O_RDWR | O_CLOEXEC) == -1) open("/", O_PATH | O_CLOEXEC);
  }
  return list_of_numbers(context, open_streams, count);
}

/* The limits on the number of listed descriptors, and on the numbers that are tried one by one if there is no /proc. */
enum { MAX_DESCRIPTORS = 4096, MAX_TRIED_DESCRIPTORS = 1024 };

/* Lists the open descriptors from 3 on. The caller has passed on all of them, since this process has not opened any yet. */
static JSValue list_inherited_descriptors(JSContext *context) {
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

/* Returns a new array of JavaScript with these strings, each decoded by text_from_system. */
static JSValue list_of_texts(JSContext *context, char **texts, size_t count) {
  const JSValue list = JS_NewArray(context);
  for (size_t i = 0; i < count; ++i) {
    const JSValue text = text_from_system(context, texts[i], strlen(texts[i]));
    JS_SetPropertyUint32(context, list, (uint32_t)i, text);
  }
  return list;
}

/* Returns the file of this name, which must not be freed; NULL if there is none. */
static const struct file *find_module(const struct file *files, size_t count, const char *name) {
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(files[i].name, name) == 0) return &files[i];
  }
  return NULL;
}

/*
 * Makes a function of the bytecode of a module, which it decompresses first if necessary. Returns JS_EXCEPTION with an
 * exception if the bytecode is damaged.
 */
static JSValue read_bytecode(JSContext *context, const struct file *file) {
  const size_t stored_size = (size_t)(file->end - file->start);
  if (stored_size == file->size) return JS_ReadObject(context, file->start, stored_size, JS_READ_OBJ_BYTECODE);
  uint8_t *const bytecode = js_malloc(context, file->size);
  /* If there is no memory the process ends here: an exception would be reported to the user as a bug of sophia-run. */
  if (bytecode == NULL) end_without_memory();
  uLongf size = file->size;
  const int status = uncompress(bytecode, &size, file->start, stored_size);
  if (status == Z_MEM_ERROR) end_without_memory();
  const JSValue result = status == Z_OK && size == file->size
                           ? JS_ReadObject(context, bytecode, size, JS_READ_OBJ_BYTECODE)
                           : JS_ThrowInternalError(context, "%s is damaged", file->name);
  js_free(context, bytecode);
  return result;
}

/*
 * (name): returns the function that a module consists of (bytecodeOf in runtime/build/runtime.mjs), to which the caller
 * passes `exports` and so on; undefined if this executable has no such module
 */
JAVASCRIPT_FUNCTION(load_module) {
  size_t length = 0;
  const char *const name = utf8_of(context, arguments[0], &length);
  if (name == NULL) return JS_EXCEPTION;
  const struct file *module = find_module(image_files, image_file_count, name);
  if (module == NULL) module = find_module(FILES, FILE_COUNT, name);
  JS_FreeCString(context, name);
  if (module == NULL) return JS_UNDEFINED;
  const JSValue script = read_bytecode(context, module);
  /* The script is one expression, a function. To run the script returns this function, and frees the script. */
  return JS_IsException(script) ? script : JS_EvalFunction(context, script);
}

/* Runs the callbacks of settled promises, and those that become due meanwhile, until none is left. */
JAVASCRIPT_FUNCTION(run_promises) {
  JSContext *job_context = NULL;
  while (JS_ExecutePendingJob(JS_GetRuntime(context), &job_context) > 0) continue;
  return JS_UNDEFINED;
}

#ifdef SHELL
/* (text, file name for errors): runs a script. Only the shell, an executable for tests, has this function. */
JAVASCRIPT_FUNCTION(evaluate) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[0]);
  const char *const file = JS_ToCString(context, arguments[1]);
  const JSValue result = JS_Eval(context, text, length, file, JS_EVAL_TYPE_GLOBAL);
  JS_FreeCString(context, text);
  JS_FreeCString(context, file);
  return result;
}
#endif

/*
 * The function that on_rejection has set; undefined before. runtime/host.ts sets it once, while the modules load, so it is
 * never freed.
 */
static JSValue rejection_listener IMAGED;

/* Calls rejection_listener. The engine calls this function (JSHostPromiseRejectionTracker). */
static void report_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque) {
  if (JS_IsUndefined(rejection_listener)) return;
  JSValue values[] = {promise, reason, JS_NewBool(context, is_handled)};
  JS_FreeValue(context, JS_Call(context, rejection_listener, JS_UNDEFINED, 3, values));
}

/*
 * (function): sets the function that is called with (promise, reason, false) when a promise is rejected and has no handler,
 * and with (promise, reason, true) when it gets a handler later
 */
JAVASCRIPT_FUNCTION(on_rejection) {
  rejection_listener = JS_DupValue(context, arguments[0]);
  return JS_UNDEFINED;
}

/* Prints an exception that JavaScript has not caught, which is a bug of sophia-run. */
static void print_exception(JSContext *context) {
  const JSValue error = JS_GetException(context);
  const char *const text = JS_ToCString(context, error);
  const JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char *const lines = JS_ToCString(context, stack);
  dprintf(2, "sophia-run: internal error: %s\n%s", text == NULL ? "" : text, lines == NULL ? "" : lines);
}

/*
 * The engine, the object NATIVE (runtime.h), and the function `start` of runtime/host.ts, which runs sophia-run; or
 * JS_EXCEPTION in place of this function if the modules could not be loaded. load_modules sets these variables; until then
 * `context` is NULL. They are never freed, because they are used until the process ends.
 */
static JSRuntime *runtime IMAGED;
static JSContext *context IMAGED;
static JSValue native IMAGED, start IMAGED;

/* Returns a new array of JavaScript with the names of the files that host.ts must load into the image; [] in other processes. */
static JSValue names_of_image_files(void) {
  const JSValue names = JS_NewArray(context);
  for (size_t i = 0; i < image_file_count; ++i) {
    JS_SetPropertyUint32(context, names, (uint32_t)i, JS_NewString(context, image_files[i].name));
  }
  return names;
}

/* The engine's memory in bytes from which on it collects garbage. Most starts end without a garbage collection. */
enum { GARBAGE_COLLECTION_BYTES = 8 * 1024 * 1024 };

/*
 * Creates the engine and loads the TypeScript of the runtime, which also loads all modules of image_files.
 * `max_stack_bytes` is the limit on the stack of JavaScript. If that fails, `start` is JS_EXCEPTION.
 *
 * NATIVE must be complete before the module `boot` runs, because the modules of the runtime use its functions while they
 * load.
 */
static void load_modules(size_t max_stack_bytes) {
#ifdef SANITIZED
  /* A build with AddressSanitizer needs malloc(3), whose blocks the sanitizer checks. */
  runtime = JS_NewRuntime();
#else
  runtime = JS_NewRuntime2(&MEMORY, NULL);
#endif
  JS_SetMaxStackSize(runtime, max_stack_bytes);
  /* This allows Atomics.wait, by which JavaScript sleeps (src/system/blocking.ts). */
  JS_SetCanBlock(runtime, true);
  JS_SetGCThreshold(runtime, GARBAGE_COLLECTION_BYTES);
  JS_SetInterruptHandler(runtime, end_long_turn, NULL);
  context = new_engine(runtime);
  rejection_listener = JS_UNDEFINED;
  JS_SetHostPromiseRejectionTracker(runtime, report_rejection, NULL);
  native = JS_NewObject(context);
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("load", 1, load_module),
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
  const JSValue boot = load_module(context, JS_UNDEFINED, 1, &name);
  JS_FreeValue(context, name);
  /* These are `exports` and `require`, which this module does not use, and NATIVE. */
  JSValue boot_arguments[] = {JS_UNDEFINED, JS_UNDEFINED, native};
  start = JS_IsException(boot) ? boot : JS_Call(context, boot, JS_UNDEFINED, COUNT(boot_arguments), boot_arguments);
  JS_FreeValue(context, boot);
}

/*
 * Loads the modules in the process that makes the image (make_image). Returns the end of the memory in use; NULL on
 * failure.
 */
static const char *load_image(void) {
  load_modules(STACK_BYTES);
  if (JS_IsException(start)) {
    print_exception(context);
    return NULL;
  }
  JS_RunGC(runtime);
  return JS_FixObjects(runtime, end_of_image);
}

/* The arguments of main(), which run_javascript needs after the change of stacks. */
static struct {
  int count;
  char **words;
} command_line;

/*
 * A stack. It grows down from the address `top`. JavaScript may use `max_bytes` of it. If `top` is NULL, the stack is the one
 * on which main() runs.
 */
struct stack {
  char *top;
  size_t max_bytes;
};

/* The stack on which JavaScript runs. main() sets it, because run_javascript, which reads it, has no parameters. */
static struct stack javascript_stack;

/* This is the exit status of every failure of sophia-run itself. */
enum { FAILURE_STATUS = 125 };

/*
 * Runs JavaScript on the present stack, which is javascript_stack. Never returns: JavaScript ends this process. Everything
 * that differs between processes is passed to JavaScript here, after load_modules, whose results may come from the image.
 */
static _Noreturn void run_javascript(void) {
  const size_t max_stack_bytes = javascript_stack.max_bytes;
  if (context == NULL) load_modules(max_stack_bytes);
  /* The engine may have been created on another stack, in the process that made the image. */
  JS_UpdateStackTop(runtime);
  JS_SetMaxStackSize(runtime, max_stack_bytes);
  JS_SetPropertyStr(context, native, "words", list_of_texts(context, command_line.words, (size_t)command_line.count));
  JS_SetPropertyStr(context, native, "ignoredSignals", list_ignored_signals(context));
  /* The descriptors must be listed before list_standard_streams opens any. */
  JS_SetPropertyStr(context, native, "descriptors", list_inherited_descriptors(context));
  JS_SetPropertyStr(context, native, "streams", list_standard_streams(context));
#ifdef CHECKED
  watch_memory(runtime);
  make_mistake(context, native, command_line.count, command_line.words);
#endif
  /* Node.js ignores these two signals as well. native/system.c restores their default actions before an execve. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const JSValue result = JS_IsException(start) ? start : JS_Call(context, start, JS_UNDEFINED, 0, NULL);
  if (JS_IsException(result)) print_exception(context);
  exit(FAILURE_STATUS);
}

/*
 * The stack pointer at the first instruction of this process, or NULL if the entry is that of the C library. The kernel has
 * put the arguments and environment variables above this address, and the stack grows down from it, up to the caller's
 * limit (ulimit -s).
 */
char *kernel_stack;

/*
 * With `ulimit -s 8` the kernel's stack may not have enough memory for even one function call. So the entry of the
 * executable is start_on_small_stack (runtime/build/runtime.mjs), which switches to this stack. Only the start of the C
 * library and main() run on it. The assembly below repeats its size, 16384.
 */
enum { SMALL_STACK_BYTES = 16 * 1024 };
_Alignas(16) char small_stack[SMALL_STACK_BYTES];

/* start_on_small_stack: stores the stack pointer, and passes it to _start_c of musl, which expects it and calls main(). */

#if defined(__x86_64__)
__asm__(".text\n.weak _start_c\n.globl start_on_small_stack\nstart_on_small_stack:\n\t"
        "xor %ebp, %ebp\n\tmov %rsp, kernel_stack(%rip)\n\tmov %rsp, %rdi\n\t"
        "lea small_stack+16384(%rip), %rsp\n\tcall _start_c\n\tud2\n");
#elif defined(__aarch64__)
__asm__(".text\n.weak _start_c\n.globl start_on_small_stack\nstart_on_small_stack:\n\t"
        "mov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tadrp x1, kernel_stack\n\tstr x0, [x1, :lo12:kernel_stack]\n\t"
        "adrp x1, small_stack+16384\n\tadd x1, x1, :lo12:small_stack+16384\n\tmov sp, x1\n\tbl _start_c\n\tbrk #0\n");
#endif

/* Calls run_javascript on another stack. */
static _Noreturn void run_on_stack(char *top) {
  /* Both processors require a stack pointer that is a multiple of 16. */
  char *const stack_pointer = (char *)((uintptr_t)top & ~(uintptr_t)15);
#if defined(__x86_64__)
  __asm__ volatile("mov %0, %%rsp\n\tcall *%1\n\tud2" ::"r"(stack_pointer), "r"(run_javascript) : "memory");
#elif defined(__aarch64__)
  __asm__ volatile("mov sp, %0\n\tblr %1\n\tbrk #0" ::"r"(stack_pointer), "r"(run_javascript) : "memory");
#endif
  __builtin_unreachable();
}

/*
 * Maps memory for a stack of the usual size, and returns its top; NULL if there is no memory. JavaScript uses half of it,
 * as it does of the kernel's stack. The kernel provides the pages only as they are used.
 */
static char *map_stack(void) {
  const size_t size = 2 * (size_t)STACK_BYTES;
  char *const bottom = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  return bottom == MAP_FAILED ? NULL : bottom + size;
}

/*
 * Chooses the stack for JavaScript: the kernel's stack, if the caller's limit leaves it the usual size; otherwise a
 * mapping. (To raise the limit instead would change it for the program, which inherits it.) If there is no memory for a
 * mapping, JavaScript must manage with the kernel's stack; if that is too small this process ends.
 */
static struct stack choose_stack(void) {
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  getrlimit(RLIMIT_STACK, &limit);
  /* The other half is for the arguments and environment variables, which are on the kernel's stack as well. */
  const rlim_t usable_bytes = limit.rlim_cur / 2;
  if (usable_bytes >= STACK_BYTES) return (struct stack){kernel_stack, STACK_BYTES};
  char *const mapped = map_stack();
  if (mapped != NULL) return (struct stack){mapped, STACK_BYTES};
  if (usable_bytes < MIN_STACK_BYTES) end_without_memory();
  return (struct stack){kernel_stack, usable_bytes};
}

/*
 * Returns a random number for this process without a system call: the second half of the 16 random bytes that the kernel
 * passes to each process (AT_RANDOM of getauxval(3)). The C library uses the first half.
 */
static uint64_t random_number(void) {
  uint64_t numbers[2] = {0};
  const void *const bytes = (const void *)getauxval(AT_RANDOM);
  if (bytes != NULL) memcpy(numbers, bytes, sizeof numbers);
  return numbers[1];
}

/*
 * Makes the segment RELRO read-only. The linker has put data there that is set only once, at the start, such as the
 * pointers to the functions that exit(3) calls. musl protects this segment only in programs that have a dynamic linker. All
 * other constants are in segments that are never writable, since the executable has fixed addresses.
 */
static void protect_constants(void) {
  const ElfW(Phdr) *const headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
  const uintptr_t page = getauxval(AT_PAGESZ);
  const size_t count = getauxval(AT_PHNUM);
  for (size_t i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_GNU_RELRO) continue;
    const uintptr_t first = headers[i].p_vaddr & -page, end = (headers[i].p_vaddr + headers[i].p_memsz) & -page;
    if (end > first) mprotect((void *)first, end - first, PROT_READ);
  }
}

int main(int count, char **arguments) {
  protect_constants();
  if (getpid() == 1) exit_at_fatal_signals();
  /* make_image never returns. */
  if (makes_image(count, arguments)) make_image(load_image);
  /* The key differs between processes, so the process that makes the image must not have one. */
  JS_SetHashKey(random_number());
  command_line.count = count;
  command_line.words = arguments;
  javascript_stack = choose_stack();
  /* If the entry is that of the C library, main() itself is on the kernel's stack. */
  if (javascript_stack.top == NULL) run_javascript();
  run_on_stack(javascript_stack.top);
}
