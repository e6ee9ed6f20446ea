/*
 * Child processes for node:child_process (runtime/modules/child-process.ts).
 *
 * As in libuv, the library of Node.js for this, the child has only the descriptors that JavaScript passes to it, and a
 * failure of its execve(2) is reported to JavaScript. Unlike in libuv, signals that the caller of sophia-run ignored or
 * blocked are ignored or blocked in the child as well, and standard streams that were closed stay closed, as with a shell.
 *
 * The child is made by vfork(2): it shares the memory of this process, the parent, and the parent waits until the child's
 * execve. So the child only makes system calls, and changes no variables but struct child, `environ` and `early_stop`. If
 * something fails, the child writes the error number to a pipe. If the execve succeeds, it closes the pipe.
 */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../native/program.h"
#include "../../native/signal-mask.h"

/* The limit on the descriptors that are closed one by one if close_range(2) lacks this flag (Linux before 5.11). */
enum { MAX_DESCRIPTORS = 4096 };
/* CLOSE_RANGE_CLOEXEC of close_range(2): the descriptors are closed by an execve. */
enum { CLOSE_ON_EXEC = 4 };

/*
 * A child that start_child starts, and that uses this struct in the memory of its parent until its execve. start_child also
 * frees `folder` and program.argv; all other memory belongs to JavaScript.
 */
struct child {
  /* The file, arguments and environment variables of the program. */
  struct program program;
  /* The working directory of the program; NULL: that of this process. */
  const char *folder;
  /*
   * By descriptor of the child: the descriptor of this process that it is a copy of. With -1 it is closed; but 0 to 2, the
   * standard streams, are /dev/null then.
   */
  int *descriptors;
  /* The number of `descriptors`. */
  int count;
  /* True: the child leads a new session. */
  bool is_detached;
  /* The signals that the program must block. */
  uint64_t mask;
  /* The end of the pipe to which the child writes an error number. */
  int report;
};

/* The environment variables of this process (environ(7)). The child changes it for its execve, and `start` restores it. */
extern char **environ;

/* Ends the child, and reports errno to the parent. */
_Noreturn static void fail(const struct child *child) {
  const int error = errno;
  while (write(child->report, &error, sizeof error) < 0 && errno == EINTR) continue;
  _exit(127);
}

/* Makes the execve close all descriptors from 3 on. */
static void close_all_on_exec(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXEC) == 0) return;
  for (int descriptor = 3; descriptor < MAX_DESCRIPTORS; ++descriptor) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/* Returns true if the program will have a descriptor with this number. */
static bool is_child_descriptor(const struct child *child, int descriptor) {
  return descriptor < 3 || (descriptor < child->count && child->descriptors[descriptor] >= 0);
}

/*
 * Moves a descriptor to the lowest free number that the program will not use. A number above all others may be impossible,
 * since the caller may have passed on descriptors above the limit on open files.
 */
static void move_aside(const struct child *child, int *descriptor) {
  int moved = 2;
  while (is_child_descriptor(child, moved)) {
    if (moved > 2) close(moved);
    moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, moved + 1);
    if (moved < 0) fail(child);
  }
  *descriptor = moved;
}

