/*
 * Child processes for node:child_process (runtime/modules/child-process.ts). The child's descriptors are the given ones
 * alone, and a failed execve is reported, as libuv does both. Unlike there, the signals that the caller ignored or blocked and
 * the standard streams that were closed stay so, as with a shell.
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

/* Descriptors that are tried one by one where close_range(2) is missing (Linux before 5.11). */
enum { MOST_DESCRIPTORS = 4096, CLOSE_ON_EXEC = 4 };

struct child {
  struct program program;
  /* NULL: the folder of this process. */
  const char *folder;
  /* For each descriptor of the child one of this process, or -1: none; /dev/null for 0, 1 and 2. */
  int *descriptors;
  int count;
  bool is_detached;
  uint64_t mask;
  /* Receives the error number. */
  int report;
};

extern char **environ;

_Noreturn static void fail(const struct child *it) {
  const int error = errno;
  while (write(it->report, &error, sizeof error) < 0 && errno == EINTR) continue;
  _exit(127);
}

static void close_all_on_exec(void) {
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_ON_EXEC) == 0) return;
  for (int one = 3; one < MOST_DESCRIPTORS; ++one) fcntl(one, F_SETFD, FD_CLOEXEC);
}

/* Returns true if the child gets a descriptor with this number. */
static bool is_placed(const struct child *it, int descriptor) {
  return descriptor < 3 || (descriptor < it->count && it->descriptors[descriptor] >= 0);
}

/*
 * Moves a descriptor to a number that the child does not use. That may be below the caller's, which may be above the limit on
 * open files.
 */
static void move(const struct child *it, int *descriptor) {
  int moved = 2;
  while (is_placed(it, moved)) {
    if (moved > 2) close(moved);
    moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, moved + 1);
    if (moved < 0) fail(it);
  }
  *descriptor = moved;
}

