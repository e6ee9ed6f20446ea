/*
 * The monitor: the parent process of the program in spawn mode on Linux. It replaces Node.js, which would keep 40 MB and
 * seven threads for the life of the program. One thread, no library. monitor-addon.c includes this file, too: if it cannot be
 * executed, the same loop runs in the launcher's process.
 *
 * START. monitor-addon.c blocks all signals in the launcher, starts the witness and forks; the child executes the program. If that
 * fails, the launcher reports why. Otherwise the launcher executes this file, with all signals blocked, an empty environment
 * and no open descriptors. Signals since the block are pending here, so that none is lost. The launcher passes the set of
 * those that came before the child existed ("early"), which the child cannot have.
 *
 * SIGNALS. All stay blocked, and sigtimedwait takes one after the other. Each is forwarded unless the program has it already:
 * the terminal (Ctrl-C, Ctrl-Z, resize, hang-up), shells (`kill %1`, `fg`, `bg`, hang-up) and supervisors signal the whole
 * process group. The kernel does not show whom a signal was sent to. So a second process, the witness, stays in the group
 * and records its signals: one that the witness has from the same sender was sent to the group. The kernel signals the
 * younger members of a group first, so that the witness has it before the monitor. Monitor and program stay in the caller's
 * group: `fg`, `kill -STOP %1` and killpg(getpgid(pid)) must reach both. Without a witness (RLIMIT_NPROC) si_code shows the
 * signals of the terminal, and the program gets a group's kill(2) twice.
 *
 * STOPS. When the program stops, the monitor stops itself by the same signal: the caller sees a stopped job. SIGCONT wakes
 * the monitor, which continues the program if the SIGCONT was not for the whole group (`fg`). PID 1 cannot stop.
 *
 * END. The monitor exits as the program exited, or dies of the same signal, also of a real-time signal. It is not dumpable:
 * its core would overwrite the program's, and other processes of the user must not trace it. PID 1 cannot die of a signal and
 * exits with 128 plus its number. Orphans, which PID 1 and a subreaper inherit, are reaped. SIGKILL and SIGSTOP to the
 * monitor alone do not reach the program.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../raw-call.h"

struct monitor_settings {
  pid_t program;
  /* 0: none. */
  pid_t witness;
  /* Milliseconds from a request to end to SIGKILL; negative: never. */
  int64_t kill_after;
  /* The early signals: a bit for each, SIGHUP's the lowest. */
  uint64_t early;
  /* See secret-files.inc; the list may be empty. */
  int folder;
  char **secret_files;
};

/* Names of the other kinds of processes, for ps(1). */
#define WITNESS "group-witness"
#define CLEANER "secret-files"
#define GUARD "token-command"

enum {
  /* The signal of queries and answers between monitor and witness: the highest, since the kernel delivers all others first. */
  QUERY = 64,
  /* The code of a kernel's signal that the launcher has queued again: a process may set no positive code. */
  KERNEL_REQUEUED = -SI_KERNEL,
  /* Signals from here on are queued, each with its sender; of others one is pending at most. */
  FIRST_QUEUED = 32,
  /* An answer has the number of the question in the upper half, a count of 8 bits, and the sender's PID. */
  PID_BITS = 22,
  MOST_COUNTED = 255,
};

static const int64_t MILLISECOND = 1000000;
static const long SHORT_NAP = 1000000 / 4;
/* The cleaner's polling interval without a pidfd. */
static const long PROC_CHECK = 50 * 1000000;
/* The limit on an answer, which takes microseconds unless the witness is stopped or the machine busy. */
static const int64_t ANSWER_TIME = 100 * 1000000;
/* The age at which the witness's record belongs to an earlier signal of the same sender. */
static const int64_t RECENT_TIME = 5000 * (int64_t)1000000;
/* The time in which a parent process passes on a key of the terminal. */
static const int64_t ECHO_TIME = 1000 * 1000000;

static uint64_t bit(int signal) { return (uint64_t)1 << (signal - 1); }

/* The stops that can be pending; SIGSTOP cannot. */
static const uint64_t STOPS = 1 << (SIGTSTP - 1) | 1 << (SIGTTIN - 1) | 1 << (SIGTTOU - 1);

static void set_mask(uint64_t blocked) {
  raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, sizeof blocked, 0);
}

