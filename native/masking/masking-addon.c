/*
 * The addon of masking (`--redact`) on Linux: the search for secrets in output, and system calls for pipes and terminals
 * that Node.js does not offer. masking-model.ts and masking-addon.ts document the functions. It is an addon of its own
 * because few starts need it. Like system.c it links no library, and calls only what both glibc and musl have.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All functions for JavaScript have the same parameters, whether they use them or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/*
 * An argument from JavaScript. A number is in `number`, which is -1 for anything else. An array of numbers is in `data`,
 * which is valid during the call, with its number of elements in `length`.
 */
struct argument {
  napi_value value;
  int number;
  void *data;
  size_t length;
};
enum { MAX_ARGUMENTS = 14 };
typedef napi_value function(napi_env env, const struct argument *args);

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value list(napi_env env, const int *values, uint32_t count) {
  napi_value result = NULL;
  napi_create_array_with_length(env, count, &result);
  for (uint32_t i = 0; i < count; ++i) napi_set_element(env, result, i, from_integer(env, values[i]));
  return result;
}

#include "../generated/shared.h"
#include "../program.h"
#include "../signal-mask.h"

/* Each of these files uses the ones before it. */
#include "terminal.inc"

#include "monitor.inc"

/* The runtime of the executable for Linux waits for descriptors in its own event loop. */
#ifndef SOPHIA_RUN_RUNTIME
#include "watch.inc"
#endif

#include "search.inc"
#include "decode.inc"
#include "candidate.inc"
#include "finder.inc"

/* Called by JavaScript for every function of `functions`. Reads the arguments and calls the function to which `data` points. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  struct argument args[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
  void *data = NULL;
  napi_get_cb_info(env, info, &count, values, NULL, &data);
  for (size_t i = 0; i < MAX_ARGUMENTS; ++i) {
    args[i] = (struct argument){.value = values[i], .number = -1};
    if (i >= count || napi_get_value_int32(env, values[i], &args[i].number) == napi_ok) continue;
    args[i].data = array_of(env, values[i], &args[i].length);
  }
  return (*(function *const *)data)(env, args);
}

/* Returns both ends of a pipe, of which this process reads the first without blocking; or an error number. */
static napi_value make_pipe(napi_env env, const struct argument *args) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return from_integer(env, errno);
  /* Four times the default, so that the event loop has fewer turns. The system may refuse it. */
  fcntl(ends[1], F_SETPIPE_SZ, 262144);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return list(env, ends, 2);
}

/*
 * (descriptor): closes this process's end of a pipe. Returns the number of bytes that came between the last read and the
 * close, which can be asked of the other end, opened here for that. Returns 0 for other descriptors, and if there is no
 * /proc.
 */
static napi_value close_reading(napi_env env, const struct argument *args) {
  char path[32];
  int writing_end = -1, unread_bytes = 0;
  if (fcntl(args[0].number, F_GETPIPE_SZ) > 0) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", args[0].number);
    writing_end = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  }
  close(args[0].number);
  if (writing_end >= 0) {
    ioctl(writing_end, FIONREAD, &unread_bytes);
    close(writing_end);
  }
  return from_integer(env, unread_bytes);
}

static napi_value duplicate(napi_env env, const struct argument *args) {
  const int copy = fcntl(args[0].number, F_DUPFD_CLOEXEC, 3);
  return from_integer(env, copy < 0 ? -errno : copy);
}

/* (descriptor, other descriptor): returns 1 if both are the same open file, with the same flags. */
static napi_value is_same_open_file(napi_env env, const struct argument *args) {
  const int first = fcntl(args[0].number, F_GETFL), second = fcntl(args[1].number, F_GETFL);
  if (first == -1 || first != second) return from_integer(env, 0);
  /*
   * The flag belongs to the open file: if it is changed for one descriptor, it changes for the other. Regular files ignore
   * it.
   */
  fcntl(args[0].number, F_SETFL, first ^ O_NONBLOCK);
  const int after = fcntl(args[1].number, F_GETFL);
  fcntl(args[0].number, F_SETFL, first);
  return from_integer(env, after != second);
}

