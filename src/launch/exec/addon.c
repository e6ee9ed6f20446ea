/*
 * What a launcher needs of the C library and Node.js does not have, by Node-API. addon.ts loads it and says what each
 * function promises; scripts/build/addon.mjs compiles it.
 *
 * No library is linked: the names are found in the C library that the process has, glibc or musl, so that one file
 * serves both. Only what is the same in both is used.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <node_api.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

/* The one argument of functions that take one number. */
static int only_argument(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
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

static napi_value restore_default(napi_env env, napi_callback_info info) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(only_argument(env, info), &standard, NULL);
  return NULL;
}

static napi_value reap_all_but(napi_env env, napi_callback_info info) {
  const pid_t kept = only_argument(env, info);
  for (;;) {
    siginfo_t dead = {.si_pid = 0};
    /* Looks first: a status once taken is lost to Node.js, and with it the program's end. */
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

static napi_value exit_at_once(napi_env env, napi_callback_info info) {
  _exit(only_argument(env, info));
}

/* Of libuv; weak, so that the addon loads where a build of Node.js does not export it. */
extern int uv_backend_fd(const struct uv_loop_s *) __attribute__((weak));

static napi_value event_loop_descriptor(napi_env env, napi_callback_info info) {
  struct uv_loop_s *loop = NULL;
  (void)info;
  if (uv_backend_fd == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok) return from_integer(env, -1);
  return from_integer(env, uv_backend_fd(loop));
}

static napi_value is_parents(napi_env env, napi_callback_info info) {
  napi_value given[2];
  size_t count = COUNT(given);
  napi_value result = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  const long order =
      syscall(SYS_kcmp, getpid(), getppid(), KCMP_FILE, (long)integer(env, given[0]), (long)integer(env, given[1]));
  napi_get_boolean(env, order == 0, &result);
  return result;
}

/* Node.js ignores these two, and an ignored signal would stay ignored in the program. */
static const int ignored[] = {SIGPIPE, SIGXFSZ};

static int execute(char *strings, size_t length, size_t arguments) {
  size_t count = 0;
  if (length == 0 || strings[length - 1] != '\0') return EINVAL;
  for (size_t at = 0; at < length; at += strlen(strings + at) + 1) ++count;
  if (arguments >= count) return EINVAL;
  /* Behind the file's name: the arguments and a NULL, the variables and a NULL. */
  char **const argv = calloc(count + 1, sizeof *argv);
  if (argv == NULL) return ENOMEM;
  char **const envp = argv + arguments + 1;
  char **next = argv;
  for (size_t at = strlen(strings) + 1; at < length; at += strlen(strings + at) + 1) {
    if (next == envp - 1) ++next;
    *next++ = strings + at;
  }

  const struct sigaction standard = {.sa_handler = SIG_DFL};
  struct sigaction former[COUNT(ignored)];
  for (size_t i = 0; i < COUNT(ignored); ++i) sigaction(ignored[i], &standard, &former[i]);
  execve(strings, argv, envp);
  const int error = errno;
  for (size_t i = 0; i < COUNT(ignored); ++i) sigaction(ignored[i], &former[i], NULL);
  free(argv);
  return error;
}

static napi_value execve_strings(napi_env env, napi_callback_info info) {
  napi_value given[2];
  size_t count = COUNT(given);
  void *strings = NULL;
  size_t length = 0;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (napi_get_buffer_info(env, given[0], &strings, &length) != napi_ok) return from_integer(env, EINVAL);
  return from_integer(env, execute(strings, length, (size_t)integer(env, given[1])));
}

/* FNV-1a over words of eight bytes: each step is reversible, so that no single change goes unnoticed. */
static napi_value checksum(napi_env env, napi_callback_info info) {
  napi_value given;
  size_t count = 1;
  napi_value result = NULL;
  void *data = NULL;
  size_t length = 0;
  napi_get_cb_info(env, info, &count, &given, NULL, NULL);
  if (napi_get_buffer_info(env, given, &data, &length) != napi_ok) return NULL;
  const unsigned char *const bytes = data;
  uint64_t sum = 0xcbf29ce484222325 ^ length;
  for (size_t at = 0; at < length;) {
    uint64_t word = 0;
    const size_t size = length - at < sizeof word ? length - at : sizeof word;
    for (size_t i = 0; i < size; ++i) word |= (uint64_t)bytes[at + i] << 8 * i;
    sum = (sum ^ word) * 0x100000001b3;
    at += size;
  }
  napi_create_bigint_uint64(env, sum, &result);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "checksum", .method = checksum},
      {.utf8name = "eventLoopDescriptor", .method = event_loop_descriptor},
      {.utf8name = "execve", .method = execve_strings},
      {.utf8name = "exitAtOnce", .method = exit_at_once},
      {.utf8name = "isParents", .method = is_parents},
      {.utf8name = "keepOnExec", .method = keep_on_exec},
      {.utf8name = "makeBlocking", .method = make_blocking},
      {.utf8name = "makeUndumpable", .method = make_undumpable},
      {.utf8name = "reapAllBut", .method = reap_all_but},
      {.utf8name = "restoreDefault", .method = restore_default},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
