/*
 * The part of the checking mode (checked.h) that watches a process from the start of JavaScript to the process's end. It
 * makes the image read-only, handles each fault, and checks all memory before the process exits or a program replaces it.
 */
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

/* In this file these names must mean the functions themselves, without checks (ends.h). */
#undef _exit
#undef execve
#undef syscall

/* UNIT_BYTES is the granularity with which the image is marked and compared. */
enum { PAGE = 4096, UNIT_BYTES = 4, MAX_KINDS = 16 };

/* The start of the section `image`. The linker defines this symbol by the name of the section. */
extern char __start_image[];

/*
 * The state of the watch. watch_memory sets it before JavaScript runs, and it is used until check_at_end. A child of vfork(2)
 * shares it, and a child of fork(2) has a copy, so the functions of ends.h call is_watched first.
 */
static struct {
  /* The process that is watched; 0 before watch_memory, and after the last check. */
  pid_t process;
  /* True between the check before an execve and the failure of that execve. */
  bool is_in_execve;
  /* The engine whose memory is checked. */
  JSRuntime *runtime;
  /* A copy of the image as it was at the start of the watch. */
  char *copy;
  /* By unit of the image: the index in kind_names of what is stored there and must not change; 0: it may change. */
  uint8_t *kinds;
  /* The size of the watched part of the image, and the number of pages that have become writable. */
  size_t size, pages_written;
  /* The caller's action for SIGSEGV. */
  struct sigaction former_action;
} watch;

/* The arguments `kind` of mark_image, from index 1 on, as far as there are any. They are fewer than MAX_KINDS. */
static const char *kind_names[MAX_KINDS];

/* Appends a text to the file whose name is that of the executable with this suffix, if the file exists. */
static void append_to_report(const char *suffix, const char *text, size_t size) {
  char path[1024];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
  if (length <= 0) return;
  strcpy(path + length, suffix);
  const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file == -1) return;
  /*
   * If the write exceeds the caller's limit on the size of files, the kernel sends this signal, which must not end the
   * process.
   */
  const struct sigaction ignored = {.sa_handler = SIG_IGN};
  struct sigaction former;
  sigaction(SIGXFSZ, &ignored, &former);
  (void)!write(file, text, size);
  /* If the caller has blocked the signal, it is pending now. Setting this action again removes it (POSIX, 2.4.3). */
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
  append_to_report(".findings", text, length);
  (void)!write(2, text, length);
  const struct rlimit no_core_dump = {0};
  setrlimit(RLIMIT_CORE, &no_core_dump);
  abort();
}

void poison(void *memory, size_t size, uint64_t word) {
  for (uint64_t *next = memory, *const end = next + size / sizeof *next; next < end; ++next) *next = word;
}

bool is_poisoned(const void *memory, size_t size, uint64_t word) {
  for (const uint64_t *next = memory, *const end = next + size / sizeof *next; next < end; ++next) {
    if (*next != word) return false;
  }
  return true;
}

void expect_poison(const void *memory, size_t size, uint64_t word, const char *description) {
  for (size_t i = 0; i < size / sizeof(uint64_t); ++i) {
    if (((const uint64_t *)memory)[i] == word) continue;
    report_memory("%s was changed, %zu bytes behind its start", description, i * sizeof(uint64_t));
  }
}

/* Returns the index of a kind in kind_names, and adds the kind if it is new. */
static uint8_t index_of_kind(const char *kind) {
  uint8_t index = 1;
  while (kind_names[index] != NULL && strcmp(kind_names[index], kind) != 0) ++index;
  kind_names[index] = kind;
  return index;
}

void mark_image(const void *memory, size_t size, const char *kind) {
  /* A unit that is only partly in the memory may change. */
  const uintptr_t start = ((uintptr_t)memory + UNIT_BYTES - 1) & -(uintptr_t)UNIT_BYTES;
  const uintptr_t end = ((uintptr_t)memory + size) & -(uintptr_t)UNIT_BYTES;
  const uintptr_t image = (uintptr_t)__start_image;
  if (start < image || end > image + watch.size || end <= start) return;
  memset(watch.kinds + (start - image) / UNIT_BYTES, index_of_kind(kind), (end - start) / UNIT_BYTES);
}

/* Reports that the unit at this offset of the image was changed, although it must not change. */
static _Noreturn void report_write(size_t offset) {
  const char *const kind = kind_names[watch.kinds[offset / UNIT_BYTES]];
  report_memory("%s in the image is written to, %zu bytes behind its start", kind, offset);
}

/*
 * Handles SIGSEGV. A fault is the first write to a page of the image, which is allowed if the unit may change: the page
 * becomes writable, and the write is repeated. Every other fault is a mistake.
 */
