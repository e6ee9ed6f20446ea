/*
 * What masking needs of the system and Node.js does not have, by Node-API: pipes, pseudo-terminals and their events. addon.ts loads it and says
 * what each function promises. It is a file of its own, since only few starts load it. As system/addon/addon.c, it
 * links no library and uses only what glibc and musl have alike.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST_ARGUMENTS 4

#include "../../system/generated/shared.h"

#include "terminal.h"

#include "monitor.h"

#include "watch.h"

#include "search.h"

/* The arguments of functions that take numbers; those that are missing are -1. */
static void integers(napi_env env, napi_callback_info info, int *results) {
  napi_value given[MOST_ARGUMENTS];
  size_t count = MOST_ARGUMENTS;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  for (size_t i = 0; i < MOST_ARGUMENTS; ++i) {
    results[i] = -1;
    if (i < count) napi_get_value_int32(env, given[i], &results[i]);
  }
}

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value list(napi_env env, const int *values, size_t count) {
  napi_value result = NULL;
  napi_create_array_with_length(env, count, &result);
  for (size_t i = 0; i < count; ++i) napi_set_element(env, result, (uint32_t)i, from_integer(env, values[i]));
  return result;
}

static napi_value make_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return from_integer(env, errno);
  /* Four times the usual: fewer turns for much output. The system may refuse it. */
  fcntl(ends[1], F_SETPIPE_SZ, 262144);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return list(env, ends, 2);
}

static napi_value duplicate(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  const int copy = fcntl(given[0], F_DUPFD_CLOEXEC, 3);
  return from_integer(env, copy < 0 ? -errno : copy);
}

static napi_value start_watching_by(napi_env env, napi_callback_info info) {
  napi_value callback;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &callback, NULL, NULL);
  return from_integer(env, start_watching(env, callback));
}

static napi_value watch_one(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  watch(given[0], given[1], given[2]);
  return NULL;
}

static napi_value is_same_open_file(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  const int first = fcntl(given[0], F_GETFL), second = fcntl(given[1], F_GETFL);
  if (first == -1 || first != second) return from_integer(env, 0);
  /* The flag belongs to the open file, and does nothing to a regular one. */
  fcntl(given[0], F_SETFL, first ^ O_NONBLOCK);
  const int after = fcntl(given[1], F_GETFL);
  fcntl(given[0], F_SETFL, first);
  return from_integer(env, after != second);
}

/* The bytes of a buffer, which stay where they are as long as the call lasts. */
static size_t bytes_of(napi_env env, napi_value value, void **bytes) {
  size_t length = 0;
  if (napi_get_buffer_info(env, value, bytes, &length) != napi_ok) return 0;
  return length;
}

static napi_value make_terminal(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS], sides[2];
  integers(env, info, given);
  const int error = open_terminal(&sides[0], &sides[1]);
  if (error != 0) return from_integer(env, error);
  struct termios settings;
  if (ioctl(given[0], TCGETS, &settings) == 0) {
    /* Where the real terminal goes on turning newlines into line ends, this one must not. */
    if (given[1] == 1) settings.c_oflag &= ~(tcflag_t)OPOST;
    ioctl(sides[1], TCSETS, &settings);
  }
  return list(env, sides, 2);
}

static napi_value copy_size(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct winsize wanted, current;
  if (ioctl(given[0], TIOCGWINSZ, &wanted) != 0 || ioctl(given[1], TIOCGWINSZ, &current) != 0) return from_integer(env, 0);
  if (memcmp(&wanted, &current, sizeof wanted) == 0) return from_integer(env, 0);
  return from_integer(env, ioctl(given[1], TIOCSWINSZ, &wanted) == 0);
}

static napi_value settings_of(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct termios settings;
  napi_value result = NULL;
  if (ioctl(given[0], TCGETS, &settings) != 0) return NULL;
  napi_create_buffer_copy(env, sizeof settings, &settings, NULL, &result);
  return result;
}

