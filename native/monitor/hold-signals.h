/*
 * Holds the signals to this process before execve, so that none is lost and none acts.
 *
 * The main thread blocks all signals, which then stay pending across execve. But the kernel gives them to any other thread
 * of Node.js, which blocks none: it would take them off the queue and end at execve. So each thread is sent one signal, whose
 * handler makes it block all. Once all threads have returned from it, execve is safe.
 *
 * The handlers are set by the system call: sigaction(3) refuses the C libraries' own signals, which include musl's SIGRTMIN
 * of glibc, and musl unblocks those when a process sets its first handler.
 */
#include <dirent.h>
#include <fcntl.h>

static const uint64_t UNCATCHABLE = (uint64_t)1 << (SIGKILL - 1) | (uint64_t)1 << (SIGSTOP - 1);
/* The C libraries' own, which pthread_sigmask(3) does not block. */
static const uint64_t OF_LIBRARIES = (uint64_t)7 << (32 - 1);
enum { MOST_THREADS = 256, BLOCKING_MS = 1000 };
/* As the kernel has it. */
struct action {
  uint64_t handler, flags, restorer, mask;
};
static struct action former_actions[QUERY + 1];
static uint64_t former_mask;
static bool is_holding;
/* Threads besides the main one that do not block all signals; 0: one that does by now. */
static pid_t receiving[MOST_THREADS];

/* Blocks all signals in the thread that gets one, and queues this one again for the process, which allows no kernel's codes. */
static void requeue(int signal, siginfo_t *info, void *context) {
  const int error = errno;
  const bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
  if (is_fault && info->si_code > 0) {
    /* The faulty instruction is repeated, and the kernel acts. */
    set_action(signal, SIG_DFL);
    return;
  }
  const bool is_own = signal == SIGURG && info->si_code == SI_TKILL && info->si_pid == getpid();
  const uint64_t held = ~UNCATCHABLE;
  memcpy(&((ucontext_t *)context)->uc_sigmask, &held, sizeof held);
  if (info->si_code > 0) info->si_code = KERNEL_REQUEUED;
  else if (info->si_code != SI_QUEUE) info->si_code = SI_MESGQ;
  /* A filter of system calls or RLIMIT_SIGPENDING may refuse it: then only the sender is lost. */
  if (!is_own && syscall(SYS_rt_sigqueueinfo, getpid(), signal, info) != 0) syscall(SYS_kill, getpid(), signal);
  errno = error;
  const pid_t self = (pid_t)syscall(SYS_gettid);
  for (size_t i = 0; i < MOST_THREADS; ++i)
    if (receiving[i] == self) __atomic_store_n(&receiving[i], 0, __ATOMIC_RELEASE);
}

static bool blocks_all(pid_t thread) {
  char path[40], text[4096];
  snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return true;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  const char *const line = strstr(text, "\nSigBlk:");
  return line == NULL || (~number_in(line + strlen("\nSigBlk:"), 16) & ~(UNCATCHABLE | OF_LIBRARIES)) == 0;
}

static void find_receiving_threads(void) {
  size_t count = 0;
  memset(receiving, 0, sizeof receiving);
  DIR *const folder = opendir("/proc/self/task");
  if (folder == NULL) return;
  for (const struct dirent *entry; count < MOST_THREADS && (entry = readdir(folder)) != NULL;) {
    const pid_t thread = (pid_t)number_in(entry->d_name, 10);
    if (thread > 0 && thread != getpid() && !blocks_all(thread)) receiving[count++] = thread;
  }
  closedir(folder);
}

static bool is_any_receiving(void) {
  for (size_t i = 0; i < MOST_THREADS; ++i)
    if (__atomic_load_n(&receiving[i], __ATOMIC_ACQUIRE) != 0) return true;
  return false;
}

#if defined __x86_64__
enum { RESTORER = 0x04000000 };
/* The kernel of this processor returns to it from a handler; it ends the handler by rt_sigreturn(2). */
__attribute__((naked)) static void restorer(void) { __asm__("mov $15, %eax\n\tsyscall"); }
#else
enum { RESTORER = 0 };
static void restorer(void) {}
#endif

/* Ignored signals get a handler, too: a thread would drop them. */
static void set_handler(int signal) {
  const struct action action = {.handler = (uintptr_t)requeue,
                                .flags = SA_SIGINFO | SA_RESTART | RESTORER,
                                .restorer = (uintptr_t)restorer,
                                .mask = ~(uint64_t)0};
  raw_call(SYS_rt_sigaction, signal, (long)&action, (long)&former_actions[signal], sizeof action.mask, 0);
}

static napi_value hold_signals(napi_env env, napi_callback_info info) {
  const uint64_t all = ~(uint64_t)0;
  (void)env, (void)info;
  if (is_holding) return NULL;
  is_holding = true;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &former_mask, sizeof all);
  /* Before the handlers, which block all signals while they run. */
  find_receiving_threads();
  for (int signal = 1; signal <= QUERY; ++signal)
    if ((UNCATCHABLE & bit(signal)) == 0) set_handler(signal);
  for (size_t i = 0; i < MOST_THREADS; ++i) {
    const pid_t thread = __atomic_load_n(&receiving[i], __ATOMIC_ACQUIRE);
    if (thread != 0 && syscall(SYS_tgkill, getpid(), thread, SIGURG) != 0) receiving[i] = 0;
  }
  for (int ms = 0; ms < BLOCKING_MS && is_any_receiving(); ++ms) poll(NULL, 0, 1);
  return NULL;
}

static napi_value release_signals(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  if (!is_holding) return NULL;
  is_holding = false;
  for (int signal = 1; signal <= QUERY; ++signal)
    if ((UNCATCHABLE & bit(signal)) == 0)
      raw_call(SYS_rt_sigaction, signal, (long)&former_actions[signal], 0, sizeof(uint64_t), 0);
  set_mask(former_mask);
  return NULL;
}
