/*
 * The addon of masking on Linux: with the option `--redact`, sophia-run replaces secrets in the program's output by `***`. This
 * addon searches the output for secrets, and makes system calls for pipes and terminals that Node.js does not offer.
 * masking-model.ts and masking-addon.ts document the functions.
 *
 * It is an addon of its own because few starts need it. Like system.c it links no library, and calls only functions that both
 * glibc and musl have.
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

/* An argument from JavaScript. */
struct argument {
  napi_value value;
  /* The argument if it is a number; -1 for anything else. */
  int number;
  /* The memory of the argument if it is an array of numbers, valid during the call, and its number of elements. */
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

/* Returns an array of numbers to JavaScript. */
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

/*
 * JavaScript calls this function for each of `functions`. It reads the arguments, and calls the function to which `data`
 * points.
 */
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

/* Makes a pipe. Returns its reading end, which does not block, and its writing end; or an error number. */
static napi_value make_pipe(napi_env env, const struct argument *args) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return from_integer(env, errno);
  /* Four times the default size, so that the event loop needs fewer turns. If the system refuses it, the default remains. */
  fcntl(ends[1], F_SETPIPE_SZ, 262144);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return list(env, ends, 2);
}

/*
 * (descriptor): closes the reading end of a pipe. Returns the number of bytes that came between the last read and the
 * close, and so are lost. Only another end of the pipe can tell that after the close, so its writing end is opened before.
 * Returns 0 for descriptors other than pipes, and if there is no /proc.
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

/* (descriptor): returns a copy of the descriptor, from 3 on, which closes on exec; or the negative number of an error */
static napi_value duplicate(napi_env env, const struct argument *args) {
  const int copy = fcntl(args[0].number, F_DUPFD_CLOEXEC, 3);
  return from_integer(env, copy < 0 ? -errno : copy);
}

/* (descriptor, other descriptor): returns 1 if both stand for the same open file (open(2), "open file description") */
static napi_value is_same_open_file(napi_env env, const struct argument *args) {
  const int first = fcntl(args[0].number, F_GETFL), second = fcntl(args[1].number, F_GETFL);
  if (first == -1 || first != second) return from_integer(env, 0);
  /*
   * This flag belongs to the open file: if it changes for one descriptor, it changes for the other as well. For regular
   * files it has no effect.
   */
  fcntl(args[0].number, F_SETFL, first ^ O_NONBLOCK);
  const int second_after_change = fcntl(args[1].number, F_GETFL);
  fcntl(args[0].number, F_SETFL, first);
  return from_integer(env, second_after_change != second);
}

/*
 * (terminal, 1 for raw output): makes a pseudo-terminal with the settings of the terminal. Returns its master and its slave
 * (terminal.inc), or an error number. With raw output the pseudo-terminal does not change the program's output.
 */
static napi_value make_terminal(napi_env env, const struct argument *args) {
  int sides[2];
  const int error = open_terminal(&sides[0], &sides[1]);
  if (error != 0) return from_integer(env, error);
  struct termios settings;
  if (ioctl(args[0].number, TCGETS, &settings) == 0) {
    /* The real terminal puts a CR in front of each LF already. */
    if (args[1].number == 1) settings.c_oflag &= ~(tcflag_t)OPOST;
    ioctl(sides[1], TCSETS, &settings);
  }
  return list(env, sides, 2);
}

/* (terminal, other terminal): gives the size of the first to the other. Returns 1 if that has changed the other's size. */
static napi_value copy_size(napi_env env, const struct argument *args) {
  const int from = args[0].number, to = args[1].number;
  struct winsize size, former_size;
  const int is_known = ioctl(from, TIOCGWINSZ, &size) == 0 && ioctl(to, TIOCGWINSZ, &former_size) == 0;
  if (!is_known || memcmp(&size, &former_size, sizeof size) == 0) return from_integer(env, 0);
  return from_integer(env, ioctl(to, TIOCSWINSZ, &size) == 0);
}

/* (terminal): returns the settings as bytes; undefined if it is no terminal */
static napi_value settings_of(napi_env env, const struct argument *args) {
  struct termios settings;
  napi_value result = NULL;
  if (ioctl(args[0].number, TCGETS, &settings) != 0) return NULL;
  napi_create_buffer_copy(env, sizeof settings, &settings, NULL, &result);
  return result;
}

/*
 * Must be called before a terminal is changed: if this process is in the background, the kernel sends it SIGTTOU then,
 * which would stop it. Returns the former mask.
 */
static uint64_t block_sigttou(void) { return change_mask(SIG_BLOCK, signal_bit(SIGTTOU)); }

/* (terminal, settings, change): sets the settings of a terminal, with one of the changes that native/shared.ts lists (RAW) */
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

/*
 * (terminal): returns four numbers: the keys for SIGINT and SIGQUIT, or -1 twice if keys send no signals; 1 if each key
 * arrives at once; and 1 if a process in the background must not write (TOSTOP)
 */
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

/* Makes this process ignore SIGTTOU, so that it can write to a terminal from the background. */
static napi_value ignore_sigttou(napi_env env, const struct argument *args) {
  const struct sigaction ignored = {.sa_handler = SIG_IGN};
  sigaction(SIGTTOU, &ignored, NULL);
  return NULL;
}

/* (terminal): returns the process group in the foreground; -1 if that is unknown */
static napi_value foreground_group(napi_env env, const struct argument *args) {
  int group = -1;
  if (ioctl(args[0].number, TIOCGPGRP, &group) != 0) group = -1;
  return from_integer(env, group);
}

/* (terminal, process group): puts the process group in the foreground */
static napi_value take_foreground(napi_env env, const struct argument *args) {
  int group = args[1].number;
  const uint64_t former = block_sigttou();
  ioctl(args[0].number, TIOCSPGRP, &group);
  change_mask(SIG_SETMASK, former);
  return NULL;
}

/*
 * (terminal, bytes): puts bytes into the input of a terminal, as if the user had typed them. Linux 6.2 and later allow that
 * only to administrators, unless dev.tty.legacy_tiocsti is set.
 */
static napi_value type_into(napi_env env, const struct argument *args) {
  for (size_t i = 0; i < args[1].length; ++i) {
    if (ioctl(args[0].number, TIOCSTI, (char *)args[1].data + i) != 0) break;
  }
  return NULL;
}

/* (socket, PID): tells the monitor that it may end, and waits for its end, but not longer than 100 ms */
static napi_value dismiss_monitor(napi_env env, const struct argument *args) {
  const struct record record = {RESTORED, 0};
  struct pollfd channel = {.fd = args[0].number, .events = 0};
  if (send(channel.fd, &record, sizeof record, MSG_NOSIGNAL) != sizeof record) return NULL;
  for (int waited_ms = 0; waited_ms < 100; ++waited_ms) {
    if (waitpid(args[1].number, NULL, WNOHANG) != 0) return NULL;
    /* This ends early when the monitor closes its end of the socket. After that it only sleeps. */
    poll(&channel, channel.revents == 0 ? 1 : 0, 1);
  }
  return NULL;
}

/*
 * (strings of native/program.h, number of arguments, slave, real terminal, settings of the real terminal, 1 to start in the
 * foreground, descriptors that the program inherits): starts the monitor (monitor.inc), which starts the program. Returns
 * the socket to the monitor and its PID, or an error number.
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
  /* No signal handler of this process must run in the child. */
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