static napi_value apply_settings(napi_env env, napi_callback_info info) {
  napi_value given[3];
  size_t count = COUNT(given);
  void *bytes = NULL;
  int descriptor = -1, how = AS_GIVEN;
  struct termios settings;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_get_value_int32(env, given[0], &descriptor);
  napi_get_value_int32(env, given[2], &how);
  struct termios current;
  if (bytes_of(env, given[1], &bytes) != sizeof settings) return NULL;
  memcpy(&settings, bytes, sizeof settings);
  if (how == RAW) make_raw(&settings);
  if (how == RAW_OUTPUT) settings.c_oflag &= ~(tcflag_t)OPOST;
  if (how == OUTPUT_AS_BEFORE && ioctl(descriptor, TCGETS, &current) == 0) settings.c_oflag = current.c_oflag;
  /* Blocked, the signal does not keep a process in the background from it. */
  sigset_t blocked, former;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTTOU);
  sigprocmask(SIG_BLOCK, &blocked, &former);
  ioctl(descriptor, TCSETS, &settings);
  sigprocmask(SIG_SETMASK, &former, NULL);
  return NULL;
}

/* Which of the keys that send signals are on, and what they are: INT and QUIT; -1: none. */
static napi_value signal_keys(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS], keys[2] = {-1, -1};
  integers(env, info, given);
  struct termios settings;
  if (ioctl(given[0], TCGETS, &settings) == 0 && (settings.c_lflag & ISIG) != 0) {
    keys[0] = settings.c_cc[VINTR];
    keys[1] = settings.c_cc[VQUIT];
  }
  return list(env, keys, 2);
}

static napi_value stops_background(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct termios settings;
  return from_integer(env, ioctl(given[0], TCGETS, &settings) == 0 && (settings.c_lflag & TOSTOP) != 0);
}

static napi_value ignore_access(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  const struct sigaction ignored = {.sa_handler = SIG_IGN};
  sigaction(SIGTTOU, &ignored, NULL);
  return NULL;
}

static napi_value is_by_key(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct termios settings;
  return from_integer(env, ioctl(given[0], TCGETS, &settings) == 0 && (settings.c_lflag & ICANON) == 0);
}

static napi_value foreground_group(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS], group = -1;
  integers(env, info, given);
  if (ioctl(given[0], TIOCGPGRP, &group) != 0) group = -1;
  return from_integer(env, group);
}

/* From the background the kernel would stop this process, were the signal not blocked. */
static napi_value take_foreground(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  sigset_t stop, before;
  integers(env, info, given);
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  sigprocmask(SIG_BLOCK, &stop, &before);
  ioctl(given[0], TIOCSPGRP, &given[1]);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return NULL;
}

/* As if it were typed. Newer kernels allow it to administrators only, unless dev.tty.legacy_tiocsti is set. */
static napi_value type_into(napi_env env, napi_callback_info info) {
  napi_value given[2];
  size_t count = COUNT(given);
  void *bytes = NULL;
  int terminal = -1;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_get_value_int32(env, given[0], &terminal);
  const size_t length = bytes_of(env, given[1], &bytes);
  for (size_t i = 0; i < length; ++i) {
    if (ioctl(terminal, TIOCSTI, (char *)bytes + i) != 0) break;
  }
  return NULL;
}

/* The monitor ends when it is told that the launcher has put all in order. It is waited for, but not for long. */
static napi_value dismiss(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  const struct record record = {RESTORED, 0};
  struct pollfd channel = {.fd = given[0], .events = 0};
  if (send(given[0], &record, sizeof record, MSG_NOSIGNAL) != sizeof record) return NULL;
  for (int tries = 0; tries < 100; ++tries) {
    if (waitpid(given[1], NULL, WNOHANG) != 0) return NULL;
    poll(&channel, channel.revents == 0 ? 1 : 0, 1);
  }
  return NULL;
}

