/* Functions that Node.js lacks; system.ts documents each. Only those of both glibc and musl: the process has one of them. */
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

/* LEVELS: the limit on folders above the code cache. */
enum { PATH_BYTES = 4096, LINKS_BYTES = 8192, MAX_FILE_BYTES = 4 * 1024 * 1024, LEVELS = 64 };

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

/* Arguments that the caller omits are undefined. */
static void read_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

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

/* A bit for each signal, SIGHUP's the lowest. */
static uint64_t ignored_on_exec;

static napi_value ignore_on_exec(napi_env env, napi_callback_info info) {
  ignored_on_exec |= (uint64_t)1 << (only_argument(env, info) - 1);
  return NULL;
}

static napi_value restore_default(napi_env env, napi_callback_info info) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(only_argument(env, info), &standard, NULL);
  return NULL;
}

static napi_value reap_all_but(napi_env env, napi_callback_info info) {
  const pid_t kept = only_argument(env, info);
  for (;;) {
    siginfo_t dead = {.si_pid = 0};
    /* Without WNOWAIT Node.js would lose the program's status. */
    if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0) return NULL;
    if (dead.si_pid == 0 || dead.si_pid == kept) return NULL;
    if (waitid(P_PID, (id_t)dead.si_pid, &dead, WEXITED | WNOHANG) != 0) return NULL;
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

static napi_value is_parents(napi_env env, napi_callback_info info) {
  napi_value given[2];
  read_arguments(env, info, given, COUNT(given));
  const long order =
      syscall(SYS_kcmp, getpid(), getppid(), KCMP_FILE, (long)integer(env, given[0]), (long)integer(env, given[1]));
  return from_boolean(env, order == 0);
}

/* Node.js ignores these two, and the program would inherit that. */
static const int ignored[] = {SIGPIPE, SIGXFSZ};

/* The kernel sends both to the thread that writes, and a kill(2) to any thread that does not block them. */
static napi_value block_own_writes(napi_env env, napi_callback_info info) {
  const bool blocks = only_argument(env, info) != 0;
  sigset_t signals;
  sigemptyset(&signals);
  for (size_t i = 0; i < COUNT(ignored); ++i) sigaddset(&signals, ignored[i]);
  const struct timespec now = {0};
  /* The kernel's sets have 64 bits. */
  while (!blocks && syscall(SYS_rt_sigtimedwait, &signals, NULL, &now, 8) > 0) continue;
  sigprocmask(blocks ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
  return NULL;
}

static int execute(char *strings, size_t length, size_t arguments) {
  struct program program;
  const int problem = read_program(strings, length, arguments, &program);
  if (problem != 0) return problem;

  const struct sigaction standard = {.sa_handler = SIG_DFL};
  struct sigaction former[COUNT(ignored)];
  for (size_t i = 0; i < COUNT(ignored); ++i) sigaction(ignored[i], &standard, &former[i]);
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  for (int signal = 1; signal <= 64; ++signal) {
    if ((ignored_on_exec >> (signal - 1) & 1) != 0) sigaction(signal, &ignore, NULL);
  }
  execve(program.file, program.argv, program.envp);
  const int error = errno;
  for (size_t i = 0; i < COUNT(ignored); ++i) sigaction(ignored[i], &former[i], NULL);
  free(program.argv);
  return error;
}

static napi_value execve_strings(napi_env env, napi_callback_info info) {
  napi_value given[2];
  void *strings = NULL;
  size_t length = 0;
  read_arguments(env, info, given, COUNT(given));
  if (napi_get_buffer_info(env, given[0], &strings, &length) != napi_ok) return from_integer(env, EINVAL);
  return from_integer(env, execute(strings, length, (size_t)integer(env, given[1])));
}

static bool path_of(napi_env env, napi_value value, char path[PATH_BYTES]) {
  size_t length = 0;
  return napi_get_value_string_utf8(env, value, path, PATH_BYTES, &length) == napi_ok && length < PATH_BYTES - 1 &&
         strlen(path) == length;
}

static bool path_argument(napi_env env, napi_callback_info info, char path[PATH_BYTES]) {
  napi_value given;
  read_arguments(env, info, &given, 1);
  return path_of(env, given, path);
}

/* A system call, since old versions of glibc lack fstat and lstat. */
static bool status_of(int folder, const char *path, int flags, struct statx *status) {
  return syscall(SYS_statx, folder, path, flags, STATX_TYPE | STATX_MODE | STATX_UID | STATX_SIZE | STATX_INO, status) == 0;
}

enum owner { ANY_USER, SELF_OR_ROOT, SELF };
enum { WRITTEN_BY_OTHERS = S_IWGRP | S_IWOTH };

static bool is_fit(const struct statx *status, enum owner owner, unsigned forbidden) {
  const uid_t user = status->stx_uid;
  return (status->stx_mode & S_IFMT) == S_IFREG && status->stx_size <= MAX_FILE_BYTES &&
         (status->stx_mode & forbidden) == 0 &&
         (owner == ANY_USER || user == geteuid() || (owner == SELF_OR_ROOT && user == 0));
}

/* Opens a regular file of at most MAX_FILE_BYTES with the owner and without the forbidden permissions. Returns -1 if it fails. */
static int open_fit(int folder, const char *path, int flags, enum owner owner, unsigned forbidden, size_t *size) {
  struct statx status;
  const int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
  if (file == -1) return -1;
  if (status_of(file, "", AT_EMPTY_PATH, &status) && is_fit(&status, owner, forbidden)) {
    *size = (size_t)status.stx_size;
    return file;
  }
  close(file);
  return -1;
}

static int open_file(const char *path, size_t *size) { return open_fit(AT_FDCWD, path, 0, ANY_USER, 0, size); }

static bool read_whole(int file, char *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t count = read(file, bytes + at, size - at);
    if (count <= 0) return false;
    at += (size_t)count;
  }
  return true;
}

/* FNV-1a over words of eight bytes: each step is reversible, so that no single change goes unnoticed. */
static uint64_t sum_of(const unsigned char *bytes, size_t length) {
  uint64_t sum = 0xcbf29ce484222325 ^ length;
  for (size_t at = 0; at < length;) {
    uint64_t word = 0;
    const size_t size = length - at < sizeof word ? length - at : sizeof word;
    memcpy(&word, bytes + at, size);
    sum = (sum ^ word) * 0x100000001b3;
    at += size;
  }
  return sum;
}

static napi_value checksum(napi_env env, napi_callback_info info) {
  napi_value given, result = NULL;
  void *data = NULL;
  size_t length = 0;
  read_arguments(env, info, &given, 1);
  if (napi_get_buffer_info(env, given, &data, &length) != napi_ok) return NULL;
  const uint64_t sum = sum_of(data, length);
  napi_create_buffer_copy(env, sizeof sum, &sum, NULL, &result);
  return result;
}

/* As isOwnFolder of system.ts. */
static bool is_own_folder(int folder) {
  char above[3 * LEVELS + 1] = "";
  struct statx status;
  if (!status_of(folder, "", AT_EMPTY_PATH, &status) || (status.stx_mode & S_IFMT) != S_IFDIR ||
      status.stx_uid != geteuid() || (status.stx_mode & WRITTEN_BY_OTHERS) != 0) {
    return false;
  }
  for (size_t level = 0; level < LEVELS; ++level) {
    const struct statx below = status;
    memcpy(above + 3 * level, "../", sizeof "../");
    if (!status_of(folder, above, 0, &status) || (status.stx_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH) return false;
    /* The root is its own parent. */
    if (status.stx_ino == below.stx_ino && status.stx_dev_major == below.stx_dev_major &&
        status.stx_dev_minor == below.stx_dev_minor) {
      return true;
    }
  }
  return false;
}

static napi_value is_own_folder_open(napi_env env, napi_callback_info info) {
  return from_boolean(env, is_own_folder(only_argument(env, info)));
}

static napi_value is_missing(napi_env env, napi_callback_info info) {
  char path[PATH_BYTES];
  struct statx status;
  return from_boolean(env, path_argument(env, info, path) &&
                               !status_of(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &status) && errno == ENOENT);
}

static napi_value is_executable(napi_env env, napi_callback_info info) {
  char path[PATH_BYTES];
  struct statx status;
  return from_boolean(env, path_argument(env, info, path) && status_of(AT_FDCWD, path, 0, &status) &&
                               (status.stx_mode & S_IFMT) == S_IFREG && access(path, X_OK) == 0);
}

/* The file is relative to the checked descriptor: another user may swap the folder. */
static int open_own(const char *path, const char *name, size_t *size) {
  const int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder == -1) return -1;
  const int file = is_own_folder(folder) ? open_fit(folder, name, O_NOFOLLOW, SELF, WRITTEN_BY_OTHERS, size) : -1;
  close(folder);
  return file;
}

static napi_value read_own(napi_env env, napi_callback_info info) {
  char path[PATH_BYTES], name[PATH_BYTES];
  napi_value given[2], result = NULL;
  size_t size = 0;
  uint64_t sum = 0;
  void *bytes = NULL;
  read_arguments(env, info, given, COUNT(given));
  if (!path_of(env, given[0], path) || !path_of(env, given[1], name)) return NULL;
  const int file = open_own(path, name, &size);
  if (file == -1) return NULL;
  const bool is_read = size > sizeof sum && read_whole(file, (char *)&sum, sizeof sum) &&
                       napi_create_buffer(env, size - sizeof sum, &bytes, &result) == napi_ok &&
                       read_whole(file, bytes, size - sizeof sum);
  close(file);
  return is_read && sum == sum_of(bytes, size - sizeof sum) ? result : NULL;
}

/* Reads and closes an open file. */
static napi_value text_of(napi_env env, int file, size_t size,
                          napi_status (*create)(napi_env, const char *, size_t, napi_value *)) {
  napi_value result = NULL;
  if (file == -1) return NULL;
  char *const bytes = malloc(size + 1);
  if (bytes != NULL && read_whole(file, bytes, size)) create(env, bytes, size, &result);
  free(bytes);
  close(file);
  return result;
}

static napi_value read_latin1(napi_env env, napi_callback_info info) {
  char path[PATH_BYTES];
  size_t size = 0;
  const int file = path_argument(env, info, path) ? open_file(path, &size) : -1;
  return text_of(env, file, size, napi_create_string_latin1);
}

static napi_value read_trusted(napi_env env, napi_callback_info info) {
  char path[PATH_BYTES], folder[PATH_BYTES];
  napi_value given[3];
  size_t size = 0;
  struct statx status;
  read_arguments(env, info, given, COUNT(given));
  const unsigned forbidden = (unsigned)integer(env, given[2]) & S_IRWXO;
  if (!path_of(env, given[0], path) || !path_of(env, given[1], folder)) return NULL;
  if (!status_of(AT_FDCWD, folder, 0, &status) || (status.stx_mode & S_IWOTH) != 0) return NULL;
  /* Before it is opened, too: another user could see the opening of a pipe. */
  if (!status_of(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &status)) return NULL;
  if (!is_fit(&status, SELF_OR_ROOT, forbidden)) return NULL;
  const int file = open_fit(AT_FDCWD, path, O_NOFOLLOW, SELF_OR_ROOT, forbidden, &size);
  return text_of(env, file, size, napi_create_string_utf8);
}

/* Writes the numbers and links of /proc/self/fd, each ended by a NUL. Returns their length; 0 if they do not fit. */
static size_t list_descriptors(DIR *folder, char strings[LINKS_BYTES]) {
  size_t at = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const size_t size = strlen(entry->d_name) + 1;
    if (entry->d_name[0] == '.') continue;
    if (at + size >= LINKS_BYTES) return 0;
    memcpy(strings + at, entry->d_name, size);
    at += size;
    const ssize_t length = readlinkat(dirfd(folder), entry->d_name, strings + at, LINKS_BYTES - at);
    if (length < 0 || at + (size_t)length >= LINKS_BYTES) return 0;
    at += (size_t)length;
    strings[at++] = '\0';
  }
  return at;
}

