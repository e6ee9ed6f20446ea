/*
 * The addon that every start loads on Linux. It makes system calls that Node.js does not offer; system.ts documents each
 * function. The same file runs with glibc and with musl, because it links no library and calls only functions that both
 * have. The executable for Linux contains this addon as well (runtime/native/node_api.h).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <node_api.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "generated/shared.h"
#include "number.h"
#include "program.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The limit on the text of `descriptors`. */
enum { MAX_LINKS_BYTES = 8192 };
/* The number of signals of Linux. */
enum { SIGNALS = 64 };

/* Returns a number from JavaScript; -1 for anything else. */
static int integer(napi_env env, napi_value value) {
  int32_t result = -1;
  napi_get_value_int32(env, value, &result);
  return result;
}

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value from_boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

/* Reads the first `count` arguments of a function. Arguments that the caller omits are undefined. */
static void read_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

/* Returns the argument of a function that has one, a number. */
static int only_argument(napi_env env, napi_callback_info info) {
  napi_value argument;
  read_arguments(env, info, &argument, 1);
  return integer(env, argument);
}

static napi_value keep_on_exec(napi_env env, napi_callback_info info) {
  fcntl(only_argument(env, info), F_SETFD, 0);
  return NULL;
}

static napi_value make_blocking(napi_env env, napi_callback_info info) {
  const int descriptor = only_argument(env, info);
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags != -1 && (flags & O_NONBLOCK) != 0) fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
  return NULL;
}

/*
 * The signals that the program of the next execve inherits as ignored, a bit for each, of which SIGHUP's is the lowest.
 * ignore_on_exec adds signals, and `execute` reads them.
 */
static uint64_t ignored_on_exec;

static napi_value ignore_on_exec(napi_env env, napi_callback_info info) {
  ignored_on_exec |= (uint64_t)1 << (only_argument(env, info) - 1);
  return NULL;
}

static napi_value restore_default(napi_env env, napi_callback_info info) {
  const struct sigaction default_action = {.sa_handler = SIG_DFL};
  sigaction(only_argument(env, info), &default_action, NULL);
  return NULL;
}

static napi_value reap_all_but(napi_env env, napi_callback_info info) {
  const pid_t program = only_argument(env, info);
  for (;;) {
    siginfo_t child = {.si_pid = 0};
    /* WNOWAIT leaves the status in place: if the child is the program, Node.js must still be able to reap it. */
    if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0) return NULL;
    /*
     * The kernel would report the program again and again. So this loop ends here; the remaining children are reaped by the
     * next call, after Node.js has reaped the program.
     */
    if (child.si_pid == 0 || child.si_pid == program) return NULL;
    if (waitid(P_PID, (id_t)child.si_pid, &child, WEXITED | WNOHANG) != 0) return NULL;
  }
}

static napi_value make_undumpable(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
  return NULL;
}

static napi_value end_writes(napi_env env, napi_callback_info info) {
  shutdown(only_argument(env, info), SHUT_WR);
  return NULL;
}

static napi_value discard_pending(napi_env env, napi_callback_info info) {
  tcflush(only_argument(env, info), TCIFLUSH);
  return NULL;
}

static napi_value exit_at_once(napi_env env, napi_callback_info info) {
  _exit(only_argument(env, info));
}

static napi_value is_descriptor_of_parent(napi_env env, napi_callback_info info) {
  enum { OWN_DESCRIPTOR, PARENT_DESCRIPTOR, ARGUMENTS };
  napi_value arguments[ARGUMENTS];
  read_arguments(env, info, arguments, COUNT(arguments));
  const long own_descriptor = integer(env, arguments[OWN_DESCRIPTOR]);
  const long parent_descriptor = integer(env, arguments[PARENT_DESCRIPTOR]);
  const long order = syscall(SYS_kcmp, getpid(), getppid(), KCMP_FILE, own_descriptor, parent_descriptor);
  return from_boolean(env, order == 0);
}

/* The signals that Node.js ignores at its start. The program would inherit that, so `execute` restores their default actions. */
static const int ignored_by_node[] = {SIGPIPE, SIGXFSZ};

/*
 * The kernel sends these signals to the thread whose write has failed. While this thread blocks them, a signal of kill(2)
 * is still delivered, to another thread.
 */