/* strings, how many of them are arguments, slave, real, its settings, whether in the foreground, inherited descriptors */
static napi_value start_monitor(napi_env env, napi_callback_info info) {
  napi_value given[7];
  size_t count = COUNT(given), length = 0;
  void *bytes = NULL, *inherited = NULL;
  int arguments = 0, ends[2];
  struct monitored it = {.file = NULL};
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_get_value_int32(env, given[1], &arguments);
  napi_get_value_int32(env, given[2], &it.slave);
  napi_get_value_int32(env, given[3], &it.real);
  if (bytes_of(env, given[4], &bytes) == sizeof it.found) memcpy(&it.found, bytes, sizeof it.found);
  else return from_integer(env, ENOTTY);
  napi_get_value_int32(env, given[5], &it.foreground);
  napi_get_typedarray_info(env, given[6], NULL, &it.inherited_count, &inherited, NULL, NULL);
  it.inherited = inherited;

  length = bytes_of(env, given[0], &bytes);
  char *const strings = bytes;
  size_t total = 0;
  if (length == 0 || strings[length - 1] != '\0') return from_integer(env, EINVAL);
  for (size_t at = 0; at < length; at += strlen(strings + at) + 1) ++total;
  if (arguments < 0 || (size_t)arguments >= total) return from_integer(env, EINVAL);
  /* Behind the file's name: the arguments and a NULL, the variables and a NULL. */
  char **const argv = calloc(total + 1, sizeof *argv);
  if (argv == NULL) return from_integer(env, ENOMEM);
  it.file = strings;
  it.argv = argv;
  it.envp = argv + arguments + 1;
  char **next = argv;
  for (size_t at = strlen(strings) + 1; at < length; at += strlen(strings + at) + 1) {
    if (next == it.envp - 1) ++next;
    *next++ = strings + at;
  }

  int error = 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    error = errno;
    free(argv);
    return from_integer(env, error);
  }
  it.channel = ends[1];
  sigset_t all;
  sigfillset(&all);
  /* No handler of this process may run in the other one. */
  sigprocmask(SIG_SETMASK, &all, &it.mask);
  const pid_t pid = fork();
  if (pid == 0) monitor(&it);
  error = errno;
  sigprocmask(SIG_SETMASK, &it.mask, NULL);
  free(argv);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return from_integer(env, error);
  }
  const int started[] = {ends[0], pid};
  return list(env, started, 2);
}

/* To whom relay_signal passes on; 0: to nobody yet. */
static volatile sig_atomic_t program;
static volatile sig_atomic_t early;
/* Those of which Bun knows no name. No kernel sends the second. */
static const int UNKNOWN_TO_BUN[] = {SIGPWR, SIGSTKFLT};

static void relay_signal(int number) {
  const int error = errno;
  if (program == 0) early = number;
  if (program > 0) kill(program, number);
  errno = error;
}

static napi_value pass_on_to(napi_env env, napi_callback_info info) {
  int given[MOST_ARGUMENTS];
  integers(env, info, given);
  struct sigaction action = {.sa_handler = given[0] == -1 ? SIG_DFL : relay_signal, .sa_flags = SA_RESTART};
  if (given[0] == 0) early = 0;
  program = given[0];
  for (size_t i = 0; i < COUNT(UNKNOWN_TO_BUN); ++i) sigaction(UNKNOWN_TO_BUN[i], &action, NULL);
  if (program > 0 && early != 0) kill(program, early);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "prepareSearch", .method = prepare},
      {.utf8name = "skip", .method = skip},
      {.utf8name = "makePipe", .method = make_pipe},
      {.utf8name = "duplicate", .method = duplicate},
      {.utf8name = "startWatching", .method = start_watching_by},
      {.utf8name = "watch", .method = watch_one},
      {.utf8name = "isSameOpenFile", .method = is_same_open_file},
      {.utf8name = "makeTerminal", .method = make_terminal},
      {.utf8name = "copySize", .method = copy_size},
      {.utf8name = "settingsOf", .method = settings_of},
      {.utf8name = "applySettings", .method = apply_settings},
      {.utf8name = "signalKeys", .method = signal_keys},
      {.utf8name = "stopsBackground", .method = stops_background},
      {.utf8name = "ignoreAccess", .method = ignore_access},
      {.utf8name = "isByKey", .method = is_by_key},
      {.utf8name = "foregroundGroup", .method = foreground_group},
      {.utf8name = "takeForeground", .method = take_foreground},
      {.utf8name = "typeInto", .method = type_into},
      {.utf8name = "dismiss", .method = dismiss},
      {.utf8name = "passOnTo", .method = pass_on_to},
      {.utf8name = "startMonitor", .method = start_monitor},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
