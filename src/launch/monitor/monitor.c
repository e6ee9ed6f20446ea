/*
 * The monitor: the parent process of the program in spawn mode on Linux. It takes the place of Node.js, which would keep
 * 40 MB and seven threads for the life of the program. One thread, no library, no memory of the launcher's.
 *
 * THE START. The launcher has resolved all values. In addon.c it blocks all signals, starts the witness (see below), forks,
 * and the child executes the program. If that fails the launcher is still there and reports why. If it succeeds the
 * launcher executes this file: the process that the caller knows becomes the monitor, with all signals blocked, an empty
 * environment, no descriptor open, and the program as its child. Signals that came since the block are pending here, none
 * is lost. The launcher passes those of them that came before the child existed ("early"): the child cannot have got them.
 *
 * SIGNALS. Nothing is ever handled asynchronously: all signals stay blocked and sigtimedwait takes one after the other.
 * Each is sent on to the program, unless the program has it already. It has it if the sender addressed the whole process
 * group: the terminal does (Ctrl-C, Ctrl-Z, a resize, a hang-up), shells do (`kill %1`, `fg`, `bg`, a hang-up), supervisors
 * do. The kernel does not say to whom a signal was addressed. So a second process, the witness, stays in the group and
 * notes what it gets: a signal that has reached the witness too, from the same sender, was for the group. The kernel
 * signals the younger members of a group first, so that the witness has a signal before the monitor. Both processes
 * stay in the caller's group: `fg`, `kill -STOP %1` and killpg(getpgid(pid)) have to reach the program and the monitor.
 * Where there is no witness (RLIMIT_NPROC), the signals of the terminal are told by their si_code, and of a signal to the
 * group by kill(2) the program gets a second one.
 *
 * STOPS. A stop of the program raises SIGCHLD here, and the monitor stops itself by the same signal: the caller sees a job
 * stop. SIGCONT wakes the monitor. `fg` has continued the program as well; where SIGCONT was for the monitor alone, it
 * continues the program. PID 1 cannot stop, and does not.
 *
 * THE END. The monitor exits as the program exited, or dies of the signal of which it died, of a real-time signal too. It
 * dumps no core, which would overwrite the program's: it is not dumpable, which also keeps processes of the same user from
 * tracing it. PID 1 cannot die of a signal and exits with 128 plus its number. Orphans, which become children of PID 1 and
 * of a subreaper, are reaped. SIGKILL and SIGSTOP to the monitor alone do not reach the program; no process can see them.
 *
 * addon.c includes this file, too: where it cannot be executed, the same loop runs in the launcher's process.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "monitor.h"

enum {
  /* The highest signal. Between monitor and witness it is question and answer: the kernel delivers all others before. */
  MARK = 64,
  /* Signals that the launcher has put back in the queue have codes that a process may set; see addon.c. */
  KERNEL_REQUEUED = -SI_KERNEL,
  /* An answer of the witness: the question's number in the upper half, this bit, and a PID, which has 22 bits. */
  ANSWER_IS_YES = 1 << 30,
};

static const int64_t MILLISECOND = 1000000;
static const long SHORT_NAP = 1000000 / 4;
/* How often the cleaner looks for the program's end where there is no pidfd. */
static const long PROC_CHECK = 50 * 1000000;
/* The witness answers within microseconds. It may be stopped, or the machine busy; then the signal is sent on. */
static const int64_t ANSWER_TIME = 100 * 1000000;
/* What the witness saw longer ago than this was another signal of the same sender. */
static const int64_t MEMORY_TIME = 5000 * (int64_t)1000000;
/* A parent process passes on a key of the terminal within this time. */
static const int64_t ECHO_TIME = 1000 * 1000000;

/* Raw, since the C libraries keep some real-time signals for themselves, and leave them unblocked. */
static long call(long number, long a, long b, long c, long d, long e) {
#if defined __x86_64__
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined __aarch64__
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "no system calls for this processor"
#endif
}

static uint64_t bit(int signal) { return (uint64_t)1 << (signal - 1); }

/* The stops that the terminal sends; SIGSTOP waits nowhere. */
static const uint64_t STOPS = 1 << (SIGTSTP - 1) | 1 << (SIGTTIN - 1) | 1 << (SIGTTOU - 1);

