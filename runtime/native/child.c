/*
 * Child processes for node:child_process (runtime/modules/child-process.ts).
 *
 * As in libuv, the child has only the descriptors that it is given, and a failed execve is reported to the caller. Unlike
 * in libuv, signals that the caller ignored or blocked stay so in the child, and standard streams that were closed stay
 * closed, as with a shell.
 *
 * The child is a vfork: it shares its memory with the parent until its execve, and the parent waits that long. So the child
 * only makes system calls and changes nothing but `struct child`, `environ` and `early_stop`. It reports an error number
 * through a pipe, which an execve that succeeds closes.
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

/* Up to this limit, descriptors are closed one by one if there is no close_range(2) that can do it (Linux before 5.11). */
enum { MAX_DESCRIPTORS = 4096, CLOSE_ON_EXEC = 4 };

struct child {
  struct program program;
  /* The working directory; NULL: that of this process. */
  const char *folder;
  /*
   * For each descriptor of the child the one of this process that it is made of; -1: it is closed, or /dev/null if it is 0
   * to 2.
   */
  int *descriptors;
  int count;
  /* True: the child gets a session of its own. */
  bool is_detached;
  /* The signals that the child must block. */
  uint64_t mask;
  /* The pipe that receives the error number. */
  int report;
};

extern char **environ;

/* Reports errno to the parent, and ends the child. */
_Noreturn static void fail(const struct child *child) {
  const int error = errno;
  while (write(child->report, &error, sizeof error) < 0 && errno == EINTR) continue;
  _exit(127);
}

static void close_all_on_exec(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXEC) == 0) return;
  for (int descriptor = 3; descriptor < MAX_DESCRIPTORS; ++descriptor) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/* Returns true if the child will have a descriptor with this number, other than that of the report. */
static bool is_child_descriptor(const struct child *child, int descriptor) {
  return descriptor < 3 || (descriptor < child->count && child->descriptors[descriptor] >= 0);
}

