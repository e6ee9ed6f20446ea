/*
 * What runs in a stand-alone executable for Linux before Bun does. Bun reads dozens of variables that are none of
 * sophia-run's business (BUN_BE_BUN makes it an interpreter, a BUN_JSC_ name that it does not know ends it), changes how
 * signals act and raises limits before the first line of JavaScript. No option turns that off. So the executable begins
 * here, when the dynamic loader is done: Bun gets an environment in which these variables have other names, and one
 * more that tells what the caller had set. system/before-bun.ts reads both; scripts/build/before-bun.mjs builds this in.
 *
 * There is no C library here: system calls, the stack, and four addresses of Bun's own that the build puts in.
 */
#define _GNU_SOURCE

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../../system/generated/shared.h"

/* Of these no name reaches Bun; it gets HIDDEN_PREFIX in front. HIDDEN_PREFIX's own names too, so that each is what it was afterwards. */
static const char *const PREFIXES[] = {"BUN_", "JSC_", "WTF_", "ICU_", "MIMALLOC_", "NODE_CHANNEL_", HIDDEN_PREFIX};
static const char *const SETTINGS[] = {BUN_SETTINGS};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Empty files for embedded-addon.ts, which fills those that it needs; it could make none without more of Bun. */
enum { FILES = 4 };
#define MEMFD_CLOEXEC 1u

enum { SIGNALS = 64, RECORD_BYTES = 96, MOST_DESCRIPTORS = 4096, WITHOUT_PROC = 1024, NUMBER_BYTES = 12 };

#if defined(__x86_64__)
__asm__(".section .entry,\"ax\"\n"
        ".globl _start\n"
        "_start: mov %rsp, %rdi\n"
        "mov %rdx, %rsi\n"
        "and $-16, %rsp\n"
        "call before_bun\n"
        ".text\n");

static long system_call(long number, long a, long b, long c, long d) {
  long result;
  register long fourth __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                   : "rcx", "r11", "memory");
  return result;
}

/* As the loader would: the stack begins with the count of arguments, and one register holds what main's end calls. */
#define GO_ON(stack, finalizer, entry) \
  __asm__ volatile("mov %0, %%rsp\nxor %%ebp, %%ebp\njmp *%2" ::"r"(stack), "d"(finalizer), "r"(entry) : "memory")
#elif defined(__aarch64__)
__asm__(".section .entry,\"ax\"\n"
        ".globl _start\n"
        "_start: mov x1, x0\n"
        "mov x0, sp\n"
        "b before_bun\n"
        ".text\n");

static long system_call(long number, long a, long b, long c, long d) {
  register long call __asm__("x8") = number;
  register long first __asm__("x0") = a;
  register long second __asm__("x1") = b;
  register long third __asm__("x2") = c;
  register long fourth __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(first) : "r"(call), "r"(second), "r"(third), "r"(fourth) : "memory");
  return first;
}

#define GO_ON(stack, finalizer, entry)                                                              \
  do {                                                                                              \
    register void *first __asm__("x0") = finalizer;                                                 \
    __asm__ volatile("mov sp, %0\nmov x29, xzr\nbr %2" ::"r"(stack), "r"(first), "r"(entry) : "memory"); \
  } while (0)
#endif