/*
 * (terminal, 1 if its output must not be changed): returns both sides of a pseudo-terminal with the settings of the
 * terminal.
 */
static napi_value make_terminal(napi_env env, const struct argument *args) {
  int sides[2];
  const int error = open_terminal(&sides[0], &sides[1]);
  if (error != 0) return from_integer(env, error);
  struct termios settings;
  if (ioctl(args[0].number, TCGETS, &settings) == 0) {
    /* The real terminal adds the CR to each LF already. */
    if (args[1].number == 1) settings.c_oflag &= ~(tcflag_t)OPOST;
    ioctl(sides[1], TCSETS, &settings);
  }
  return list(env, sides, 2);
}

/* (terminal, other terminal): gives the other one the size of the first. Returns 1 if the size has changed. */
static napi_value copy_size(napi_env env, const struct argument *args) {
  const int from = args[0].number, to = args[1].number;
  struct winsize size, former_size;
  const int is_known = ioctl(from, TIOCGWINSZ, &size) == 0 && ioctl(to, TIOCGWINSZ, &former_size) == 0;
  if (!is_known || memcmp(&size, &former_size, sizeof size) == 0) return from_integer(env, 0);
  return from_integer(env, ioctl(to, TIOCSWINSZ, &size) == 0);
}

static napi_value settings_of(napi_env env, const struct argument *args) {
  struct termios settings;
  napi_value result = NULL;
  if (ioctl(args[0].number, TCGETS, &settings) != 0) return NULL;
  napi_create_buffer_copy(env, sizeof settings, &settings, NULL, &result);
  return result;
}

/*
 * Must be called before a terminal is changed: the kernel sends SIGTTOU to a process in the background that does so, which
 * would stop it. Returns the mask before.
 */
static uint64_t block_sigttou(void) { return change_mask(SIG_BLOCK, signal_bit(SIGTTOU)); }

/* (terminal, settings, change of native/shared.ts): sets the settings of a terminal, with the change. */
static napi_value apply_settings(napi_env env, const struct argument *args) {
  const int terminal = args[0].number, change = args[2].number;
  struct termios settings, current;
  if (args[1].length != sizeof settings) return NULL;
  memcpy(&settings, args[1].data, sizeof settings);
  if (change == RAW) make_raw(&settings);
  if (change == RAW_OUTPUT) settings.c_oflag &= ~(tcflag_t)OPOST;
  if (change == OUTPUT_AS_BEFORE && ioctl(terminal, TCGETS, &current) == 0) settings.c_oflag = current.c_oflag;
  const uint64_t former = block_sigttou();
  ioctl(terminal, TCSETS, &settings);
  change_mask(SIG_SETMASK, former);
  return NULL;
}

/* (terminal): returns the keys for SIGINT and SIGQUIT, or -1 twice; 1 if each key arrives at once; 1 for TOSTOP. */
static napi_value modes_of(napi_env env, const struct argument *args) {
  int modes[4] = {-1, -1, 0, 0};
  struct termios settings;
  if (ioctl(args[0].number, TCGETS, &settings) == 0) {
    if (settings.c_lflag & ISIG) {
      modes[0] = settings.c_cc[VINTR];
      modes[1] = settings.c_cc[VQUIT];
    }
    modes[2] = (settings.c_lflag & ICANON) == 0;
    modes[3] = (settings.c_lflag & TOSTOP) != 0;
  }
  return list(env, modes, COUNT(modes));
}

static napi_value ignore_sigttou(napi_env env, const struct argument *args) {
  const struct sigaction ignored = {.sa_handler = SIG_IGN};
  sigaction(SIGTTOU, &ignored, NULL);
  return NULL;
}

static napi_value foreground_group(napi_env env, const struct argument *args) {
  int group = -1;
  if (ioctl(args[0].number, TIOCGPGRP, &group) != 0) group = -1;
  return from_integer(env, group);
}