/*
 * Moves a descriptor to the lowest free number that the child does not use. Descriptors of the caller may have numbers
 * above the limit on open files, so a number above all of them may not be possible.
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

/* Makes the child's descriptor `to`. No later descriptor may be made of the one that had this number. */
static void place_descriptor(const struct child *child, int to) {
  int from = child->descriptors[to];
  const bool is_stream = to <= 2;
  if (from < 0 && !is_stream) return;
  if (from == to) {
    /* A stream that the caller closed stays closed: main.c has opened another file in its place, which closes on exec. */
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
 * The signal that would have stopped the child before its execve; 0: none. If the child stopped there, the parent, which
 * waits for the execve, could neither stop as well nor end. So the child goes on, and the parent sends it the signal again
 * after the execve.
 */
static volatile sig_atomic_t early_stop;

static void on_early_stop(int signal) {
  early_stop = signal == SIGCONT ? 0 : signal;
}

/* Becomes the program; runs in the child. */
_Noreturn static void execute(struct child *child) {
  for (int signal_number = 1; signal_number < 32; ++signal_number) {
    const bool is_ignored = (caller.ignored_signals >> (signal_number - 1) & 1) != 0;
    const bool may_stop =
      signal_number == SIGTSTP || signal_number == SIGTTIN || signal_number == SIGTTOU || signal_number == SIGCONT;
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (is_ignored) action.sa_handler = SIG_IGN;
    /* An execve restores the default action of signals that have a handler. */
    else if (may_stop) action.sa_handler = on_early_stop;
    const bool has_action = signal_number != SIGKILL && signal_number != SIGSTOP;
    if (has_action && sigaction(signal_number, &action, NULL) != 0) fail(child);
  }
  if (child->is_detached) setsid();
  close_all_on_exec();
  /* Descriptors that place_descriptor would overwrite before it uses them are moved to other numbers first. */
  if (is_child_descriptor(child, child->report)) move_aside(child, &child->report);
  for (int to = 0; to < child->count; ++to) {
    int *const from = &child->descriptors[to];
    const bool is_overwritten = *from >= 0 && *from < to && is_child_descriptor(child, *from);
    if (is_overwritten) move_aside(child, from);
  }
  for (int to = 0; to < child->count; ++to) place_descriptor(child, to);
  if (child->folder != NULL && chdir(child->folder) != 0) fail(child);
  change_mask(SIG_SETMASK, child->mask);
  /* execvp searches for the file in the PATH of the child, not of this process. */
  environ = child->program.envp;
  execvp(child->program.file, child->program.argv);
  fail(child);
}

/* Starts the child. Returns its PID when the execve is over, or the negative number of an error. */
static pid_t start(struct child *child) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  child->report = report[1];
  char **const variables = environ;
  /* While all signals are blocked no handler of this process can run in the child. */
  child->mask = change_mask(SIG_SETMASK, ALL_SIGNALS);
  early_stop = 0;
  const pid_t pid = vfork();
  if (pid == 0) execute(child);
  int error = pid < 0 ? errno : 0;
  environ = variables;
  if (pid > 0 && early_stop != 0) kill(pid, early_stop);
  change_mask(SIG_SETMASK, child->mask);
  close(report[1]);
  if (pid > 0) {
    ssize_t size;
    do size = read(report[0], &error, sizeof error);
    while (size < 0 && errno == EINTR);
    /* The end without an error number means that the execve has closed the pipe. */
    if (size != sizeof error) error = size == 0 ? 0 : EPIPE;
    if (error != 0) {
      while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
  }
  close(report[0]);
  return error != 0 ? -error : pid;
}

/*
 * (strings of native/program.h, number of arguments, folder or undefined, descriptors, has a session of its own): returns
 * the PID, or the negative number of an error. The strings are wiped, since variables may be secrets.
 */
FUNCTION(start_child) {
  size_t length = 0, folder_length = 0, size = 0;
  struct child child = {.is_detached = JS_ToBool(context, arguments[4])};
  char *const strings = (char *)bytes_of(context, arguments[0], &length);
  child.descriptors = (int *)bytes_of(context, arguments[3], &size);
  child.count = (int)(size / sizeof(int));
  if (strings == NULL || child.descriptors == NULL) return JS_ThrowTypeError(context, "no strings or no descriptors");
  if (JS_IsString(arguments[2])) {
    child.folder = utf8_of(context, arguments[2], &folder_length);
    if (child.folder == NULL) return JS_EXCEPTION;
  }
  int result = -read_program(strings, length, (size_t)integer_of(context, arguments[1]), &child.program);
  if (result == 0) result = start(&child);
  free(child.program.argv);
  if (child.folder != NULL) JS_FreeCString(context, child.folder);
  explicit_bzero(strings, length);
  return JS_NewInt32(context, result);
}

/* (PID): returns the exit status and the signal of a child that has ended; undefined while it runs. Throws if it was reaped. */
FUNCTION(reap) {
  int status = 0;
  pid_t ended;
  do ended = waitpid(integer_of(context, arguments[0]), &status, WNOHANG);
  while (ended < 0 && errno == EINTR);
  if (ended == 0) return JS_UNDEFINED;
  /* The addon may have reaped the child already (ECHILD), because PID 1 reaps all of its children. */
  if (ended < 0) return throw_system_error(context, errno, "waitpid", NULL);
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0, JS_NewInt32(context, WIFEXITED(status) ? WEXITSTATUS(status) : 0));
  JS_SetPropertyUint32(context, result, 1, JS_NewInt32(context, WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  return result;
}

/*
 * Returns both ends of a pair of sockets, this process's and the child's; or the number of an error. send_to_pair writes to
 * them.
 */
FUNCTION(make_pair) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return JS_NewInt32(context, errno);
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < 2; ++i) JS_SetPropertyUint32(context, result, i, JS_NewInt32(context, ends[i]));
  return result;
}

/*
 * (socket, bytes, offset): sends the bytes from an offset on, without waiting. Returns how many were sent, or a negative
 * error.
 */
FUNCTION(send_to_pair) {
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  const int64_t offset = long_of(context, arguments[2]);
  if (bytes == NULL || offset < 0 || (uint64_t)offset > size) return JS_ThrowRangeError(context, "a part outside of the bytes");
  ssize_t sent;
  do sent = send(integer_of(context, arguments[0]), bytes + offset, size - (size_t)offset, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return JS_NewInt64(context, sent < 0 ? -errno : sent);
}

/* (descriptor, milliseconds): waits for input. Returns false if none came in this time. */
FUNCTION(wait_for_input) {
  struct pollfd input = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  int ready;
  /* A signal that is caught makes the whole wait begin again. */
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
