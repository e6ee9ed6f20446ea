/*
 * Starts the program as a child and puts the monitor in this process's place (Linux). monitor.c tells the whole; this half
 * of it runs in Node.js, by Node-API. hand-over.ts loads it and says what each function promises.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <node_api.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MONITOR_IN_PROCESS
#include "monitor.c"

#include "../../system/addon/program.h"

/* What the program gets besides its strings, as hand-over.ts writes it: each of eight bytes. */
struct request {
  int64_t argument_count;
  /* Milliseconds; negative: never. */
  int64_t kill_after;
  /* The soft limit on open files; -1: as it is, -2: none. */
  int64_t open_files;
  /* SIGKILL when this process ends first. */
  int64_t dies_with_launcher;
};

/* In the program's environment, in place of its own PID: as many digits as a PID has at most. See own-pid.ts. */
static const char OWN_PID[] = "0000000000";
enum { EXECUTION_CHECK_MS = 50 };

/* What cannot be caught, and the C libraries' own. All others get a handler: Node.js ignores some, and a thread drops those. */
static const uint64_t NOT_HELD =
    (uint64_t)1 << (SIGKILL - 1) | (uint64_t)1 << (SIGSTOP - 1) | (uint64_t)7 << (32 - 1);
static struct sigaction former_actions[MARK + 1];
static uint64_t former_mask;
static bool is_holding;

/*
 * Node.js has further threads, which block nothing, and the kernel gives them what the main thread blocks. A thread that
 * gets a signal blocks it from then on, and puts it back: it stays pending for the process, also across execve. The
 * kernel's own codes are not allowed there.
 */
static void requeue(int signal, siginfo_t *info, void *context) {
  const int error = errno;
  const bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
  if (is_fault && info->si_code > 0) {
    /* The instruction is repeated, and the kernel acts. */
    set_default(signal);
    return;
  }
  sigaddset(&((ucontext_t *)context)->uc_sigmask, signal);
  if (info->si_code > 0) info->si_code = KERNEL_REQUEUED;
  else if (info->si_code != SI_QUEUE) info->si_code = SI_MESGQ;
  /* A filter of system calls or RLIMIT_SIGPENDING may refuse it: without its sender the signal is not lost, at least. */
  if (syscall(SYS_rt_sigqueueinfo, getpid(), signal, info) != 0) syscall(SYS_kill, getpid(), signal);
  errno = error;
}

static napi_value hold_signals(napi_env env, napi_callback_info info) {
  struct sigaction action = {.sa_sigaction = requeue, .sa_flags = SA_SIGINFO | SA_RESTART};
  const uint64_t all = ~(uint64_t)0;
  (void)env, (void)info;
  if (is_holding) return NULL;
  is_holding = true;
  sigfillset(&action.sa_mask);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former_mask, sizeof all);
  for (int signal = 1; signal <= MARK; ++signal)
    if ((NOT_HELD & bit(signal)) == 0) sigaction(signal, &action, &former_actions[signal]);
  return NULL;
}

static napi_value release_signals(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  if (!is_holding) return NULL;
  is_holding = false;
  for (int signal = 1; signal <= MARK; ++signal)
    if ((NOT_HELD & bit(signal)) == 0) sigaction(signal, &former_actions[signal], NULL);
  set_mask(former_mask);
  return NULL;
}

static uint64_t pending_signals(void) {
  uint64_t pending = 0;
  syscall(SYS_rt_sigpending, &pending, sizeof pending);
  return pending;
}

/* In the child. Writes its PID in place of OWN_PID, which own-pid.ts puts there. */
static void fill_in_pid(char **envp) {
  char digits[sizeof OWN_PID];
  char *first = digits + sizeof digits - 1;
  *first = '\0';
  for (pid_t rest = getpid(); rest > 0; rest /= 10) *--first = (char)('0' + rest % 10);
  static const char *const names[] = {"LISTEN_PID=", "WATCHDOG_PID=", "SYSTEMD_EXEC_PID="};
  for (; *envp != NULL; ++envp) {
    for (size_t i = 0; i < COUNT(names); ++i) {
      const size_t length = strlen(names[i]);
      if (strncmp(*envp, names[i], length) == 0 && strcmp(*envp + length, OWN_PID) == 0) strcpy(*envp + length, first);
    }
  }
}

