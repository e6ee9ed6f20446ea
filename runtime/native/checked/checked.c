#include "checked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "../image.h"
#include "../memory.h"
#include "../runtime.h"
#include "ends.h"

#undef _exit
#undef execve
#undef syscall

enum { PAGE = 4096, UNIT = 4, MOST_KINDS = 16 };

/* The linker defines the limits of a section by its name. */
extern char __start_image[];

static struct {
  pid_t process;
  /* True while an execve is tried. */
  bool is_replaced;
  JSRuntime *runtime;
  /* How the image was, and for each unit the index of the kind of memory there that must not change, or 0. */
  char *former;
  uint8_t *kinds;
  size_t size, pages_written;
  struct sigaction faults;
} watched;

static const char *kind_names[MOST_KINDS];

/* Appends to a file beside the executable, if it exists. */
static void append(const char *suffix, const char *text, size_t size) {
  char path[1024];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
  if (length <= 0) return;
  strcpy(path + length, suffix);
  const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file == -1) return;
  /* Under the caller's limit on the size of files the text is lost, not the process. */
  const struct sigaction ignored = {.sa_handler = SIG_IGN};
  struct sigaction former;
  sigaction(SIGXFSZ, &ignored, &former);
  (void)!write(file, text, size);
  /* If the signal is blocked it is pending now: to ignore it takes it away. */
  sigaction(SIGXFSZ, &ignored, NULL);
  sigaction(SIGXFSZ, &former, NULL);
  close(file);
}

_Noreturn void report_memory(const char *format, ...) {
  char text[512] = "sophia-run, checking mode: ";
  size_t length = strlen(text);
  va_list values;
  va_start(values, format);
  const int added = vsnprintf(text + length, sizeof text - length - 1, format, values);
  va_end(values);
  length += added < 0 ? 0 : (size_t)added;
  if (length > sizeof text - 2) length = sizeof text - 2;
  text[length++] = '\n';
  append(".findings", text, length);
  (void)!write(2, text, length);
  const struct rlimit none = {0};
  setrlimit(RLIMIT_CORE, &none);
  abort();
}

void poison(void *memory, size_t size, uint64_t with) {
  for (uint64_t *word = memory, *const end = word + size / sizeof *word; word < end; ++word) *word = with;
}

bool is_poisoned(const void *memory, size_t size, uint64_t with) {
  for (const uint64_t *word = memory, *const end = word + size / sizeof *word; word < end; ++word) {
    if (*word != with) return false;
  }
  return true;
}

void expect_poison(const void *memory, size_t size, uint64_t with, const char *what) {
  for (size_t i = 0; i < size / sizeof(uint64_t); ++i) {
    if (((const uint64_t *)memory)[i] == with) continue;
    report_memory("%s was changed, %zu bytes behind its start", what, i * sizeof(uint64_t));
  }
}

static uint8_t index_of(const char *kind) {
  uint8_t index = 1;
  while (kind_names[index] != NULL && strcmp(kind_names[index], kind) != 0) ++index;
  kind_names[index] = kind;
  return index;
}

void mark_image(const void *memory, size_t size, const char *kind) {
  /* Whole units. */
  const uintptr_t start = ((uintptr_t)memory + UNIT - 1) & -(uintptr_t)UNIT, end = ((uintptr_t)memory + size) & -(uintptr_t)UNIT;
  const uintptr_t image = (uintptr_t)__start_image;
  if (start < image || end > image + watched.size || end <= start) return;
  memset(watched.kinds + (start - image) / UNIT, index_of(kind), (end - start) / UNIT);
}

static _Noreturn void report_write(size_t at) {
  report_memory("%s in the image is written to, %zu bytes behind its start", kind_names[watched.kinds[at / UNIT]], at);
}