/* Makes the descriptor `to`, in place of none that a later one is made of. */
static void place(const struct child *it, int to) {
  int from = it->descriptors[to];
  if (from < 0 && to > 2) return;
  if (from == to) {
    if (to <= 2 && caller.closed_streams[to]) return;
    if (fcntl(to, F_SETFD, 0) != 0) fail(it);
  } else if (from >= 0) {
    if (dup2(from, to) < 0) fail(it);
  } else {
    close(to);
    from = open("/dev/null", to == 0 ? O_RDONLY : O_RDWR);
    if (from < 0) fail(it);
    if (from != to && (dup2(from, to) < 0 || close(from) != 0)) fail(it);
    return;
  }
  /* Programs expect it so. */
  const int flags = fcntl(to, F_GETFL);
  if (to <= 2 && flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(to, F_SETFL, flags & ~O_NONBLOCK);
}

/*
 * The signal that stopped the child before its execve. It would stop there, and the parent, which waits for the execve, could
 * neither mirror that nor end. So it goes on, and gets the signal again from the parent.
 */
static volatile sig_atomic_t early_stop;

static void on_early_stop(int signal) {
  early_stop = signal == SIGCONT ? 0 : signal;
}

/* Runs in the child, which shares its memory with the parent until the execve: only system calls. */
_Noreturn static void execute(struct child *it) {
  for (int number = 1; number < 32; ++number) {
    const bool is_ignored = (caller.ignored_signals >> (number - 1) & 1) != 0;
    const bool stops = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU || number == SIGCONT;
    /* An execve restores the default action of caught signals. */
    const struct sigaction action = {.sa_handler = is_ignored ? SIG_IGN : stops ? on_early_stop : SIG_DFL};
    if (number != SIGKILL && number != SIGSTOP && sigaction(number, &action, NULL) != 0) fail(it);
  }
  if (it->is_detached) setsid();
  close_all_on_exec();
  /* The next loop would overwrite them. */
  if (is_placed(it, it->report)) move(it, &it->report);
  for (int to = 0; to < it->count; ++to) {
    int *const from = &it->descriptors[to];
    if (*from >= 0 && *from < to && is_placed(it, *from)) move(it, from);
  }
  for (int to = 0; to < it->count; ++to) place(it, to);
  if (it->folder != NULL && chdir(it->folder) != 0) fail(it);
  change_mask(SIG_SETMASK, it->mask);
  /* The file is searched for in the child's PATH. */
  environ = it->program.envp;
  execvp(it->program.file, it->program.argv);
  fail(it);
}

/* Returns the PID, or the error number below zero. */
static pid_t start(struct child *it) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  it->report = report[1];
  char **const variables = environ;
  /* No handler of this process may run in the child. */
  it->mask = change_mask(SIG_SETMASK, ALL_SIGNALS);
  early_stop = 0;
  const pid_t child = vfork();
  if (child == 0) execute(it);
  int error = child < 0 ? errno : 0;
  environ = variables;
  if (child > 0 && early_stop != 0) kill(child, early_stop);
  change_mask(SIG_SETMASK, it->mask);
  close(report[1]);
  if (child > 0) {
    ssize_t got;
    do got = read(report[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got != sizeof error) error = got == 0 ? 0 : EPIPE;
    if (error != 0) {
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    }
  }
  close(report[0]);
  return error != 0 ? -error : child;
}

/*
 * (strings, number of arguments, folder or undefined, descriptors, is detached): returns the PID, or the negative number of an
 * error. The strings are the file, the arguments and the variables, each ended by a NUL; they are wiped.
 */
FUNCTION(start_child) {
  size_t length = 0, folder_length = 0, size = 0;
  struct child it = {.is_detached = JS_ToBool(context, arguments[4])};
  char *const strings = (char *)bytes_of(context, arguments[0], &length);
  it.descriptors = (int *)bytes_of(context, arguments[3], &size);
  it.count = (int)(size / sizeof(int));
  if (strings == NULL || it.descriptors == NULL) return JS_ThrowTypeError(context, "no strings or no descriptors");
  if (JS_IsString(arguments[2])) {
    it.folder = utf8_of(context, arguments[2], &folder_length);
    if (it.folder == NULL) return JS_EXCEPTION;
  }
  int result = -read_program(strings, length, (size_t)integer_of(context, arguments[1]), &it.program);
  if (result == 0) result = start(&it);
  free(it.program.argv);
  if (it.folder != NULL) JS_FreeCString(context, it.folder);
  explicit_bzero(strings, length);
  return JS_NewInt32(context, result);
}

/* Returns status and signal of a child that has ended; undefined while it runs. */
FUNCTION(reap) {
  int status = 0;
  pid_t found;
  do found = waitpid(integer_of(context, arguments[0]), &status, WNOHANG);
  while (found < 0 && errno == EINTR);
  if (found == 0) return JS_UNDEFINED;
  /* The addon may have reaped it for the program's sake (ECHILD). */
  if (found < 0) return throw_system_error(context, errno, "waitpid", NULL);
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0, JS_NewInt32(context, WIFEXITED(status) ? WEXITSTATUS(status) : 0));
  JS_SetPropertyUint32(context, result, 1, JS_NewInt32(context, WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  return result;
}

/* Returns this process's end and the child's, or the number of an error. Only the function below uses the former. */
FUNCTION(make_pair) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return JS_NewInt32(context, errno);
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < 2; ++i) JS_SetPropertyUint32(context, result, i, JS_NewInt32(context, ends[i]));
  return result;
}

/* (socket, bytes, offset): returns the number of bytes, or the negative number of an error */
FUNCTION(send_to_pair) {
  size_t size = 0;
  uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  const int64_t offset = long_of(context, arguments[2]);
  if (bytes == NULL || offset < 0 || (uint64_t)offset > size) return JS_ThrowRangeError(context, "a part outside of the bytes");
  ssize_t put;
  do put = send(integer_of(context, arguments[0]), bytes + offset, size - (size_t)offset, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (put < 0 && errno == EINTR);
  return JS_NewInt64(context, put < 0 ? -errno : put);
}

/* (descriptor, milliseconds): waits for input, and returns false if none came */
FUNCTION(wait_for_input) {
  struct pollfd one = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  int ready;
  /* A caught signal makes the wait begin again. */
  do ready = poll(&one, 1, integer_of(context, arguments[1]));
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