static void limit_open_files(int64_t soft) {
  struct rlimit limit;
  if (soft == -1 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = soft == -2 || (rlim_t)soft > limit.rlim_max ? limit.rlim_max : (rlim_t)soft;
  setrlimit(RLIMIT_NOFILE, &limit);
}

struct start {
  struct request request;
  struct program program;
  const int *descriptors;
  size_t descriptor_count;
  /* Both ends of two pipes: the parent lets the child go on, the child reports. */
  int go[2], report[2];
};

/* In the child, a fork of a process with many threads: only what is safe in a signal handler. */
_Noreturn static void become_program(const struct start *it, pid_t parent) {
  char byte;
  const bool is_let = read(it->go[0], &byte, 1) == 1;
  const uint64_t pending = pending_signals();
  if (!is_let || write(it->report[1], &pending, sizeof pending) != sizeof pending) _exit(125);
  if (it->request.dies_with_launcher) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
    if (getppid() != parent) _exit(125);
  }
  limit_open_files(it->request.open_files);
  fill_in_pid(it->program.envp);
  for (size_t i = 0; i < it->descriptor_count; ++i) fcntl(it->descriptors[i], F_SETFD, 0);
  for (int signal = 1; signal <= MARK; ++signal) set_default(signal);
  set_mask(former_mask);
  execve(it->program.file, it->program.argv, it->program.envp);
  const int error = errno;
  if (write(it->report[1], &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

/* Waits until the child has executed the program. Returns the error number, or 0. */
static int execution_error(const struct start *it, pid_t child) {
  int error = 0;
  for (;;) {
    struct pollfd end = {.fd = it->report[0], .events = POLLIN};
    const int count = poll(&end, 1, EXECUTION_CHECK_MS);
    if (count > 0) return read(it->report[0], &error, sizeof error) == sizeof error ? error : 0;
    siginfo_t info;
    /* A stop that comes just before the execution is the monitor's to deal with. */
    if (count == 0 && state_of(P_PID, child, WSTOPPED | WNOWAIT, &info) != 0) return 0;
  }
}

/*
 * Starts the witness of monitor.c: before the program, so that it gets what the program gets. Its parent waits for the
 * execution, and shares its memory. Returns its PID, or 0.
 */
static pid_t start_witness(const char *file) {
  char monitor[24];
  snprintf(monitor, sizeof monitor, "%d", getpid());
  char *const words[] = {WITNESS, monitor, NULL};
  char *const nothing[] = {NULL};
  const pid_t child = vfork();
  if (child == 0) {
    execve(file, words, nothing);
    _exit(127);
  }
  return child > 0 ? child : 0;
}

static void dismiss(pid_t child) {
  siginfo_t info;
  if (child == 0) return;
  kill(child, SIGKILL);
  waitid(P_PID, (id_t)child, &info, WEXITED);
}

/* Starts the program. Returns its PID, or the error number below zero. */
static pid_t start_program(struct start *it, uint64_t *early) {
  if (pipe2(it->go, O_CLOEXEC) != 0) return -errno;
  if (pipe2(it->report, O_CLOEXEC) != 0) {
    const int error = errno;
    close(it->go[0]);
    close(it->go[1]);
    return -error;
  }
  const pid_t parent = getpid();
  const uint64_t before = pending_signals();
  int error = 0;
  const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) become_program(it, parent);
  if (child < 0) error = errno;
  close(it->go[0]);
  close(it->report[1]);
  if (child > 0) {
    const uint64_t after = pending_signals();
    uint64_t childs = 0;
    if (write(it->go[1], "", 1) == 1 && read(it->report[0], &childs, sizeof childs) == sizeof childs)
      error = execution_error(it, child);
    /* What is pending here, and not in the child that looked later, came before the child existed. */
    *early = before | (after & ~childs);
    siginfo_t info;
    if (error != 0) waitid(P_PID, (id_t)child, &info, WEXITED);
  }
  close(it->go[1]);
  close(it->report[0]);
  return error != 0 ? -error : child;
}

_Noreturn static void become_monitor(const char *file, const struct monitor_settings *settings, const struct start *it) {
  char program[24], witness[24], kill_after[24], early[24];
  snprintf(program, sizeof program, "%d", settings->program);
  snprintf(witness, sizeof witness, "%d", settings->witness);
  snprintf(kill_after, sizeof kill_after, "%lld", (long long)settings->kill_after);
  snprintf(early, sizeof early, "%llu", (unsigned long long)settings->early);
  char *const words[] = {"sophia-run", "--monitor", program, witness, kill_after, early, NULL};
  char *const nothing[] = {NULL};
  execve(file, words, nothing);
  for (size_t i = 0; i < it->descriptor_count; ++i) close(it->descriptors[i]);
  run_monitor(settings);
}

static napi_value from_integer(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static napi_value start(napi_env env, napi_callback_info info) {
  napi_value given[4]; /* strings, request, descriptors, the monitor's file */
  size_t count = COUNT(given), length = 0, request_length = 0, descriptors_length = 0, path_length = 0;
  void *strings = NULL, *request = NULL, *descriptors = NULL;
  char path[4096];
  struct start it;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (count != COUNT(given) || napi_get_buffer_info(env, given[0], &strings, &length) != napi_ok ||
      napi_get_buffer_info(env, given[1], &request, &request_length) != napi_ok ||
      napi_get_buffer_info(env, given[2], &descriptors, &descriptors_length) != napi_ok ||
      napi_get_value_string_utf8(env, given[3], path, sizeof path, &path_length) != napi_ok ||
      request_length != sizeof it.request || path_length >= sizeof path - 1)
    return from_integer(env, EINVAL);
  memcpy(&it.request, request, sizeof it.request);
  it.descriptors = descriptors;
  it.descriptor_count = descriptors_length / sizeof *it.descriptors;
  const int error = read_program(strings, length, (size_t)it.request.argument_count, &it.program);
  if (error != 0) return from_integer(env, error);
  /* The program's pipes and files must end with the program: its own process alone passes them on. */
  for (size_t i = 0; i < it.descriptor_count; ++i) fcntl(it.descriptors[i], F_SETFD, FD_CLOEXEC);
  struct monitor_settings settings = {.kill_after = it.request.kill_after, .witness = start_witness(path)};
  settings.program = start_program(&it, &settings.early);
  free(it.program.argv);
  if (settings.program < 0) {
    dismiss(settings.witness);
    return from_integer(env, -settings.program);
  }
  become_monitor(path, &settings, &it);
}

static napi_value set_open_files(napi_env env, napi_callback_info info) {
  napi_value given;
  size_t count = 1;
  int64_t soft = -1;
  napi_get_cb_info(env, info, &count, &given, NULL, NULL);
  napi_get_value_int64(env, given, &soft);
  limit_open_files(soft);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {.utf8name = "holdSignals", .method = hold_signals},
      {.utf8name = "releaseSignals", .method = release_signals},
      {.utf8name = "setOpenFiles", .method = set_open_files},
      {.utf8name = "start", .method = start},
  };
  napi_define_properties(env, exports, COUNT(functions), functions);
  return exports;
}
