/*
 * The addon of masking on Linux: with the option `--redact`, sophia-run replaces secrets in the program's output by `***`. This
 * addon searches the output for secrets, and makes system calls for pipes and terminals that Node.js does not offer.
 *
 * TypeScript declares each function with its parameters: the search as CompiledSearch in src/masking/masking-model.ts, all
 * others as MaskingAddon in src/launch/masking/masking-addon.ts. The comment of a function here lists its arguments in
 * parentheses, in the order of `args`; a function with many arguments has an enum of them.
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

/* An argument from JavaScript. `call` below makes it; JavaScript owns the memory. */
struct argument {
  napi_value value;
  /* The argument if it is a number; -1 for anything else. */
  int number;
  /* The memory of the argument if it is an array of numbers, valid during the call, and its number of elements. */
  void *data;
  size_t length;
};
/* The number of arguments of `prepare` in search.inc, which has more than any other function. */
enum { MAX_ARGUMENTS = 14 };
/* A function for JavaScript. `args` has MAX_ARGUMENTS elements. The result NULL is undefined in JavaScript. */
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

/* The size of the pipes in bytes: four times the default size, so that the event loop needs fewer turns. */
enum { PIPE_BYTES = 262144 };

/* Makes a pipe. Returns its reading end, which does not block, and its writing end; or an error number. */
static napi_value make_pipe(napi_env env, const struct argument *args) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return from_integer(env, errno);
  /* If the system refuses this size, the default remains. */
  fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return list(env, ends, 2);
}

/*
 * (descriptor): closes the reading end of a pipe. Returns the number of bytes that came between the last read and the
 * close, and so are lost. Only another end of the pipe can tell that after the close, so its writing end is opened before.
 * Returns 0 for descriptors other than pipes, and if there is no /proc.
 */
static napi_value close_reading(napi_env env, const struct argument *args) {
  const int reading_end = args[0].number;
  char path[32];
  int writing_end = -1, unread_bytes = 0;
  const int is_pipe = fcntl(reading_end, F_GETPIPE_SZ) > 0;
  if (is_pipe) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", reading_end);
    writing_end = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  }
  close(reading_end);
  if (writing_end >= 0) {
    ioctl(writing_end, FIONREAD, &unread_bytes);
    close(writing_end);
  }
  return from_integer(env, unread_bytes);
}

/* (descriptor): returns a copy of the descriptor, from 3 on, which closes on exec; or the negative number of an error */
static napi_value duplicate(napi_env env, const struct argument *args) {
  const int descriptor = args[0].number, min_copy = 3;
  const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, min_copy);
  return from_integer(env, copy < 0 ? -errno : copy);
}

/* (descriptor, other descriptor): returns 1 if both stand for the same open file (open(2), "open file description") */
static napi_value is_same_open_file(napi_env env, const struct argument *args) {
  const int descriptor = args[0].number, other_descriptor = args[1].number;
  const int flags = fcntl(descriptor, F_GETFL), other_flags = fcntl(other_descriptor, F_GETFL);
  if (flags == -1 || flags != other_flags) return from_integer(env, 0);
  /*
   * This flag belongs to the open file: if it changes for one descriptor, it changes for the other as well. For regular
   * files it has no effect.
   */
  fcntl(descriptor, F_SETFL, flags ^ O_NONBLOCK);
  const int other_flags_after_change = fcntl(other_descriptor, F_GETFL);
  fcntl(descriptor, F_SETFL, flags);
  return from_integer(env, other_flags_after_change != other_flags);
}

/*
 * (terminal, 1 for raw output): makes a pseudo-terminal with the settings of the terminal. Returns its master and its slave
 * (terminal.inc), or an error number. With raw output the pseudo-terminal does not change the program's output.
 */
static napi_value make_terminal(napi_env env, const struct argument *args) {
  const int real_terminal = args[0].number, has_raw_output = args[1].number == 1;
  /* The master and the slave. */
  int sides[2];
  const int error = open_terminal(&sides[0], &sides[1]);
  if (error != 0) return from_integer(env, error);
  struct termios settings;
  if (ioctl(real_terminal, TCGETS, &settings) == 0) {
    /* The real terminal puts a CR in front of each LF already. */
    if (has_raw_output) settings.c_oflag &= ~(tcflag_t)OPOST;
    ioctl(sides[1], TCSETS, &settings);
  }
  return list(env, sides, 2);
}

/* (terminal, other terminal): gives the size of the first to the other. Returns 1 if that has changed the other's size. */
static napi_value copy_size(napi_env env, const struct argument *args) {
  const int source = args[0].number, target = args[1].number;
  struct winsize size, former_size;
  const int is_known = ioctl(source, TIOCGWINSZ, &size) == 0 && ioctl(target, TIOCGWINSZ, &former_size) == 0;
  if (!is_known || memcmp(&size, &former_size, sizeof size) == 0) return from_integer(env, 0);
  return from_integer(env, ioctl(target, TIOCSWINSZ, &size) == 0);
}