static napi_value take_foreground(napi_env env, const struct argument *args) {
  int group = args[1].number;
  const uint64_t former = block_sigttou();
  ioctl(args[0].number, TIOCSPGRP, &group);
  change_mask(SIG_SETMASK, former);
  return NULL;
}

/*
 * (terminal, bytes): puts bytes into the input of a terminal as if they were typed. Linux 6.2 and later allow this to
 * administrators only, unless dev.tty.legacy_tiocsti is set.
 */
static napi_value type_into(napi_env env, const struct argument *args) {
  for (size_t i = 0; i < args[1].length; ++i) {
    if (ioctl(args[0].number, TIOCSTI, (char *)args[1].data + i) != 0) break;
  }
  return NULL;
}

/* (socket, PID): lets the monitor end, and waits for its end, 100 ms at most. */
static napi_value dismiss_monitor(napi_env env, const struct argument *args) {
  const struct record record = {RESTORED, 0};
  struct pollfd channel = {.fd = args[0].number, .events = 0};
  if (send(channel.fd, &record, sizeof record, MSG_NOSIGNAL) != sizeof record) return NULL;
  for (int tries = 0; tries < 100; ++tries) {
    if (waitpid(args[1].number, NULL, WNOHANG) != 0) return NULL;
    poll(&channel, channel.revents == 0 ? 1 : 0, 1);
  }
  return NULL;
}

/*
 * (strings, how many of them are in argv, slave, real terminal, its settings, 1 in the foreground, descriptors): starts the
 * monitor (monitor.inc). Returns the socket to it and its PID, or an error number.
 */
static napi_value start_monitor(napi_env env, const struct argument *args) {
  int ends[2];
  struct session session = {
    .slave = args[2].number, .real = args[3].number, .foreground = args[5].number,
    .inherited = args[6].data, .inherited_count = args[6].length};
  if (args[4].length != sizeof session.former_settings) return from_integer(env, ENOTTY);
  memcpy(&session.former_settings, args[4].data, sizeof session.former_settings);
  const int parse_error = read_program(args[0].data, args[0].length, (size_t)args[1].number, &session.program);
  if (parse_error != 0) return from_integer(env, parse_error);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    const int error = errno;
    free(session.program.argv);
    return from_integer(env, error);
  }
  session.channel = ends[1];
  /* No signal handler of this process may run in the child. */
  session.mask = change_mask(SIG_SETMASK, ALL_SIGNALS);
  const pid_t pid = fork();
  if (pid == 0) monitor(&session);
  const int error = errno;
  change_mask(SIG_SETMASK, session.mask);
  free(session.program.argv);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return from_integer(env, error);
  }
  return list(env, (const int[]){ends[0], pid}, 2);
}

static const struct {
  const char *name;
  function *call;
} functions[] = {
    {"buildSearch", build_search},
    {"prepareSearch", prepare},
    {"newCandidates", new_candidates},
    {"find", find},
    {"takeMatches", take_matches},
    {"listCandidates", list_candidates},
    {"makePipe", make_pipe},
    {"closeReading", close_reading},
    {"duplicate", duplicate},
#ifndef SOPHIA_RUN_RUNTIME
    {"startWatching", start_watching},
    {"watch", watch},
#endif
    {"isSameOpenFile", is_same_open_file},
    {"makeTerminal", make_terminal},
    {"copySize", copy_size},
    {"settingsOf", settings_of},
    {"applySettings", apply_settings},
    {"modesOf", modes_of},
    {"ignoreSigttou", ignore_sigttou},
    {"foregroundGroup", foreground_group},
    {"takeForeground", take_foreground},
    {"typeInto", type_into},
    {"dismissMonitor", dismiss_monitor},
    {"startMonitor", start_monitor},
};

NAPI_MODULE_INIT() {
  napi_property_descriptor properties[COUNT(functions)];
  for (size_t i = 0; i < COUNT(functions); ++i) {
    void *const data = (void *)(uintptr_t)&functions[i].call;
    properties[i] = (napi_property_descriptor){.utf8name = functions[i].name, .method = call, .data = data};
  }
  napi_define_properties(env, exports, COUNT(properties), properties);
  return exports;
}