/* The handler is SIG_DFL or SIG_IGN. */
static void set_action(int signal, void (*handler)(int)) {
  /* The kernel's struct has handler, flags, restorer and mask. */
  const uint64_t action[4] = {(uintptr_t)handler};
  raw_call(SYS_rt_sigaction, signal, (long)action, 0, sizeof(uint64_t), 0);
}

static void sleep_for(long nanoseconds) {
  const struct timespec time = {.tv_nsec = nanoseconds};
  raw_call(SYS_nanosleep, (long)&time, 0, 0, 0, 0);
}

/* Takes a pending signal of the set, or waits for one, without limit if the time is negative. Returns 0 if none came. */
static int take_signal(uint64_t set, siginfo_t *info, int64_t nanoseconds) {
  const struct timespec limit = {.tv_sec = nanoseconds / (1000 * MILLISECOND),
                                 .tv_nsec = nanoseconds % (1000 * MILLISECOND)};
  const long signal =
      raw_call(SYS_rt_sigtimedwait, (long)&set, (long)info, nanoseconds < 0 ? 0 : (long)&limit, sizeof set, 0);
  /* A filter of system calls may forbid it: then this process polls. */
  if (signal < 0 && signal != -EAGAIN && signal != -EINTR) sleep_for(SHORT_NAP);
  return signal > 0 ? (int)signal : 0;
}

static uint64_t pending_signals(void) {
  uint64_t signals = 0;
  raw_call(SYS_rt_sigpending, (long)&signals, sizeof signals, 0, 0, 0);
  return signals;
}

static int64_t now(void) {
  struct timespec time = {0};
  raw_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0);
  return (int64_t)time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

static bool send_signal(pid_t process, int signal) { return raw_call(SYS_kill, process, signal, 0, 0, 0) == 0; }

static bool send_value(pid_t process, int signal, uint64_t value, pid_t self) {
  siginfo_t info = {.si_code = SI_QUEUE};
  info.si_signo = signal;
  info.si_pid = self;
  info.si_ptr = (void *)(uintptr_t)value;
  return raw_call(SYS_rt_sigqueueinfo, process, signal, (long)&info, 0, 0) == 0;
}

_Noreturn static void exit_with(int status) {
  for (;;) raw_call(SYS_exit_group, status, 0, 0, 0, 0);
}

#include "secret-files.inc"

static bool is_from_kernel(const siginfo_t *info) { return info->si_code > 0 || info->si_code == KERNEL_REQUEUED; }

static pid_t sender_of(const siginfo_t *info) { return is_from_kernel(info) ? 0 : info->si_pid; }

/* The witness's record: the last sender of each signal since the last question about it, how many it sent, and the time. */
static struct {
  pid_t sender;
  uint32_t count;
  int64_t time;
} seen[QUERY];

static uint64_t answer_to(uint64_t question) {
  const unsigned signal = question & (QUERY - 1);
  const bool is_recent = now() - seen[signal].time < RECENT_TIME;
  const uint32_t count = is_recent ? seen[signal].count : 0;
  seen[signal].count = 0;
  return question >> 6 << 32 | count << PID_BITS | (uint32_t)seen[signal].sender;
}

static void record_signal(int signal, pid_t sender) {
  const bool is_further = signal >= FIRST_QUEUED && seen[signal].sender == sender;
  if (!is_further) seen[signal].count = 1;
  else if (seen[signal].count < MOST_COUNTED) ++seen[signal].count;
  seen[signal].sender = sender;
  seen[signal].time = now();
}

/* monitor-addon.c calls it in no process of its own. */
_Noreturn __attribute__((unused)) static void run_witness(pid_t monitor) {
  set_mask(~(uint64_t)0);
  raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  /* A name of its own: pkill of the monitor's name must not look like a signal to the group. */
  raw_call(SYS_prctl, PR_SET_NAME, (long)WITNESS, 0, 0, 0);
  const pid_t self = (pid_t)raw_call(SYS_getpid, 0, 0, 0, 0, 0);
  while (raw_call(SYS_getppid, 0, 0, 0, 0, 0) == monitor) {
    siginfo_t info = {0};
    const int signal = take_signal(~(uint64_t)0, &info, -1);
    if (signal == 0) continue;
    if (signal != QUERY) record_signal(signal, sender_of(&info));
    else if (info.si_code == SI_QUEUE && info.si_pid == monitor)
      send_value(monitor, QUERY, answer_to((uint64_t)(uintptr_t)info.si_ptr), self);
  }
  exit_with(0);
}