/* Makes the descriptor `to` of the program. A descriptor that is made later must not be a copy of what this one replaces. */
static void place_descriptor(const struct child *child, int to) {
  int from = child->descriptors[to];
  const bool is_stream = to <= 2;
  if (from < 0 && !is_stream) return;
  if (from == to) {
    /* A stream that the caller closed must be closed in the program: main.c has opened a file here, which the execve closes. */
    if (is_stream && caller.closed_streams[to]) return;
    if (fcntl(to, F_SETFD, 0) != 0) fail(child);
  } else if (from >= 0) {
    if (dup2(from, to) < 0) fail(child);
  } else {
    close(to);
    from = open("/dev/null", to == 0 ? O_RDONLY : O_RDWR);
    if (from < 0) fail(child);
    if (from != to && (dup2(from, to) < 0 || close(from) != 0)) fail(child);
    return;
  }
  /* Programs expect their standard streams to block. */
  const int flags = fcntl(to, F_GETFL);
  if (is_stream && flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(to, F_SETFL, flags & ~O_NONBLOCK);
}

/*
 * The signal that would have stopped the child before its execve; 0: none. The parent waits for the execve and could not react
 * to a stop. So the child does not stop, and the parent sends the signal again after the execve.
 */
static volatile sig_atomic_t early_stop;

/* The handler of stop signals in the child. The child runs it, but `early_stop` is in the memory that the parent shares. */
static void on_early_stop(int signal) {
  early_stop = signal == SIGCONT ? 0 : signal;
}

/*
 * Sets the actions of the standard signals that the program will inherit: ignored if the caller ignored the signal,
 * otherwise the default.
 */
static void set_actions(const struct child *child) {
  for (int signal_number = 1; signal_number < 32; ++signal_number) {
    const bool has_fixed_action = signal_number == SIGKILL || signal_number == SIGSTOP;
    if (has_fixed_action) continue;
    const bool is_ignored = (caller.ignored_signals >> (signal_number - 1) & 1) != 0;
    const bool stops_or_continues =
      signal_number == SIGTSTP || signal_number == SIGTTIN || signal_number == SIGTTOU || signal_number == SIGCONT;
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (is_ignored) action.sa_handler = SIG_IGN;
    /* The execve restores the default action of a signal that has a handler. */
    else if (stops_or_continues) action.sa_handler = on_early_stop;
    if (sigaction(signal_number, &action, NULL) != 0) fail(child);
  }
}

/* Runs in the child, and replaces it by the program. */
_Noreturn static void execute(struct child *child) {
  set_actions(child);
  if (child->is_detached) setsid();
  close_all_on_exec();
  /* A descriptor that place_descriptor would replace before it is copied is moved to another number first. */
  if (is_child_descriptor(child, child->report)) move_aside(child, &child->report);
  for (int to = 0; to < child->count; ++to) {
    int *const from = &child->descriptors[to];
    const bool is_replaced_before = *from >= 0 && *from < to && is_child_descriptor(child, *from);
    if (is_replaced_before) move_aside(child, from);
  }
  for (int to = 0; to < child->count; ++to) place_descriptor(child, to);
  if (child->folder != NULL && chdir(child->folder) != 0) fail(child);
  change_mask(SIG_SETMASK, child->mask);
  /* execvp(3) searches the PATH of `environ`, which must be the program's. */
  environ = child->program.envp;
  execvp(child->program.file, child->program.argv);
  fail(child);
}

/*
 * Waits for the child's execve. Returns 0 if it has succeeded, otherwise the error number. `report` is the end of the pipe
 * to read.
 */
static int read_report(int report) {
  int error = 0;
  ssize_t size;
  do size = read(report, &error, sizeof error);
  while (size < 0 && errno == EINTR);
  if (size == sizeof error) return error;
  /* The execve has closed the pipe. */
  return size == 0 ? 0 : EPIPE;
}

/* Starts the child. Returns the PID after a successful execve; otherwise the negative number of an error. */
static pid_t start(struct child *child) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  child->report = report[1];
  char **const own_variables = environ;
  /* All signals are blocked, so that no signal handler of this process runs in the child. */
  child->mask = change_mask(SIG_SETMASK, ALL_SIGNALS);
  early_stop = 0;
  const pid_t pid = vfork();
  if (pid == 0) execute(child);
  int error = pid < 0 ? errno : 0;
  environ = own_variables;
  if (pid > 0 && early_stop != 0) kill(pid, early_stop);
  change_mask(SIG_SETMASK, child->mask);
  close(report[1]);
  if (pid > 0) {
    error = read_report(report[0]);
    /* The child has ended, or will soon. It must be reaped here, because JavaScript does not get its PID. */
    while (error != 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  close(report[0]);
  return error != 0 ? -error : pid;
}

/*
 * (strings of native/program.h, number of arguments, working directory or undefined, list of descriptors (struct child),
 * true for a new session): starts a program. Returns the PID, or the negative number of an error. Wipes the strings,
 * because environment variables may be secrets.
 */
JAVASCRIPT_FUNCTION(start_child) {
  enum { STRINGS, ARGUMENT_COUNT, FOLDER, DESCRIPTORS, IS_DETACHED };
  size_t length = 0, folder_length = 0, descriptors_size = 0;
  struct child child = {.is_detached = JS_ToBool(context, arguments[IS_DETACHED])};
  char *const strings = (char *)bytes_of(context, arguments[STRINGS], &length);
  child.descriptors = (int *)bytes_of(context, arguments[DESCRIPTORS], &descriptors_size);
  child.count = (int)(descriptors_size / sizeof(int));
  if (strings == NULL || child.descriptors == NULL) return JS_ThrowTypeError(context, "no strings or no descriptors");
  if (JS_IsString(arguments[FOLDER])) {
    child.folder = utf8_of(context, arguments[FOLDER], &folder_length);
    if (child.folder == NULL) return JS_EXCEPTION;
  }
  int result = -read_program(strings, length, (size_t)integer_of(context, arguments[ARGUMENT_COUNT]), &child.program);
  if (result == 0) result = start(&child);
  free(child.program.argv);
  if (child.folder != NULL) JS_FreeCString(context, child.folder);
  explicit_bzero(strings, length);
  return JS_NewInt32(context, result);
}

/*
 * (PID): returns a list of the exit status and the signal of a child that has ended, one of which is 0; undefined while it
 * runs. Throws if the child was reaped before.
 */
JAVASCRIPT_FUNCTION(reap) {
  int status = 0;
  pid_t reaped;
  do reaped = waitpid(integer_of(context, arguments[0]), &status, WNOHANG);
  while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return JS_UNDEFINED;
  /* This is ECHILD if this process is PID 1 and reap_all_but (native/system.c) was faster. */
  if (reaped < 0) return throw_system_error(context, errno, "waitpid", NULL);
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0, JS_NewInt32(context, WIFEXITED(status) ? WEXITSTATUS(status) : 0));
  JS_SetPropertyUint32(context, result, 1, JS_NewInt32(context, WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  return result;
}

/*
 * Makes a pair of connected sockets, through which this process writes to a child. Returns a list of this process's end, for
 * send_to_pair, and the child's end; or the number of an error.
 */
JAVASCRIPT_FUNCTION(make_pair) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return JS_NewInt32(context, errno);
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < 2; ++i) JS_SetPropertyUint32(context, result, i, JS_NewInt32(context, ends[i]));
  return result;
}

/*
 * (socket, Uint8Array, offset): sends the bytes from an offset on, without waiting. Returns the number of bytes that were
 * sent, or the negative number of an error.
 */
JAVASCRIPT_FUNCTION(send_to_pair) {
  enum { SOCKET, BYTES, OFFSET };
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[BYTES], &size);
  const int64_t offset = long_of(context, arguments[OFFSET]);
  const bool is_valid = bytes != NULL && offset >= 0 && (uint64_t)offset <= size;
  if (!is_valid) return JS_ThrowRangeError(context, "the offset is outside of the bytes");
  ssize_t sent;
  do sent = send(integer_of(context, arguments[SOCKET]), bytes + offset, size - (size_t)offset, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return JS_NewInt64(context, sent < 0 ? -errno : sent);
}

/* (descriptor, milliseconds): waits for input, or for its end. Returns false if the time is over. */
JAVASCRIPT_FUNCTION(wait_for_input) {
  struct pollfd input = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  int ready;
  /* After a signal that has a handler the wait begins again, with the whole time. */
  do ready = poll(&input, 1, integer_of(context, arguments[1]));
  while (ready < 0 && errno == EINTR);
  return JS_NewBool(context, ready > 0);
}

void add_child(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("startChild", 5, start_child),
    JS_CFUNC_DEF("reap", 1, reap),
    JS_CFUNC_DEF("makePair", 0, make_pair),
    JS_CFUNC_DEF("sendToPair", 3, send_to_pair),
    JS_CFUNC_DEF("waitForInput", 2, wait_for_input),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
