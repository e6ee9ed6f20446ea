/*
 * The entry point of a stand-alone executable for Linux. Before the first line of JavaScript, Bun reads dozens of variables
 * that are not meant for it (BUN_BE_BUN makes it an interpreter, an unknown BUN_JSC_ name ends it), changes signal actions
 * and raises limits. No option prevents that. So this code runs after the dynamic loader and before Bun: it renames these
 * variables, and adds one with a record of the caller's state. system/before-bun.ts reads both; scripts/build/before-bun.mjs
 * links this file. There is no C library: only system calls, the stack, and four addresses in Bun that the build defines.
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
#include "../../system/raw-call.h"

/* Variables that get HIDDEN_PREFIX in front of their names; its own names too, so that all can be restored. */
static const char *const PREFIXES[] = {"BUN_", "JSC_", "WTF_", "ICU_", "MIMALLOC_", "NODE_CHANNEL_", HIDDEN_PREFIX};
static const char *const SETTINGS[] = {BUN_SETTINGS};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The number of empty files for embedded-addon.ts, which cannot create them itself. */
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

/* As the loader does: the stack begins with the count of arguments, and one register holds the function for main's end. */
#define START_BUN(stack, finalizer, entry) \
  __asm__ volatile("mov %0, %%rsp\nxor %%ebp, %%ebp\njmp *%2" ::"r"(stack), "d"(finalizer), "r"(entry) : "memory")
#elif defined(__aarch64__)
__asm__(".section .entry,\"ax\"\n"
        ".globl _start\n"
        "_start: mov x1, x0\n"
        "mov x0, sp\n"
        "b before_bun\n"
        ".text\n");

#define START_BUN(stack, finalizer, entry)                                                              \
  do {                                                                                              \
    register void *first __asm__("x0") = finalizer;                                                 \
    __asm__ volatile("mov sp, %0\nmov x29, xzr\nbr %2" ::"r"(stack), "r"(first), "r"(entry) : "memory"); \
  } while (0)
#endif

static long system_call(long number, long a, long b, long c, long d) { return raw_call(number, a, b, c, d, 0); }

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
    /* mimalloc ignores the case of its names. */
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

/* Returns a bit for each ignored signal, SIGHUP's the lowest. */
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

/* Makes PID 1 exit at signals, with the status of preflight.ts: the kernel would drop those before JavaScript listens. */
static void end_at_signals(void) {
  enum { HAS_RESTORER = 0x04000000 };
  /* x86-64 requires a restorer, though the handler does not return. */
  const long action[] = {(long)exit_by, HAS_RESTORER, (long)exit_by, 0};
  for (size_t i = 0; i < COUNT(FATAL); ++i) system_call(SYS_rt_sigaction, FATAL[i], (long)action, 0, sizeof(uint64_t));
}

/* Returns true if the working directory is deleted, outside the root ("(unreachable)"), or its path is too long. */
static bool is_folder_without_path(void) {
  char path[4096];
  return system_call(SYS_getcwd, (long)path, sizeof path, 0, 0) < 0 || path[0] != '/';
}

/* Replaces getcwd(3) in such a folder, where Bun would end. */
static char *root(char *path, size_t size) {
  if (path == NULL || size < 2) return NULL;
  path[0] = '/';
  path[1] = '\0';
  return path;
}

static bool is_open(long descriptor) { return system_call(SYS_fcntl, descriptor, F_GETFD, 0, 0) >= 0; }

/* Lists the open descriptors from 3 on, all inherited, since no other code has run. Returns their number. */
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
    /* struct linux_dirent64 has inode, offset, the entry's size in two bytes, type and name. */
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

/* Returns a descriptor above the standard streams, which may be closed and must stay so; a negative number if it fails. */
static int empty_file(void) {
  const long made = system_call(SYS_memfd_create, (long)"sophia-run", MEMFD_CLOEXEC, 0, 0);
  if (made < 0 || made > 2) return (int)made;
  const long behind = system_call(SYS_fcntl, made, F_DUPFD_CLOEXEC, 3, 0);
  system_call(SYS_close, made, 0, 0, 0);
  return (int)behind;
}

/* Arguments are part of the record: Bun would write them, which may be secrets, into crash reports. */
static bool is_escaped(char byte) { return byte == 1 || byte == 2; }

static size_t argument_bytes(const char *argument) {
  size_t bytes = 1;
  for (; *argument != '\0'; ++argument) bytes += is_escaped(*argument) ? 2 : 1;
  return bytes;
}

/* Each begins with a byte 1; within it the bytes 1 and 2 are encoded as 2 3 and 2 4. */
static char *append_argument(char *to, const char *argument) {
  *to++ = 1;
  for (; *argument != '\0'; ++argument) {
    if (is_escaped(*argument)) *to++ = 2;
    *to++ = is_escaped(*argument) ? (char)(*argument + 2) : *argument;
  }
  return to;
}

/* Writes the record, which system/before-bun.ts describes and reads. */
static void write_record(char *to, uint64_t ignored, bool has_no_path, const int *descriptors, size_t count,
                         char **arguments) {
  to = append(to, HIDDEN_PREFIX "=");
  to = append_set(to, ignored);
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

static size_t name_length(const char *entry) {
  size_t length = 0;
  while (entry[length] != '=' && entry[length] != '\0') ++length;
  return length;
}

static bool have_same_name(const char *one, const char *other) {
  for (; *one == *other; ++one, ++other) {
    if (*one == '=') return true;
  }
  return false;
}

/* FNV-1a. */
static size_t hash_of(const char *entry, size_t length) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < length; ++i) hash = (hash ^ (unsigned char)entry[i]) * 0x100000001b3;
  return (size_t)(hash ^ hash >> 32);
}

/*
 * Moves the valid variables, the first of each name as for getenv(3), to the front; Bun would take the last. The kernel limits
 * the environment to a quarter of the stack; the table needs at most sixteen bytes for each. Returns their number.
 */
static size_t keep_variables(char **entries, size_t count) {
  size_t size = 1;
  while (size < 2 * count) size *= 2;
  /* A hash table with open addressing: the index in `entries` plus one, or 0. */
  uint32_t *const table = __builtin_alloca(size * sizeof *table);
  for (size_t i = 0; i < size; ++i) table[i] = 0;
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t length = name_length(entries[i]);
    if (length == 0 || entries[i][length] == '\0') continue;
    size_t at = hash_of(entries[i], length) & (size - 1);
    while (table[at] != 0 && !have_same_name(entries[table[at] - 1], entries[i])) at = (at + 1) & (size - 1);
    if (table[at] != 0) continue;
    entries[kept++] = entries[i];
    table[at] = (uint32_t)kept;
  }
  return kept;
}

/* The pages behind the code, laid out by scripts/build/before-bun.mjs. */
extern char state_begin[], state_end[];
void start_without_bun(size_t count, char **arguments, char **variables, uint64_t ignored);

__attribute__((noreturn, used)) void before_bun(long *stack, void *finalizer) {
  char **const environment = (char **)stack + stack[0] + 2;
  /* Bun gets only its own name; a process may have been started without one. */
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
  /* The last allocation, since the stack below its new end is lost. */
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
  /* Keeps Bun from raising its soft limits, which its children would inherit. Both functions take the same arguments. */
  *(void **)SETRLIMIT = *(void **)GETRLIMIT;
  if (has_no_path) *(void **)GETCWD = (void *)root;
  START_BUN(fresh, finalizer, ENTRY);
  __builtin_unreachable();
}