static struct {
  struct monitor_settings settings;
  pid_t self;
  uint32_t questions;
  /* How many of the pending signals the witness has counted already, and their senders. */
  int answered[QUERY + 1];
  pid_t answered_sender[QUERY + 1];
  /* The time of SIGKILL; 0: never. */
  int64_t deadline;
  /* The time of the terminal's last SIGINT and SIGQUIT, which the parent process may pass on; 0: none. */
  int64_t last_key[SIGQUIT + 1];
  /* The time of the last SIGCONT from here to the program; 0: never. */
  int64_t continued;
} monitor;

static bool is_from_witness(const siginfo_t *info) {
  return info->si_code == SI_QUEUE && info->si_pid == monitor.settings.witness;
}

/* Returns how many signals of this sender the witness has since the last question, -1 without an answer. */
static int ask_witness(int signal, pid_t sender) {
  const uint32_t number = ++monitor.questions & 0xffffff;
  const uint64_t question = (uint64_t)number << 6 | (unsigned)signal;
  if (monitor.settings.witness == 0 || !send_value(monitor.settings.witness, QUERY, question, monitor.self)) return -1;
  const int64_t end = now() + ANSWER_TIME;
  for (int64_t left = ANSWER_TIME; left > 0; left = end - now()) {
    siginfo_t info = {0};
    if (take_signal(bit(QUERY), &info, left) == 0 || !is_from_witness(&info)) continue;
    const uint64_t answer = (uint64_t)(uintptr_t)info.si_ptr;
    if (answer >> 32 != number) continue;
    return (pid_t)(answer & ((1 << PID_BITS) - 1)) == sender ? (int)((uint32_t)answer >> PID_BITS) : 0;
  }
  /* It may be stopped: the group was, and only this process was continued. */
  send_signal(monitor.settings.witness, SIGCONT);
  return -1;
}

/* Returns 1 if the signal was sent to the group, 0 if not, -1 if unknown. */
static int was_sent_to_group(int signal, const siginfo_t *info) {
  const pid_t sender = sender_of(info);
  const int answer = ask_witness(signal, sender);
  int count = monitor.answered_sender[signal] == sender ? monitor.answered[signal] : 0;
  if (answer > 0) count += answer;
  /* The witness may have taken further ones before it answered, or two as one: those that are pending are for the group, too. */
  const int further = count > 1 ? count - 1 : answer > 0;
  monitor.answered[signal] = (pending_signals() & bit(signal)) != 0 ? further : 0;
  monitor.answered_sender[signal] = sender;
  return count > 0 ? 1 : answer;
}

static pid_t group_of(pid_t process) { return (pid_t)raw_call(SYS_getpgid, process, 0, 0, 0, 0); }

static bool program_has(int signal, const siginfo_t *info) {
  const uint64_t of_terminal = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGTSTP) | bit(SIGCONT) | bit(SIGWINCH);
  const int answer = was_sent_to_group(signal, info);
  if (group_of(monitor.settings.program) != group_of(0)) return false;
  if (answer >= 0) return answer > 0;
  if (!is_from_kernel(info) || (of_terminal & bit(signal)) == 0) return false;
  /* When a terminal hangs up, the kernel signals only the leader of its session. */
  return (signal != SIGHUP && signal != SIGCONT) || raw_call(SYS_getsid, 0, 0, 0, 0, 0) != monitor.self;
}

/* Returns true if the parent process passes on a key, as npm does: the terminal has sent it to the program already. */
static bool is_echo(int signal, const siginfo_t *info) {
  if (signal != SIGINT && signal != SIGQUIT) return false;
  int64_t *const last_key = &monitor.last_key[signal];
  const int64_t time = *last_key;
  *last_key = is_from_kernel(info) ? now() : 0;
  const pid_t parent = (pid_t)raw_call(SYS_getppid, 0, 0, 0, 0, 0);
  return !is_from_kernel(info) && time != 0 && now() - time < ECHO_TIME && info->si_pid == parent &&
         group_of(parent) == group_of(0);
}

/* The kernel removes pending stops when SIGCONT comes: one that is pending here is younger, and SIGCONT must not undo it. */
static bool is_overtaken(int signal) { return signal == SIGCONT && (pending_signals() & STOPS) != 0; }

/* A stop that comes while SIGCONT is sent: the program gets it again. If it had stopped, the next SIGCONT removes that. */
static bool may_be_removed(int signal) {
  return (STOPS & bit(signal)) != 0 && monitor.continued != 0 && now() - monitor.continued < ANSWER_TIME;
}