static void on_fault(int number, siginfo_t *info, void *unused) {
  const bool is_from_process = info->si_code <= 0;
  if (is_from_process) {
    /* The signal must act as if this handler were not there. */
    sigaction(SIGSEGV, &watch.former_action, NULL);
    kill(getpid(), SIGSEGV);
    return;
  }
  const size_t offset = (uintptr_t)info->si_addr - (uintptr_t)__start_image;
  if (info->si_code != SEGV_ACCERR || offset >= watch.size) {
    report_memory("an address that does not exist is used: %p", info->si_addr);
  }
  if (watch.kinds[offset / UNIT_BYTES] != 0) report_write(offset);
  ++watch.pages_written;
  mprotect(__start_image + offset / PAGE * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

/* Maps memory, which is zero and is never unmapped. Ends this process if there is none. */
static void *map(size_t size) {
  void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) end_without_memory();
  return memory;
}

/* Copies the image, marks what must not change in it, and makes it read-only, in this order. */
static void watch_image(void) {
  /* The last page of the image is not watched, because it may contain other variables as well. */
  watch.size = (size_t)(image_room_end - __start_image) & -(size_t)PAGE;
  watch.copy = memcpy(map(watch.size), __start_image, watch.size);
  watch.kinds = map(watch.size / UNIT_BYTES);
  JS_MarkImage(watch.runtime);
  mark_unused_blocks();
  mprotect(__start_image, watch.size, PROT_READ);
}

/* Sets the handler of SIGSEGV, and stores the former action unless `former` is NULL. */
static void watch_faults(struct sigaction *former) {
  const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, former);
}

void watch_memory(JSRuntime *runtime) {
  watch.process = getpid();
  watch.runtime = runtime;
  /* The handler has a stack of its own, because the fault may be a stack overflow. */
  static char stack[64 * 1024];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  watch_faults(&watch.former_action);
  /* There is no image if the executable is for another processor, since the build could not run it. */
  const bool has_image = (uintptr_t)image_room_end > (uintptr_t)image_room;
  if (has_image) watch_image();
}

/* Compares everything that must not change with the copy, because later writes to a writable page do not fault. */
static void check_image(void) {
  for (size_t offset = 0; offset < watch.size; offset += UNIT_BYTES) {
    const bool must_not_change = watch.kinds[offset / UNIT_BYTES] != 0;
    if (must_not_change && memcmp(__start_image + offset, watch.copy + offset, UNIT_BYTES) != 0) report_write(offset);
  }
}

/*
 * Appends one line to the file of counts, such as
 *   2841 allocated, 1203 freed, 60 of 380 pages of the image written; pages 9-2, blocks 80-41, large 0-0; cells 24:310-99
 * where `24:310-99` means that 310 small blocks of 24 bytes were allocated, and 99 of them freed.
 */
static void write_counts(const struct JS_MemoryCounts *cells, const struct block_counts *blocks) {
  char text[4096];
  size_t allocated = blocks->blocks_taken + blocks->large_taken, freed = blocks->blocks_freed + blocks->large_freed;
  FILE *const line = fmemopen(text, sizeof text, "w");
  if (line == NULL) return;
  for (size_t i = 0; i < COUNT(cells->cells); ++i) {
    allocated += cells->cells[i].taken;
    freed += cells->cells[i].freed;
  }
  fprintf(line, "%zu allocated, %zu freed, %zu of %zu pages of the image written; ", allocated, freed, watch.pages_written,
          watch.size / PAGE);
  fprintf(line, "pages %zu-%zu, blocks %zu-%zu, large %zu-%zu; cells", blocks->pages_taken, blocks->pages_freed,
          blocks->blocks_taken, blocks->blocks_freed, blocks->large_taken, blocks->large_freed);
  for (size_t i = 0; i < COUNT(cells->cells); ++i) {
    if (cells->cells[i].taken == 0) continue;
    fprintf(line, " %zu:%zu-%zu", cells->cells[i].size, cells->cells[i].taken, cells->cells[i].freed);
  }
  fputc('\n', line);
  const long length = ftell(line);
  fclose(line);
  if (length > 0) append_to_report(".counts", text, (size_t)length);
}

/* Returns false after the last check, and in a child of fork(2) or vfork(2), where this state is that of the parent. */
static bool is_watched(void) { return watch.process == getpid(); }

/* Makes all checks and writes the counts. Ends this process if a check fails; otherwise keeps errno. */
static void check_all(void) {
  const int error = errno;
  check_image();
  const struct JS_MemoryCounts *const cells = JS_CheckMemory(watch.runtime);
  write_counts(cells, check_blocks());
  errno = error;
}

void check_at_end(void) {
  if (!is_watched()) return;
  check_all();
  watch.process = 0;
}

void check_before_exec(void) {
  if (!is_watched()) return;
  check_all();
  watch.is_in_execve = true;
  /*
   * If the caller ignored the signal, the program must inherit that. The execve would turn a handler into the default
   * action.
   */
  sigaction(SIGSEGV, &watch.former_action, NULL);
}

int check_after_exec(int result) {
  if (!watch.is_in_execve || !is_watched()) return result;
  const int error = errno;
  watch.is_in_execve = false;
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
  /*
   * While SIGSEGV is blocked, a fault would end the process without a message. So the image becomes writable before that.
   * What must not change is still compared at the end.
   */
  const bool blocks_faults = how != SIG_UNBLOCK && set != NULL && (*set >> (SIGSEGV - 1) & 1) == 1;
  if (blocks_faults) {
    mprotect(__start_image, watch.size, PROT_READ | PROT_WRITE);
  }
}

long check_after_call(long result) {
  check_after_exec(0);
  return result;
}

/* exit(3) runs this function, since exit itself calls no function that ends.h replaces. */
__attribute__((destructor)) static void check_at_exit(void) { check_at_end(); }

#include "mistakes.inc"