static napi_value descriptors(napi_env env, napi_callback_info info) {
  char strings[LINKS_BYTES];
  napi_value result = NULL;
  (void)info;
  DIR *const folder = opendir("/proc/self/fd");
  if (folder == NULL) return NULL;
  const size_t length = list_descriptors(folder, strings);
  closedir(folder);
  if (length > 0) napi_create_string_utf8(env, strings, length - 1, &result);
  return result;
}

static int exchange(unsigned filter) {
  char former[16] = "";
  char text[] = "0x00000000";
  for (int i = 0; i < 8; ++i) text[2 + i] = "0123456789abcdef"[filter >> (28 - 4 * i) & 15];
  const int file = open(CORE_FILTER, O_RDWR | O_CLOEXEC);
  if (file == -1) return -1;
  const bool is_done = read(file, former, sizeof former - 1) > 0 && write(file, text, sizeof text - 1) > 0;
  close(file);
  return is_done ? (int)number_in(former, 16) : -1;
}

static napi_value exchange_core_filter(napi_env env, napi_callback_info info) {
  return from_integer(env, exchange((unsigned)only_argument(env, info)));
}

static napi_value environment(napi_env env, napi_callback_info info) {
  size_t length = 0;
  napi_value result = NULL;
  (void)info;
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
      {.utf8name = "isParents", .method = is_parents},
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
