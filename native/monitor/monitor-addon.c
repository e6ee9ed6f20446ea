/*
 * The addon of spawn mode on Linux: it starts the program as a child, and then replaces Node.js by the monitor (monitor.c).
 * In exec mode it starts the cleaner of secret files (secret-files.inc). monitor-addon.ts documents the functions for
 * TypeScript.
 *
 * `start` does all of spawn mode: it starts the witness, forks the program's process, waits until its execve has succeeded or
 * failed, and executes the monitor. The launcher and the child communicate by two pipes (struct start).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fcntl.h>
#include <node_api.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MONITOR_IN_PROCESS
#include "monitor.c"

#include "../generated/shared.h"
#include "../number.h"
#include "../program.h"
#include "hold-signals.inc"

/* The request of replace-by-monitor.ts, which passes these fields as an array of numbers of eight bytes each. */
struct request {
  /* The number of the program's arguments (read_program). */
  int64_t argument_count;
  /* Milliseconds from a signal that asks the program to end until SIGKILL; negative: never. */
  int64_t kill_after;
  /* The soft limit on open files, OPEN_FILES_UNCHANGED or OPEN_FILES_UNLIMITED. */
  int64_t open_files;
  /* 1: the program gets SIGKILL when the monitor ends before it. */
  int64_t dies_with_launcher;
  /* The descriptor of the folder of secret files; -1: there is none. */
  int64_t folder;
  /* The signals that the program inherits as ignored, a bit for each. The lowest bit is SIGHUP's. */
  uint64_t ignored;
};

/* The interval at which execution_error looks whether the child is stopped, and the time limit for the start of the cleaner. */
enum { EXECUTION_CHECK_MS = 50, CLEANER_START_MS = 5000 };

/*
 * Replaces PID_PLACEHOLDER by the PID of this process, in those variables of systemd in which replace-by-monitor.ts has put
 * it. systemd names in them the process for which its other variables are.
 */
static void fill_in_pid(char **envp) {
  char digits[sizeof PID_PLACEHOLDER];
  char *first = digits + sizeof digits - 1;
  *first = '\0';
  for (pid_t remainder = getpid(); remainder > 0; remainder /= 10) *--first = (char)('0' + remainder % 10);
  static const char *const names[] = {PID_VARIABLES, EXEC_PID};
  for (; *envp != NULL; ++envp) {
    for (size_t i = 0; i < COUNT(names); ++i) {
      const size_t length = strlen(names[i]);
      char *const value = *envp + length + 1;
      const bool is_variable = strncmp(*envp, names[i], length) == 0 && value[-1] == '=';
      if (is_variable && strcmp(value, PID_PLACEHOLDER) == 0) strcpy(value, first);
    }
  }
}