static void set_mask(uint64_t blocked) {
  call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, sizeof blocked, 0);
}

static void set_default(int signal) {
  /* The kernel's struct: handler, flags, restorer, mask. */
  const uint64_t action[4] = {0};
  call(SYS_rt_sigaction, signal, (long)action, 0, sizeof(uint64_t), 0);
}

static void nap(long nanoseconds) {
  const struct timespec time = {.tv_nsec = nanoseconds};
  call(SYS_nanosleep, (long)&time, 0, 0, 0, 0);
}

/* Takes one pending signal of the set, or waits for one; no time limit if it is negative. Returns 0 if there was none. */
static int take(uint64_t set, siginfo_t *info, int64_t nanoseconds) {
  const struct timespec limit = {.tv_sec = nanoseconds / (1000 * MILLISECOND),
                                 .tv_nsec = nanoseconds % (1000 * MILLISECOND)};
  const long signal =
      call(SYS_rt_sigtimedwait, (long)&set, (long)info, nanoseconds < 0 ? 0 : (long)&limit, sizeof set, 0);
  /* A filter of system calls may forbid it: then this process looks for the program's end from time to time. */
  if (signal < 0 && signal != -EAGAIN && signal != -EINTR) nap(SHORT_NAP);
  return signal > 0 ? (int)signal : 0;
}

static uint64_t pending(void) {
  uint64_t signals = 0;
  call(SYS_rt_sigpending, (long)&signals, sizeof signals, 0, 0, 0);
  return signals;
}

static int64_t now(void) {
  struct timespec time = {0};
  call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0);
  return (int64_t)time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

static void send_to(pid_t process, int signal) { call(SYS_kill, process, signal, 0, 0, 0); }

/* Returns false where the receiver is gone, its queue is full, or the system forbids it. */
static bool send_value(pid_t process, int signal, uint64_t value, pid_t self) {
  siginfo_t info = {.si_code = SI_QUEUE};
  info.si_signo = signal;
  info.si_pid = self;
  info.si_ptr = (void *)(uintptr_t)value;
  return call(SYS_rt_sigqueueinfo, process, signal, (long)&info, 0, 0) == 0;
}

_Noreturn static void leave(int status) {
  for (;;) call(SYS_exit_group, status, 0, 0, 0, 0);
}

#include "secret-files.h"

static bool is_kernels(const siginfo_t *info) { return info->si_code > 0 || info->si_code == KERNEL_REQUEUED; }

static pid_t sender_of(const siginfo_t *info) { return is_kernels(info) ? 0 : info->si_pid; }

/* The witness: who has last sent it each signal since it was last asked, and when. */
static struct {
  pid_t sender;
  int64_t time;
} seen[MARK];

static uint64_t answer_to(uint64_t question) {
  const unsigned signal = question & (MARK - 1);
  const bool is_recent = seen[signal].time != 0 && now() - seen[signal].time < MEMORY_TIME;
  seen[signal].time = 0;
  return question >> 6 << 32 | (is_recent ? ANSWER_IS_YES : 0) | (uint32_t)seen[signal].sender;
}

static void note(int signal, pid_t sender) {
  seen[signal].sender = sender;
  seen[signal].time = now();
}

_Noreturn static void be_witness(pid_t monitor) {
  set_mask(~(uint64_t)0);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* Not the monitor's name: a signal to all processes of a name (pkill) must not look like one to the group. */
  call(SYS_prctl, PR_SET_NAME, (long)WITNESS, 0, 0, 0);
  const pid_t self = (pid_t)call(SYS_getpid, 0, 0, 0, 0, 0);
  while (call(SYS_getppid, 0, 0, 0, 0, 0) == monitor) {
    siginfo_t info = {0};
    const int signal = take(~(uint64_t)0, &info, -1);
    if (signal == 0) continue;
    if (signal != MARK) note(signal, sender_of(&info));
    else if (info.si_code == SI_QUEUE && info.si_pid == monitor)
      send_value(monitor, MARK, answer_to((uint64_t)(uintptr_t)info.si_ptr), self);
  }
  leave(0);
}