static size_t length_of(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

static char *append(char *to, const char *text) {
  while (*text != '\0') *to++ = *text++;
  *to = '\0';
  return to;
}

static bool begins_with(const char *text, const char *prefix) {
  for (; *prefix != '\0'; ++text, ++prefix) {
    /* mimalloc takes its names in lower case, too. */
    const char upper = *text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text;
    if (upper != *prefix) return false;
  }
  return true;
}

static bool is_held(const char *entry) {
  for (size_t i = 0; i < COUNT(PREFIXES); ++i) {
    if (begins_with(entry, PREFIXES[i])) return true;
  }
  return false;
}

/* One bit for each signal that is ignored, SIGHUP's the lowest. */
static uint64_t ignored_signals(void) {
  uint64_t ignored = 0;
  for (int signal = 1; signal <= SIGNALS; ++signal) {
    long action[8] = {0};
    if (system_call(SYS_rt_sigaction, signal, 0, (long)action, sizeof(uint64_t)) == 0 && action[0] == 1) {
      ignored |= (uint64_t)1 << (signal - 1);
    }
  }
  return ignored;
}

static const int FATAL[] = {FATAL_SIGNALS};

__attribute__((noreturn)) static void exit_by(int signal) {
  for (;;) system_call(SYS_exit_group, 128 + signal, 0, 0, 0);
}

/*
 * PID 1 does not die of a signal that it does not catch: one that came before JavaScript listens would be lost. So it ends
 * from here on, with the status by which preflight.ts ends it. Nothing returns from there, yet x86-64 demands a way back.
 */
static void end_at_signals(void) {
  enum { HAS_WAY_BACK = 0x04000000 };
  const long action[] = {(long)exit_by, HAS_WAY_BACK, (long)exit_by, 0};
  for (size_t i = 0; i < COUNT(FATAL); ++i) system_call(SYS_rt_sigaction, FATAL[i], (long)action, 0, sizeof(uint64_t));
}

/* Deleted, outside the root (the kernel's answer begins with "(unreachable)"), or so deep that its path is too long. */
static bool is_folder_without_path(void) {
  char path[4096];
  return system_call(SYS_getcwd, (long)path, sizeof path, 0, 0) < 0 || path[0] != '/';
}

/* getcwd(3) in such a working directory: Bun would end. */
static char *root(char *path, size_t size) {
  if (path == NULL || size < 2) return NULL;
  path[0] = '/';
  path[1] = '\0';
  return path;
}

static uint64_t blocked_signals(void) {
  uint64_t blocked = 0;
  system_call(SYS_rt_sigprocmask, 0, 0, (long)&blocked, sizeof blocked);
  return blocked;
}

static bool is_open(long descriptor) { return system_call(SYS_fcntl, descriptor, F_GETFD, 0, 0) >= 0; }

/* What is open from 3 on: nothing else has run, so that the caller has passed it. @returns how many */
static size_t find_descriptors(int *found) {
  size_t count = 0;
  const long folder = system_call(SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (folder < 0) {
    for (int number = 3; number < WITHOUT_PROC; ++number) {
      if (is_open(number)) found[count++] = number;
    }
    return count;
  }
  char entries[4096] __attribute__((aligned(8)));
  for (;;) {
    const long size = system_call(SYS_getdents64, folder, (long)entries, sizeof entries, 0);
    if (size <= 0) break;
    /* struct linux_dirent64: the inode, an offset, the entry's size in two bytes, a type, the name. */
    for (long at = 0; at < size; at += *(const unsigned short *)(entries + at + 16)) {
      int number = 0;
      for (const char *name = entries + at + 19; *name >= '0' && *name <= '9'; ++name) number = 10 * number + *name - '0';
      if (number > 2 && number != folder && count < MOST_DESCRIPTORS) found[count++] = number;
    }
  }
  system_call(SYS_close, folder, 0, 0, 0);
  return count;
}

static char *append_set(char *to, uint64_t set) {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[set >> shift & 15];
  *to++ = ' ';
  return to;
}

static char *append_number(char *to, int number) {
  char digits[12];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

static char *append_numbers(char *to, const int *numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) *to++ = ',';
    to = append_number(to, numbers[i]);
  }
  return to;
}

/* Behind the standard streams, which may be closed and are to stay so. @returns a negative number where there is none */
static int empty_file(void) {
  const long made = system_call(SYS_memfd_create, (long)"sophia-run", MEMFD_CLOEXEC, 0, 0);
  if (made < 0 || made > 2) return (int)made;
  const long behind = system_call(SYS_fcntl, made, F_DUPFD_CLOEXEC, 3, 0);
  system_call(SYS_close, made, 0, 0, 0);
  return (int)behind;
}

#include "arguments.h"

/*
 * The text that system/before-bun.ts reads: the ignored and the blocked signals in hexadecimal, whether the working directory
 * has no path, which of the standard streams are open, the descriptors from 3 on, and those of the empty files, with commas;
 * then the arguments.
 */
static void write_record(char *to, uint64_t ignored, bool has_no_path, const int *descriptors, size_t count,
                         char **arguments) {
  to = append(to, HIDDEN_PREFIX "=");
  to = append_set(to, ignored);
  to = append_set(to, blocked_signals());
  to = append(to, has_no_path ? "nowhere " : "- ");
  for (int stream = 0; stream < 3; ++stream) {
    if (is_open(stream)) to = append_number(to, stream);
  }
  *to++ = ' ';
  to = append_numbers(to, descriptors, count);
  *to++ = ' ';
  int files[FILES];
  size_t made = 0;
  while (made < FILES && (files[made] = empty_file()) >= 0) ++made;
  to = append_numbers(to, files, made);
  for (; *arguments != NULL; ++arguments) to = append_argument(to, *arguments);
  *to = '\0';
}

#include "variables.h"

/* In pages behind the code, which the build has laid out: see scripts/build/before-bun.mjs. */
extern char state_begin[], state_end[];
void start_without_bun(size_t count, char **arguments, char **variables, uint64_t ignored);

__attribute__((noreturn, used)) void before_bun(long *stack, void *finalizer) {
  char **const environment = (char **)stack + stack[0] + 2;
  /* Bun gets its own name alone; a process may have been started without any. */
  const size_t arguments = stack[0] > 0 ? 1 : 0;
  char **const others = (char **)stack + 1 + arguments;
  const long state = (long)state_begin;
  const uint64_t ignored = ignored_signals();
  if (system_call(SYS_getpid, 0, 0, 0, 0) == 1) end_at_signals();
  if (stack[0] > 1 && system_call(SYS_mprotect, state, (long)state_end - state, PROT_READ | PROT_WRITE, 0) == 0) {
    start_without_bun((size_t)stack[0] - 1, (char **)stack + 2, environment, ignored);
  }
  size_t entries = 0;
  while (environment[entries] != NULL) ++entries;
  long *const auxiliary = (long *)environment + entries + 1;
  const size_t variables = keep_variables(environment, entries);
  int descriptors[MOST_DESCRIPTORS];
  const size_t count = find_descriptors(descriptors);
  size_t bytes = RECORD_BYTES + NUMBER_BYTES * (count + FILES);
  for (size_t i = 0; others[i] != NULL; ++i) bytes += argument_bytes(others[i]);
  for (size_t i = 0; i < variables; ++i) {
    if (is_held(environment[i])) bytes += sizeof HIDDEN_PREFIX + length_of(environment[i]);
  }
  size_t rest = 0;
  while (auxiliary[rest] != AT_NULL) rest += 2;
  rest += 2;

  char *strings = __builtin_alloca(bytes);
  /* Last, since what is below the stack's new end is not kept. */
  long *const fresh = __builtin_alloca_with_align((arguments + variables + COUNT(SETTINGS) + 4 + rest) * sizeof(long), 128);
  long *to = fresh;
  *to++ = (long)arguments;
  for (size_t i = 0; i < arguments; ++i) *to++ = stack[1 + i];
  *to++ = 0;
  long *const fresh_environment = to;
  for (size_t i = 0; i < variables; ++i) {
    *to++ = is_held(environment[i]) ? (long)strings : (long)environment[i];
    if (is_held(environment[i])) strings = append(append(strings, HIDDEN_PREFIX), environment[i]) + 1;
  }
  for (size_t i = 0; i < COUNT(SETTINGS); ++i) *to++ = (long)SETTINGS[i];
  *to++ = (long)strings;
  const bool has_no_path = is_folder_without_path();
  write_record(strings, ignored, has_no_path, descriptors, count, others);
  *to++ = 0;
  for (size_t i = 0; i < rest; ++i) *to++ = auxiliary[i];

  /* glibc's loader has set it already, musl takes it from the stack. */
  *(char ***)ENVIRON = (char **)fresh_environment;
  /* Bun raises its soft limits, and whatever is started by it would have them. Both take the same arguments. */
  *(void **)SETRLIMIT = *(void **)GETRLIMIT;
  if (has_no_path) *(void **)GETCWD = (void *)root;
  GO_ON(fresh, finalizer, ENTRY);
  __builtin_unreachable();
}