/* The first write to a page of the image, or a bug. */
static void on_fault(int number, siginfo_t *info, void *unused) {
  if (info->si_code <= 0) {
    /* Another process sent it: as if this handler were not there. */
    sigaction(SIGSEGV, &watched.faults, NULL);
    kill(getpid(), SIGSEGV);
    return;
  }
  const size_t at = (uintptr_t)info->si_addr - (uintptr_t)__start_image;
  if (info->si_code != SEGV_ACCERR || at >= watched.size) {
    report_memory("an address that does not exist is used: %p", info->si_addr);
  }
  if (watched.kinds[at / UNIT] != 0) report_write(at);
  ++watched.pages_written;
  mprotect(__start_image + at / PAGE * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static void *map(size_t size) {
  void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) end_without_memory();
  return memory;
}

static void watch_image(void) {
  /* Other variables may follow on its last page. */
  watched.size = (size_t)(image_room_end - __start_image) & -(size_t)PAGE;
  watched.former = memcpy(map(watched.size), __start_image, watched.size);
  watched.kinds = map(watched.size / UNIT);
  JS_MarkImage(watched.runtime);
  mark_unused_blocks();
  mprotect(__start_image, watched.size, PROT_READ);
}

static void watch_faults(struct sigaction *former) {
  const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, former);
}

void watch_memory(JSRuntime *runtime) {
  watched.process = getpid();
  watched.runtime = runtime;
  static char stack[64 * 1024];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  watch_faults(&watched.faults);
  /* The executable of a processor that the build cannot run has none. */
  if ((uintptr_t)image_room_end > (uintptr_t)image_room) watch_image();
}

static void check_image(void) {
  for (size_t at = 0; at < watched.size; at += UNIT) {
    if (watched.kinds[at / UNIT] != 0 && memcmp(__start_image + at, watched.former + at, UNIT) != 0) report_write(at);
  }
}

/* A line of what this process counted. */
static void write_counts(const struct JS_MemoryCounts *cells, const struct block_counts *blocks) {
  char text[4096];
  size_t allocated = blocks->blocks_taken + blocks->large_taken, freed = blocks->blocks_freed + blocks->large_freed;
  FILE *const line = fmemopen(text, sizeof text, "w");
  if (line == NULL) return;
  for (size_t i = 0; i < COUNT(cells->cells); ++i) {
    allocated += cells->cells[i].taken;
    freed += cells->cells[i].freed;
  }
  fprintf(line, "%zu allocated, %zu freed, %zu of %zu pages of the image written; ", allocated, freed, watched.pages_written,
          watched.size / PAGE);
  fprintf(line, "pages %zu-%zu, blocks %zu-%zu, large %zu-%zu; cells", blocks->pages_taken, blocks->pages_freed,
          blocks->blocks_taken, blocks->blocks_freed, blocks->large_taken, blocks->large_freed);
  for (size_t i = 0; i < COUNT(cells->cells); ++i) {
    if (cells->cells[i].taken == 0) continue;
    fprintf(line, " %zu:%zu-%zu", cells->cells[i].size, cells->cells[i].taken, cells->cells[i].freed);
  }
  fputc('\n', line);
  const long length = ftell(line);
  fclose(line);
  if (length > 0) append(".counts", text, (size_t)length);
}

/* A child of fork or vfork is not watched: it has the memory of its parent. */
static bool is_watched(void) { return watched.process == getpid(); }

static void check_all(void) {
  const int error = errno;
  check_image();
  const struct JS_MemoryCounts *const cells = JS_CheckMemory(watched.runtime);
  write_counts(cells, check_blocks());
  errno = error;
}

void check_at_end(void) {
  if (!is_watched()) return;
  check_all();
  watched.process = 0;
}

void check_before_exec(void) {
  if (!is_watched()) return;
  check_all();
  watched.is_replaced = true;
  /* A program inherits that it is ignored. */
  sigaction(SIGSEGV, &watched.faults, NULL);
}

int check_after_exec(int result) {
  if (!watched.is_replaced || !is_watched()) return result;
  const int error = errno;
  watched.is_replaced = false;
  watch_faults(NULL);
  errno = error;
  return result;
}

void check_before_call(long number, ...) {
  if (number == SYS_execveat) check_before_exec();
  if (number != SYS_rt_sigprocmask || !is_watched()) return;
  va_list rest;
  va_start(rest, number);
  const int how = va_arg(rest, int);
  const uint64_t *const set = va_arg(rest, const uint64_t *);
  va_end(rest);
  /* While it is blocked a fault would be the end. What must not change is compared at the end. */
  if (how != SIG_UNBLOCK && set != NULL && (*set >> (SIGSEGV - 1) & 1) == 1) {
    mprotect(__start_image, watched.size, PROT_READ | PROT_WRITE);
  }
}