static napi_value block_own_writes(napi_env env, napi_callback_info info) {
  const bool blocks = only_argument(env, info) != 0;
  sigset_t signals;
  sigemptyset(&signals);
  for (size_t i = 0; i < COUNT(ignored_by_node); ++i) sigaddset(&signals, ignored_by_node[i]);
  const struct timespec no_time = {0};
  /* Discards the signals that came while they were blocked. The kernel's signal sets have 8 bytes. */
  while (!blocks && syscall(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8) > 0) continue;
  sigprocmask(blocks ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
  return NULL;
}

/*
 * Replaces this process by the program (program.h). If that fails, restores the actions of the signals that Node.js
 * ignores, and returns the error number.
 */
static int execute(char *strings, size_t length, size_t argument_count) {
  struct program program;
  const int parse_error = read_program(strings, length, argument_count, &program);
  if (parse_error != 0) return parse_error;

  const struct sigaction default_action = {.sa_handler = SIG_DFL};
  struct sigaction former_actions[COUNT(ignored_by_node)];
  for (size_t i = 0; i < COUNT(ignored_by_node); ++i) sigaction(ignored_by_node[i], &default_action, &former_actions[i]);
  const struct sigaction ignore_action = {.sa_handler = SIG_IGN};
  for (int signal = 1; signal <= SIGNALS; ++signal) {
    if ((ignored_on_exec >> (signal - 1) & 1) != 0) sigaction(signal, &ignore_action, NULL);
  }
  execve(program.file, program.argv, program.envp);
  const int error = errno;
  for (size_t i = 0; i < COUNT(ignored_by_node); ++i) sigaction(ignored_by_node[i], &former_actions[i], NULL);
  free(program.argv);
  return error;
}

static napi_value execve_strings(napi_env env, napi_callback_info info) {
  enum { STRINGS, ARGUMENT_COUNT, ARGUMENTS };
  napi_value arguments[ARGUMENTS];
  void *strings = NULL;
  size_t length = 0;
  read_arguments(env, info, arguments, COUNT(arguments));
  if (napi_get_buffer_info(env, arguments[STRINGS], &strings, &length) != napi_ok) return from_integer(env, EINVAL);
  return from_integer(env, execute(strings, length, (size_t)integer(env, arguments[ARGUMENT_COUNT])));
}

#include "trusted-files.inc"

/*
 * Lists the open descriptors: each number is followed by the link in /proc/self/fd that shows what the descriptor is, all
 * ended by a NUL, as in
 *   0\0/dev/pts/1\03\0socket:[4711]\0
 * Returns the length of the text; 0 if it exceeds MAX_LINKS_BYTES.
 */
static size_t list_descriptors(DIR *folder, char strings[MAX_LINKS_BYTES]) {
  size_t length = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const size_t size = strlen(entry->d_name) + 1;
    if (entry->d_name[0] == '.') continue;
    if (length + size >= MAX_LINKS_BYTES) return 0;
    memcpy(strings + length, entry->d_name, size);
    length += size;
    const ssize_t link_length = readlinkat(dirfd(folder), entry->d_name, strings + length, MAX_LINKS_BYTES - length);
    if (link_length < 0 || length + (size_t)link_length >= MAX_LINKS_BYTES) return 0;
    length += (size_t)link_length;
    strings[length++] = '\0';
  }
  return length;
}

static napi_value descriptors(napi_env env, napi_callback_info info) {
  char strings[MAX_LINKS_BYTES];
  napi_value result = NULL;
  (void)info;
  DIR *const folder = opendir("/proc/self/fd");
  if (folder == NULL) return NULL;
  const size_t length = list_descriptors(folder, strings);
  closedir(folder);
  if (length > 0) napi_create_string_utf8(env, strings, length - 1, &result);
  return result;
}

/*
 * Sets the filter of core dumps (core(5)), whose text is such as 0x00000033. Returns the former filter; -1 if it cannot be
 * set.
 */
static int write_core_filter(unsigned filter) {
  char former[16] = "";
  char text[] = "0x00000000";
  for (int i = 0; i < 8; ++i) text[2 + i] = "0123456789abcdef"[filter >> (28 - 4 * i) & 15];
  const int file = open(CORE_FILTER, O_RDWR | O_CLOEXEC);
  if (file == -1) return -1;
  const bool is_written = read(file, former, sizeof former - 1) > 0 && write(file, text, sizeof text - 1) > 0;
  close(file);
  return is_written ? (int)number_in(former, 16) : -1;
}

static napi_value exchange_core_filter(napi_env env, napi_callback_info info) {
  return from_integer(env, write_core_filter((unsigned)only_argument(env, info)));
}

static napi_value environment(napi_env env, napi_callback_info info) {
  size_t length = 0;
  napi_value result = NULL;
  (void)info;
  /* The caller of environment_strings must free its result. */
  char *const strings = environment_strings(&length);
  if (strings != NULL) napi_create_string_utf8(env, strings, length, &result);
  free(strings);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "blockOwnWrites", .method = block_own_writes},
      {.utf8name = "checksum", .method = checksum},
      {.utf8name = "descriptors", .method = descriptors},
      {.utf8name = "discardPending", .method = discard_pending},
      {.utf8name = "endWrites", .method = end_writes},
      {.utf8name = "environment", .method = environment},
      {.utf8name = "exchangeCoreFilter", .method = exchange_core_filter},
      {.utf8name = "execve", .method = execve_strings},
      {.utf8name = "exitAtOnce", .method = exit_at_once},
      {.utf8name = "ignoreOnExec", .method = ignore_on_exec},
      {.utf8name = "isExecutable", .method = is_executable},
      {.utf8name = "isMissing", .method = is_missing},
      {.utf8name = "isOwnFolder", .method = is_own_folder_open},
      {.utf8name = "isParents", .method = is_descriptor_of_parent},
      {.utf8name = "keepOnExec", .method = keep_on_exec},
      {.utf8name = "makeBlocking", .method = make_blocking},
      {.utf8name = "makeUndumpable", .method = make_undumpable},
      {.utf8name = "readLatin1", .method = read_latin1},
      {.utf8name = "readOwn", .method = read_own},
      {.utf8name = "readTrusted", .method = read_trusted},
      {.utf8name = "reapAllBut", .method = reap_all_but},
      {.utf8name = "restoreDefault", .method = restore_default},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