static struct {
  struct monitor_settings settings;
  pid_t self;
  uint32_t questions;
  /* Signals that are pending here and that the witness has got with the one before, and their senders. */
  uint64_t seconds;
  pid_t second_sender[MARK + 1];
  /* When SIGKILL follows; 0: not. */
  int64_t deadline;
  /* When the terminal last sent SIGINT and SIGQUIT that the parent process may pass on; 0: not. */
  int64_t keyed[SIGQUIT + 1];
  /* When the program last got SIGCONT from here; 0: never. */
  int64_t continued;
} monitor;

/* True of a question's answer. */
static bool is_witness(const siginfo_t *info) {
  return info->si_code == SI_QUEUE && info->si_pid == monitor.settings.witness;
}

/* Has the witness got the signal of this sender since it was last asked? Negative if it does not answer. */
static int ask_witness(int signal, pid_t sender) {
  const uint32_t number = ++monitor.questions & 0xffffff;
  const uint64_t question = (uint64_t)number << 6 | (unsigned)signal;
  if (monitor.settings.witness == 0 || !send_value(monitor.settings.witness, MARK, question, monitor.self)) return -1;
  const int64_t end = now() + ANSWER_TIME;
  for (int64_t left = ANSWER_TIME; left > 0; left = end - now()) {
    siginfo_t info = {0};
    if (take(bit(MARK), &info, left) == 0 || !is_witness(&info)) continue;
    const uint64_t answer = (uint64_t)(uintptr_t)info.si_ptr;
    if (answer >> 32 == number) return (uint32_t)answer == ((uint32_t)sender | ANSWER_IS_YES);
  }
  /* It is stopped, perhaps: the group was, and this process alone was continued. */
  send_to(monitor.settings.witness, SIGCONT);
  return -1;
}

/*
 * Has the witness got this signal of the same sender? Negative if it is not known.
 *
 * A second one of the sender may be pending here by the time of the answer. The witness may have got both before it
 * answered, or both as one, since two that wait are one: so both were for the group.
 */
static int is_witnessed(int signal, const siginfo_t *info) {
  const pid_t sender = sender_of(info);
  const bool is_second = (monitor.seconds & bit(signal)) != 0 && monitor.second_sender[signal] == sender;
  const int answer = ask_witness(signal, sender);
  monitor.seconds &= ~bit(signal);
  if (answer > 0) monitor.seconds |= pending() & bit(signal);
  monitor.second_sender[signal] = sender;
  return is_second ? 1 : answer;
}

static pid_t group_of(pid_t process) { return (pid_t)call(SYS_getpgid, process, 0, 0, 0, 0); }

/* True if the program has got the signal from its sender. */
static bool has_program(int signal, const siginfo_t *info) {
  const uint64_t of_terminal = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGTSTP) | bit(SIGCONT) | bit(SIGWINCH);
  const int answer = is_witnessed(signal, info);
  if (group_of(monitor.settings.program) != group_of(0)) return false;
  if (answer >= 0) return answer > 0;
  if (!is_kernels(info) || (of_terminal & bit(signal)) == 0) return false;
  /* When a terminal vanishes, the kernel signals the leader of its session alone. */
  return (signal != SIGHUP && signal != SIGCONT) || call(SYS_getsid, 0, 0, 0, 0, 0) != monitor.self;
}

/*
 * True if the parent process passes on a key of the terminal, as npm does with SIGINT: the terminal has sent it to the
 * parent, to this process and to the program, and the program counts it once.
 */
static bool is_echo(int signal, const siginfo_t *info) {
  if (signal != SIGINT && signal != SIGQUIT) return false;
  int64_t *const keyed = &monitor.keyed[signal];
  const int64_t time = *keyed;
  *keyed = is_kernels(info) ? now() : 0;
  const pid_t parent = (pid_t)call(SYS_getppid, 0, 0, 0, 0, 0);
  return !is_kernels(info) && time != 0 && now() - time < ECHO_TIME && info->si_pid == parent &&
         group_of(parent) == group_of(0);
}