static void forward(int signal, siginfo_t *info) {
  const pid_t program = monitor.settings.program;
  /* Each process has its own limit on processor time; ticks of V8's profiler were for Node.js. */
  if (signal == SIGXCPU && is_from_kernel(info)) return;
  if (info->si_code == SI_TKILL && info->si_pid == monitor.self) return;
  const bool is_early = (monitor.settings.early & bit(signal)) != 0;
  monitor.settings.early &= ~bit(signal);
  /* Also for an early one: the question resets the witness's record. */
  const bool has_it = program_has(signal, info);
  if (is_echo(signal, info)) return;
  const bool asks_for_end = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  if (asks_for_end && !is_from_kernel(info) && monitor.settings.kill_after >= 0 && monitor.deadline == 0)
    monitor.deadline = now() + monitor.settings.kill_after * MILLISECOND;
  if ((has_it && !is_early && !may_be_removed(signal)) || is_overtaken(signal)) return;
  if (signal == SIGCONT) monitor.continued = now();
  /* With the value of sigqueue(3). */
  if (info->si_code == SI_QUEUE) raw_call(SYS_rt_sigqueueinfo, program, signal, (long)info, 0, 0);
  else send_signal(program, signal);
}

_Noreturn static void die_of(int signal) {
  if (monitor.self != 1) {
    set_action(signal, SIG_DFL);
    send_signal(monitor.self, signal);
    set_mask(~bit(signal));
  }
  exit_with(128 + signal);
}

/* Polls a child (waitid(2)). Returns its PID, or 0 without a change. */
static int child_state(int kind, pid_t child, int options, siginfo_t *info) {
  info->si_pid = 0;
  if (raw_call(SYS_waitid, kind, child, (long)info, options | WNOHANG, 0) != 0) return 0;
  return info->si_pid;
}

/* Returns true if the stopped program has continued or ended; that stays for reap_children. */
static bool has_changed_state(void) {
  siginfo_t info;
  return child_state(P_PID, monitor.settings.program, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, &info) != 0;
}

static bool changes_state_within(int naps) {
  for (int count = 0; count < naps && !has_changed_state(); ++count) sleep_for(SHORT_NAP);
  return has_changed_state();
}

/* Stops this process by the signal; returns after SIGCONT. */
static void stop_self(int signal) {
  siginfo_t info;
  if (signal == SIGSTOP) {
    send_signal(monitor.self, SIGSTOP);
    return;
  }
  /* A SIGCONT after this removes the pending stop; one before has continued the program. So no stop follows its own SIGCONT. */
  set_action(signal, SIG_DFL);
  send_signal(monitor.self, signal);
  if (has_changed_state()) take_signal(bit(signal), &info, 0);
  else set_mask(~bit(signal));
  set_mask(~(uint64_t)0);
}

static void mirror_stop(int signal) {
  siginfo_t info;
  /* SIGSTOP and SIGKILL in quick succession: a stopped process could not report the death to its parent. */
  if (monitor.self == 1 || changes_state_within(8)) return;
  /* SIGSTOP to the group has stopped this process, too. A SIGCONT that is pending came after it, and is for the program. */
  if (signal == SIGSTOP && (pending_signals() & bit(SIGCONT)) != 0) return;
  bool has_resumed;
  do {
    stop_self(signal);
    /* `fg` and `bg` continue the program, too. */
    has_resumed = changes_state_within(32);
  } while (!has_resumed && is_overtaken(SIGCONT));
  if (!has_resumed) {
    monitor.continued = now();
    send_signal(monitor.settings.program, SIGCONT);
  }
  /* The SIGCONT that ended the stop is handled. */
  if (take_signal(bit(SIGCONT), &info, 0) != 0) was_sent_to_group(SIGCONT, &info);
}

/* Reaps it, since the PID 1 of a container may reap no orphans. */
static void end_witness(void) {
  siginfo_t info;
  /* A filter of system calls may refuse the signal: then the kernel kills it when this process has ended. */
  if (monitor.settings.witness == 0 || !send_signal(monitor.settings.witness, SIGKILL)) return;
  raw_call(SYS_waitid, P_PID, monitor.settings.witness, (long)&info, WEXITED, 0);
}