/* (terminal): returns the settings as bytes; undefined if it is no terminal */
static napi_value settings_of(napi_env env, const struct argument *args) {
  const int terminal = args[0].number;
  struct termios settings;
  napi_value result = NULL;
  if (ioctl(terminal, TCGETS, &settings) != 0) return NULL;
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
  enum { TERMINAL, SETTINGS, CHANGE };
  const int terminal = args[TERMINAL].number, change = args[CHANGE].number;
  struct termios settings, current;
  if (args[SETTINGS].length != sizeof settings) return NULL;
  memcpy(&settings, args[SETTINGS].data, sizeof settings);
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
  enum { INTERRUPT_KEY, QUIT_KEY, READS_SINGLE_KEYS, STOPS_BACKGROUND, MODES };
  const int terminal = args[0].number;
  int modes[MODES] = {-1, -1, 0, 0};
  struct termios settings;
  if (ioctl(terminal, TCGETS, &settings) == 0) {
    if (settings.c_lflag & ISIG) {
      modes[INTERRUPT_KEY] = settings.c_cc[VINTR];
      modes[QUIT_KEY] = settings.c_cc[VQUIT];
    }
    modes[READS_SINGLE_KEYS] = (settings.c_lflag & ICANON) == 0;
    modes[STOPS_BACKGROUND] = (settings.c_lflag & TOSTOP) != 0;
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
  const int terminal = args[0].number;
  int group = -1;
  if (ioctl(terminal, TIOCGPGRP, &group) != 0) group = -1;
  return from_integer(env, group);
}

/* (terminal, process group): puts the process group in the foreground */
static napi_value take_foreground(napi_env env, const struct argument *args) {
  const int terminal = args[0].number;
  int group = args[1].number;
  const uint64_t former = block_sigttou();
  ioctl(terminal, TIOCSPGRP, &group);
  change_mask(SIG_SETMASK, former);
  return NULL;
}

/*
 * (terminal, bytes): puts bytes into the input of a terminal, as if the user had typed them. Linux 6.2 and later allow that
 * only to administrators, unless dev.tty.legacy_tiocsti is set.
 */
static napi_value type_into(napi_env env, const struct argument *args) {
  enum { TERMINAL, BYTES };
  for (size_t i = 0; i < args[BYTES].length; ++i) {
    if (ioctl(args[TERMINAL].number, TIOCSTI, (char *)args[BYTES].data + i) != 0) break;
  }
  return NULL;
}

/* The limit on the time that dismiss_monitor waits for the end of the monitor. */
enum { MAX_DISMISSAL_MS = 100 };

/* (socket, PID): tells the monitor that it may end, and waits for its end, but not longer than MAX_DISMISSAL_MS */
static napi_value dismiss_monitor(napi_env env, const struct argument *args) {
  const pid_t monitor_pid = args[1].number;
  const struct record record = {RESTORED, 0};
  struct pollfd channel = {.fd = args[0].number, .events = 0};
  if (send(channel.fd, &record, sizeof record, MSG_NOSIGNAL) != sizeof record) return NULL;
  for (int waited_ms = 0; waited_ms < MAX_DISMISSAL_MS; ++waited_ms) {
    if (waitpid(monitor_pid, NULL, WNOHANG) != 0) return NULL;
    /* This ends early when the monitor closes its end of the socket. After that it only sleeps. */
    poll(&channel, channel.revents == 0 ? 1 : 0, 1);
  }
  return NULL;
}

/*
 * Starts the monitor (monitor.inc), which starts the program. Returns the socket to the monitor and its PID, or an error
 * number. The caller must close the socket. The arguments are those of `startMonitor` in
 * src/launch/masking/masking-addon.ts.
 */
static napi_value start_monitor(napi_env env, const struct argument *args) {
  enum {
    /* The strings of native/program.h, and how many of them are arguments of the program. */
    STRINGS, ARGUMENT_COUNT,
    /* Descriptors: the program's side of the pseudo-terminal, and the user's terminal. */
    SLAVE_TERMINAL, REAL_TERMINAL,
    /* The struct termios of the user's terminal, which settings_of has returned. */
    FORMER_SETTINGS,
    /* 1: the program starts in the foreground. */
    IS_FOREGROUND,
    /* The descriptors that the program inherits besides the standard streams. */
    INHERITED,
  };
  int ends[2];
  struct session session = {
    .slave = args[SLAVE_TERMINAL].number, .real = args[REAL_TERMINAL].number, .foreground = args[IS_FOREGROUND].number,
    .inherited = args[INHERITED].data, .inherited_count = args[INHERITED].length};
  if (args[FORMER_SETTINGS].length != sizeof session.former_settings) return from_integer(env, ENOTTY);
  memcpy(&session.former_settings, args[FORMER_SETTINGS].data, sizeof session.former_settings);
  const int parse_error =
    read_program(args[STRINGS].data, args[STRINGS].length, (size_t)args[ARGUMENT_COUNT].number, &session.program);
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

/* The functions by their names in JavaScript. */
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