/*
 * A SIGCONT that is passed on must not undo a later stop: the kernel removes the stops that wait in the program when SIGCONT
 * comes. As it does so here, too, a stop that waits here is younger than the SIGCONT, which is then overtaken. A stop that
 * comes while SIGCONT is sent may be removed; the program gets it again. If it has stopped by it, the next SIGCONT removes
 * the second one.
 */
static bool is_overtaken(int signal) { return signal == SIGCONT && (pending() & STOPS) != 0; }

static bool may_be_removed(int signal) {
  return (STOPS & bit(signal)) != 0 && monitor.continued != 0 && now() - monitor.continued < ANSWER_TIME;
}

static void pass_on(int signal, siginfo_t *info) {
  const pid_t program = monitor.settings.program;
  /* The limit on processor time is each process's own, and ticks of V8's profiler were for Node.js. */
  if (signal == SIGXCPU && is_kernels(info)) return;
  if (info->si_code == SI_TKILL && info->si_pid == monitor.self) return;
  const bool is_early = (monitor.settings.early & bit(signal)) != 0;
  monitor.settings.early &= ~bit(signal);
  /* Asked for an early one as well: the witness forgets it. */
  const bool has_it = has_program(signal, info);
  if (is_echo(signal, info)) return;
  const bool asks_for_end = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  if (asks_for_end && !is_kernels(info) && monitor.settings.kill_after >= 0 && monitor.deadline == 0)
    monitor.deadline = now() + monitor.settings.kill_after * MILLISECOND;
  if ((has_it && !is_early && !may_be_removed(signal)) || is_overtaken(signal)) return;
  if (signal == SIGCONT) monitor.continued = now();
  /* With the value that sigqueue(3) has given it. */
  if (info->si_code == SI_QUEUE) call(SYS_rt_sigqueueinfo, program, signal, (long)info, 0, 0);
  else send_to(program, signal);
}

_Noreturn static void end_by(int signal) {
  if (monitor.self != 1) {
    set_default(signal);
    send_to(monitor.self, signal);
    set_mask(~bit(signal));
  }
  leave(128 + signal);
}

/* Waits for a child, without a wait: what has become of it, or 0. */
static int state_of(int kind, pid_t child, int options, siginfo_t *info) {
  info->si_pid = 0;
  if (call(SYS_waitid, kind, child, (long)info, options | WNOHANG, 0) != 0) return 0;
  return info->si_pid;
}

/* True if the program has been continued, or has ended, since it was last seen to stop; that is still to be collected. */
static bool has_gone_on(void) {
  siginfo_t info;
  return state_of(P_PID, monitor.settings.program, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, &info) != 0;
}

static bool goes_on_within(int naps) {
  for (int count = 0; count < naps && !has_gone_on(); ++count) nap(SHORT_NAP);
  return has_gone_on();
}

/* Stops this process by the signal, and returns when it was continued. */
static void stop_self(int signal) {
  siginfo_t info;
  if (signal == SIGSTOP) {
    send_to(monitor.self, SIGSTOP);
    return;
  }
  /*
   * Pending at first. A SIGCONT that comes from now on removes it; one that came before has continued the program, if it
   * was for the group. So no stop can follow its own end.
   */
  set_default(signal);
  send_to(monitor.self, signal);
  if (has_gone_on()) take(bit(signal), &info, 0);
  else set_mask(~bit(signal));
  set_mask(~(uint64_t)0);
}

/* The program has stopped: so does this process, and both go on together. */
static void stop_too(int signal) {
  siginfo_t info;
  /* SIGSTOP and SIGKILL in quick succession are meant to kill: a stopped process could not tell its parent. */
  if (monitor.self == 1 || goes_on_within(8)) return;
  bool goes_on;
  do {
    stop_self(signal);
    /* `fg` and `bg` have continued the program, too. */
    goes_on = goes_on_within(32);
  } while (!goes_on && is_overtaken(SIGCONT));
  /* A SIGCONT to this process alone was meant for the program. */
  if (!goes_on) {
    monitor.continued = now();
    send_to(monitor.settings.program, SIGCONT);
  }
  /* The one that ended the stop is dealt with. */
  if (take(bit(SIGCONT), &info, 0) != 0) is_witnessed(SIGCONT, &info);
}