static void reap_children(void) {
  siginfo_t info;
  int child;
  while ((child = child_state(P_ALL, 0, WEXITED | WSTOPPED | WCONTINUED, &info)) != 0) {
    const bool has_ended = info.si_code != CLD_STOPPED && info.si_code != CLD_CONTINUED;
    if (child == monitor.settings.witness && has_ended) monitor.settings.witness = 0;
    if (child != monitor.settings.program || info.si_code == CLD_CONTINUED) continue;
    if (info.si_code == CLD_STOPPED) {
      mirror_stop(info.si_status);
      continue;
    }
    end_witness();
    remove_secret_files(monitor.settings.folder, monitor.settings.secret_files);
    if (info.si_code == CLD_EXITED) exit_with(info.si_status);
    die_of(info.si_status);
  }
}

_Noreturn static void run_monitor(const struct monitor_settings *settings) {
  set_mask(~(uint64_t)0);
  raw_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  raw_call(SYS_prctl, PR_SET_NAME, (long)"sophia-run", 0, 0, 0);
  monitor.settings = *settings;
  monitor.self = (pid_t)raw_call(SYS_getpid, 0, 0, 0, 0, 0);
  for (;;) {
    siginfo_t info = {0};
    reap_children();
    const int64_t left = monitor.deadline == 0 ? -1 : monitor.deadline - now();
    const int signal = take_signal(~(uint64_t)0, &info, monitor.deadline != 0 && left < 0 ? 0 : left);
    if (monitor.deadline != 0 && now() >= monitor.deadline) {
      monitor.deadline = 0;
      monitor.settings.kill_after = -1;
      send_signal(monitor.settings.program, SIGKILL);
    }
    if (signal == 0) continue;
    if (signal == SIGCHLD && is_from_kernel(&info)) continue;
    if (signal == QUERY && is_from_witness(&info)) continue;
    forward(signal, &info);
  }
}

#ifndef MONITOR_IN_PROCESS
#include "../number.h"
#include "command-guard.inc"

/*
 * Arguments from monitor-addon.c: for the witness the monitor's PID; for the cleaner the program's PID and the descriptors of program,
 * folder and pipe; for the monitor the fields of monitor_settings, the folder only if there is one. From src/esc/auth/: for
 * the guard a shell, `-c` and the command.
 */
__attribute__((noinline)) static int run(int count, char **words) {
  char **const secret_files = words + count + 1;
  if (count == 2) run_witness((pid_t)number_in(words[1], 10));
  if (count == 4) run_guard(words + 1, words + count + 1);
  if (count == 5)
    run_cleaner((pid_t)number_in(words[1], 10), (int)number_in(words[2], 10), (int)number_in(words[3], 10), (int)number_in(words[4], 10),
               secret_files);
  if (count != 6 && count != 7) exit_with(125);
  const struct monitor_settings settings = {
      .program = (pid_t)number_in(words[2], 10),
      .witness = (pid_t)number_in(words[3], 10),
      .kill_after = words[4][0] == '-' ? -1 : (int64_t)number_in(words[4], 10),
      .early = number_in(words[5], 10),
      .folder = count == 7 ? (int)number_in(words[6], 10) : -1,
      .secret_files = secret_files,
  };
  run_monitor(&settings);
}

#ifdef MONITOR_WITH_LIBC
/* For sanitizers. */
int main(int count, char **words) { return run(count, words); }
#else
/* The compiler calls it to clear large objects. */
__attribute__((used, optimize("no-tree-loop-distribute-patterns"))) void *memset(void *bytes, int value, size_t length) {
  for (size_t at = 0; at < length; ++at) ((unsigned char *)bytes)[at] = (unsigned char)value;
  return bytes;
}

/* As a C library has for -fstack-protector: functions put the guard behind their variables, and fail if it has changed. */
uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }

/* Makes it of the kernel's random bytes, with a zero, at which texts end. Must precede the functions that use it. */
static void set_guard(const long *stack) {
  const long *rest = stack + 1 + *stack + 1;
  while (*rest != 0) ++rest;
  const unsigned long *pair = (const unsigned long *)(rest + 1);
  while (pair[0] != AT_NULL && pair[0] != AT_RANDOM) pair += 2;
  if (pair[0] == AT_RANDOM) __stack_chk_guard = *(const uintptr_t *)pair[1] & ~(uintptr_t)0xff;
}

/*
 * The kernel starts a process with its argument count, arguments, variables, and pairs of numbers on the stack (getauxval(3)). This
 * function has no guard itself, unless `run` became a part of it.
 */
__attribute__((used)) static void run_at(long *stack) {
  set_guard(stack);
  run((int)*stack, (char **)(stack + 1));
}

#if defined __x86_64__
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall run_at\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl run_at\n");
#endif
#endif
#endif