/* Sets the soft limit on open files, but not beyond the hard limit. */
static void limit_open_files(int64_t soft) {
  struct rlimit limit;
  if (soft == OPEN_FILES_UNCHANGED || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const bool is_beyond_hard_limit = soft == OPEN_FILES_UNLIMITED || (rlim_t)soft > limit.rlim_max;
  limit.rlim_cur = is_beyond_hard_limit ? limit.rlim_max : (rlim_t)soft;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* The start of a program in spawn mode: the arguments of `start`, and the pipes between the launcher and the child. */
struct start {
  struct request request;
  struct program program;
  struct program monitor;
  /* The descriptors that the program inherits. */
  const int *descriptors;
  size_t descriptor_count;
  /*
   * Two pipes. The child waits for a byte in `go`. Then it writes the set of its pending signals to `report`. If its execve
   * fails it also writes the error number; an execve that succeeds closes the pipe.
   */
  int go[2], report[2];
};

/*
 * Runs in the child, and replaces it by the program. The child is a fork of a process with many threads, so this function
 * may call only functions that are safe in a signal handler.
 */
_Noreturn static void execute_program(const struct start *start, pid_t parent) {
  char byte;
  /*
   * If the launcher is killed the read below must return 0. For that, no process may have the other end open, not even this
   * one.
   */
  close(start->go[1]);
  const bool may_proceed = read(start->go[0], &byte, 1) == 1;
  const uint64_t pending = pending_signals();
  if (!may_proceed || write(start->report[1], &pending, sizeof pending) != sizeof pending) _exit(125);
  if (start->request.dies_with_launcher) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
    if (getppid() != parent) _exit(125);
  }
  limit_open_files(start->request.open_files);
  fill_in_pid(start->program.envp);
  for (size_t i = 0; i < start->descriptor_count; ++i) fcntl(start->descriptors[i], F_SETFD, 0);
  for (int signal = 1; signal <= QUERY; ++signal)
    set_action(signal, (start->request.ignored & bit(signal)) != 0 ? SIG_IGN : SIG_DFL);
  set_mask(former_mask);
  execve(start->program.file, start->program.argv, start->program.envp);
  const int error = errno;
  if (write(start->report[1], &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

/* Waits for the child's execve. Returns its error number, or 0 if it succeeded. */
static int execution_error(const struct start *start, pid_t child) {
  int error = 0;
  for (;;) {
    struct pollfd end = {.fd = start->report[0], .events = POLLIN};
    const int count = poll(&end, 1, EXECUTION_CHECK_MS);
    if (count > 0) return read(start->report[0], &error, sizeof error) == sizeof error ? error : 0;
    siginfo_t info;
    /* If the child is stopped before its execve, this wait would not end. The monitor will mirror the stop. */
    if (count == 0 && poll_child(P_PID, child, WSTOPPED | WNOWAIT, &info) != 0) return 0;
  }
}

/*
 * Executes the file of the monitor. Returns only if that fails.
 *
 * In the executable for Linux the file is in memory (runtime/native/monitor-file.c). Its path is that of a descriptor which
 * the execve closes. An emulator for another processor (binfmt_misc) could not open the path any more. So the file is
 * executed by its descriptor: then the kernel refuses a file for another processor.
 */
static void execute_file(const char *file, char *const words[], char *const envp[]) {
  static const char DESCRIPTOR_PATH[] = "/proc/self/fd/";
  const size_t length = sizeof DESCRIPTOR_PATH - 1;
  if (strncmp(file, DESCRIPTOR_PATH, length) != 0) execve(file, words, envp);
  else syscall(SYS_execveat, (int)number_in(file + length, 10), "", words, envp, AT_EMPTY_PATH);
}

/*
 * Starts the witness. This must happen before the start of the program, so that the witness gets all signals that the
 * program gets. Returns its PID; 0 if it cannot be started.
 */
static pid_t start_witness(const char *file) {
  char monitor[24];
  snprintf(monitor, sizeof monitor, "%d", getpid());
  char *const words[] = {WITNESS, monitor, NULL};
  char *const no_variables[] = {NULL};
  const pid_t child = vfork();
  if (child == 0) {
    execute_file(file, words, no_variables);
    _exit(127);
  }
  return child > 0 ? child : 0;
}

static void kill_and_reap(pid_t child) {
  siginfo_t info;
  /* If a seccomp filter refuses the signal, a wait might never end. */
  if (child == 0 || kill(child, SIGKILL) != 0) return;
  waitid(P_PID, (id_t)child, &info, WEXITED);
}

/*
 * Starts the program. Returns its PID, or the negative number of an error. Stores the early signals: those that came before
 * the child existed, so that the monitor must send them to it.
 */
static pid_t start_program(struct start *start, uint64_t *early_signals) {
  if (pipe2(start->go, O_CLOEXEC) != 0) return -errno;
  if (pipe2(start->report, O_CLOEXEC) != 0) {
    const int error = errno;
    close(start->go[0]);
    close(start->go[1]);
    return -error;
  }
  const pid_t parent = getpid();
  const uint64_t pending_before = pending_signals();
  int error = 0;
  const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) execute_program(start, parent);
  if (child < 0) error = errno;
  close(start->go[0]);
  close(start->report[1]);
  if (child > 0) {
    const uint64_t pending_after = pending_signals();
    uint64_t pending_in_child = 0;
    if (write(start->go[1], "", 1) == 1 &&
        read(start->report[0], &pending_in_child, sizeof pending_in_child) == sizeof pending_in_child)
      error = execution_error(start, child);
    /* A signal that is pending in this process but not in the child came before the child existed. */
    *early_signals = pending_before | (pending_after & ~pending_in_child);
    siginfo_t info;
    if (error != 0) waitid(P_PID, (id_t)child, &info, WEXITED);
  }
  close(start->go[1]);
  close(start->report[0]);
  return error != 0 ? -error : child;
}

/* Replaces this process by the monitor. If that fails, runs the monitor's loop in this process. */
_Noreturn static void execute_monitor(const struct monitor_settings *settings, const struct start *start) {
  char program[24], witness[24], kill_after[24], early_signals[24], folder[24];
  snprintf(program, sizeof program, "%d", settings->program);
  snprintf(witness, sizeof witness, "%d", settings->witness);
  snprintf(kill_after, sizeof kill_after, "%lld", (long long)settings->kill_after);
  snprintf(early_signals, sizeof early_signals, "%llu", (unsigned long long)settings->early_signals);
  snprintf(folder, sizeof folder, "%d", settings->folder);
  const bool has_files = settings->folder != -1;
  char *const words[] = {"sophia-run", "--monitor",   program,                   witness,
                         kill_after,   early_signals, has_files ? folder : NULL, NULL};
  if (has_files) fcntl(settings->folder, F_SETFD, 0);
  execute_file(start->monitor.file, words, start->monitor.envp);
  for (size_t i = 0; i < start->descriptor_count; ++i) close(start->descriptors[i]);
  run_monitor(settings);
}

/* The memory of a Buffer. */
struct bytes {
  void *first;
  size_t length;
};

static bool bytes_of(napi_env env, napi_value buffer, struct bytes *bytes) {
  return napi_get_buffer_info(env, buffer, &bytes->first, &bytes->length) == napi_ok;
}

/* The result of fork_cleaner, which writes it into the memory that a vfork shares with its parent. */
struct cleaner_start {
  volatile pid_t cleaner;
  volatile int error;
};

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

/*
 * Runs in a vfork of the launcher: forks the cleaner and ends, so that init inherits the cleaner. The program's descriptors
 * are closed in the cleaner. The descriptors in `kept`, a list that ends with -1, stay open.
 */
_Noreturn static void fork_cleaner(const struct program *cleaner, char *const words[], const int *kept,
                                    const int *descriptors, size_t descriptor_count, struct cleaner_start *result) {
  setsid();
  result->cleaner = vfork();
  if (result->cleaner == 0) {
    for (size_t i = 0; i < descriptor_count; ++i) fcntl(descriptors[i], F_SETFD, FD_CLOEXEC);
    for (; *kept != -1; ++kept) fcntl(*kept, F_SETFD, 0);
    execute_file(cleaner->file, words, cleaner->envp);
    result->error = errno;
    _exit(127);
  }
  if (result->cleaner < 0) result->error = errno;
  _exit(0);
}

/*
 * Waits until the cleaner has written the byte by which it reports that it watches this process. `ready` is the reading end
 * of that pipe. Returns 0, or an error number.
 */
static int await_cleaner(int ready, pid_t cleaner) {
  char byte;
  struct pollfd end = {.fd = ready, .events = POLLIN};
  const int count = poll(&end, 1, CLEANER_START_MS);
  /* The cleaner still has the other end of the pipe, so it has not ended, and no other process has its PID. */
  if (count == 0) kill(cleaner, SIGKILL);
  return count == 1 && read(ready, &byte, 1) == 1 ? 0 : ETIMEDOUT;
}

/* Opens a descriptor by which another process can watch this process. Returns -1 with errno if that fails. */
static int open_own_process(void) {
  const int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  return pidfd != -1 ? pidfd : open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Starts the cleaner. Returns 0 if the cleaner watches this process, otherwise an error number. */
static int launch_cleaner(const struct program *cleaner, int folder, const int *descriptors, size_t descriptor_count) {
  int is_subreaper = 0, ready[2];
  struct cleaner_start result = {0};
  /* If this process is a subreaper, not init but this process would inherit the cleaner, and the program could notice that. */
  if (prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0UL, 0UL, 0UL) != 0 || is_subreaper != 0) return EPERM;
  const int watched = open_own_process();
  if (watched == -1) return errno;
  if (pipe2(ready, O_CLOEXEC) != 0) {
    const int error = errno;
    close(watched);
    return error;
  }
  char program[24], watched_word[24], folder_word[24], ready_word[24];
  snprintf(program, sizeof program, "%d", getpid());
  snprintf(watched_word, sizeof watched_word, "%d", watched);
  snprintf(folder_word, sizeof folder_word, "%d", folder);
  snprintf(ready_word, sizeof ready_word, "%d", ready[1]);
  char *const words[] = {CLEANER, program, watched_word, folder_word, ready_word, NULL};
  const int kept[] = {watched, folder, ready[1], -1};
  const pid_t child = vfork();
  if (child == 0) fork_cleaner(cleaner, words, kept, descriptors, descriptor_count, &result);
  siginfo_t info;
  if (child < 0) result.error = errno;
  else waitid(P_PID, (id_t)child, &info, WEXITED);
  close(ready[1]);
  if (result.error == 0) result.error = await_cleaner(ready[0], result.cleaner);
  close(ready[0]);
  close(watched);
  return result.error;
}

static napi_value start_cleaner(napi_env env, napi_callback_info info) {
  /* These are the strings of the cleaner (native/program.h), the program's descriptors, and the descriptor of the folder. */
  enum { STRINGS, DESCRIPTORS, FOLDER, ARGUMENTS };
  napi_value arguments[ARGUMENTS];
  struct bytes strings, descriptors;
  struct program cleaner;
  size_t count = COUNT(arguments);
  int32_t folder = -1;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (count != COUNT(arguments) || !bytes_of(env, arguments[STRINGS], &strings) ||
      !bytes_of(env, arguments[DESCRIPTORS], &descriptors) ||
      napi_get_value_int32(env, arguments[FOLDER], &folder) != napi_ok)
    return from_integer(env, EINVAL);
  int error = read_program(strings.first, strings.length, 0, &cleaner);
  if (error != 0) return from_integer(env, error);
  error = launch_cleaner(&cleaner, folder, descriptors.first, descriptors.length / sizeof(int));
  free(cleaner.argv);
  return from_integer(env, error);
}

/*
 * Reads the arguments of `start`: the strings of the program, the request, the program's descriptors, and the strings of
 * the monitor (native/program.h). Returns 0, or an error number. If it returns 0, the caller must free both argv.
 */
static int read_start(napi_env env, napi_callback_info info, struct start *start) {
  enum { PROGRAM, REQUEST, DESCRIPTORS, MONITOR, ARGUMENTS };
  napi_value arguments[ARGUMENTS];
  struct bytes program, request, descriptors, monitor;
  size_t count = COUNT(arguments);
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (count != COUNT(arguments) || !bytes_of(env, arguments[PROGRAM], &program) ||
      !bytes_of(env, arguments[REQUEST], &request) || !bytes_of(env, arguments[DESCRIPTORS], &descriptors) ||
      !bytes_of(env, arguments[MONITOR], &monitor) || request.length != sizeof start->request)
    return EINVAL;
  memcpy(&start->request, request.first, sizeof start->request);
  start->descriptors = descriptors.first;
  start->descriptor_count = descriptors.length / sizeof *start->descriptors;
  int error = read_program(monitor.first, monitor.length, 0, &start->monitor);
  if (error != 0) return error;
  error = read_program(program.first, program.length, (size_t)start->request.argument_count, &start->program);
  if (error != 0) free(start->monitor.argv);
  return error;
}

static napi_value start(napi_env env, napi_callback_info info) {
  struct start start;
  const int error = read_start(env, info, &start);
  if (error != 0) return from_integer(env, error);
  /* Monitor and witness must not inherit the program's descriptors: they would keep the program's pipes open after its end. */
  for (size_t i = 0; i < start.descriptor_count; ++i) fcntl(start.descriptors[i], F_SETFD, FD_CLOEXEC);
  struct monitor_settings settings = {
    .kill_after = start.request.kill_after,
    .witness = start_witness(start.monitor.file),
    .folder = (int)start.request.folder,
    .secret_files = start.monitor.envp,
  };
  settings.program = start_program(&start, &settings.early_signals);
  if (settings.program == -EAGAIN && settings.witness != 0) {
    /* The limit on processes allows only one of the two, which must be the program. */
    kill_and_reap(settings.witness);
    settings.witness = 0;
    settings.program = start_program(&start, &settings.early_signals);
  }
  free(start.program.argv);
  if (settings.program < 0) {
    kill_and_reap(settings.witness);
    free(start.monitor.argv);
    return from_integer(env, -settings.program);
  }
  execute_monitor(&settings, &start);
}

static napi_value set_open_files(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  int64_t soft = OPEN_FILES_UNCHANGED;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int64(env, argument, &soft);
  limit_open_files(soft);
  return NULL;
}

static napi_value try_lock(napi_env env, napi_callback_info info) {
  napi_value argument, result = NULL;
  size_t count = 1;
  int32_t descriptor = -1;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &descriptor);
  napi_get_boolean(env, flock(descriptor, LOCK_EX | LOCK_NB) == 0, &result);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "holdSignals", .method = hold_signals},
      {.utf8name = "releaseSignals", .method = release_signals},
      {.utf8name = "setOpenFiles", .method = set_open_files},
      {.utf8name = "start", .method = start},
      {.utf8name = "startCleaner", .method = start_cleaner},
      {.utf8name = "tryLock", .method = try_lock},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