/* Reaps it here: the PID 1 of a container may reap none of the orphans that it inherits. */
static void dismiss_witness(void) {
  siginfo_t info;
  if (monitor.settings.witness == 0) return;
  send_to(monitor.settings.witness, SIGKILL);
  call(SYS_waitid, P_PID, monitor.settings.witness, (long)&info, WEXITED, 0);
}

static void collect(void) {
  siginfo_t info;
  int child;
  while ((child = state_of(P_ALL, 0, WEXITED | WSTOPPED | WCONTINUED, &info)) != 0) {
    const bool has_ended = info.si_code != CLD_STOPPED && info.si_code != CLD_CONTINUED;
    if (child == monitor.settings.witness && has_ended) monitor.settings.witness = 0;
    if (child != monitor.settings.program || info.si_code == CLD_CONTINUED) continue;
    if (info.si_code == CLD_STOPPED) {
      stop_too(info.si_status);
      continue;
    }
    dismiss_witness();
    remove_secret_files(monitor.settings.folder, monitor.settings.secret_files);
    if (info.si_code == CLD_EXITED) leave(info.si_status);
    end_by(info.si_status);
  }
}

_Noreturn static void run_monitor(const struct monitor_settings *settings) {
  set_mask(~(uint64_t)0);
  call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  call(SYS_prctl, PR_SET_NAME, (long)"sophia-run", 0, 0, 0);
  monitor.settings = *settings;
  monitor.self = (pid_t)call(SYS_getpid, 0, 0, 0, 0, 0);
  for (;;) {
    siginfo_t info = {0};
    collect();
    const int64_t left = monitor.deadline == 0 ? -1 : monitor.deadline - now();
    const int signal = take(~(uint64_t)0, &info, monitor.deadline != 0 && left < 0 ? 0 : left);
    if (monitor.deadline != 0 && now() >= monitor.deadline) {
      monitor.deadline = 0;
      monitor.settings.kill_after = -1;
      send_to(monitor.settings.program, SIGKILL);
    }
    if (signal == 0) continue;
    if (signal == SIGCHLD && is_kernels(&info)) continue;
    if (signal == MARK && is_witness(&info)) continue;
    pass_on(signal, &info);
  }
}

#ifndef MONITOR_IN_PROCESS

static uint64_t number_in(const char *digits) {
  uint64_t number = 0;
  for (; *digits >= '0' && *digits <= '9'; ++digits) number = number * 10 + (uint64_t)(*digits - '0');
  return number;
}

/*
 * The words that addon.c has written, and the secret files. For the witness the monitor's PID. For the cleaner the program's
 * PID, and descriptors: of the program, the folder and the pipe to the launcher. For the monitor PIDs of program and witness,
 * milliseconds or none, early signals, and the descriptor of the folder if there is one.
 */
static int begin(int count, char **words) {
  char **const secret_files = words + count + 1;
  if (count == 2) be_witness((pid_t)number_in(words[1]));
  if (count == 5)
    be_cleaner((pid_t)number_in(words[1]), (int)number_in(words[2]), (int)number_in(words[3]), (int)number_in(words[4]),
               secret_files);
  if (count != 6 && count != 7) leave(125);
  const struct monitor_settings settings = {
      .program = (pid_t)number_in(words[2]),
      .witness = (pid_t)number_in(words[3]),
      .kill_after = words[4][0] == '-' ? -1 : (int64_t)number_in(words[4]),
      .early = number_in(words[5]),
      .folder = count == 7 ? (int)number_in(words[6]) : -1,
      .secret_files = secret_files,
  };
  run_monitor(&settings);
}

#ifdef MONITOR_WITH_LIBC
/* For sanitizers, which need one. */
int main(int count, char **words) { return begin(count, words); }
#else
/* The compiler calls it where it clears a large object. */
__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *bytes, int value, size_t length) {
  for (size_t at = 0; at < length; ++at) ((unsigned char *)bytes)[at] = (unsigned char)value;
  return bytes;
}

/* The kernel starts a process with the number of its words and their addresses on the stack. */
__attribute__((used)) static void begin_at(long *stack) { begin((int)*stack, (char **)(stack + 1)); }

#if defined __x86_64__
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin_at\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl begin_at\n");
#endif
#endif
#endif