long check_after_call(long result) {
  check_after_exec(0);
  return result;
}

__attribute__((destructor)) static void check_at_exit(void) { check_at_end(); }

/* A block that is freed, read by its former owner: as a value of the engine. */
static void read_freed(JSContext *context, JSValueConst native) {
  const JSValue object = JS_NewObject(context);
  JS_SetPropertyStr(context, object, "name", JS_NewString(context, "value"));
  JS_FreeValue(context, object);
  JS_FreeValue(context, JS_GetPropertyStr(context, object, "name"));
}

static void free_twice(JSContext *context, size_t size) {
  void *const memory = js_malloc(context, size);
  js_free(context, memory);
  js_free(context, memory);
}

static void free_cell_twice(JSContext *context, JSValueConst native) { free_twice(context, 40); }
static void free_block_twice(JSContext *context, JSValueConst native) { free_twice(context, 1000); }

static void count_freed(JSContext *context, JSValueConst native) {
  const JSValue text = JS_NewString(context, "a text");
  JS_FreeValue(context, text);
  JS_DupValue(context, text);
}

static void write_freed(JSContext *context, size_t size) {
  volatile char *const memory = js_malloc(context, size);
  js_free(context, (void *)(uintptr_t)memory);
  memory[size / 2] = 1;
}

static void write_freed_cell(JSContext *context, JSValueConst native) { write_freed(context, 40); }
static void write_freed_block(JSContext *context, JSValueConst native) { write_freed(context, 1000); }
static void write_freed_mapping(JSContext *context, JSValueConst native) { write_freed(context, 1000000); }

static void write_behind_cell(JSContext *context, JSValueConst native) {
  enum { SIZE = 40, CELLS = 200 };
  volatile char *cells[CELLS];
  for (size_t i = 0; i < CELLS; ++i) cells[i] = js_malloc(context, SIZE);
  for (size_t i = 0; i < CELLS; ++i) cells[i][SIZE] = 0x55;
  for (size_t i = 0; i < CELLS; ++i) js_free(context, (void *)(uintptr_t)cells[i]);
}

/* The count of an object is in front of it. */
static void count_fixed(JSContext *context, JSValueConst native) { ++((volatile int *)JS_VALUE_GET_PTR(native))[-1]; }

static void count_fixed_late(JSContext *context, JSValueConst native) {
  /* The list of objects, which an object begins with, may change: so its page may be written to. */
  ((volatile char *)JS_VALUE_GET_PTR(native))[0] ^= 0;
  count_fixed(context, native);
}

static void write_fixed_text(JSContext *context, JSValueConst native) {
  enum { HEADER = 24 };
  ((volatile char *)JS_VALUE_GET_PTR(JS_GetPropertyStr(context, native, "processor")))[HEADER] = '?';
}

void be_wrong(JSContext *context, JSValueConst native, int count, char **words) {
  static const struct {
    const char *option;
    void (*run)(JSContext *context, JSValueConst native);
  } WAYS[] = {
    {"--wrong-read-freed", read_freed},
    {"--wrong-free-cell-twice", free_cell_twice},
    {"--wrong-free-block-twice", free_block_twice},
    {"--wrong-count-freed", count_freed},
    {"--wrong-write-freed-cell", write_freed_cell},
    {"--wrong-write-freed-block", write_freed_block},
    {"--wrong-write-freed-mapping", write_freed_mapping},
    {"--wrong-write-behind-cell", write_behind_cell},
    {"--wrong-count-fixed", count_fixed},
    {"--wrong-count-fixed-late", count_fixed_late},
    {"--wrong-write-fixed-text", write_fixed_text},
  };
  for (size_t i = 0; i < COUNT(WAYS) && count == 2; ++i) {
    if (strcmp(words[1], WAYS[i].option) != 0) continue;
    WAYS[i].run(context, native);
    exit(0);
  }
}
