/*
 * The monitor: the parent process of the user's program in spawn mode on Linux. The launcher (sophia-run in Node.js) starts the
 * program, and then replaces itself by the monitor, because Node.js would keep 40 MB and seven threads for the life of the
 * program. The monitor has one thread and no library. If its file cannot be executed, the same loop runs in the launcher's
 * process, because monitor-addon.c includes this file, too.
 *
 * The file of the monitor is also the program of three other processes. `run_role` tells them apart by the number of arguments:
 * the witness (witness.inc), the cleaner (secret-files.inc), and the guard of ESC_TOKEN_COMMAND, a command of the user's that
 * prints a token (command-guard.inc).
 *
 * START. monitor-addon.c blocks all signals in the launcher, starts the witness and forks; the child executes the program.
 * If that fails, the launcher reports why. Otherwise the launcher executes this file, with all signals blocked, an empty
 * environment and no open descriptors. A signal that came since the block is still pending here, so that none is lost. A signal
 * that came before the fork ("early") cannot have reached the child, which did not exist. The launcher passes on the set of
 * these signals, and the monitor forwards them to the program.
 *
 * SIGNALS. All signals stay blocked, and sigtimedwait(2) takes one after the other. The monitor forwards each to the
 * program, unless the program has got it already: the terminal (Ctrl-C, Ctrl-Z, resize, hang-up), shells (`kill %1`, `fg`,
 * `bg`, hang-up) and supervisors send a signal to the whole process group. The kernel does not show whom a signal was sent
 * to. So a second process in the group, the witness, records which signals it gets: a signal that both the witness and the
 * monitor get from the same sender was sent to the group. The kernel signals the youngest members of a group first, so the
 * witness has such a signal before the monitor has it. Monitor and program stay in the caller's group, because `fg`, `kill
 * -STOP %1` and killpg(getpgid(pid)) must reach both. If there is no witness (RLIMIT_NPROC), the monitor recognizes signals of
 * the terminal by their si_code, and a signal that kill(2) sends to the group reaches the program twice.
 *
 * STOPS. When the program stops, the monitor stops itself by the same signal, so that the caller sees a stopped job.
 * SIGCONT wakes the monitor, which continues the program unless the SIGCONT was sent to the whole group (`fg`). PID 1
 * cannot stop.
 *
 * END. The monitor exits with the program's status, or dies of the signal that the program died of, even of a real-time
 * signal. The monitor is not dumpable: its core dump would overwrite the program's, and other processes of the user must not
 * trace it. PID 1 cannot die of a signal, and exits with 128 plus the signal's number. A monitor that is PID 1 or a
 * subreaper inherits orphans, and reaps them. SIGKILL and SIGSTOP that are sent to the monitor alone do not reach the
 * program.
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

/* The arguments that the launcher passes to the monitor (run_role, or monitor-addon.c). */
struct monitor_settings {
  /* The PID of the user's program, which is a child of this process. */
  pid_t program;
  /* The PID of the witness; 0 if there is none. */
  pid_t witness;
  /* Milliseconds from the first signal that asks the program to end until SIGKILL; negative: never. */
  int64_t kill_after;
  /* The signals that came before the program's process existed, a bit for each. The lowest bit is SIGHUP's. */
  uint64_t early_signals;
  /*
   * The descriptor of the folder with secret files, or -1; and the strings that name the files (secret-files.inc), ended by
   * NULL. They are this process's environment (run_role), or memory that monitor-addon.c never frees.
   */
  int folder;
  char **secret_files;
};

/* The names that ps(1) shows for the processes of the other roles. */
#define WITNESS "group-witness"
#define CLEANER "secret-files"
#define GUARD "token-command"

enum {
  /*
   * The signal by which the monitor asks the witness, and the witness answers. It has the highest number, because the kernel
   * delivers pending signals in ascending order: so the witness has recorded all other signals before it answers.
   */
  QUERY = 64,
  /*
   * The si_code of a signal of the kernel that the launcher has queued again. A process may not set the original, positive
   * one.
   */
  KERNEL_REQUEUED = -SI_KERNEL,
  /* From this number on, each signal is queued with its sender. Of a signal below it, only one can be pending at a time. */
  FIRST_QUEUED = 32,
};

/* All times are in nanoseconds. SHORT_NAP is the interval at which the monitor polls. */
static const int64_t MILLISECOND = 1000000;
static const long SHORT_NAP = 1000000 / 4;
/* The cleaner's polling interval if there is no pidfd. */
static const long PROC_CHECK = 50 * 1000000;
/* The time limit for an answer of the witness. It takes microseconds, unless the witness is stopped or the machine is busy. */
static const int64_t ANSWER_TIME = 100 * 1000000;
/* A record of the witness that is older than this belongs to an earlier signal of the same sender. */
static const int64_t RECENT_TIME = 5000 * (int64_t)1000000;
/* A signal of the parent process that comes within this time after a key of the terminal is taken for the same key. */
static const int64_t PASSED_ON_TIME = 1000 * 1000000;

/* Returns the bit of a signal in a set of signals, as the kernel uses them. */
static uint64_t bit(int signal) { return (uint64_t)1 << (signal - 1); }

/* The signals that stop a process and can be pending. SIGSTOP acts at once, and so is never pending. */
static const uint64_t STOP_SIGNALS = 1 << (SIGTSTP - 1) | 1 << (SIGTTIN - 1) | 1 << (SIGTTOU - 1);

/* Blocks these signals, and no others. */
static void set_mask(uint64_t blocked) {
  raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, sizeof blocked, 0);
}

/* Sets the action of a signal to SIG_DFL or SIG_IGN. */
static void set_action(int signal, void (*handler)(int)) {
  /* The fields of the kernel's struct sigaction are handler, flags, restorer and mask. */
  const uint64_t action[4] = {(uintptr_t)handler};
  raw_call(SYS_rt_sigaction, signal, (long)action, 0, sizeof(uint64_t), 0);
}

/* Sleeps for less than a second. */
static void sleep_for(long nanoseconds) {
  const struct timespec time = {.tv_nsec = nanoseconds};
  raw_call(SYS_nanosleep, (long)&time, 0, 0, 0, 0);
}

/*
 * Waits for a signal of the set, which must be blocked, and takes it. Waits forever if the time limit is negative, and not at
 * all if it is 0. Returns the signal, and fills in `info`. Returns 0 if it has taken none, maybe before the time limit.
 */
static int take_signal(uint64_t set, siginfo_t *info, int64_t nanoseconds) {
  const struct timespec limit = {.tv_sec = nanoseconds / (1000 * MILLISECOND),
                                 .tv_nsec = nanoseconds % (1000 * MILLISECOND)};
  const long signal =
      raw_call(SYS_rt_sigtimedwait, (long)&set, (long)info, nanoseconds < 0 ? 0 : (long)&limit, sizeof set, 0);
  /* Any other error means that a seccomp filter refuses the call. With this nap the loop of the caller polls. */
  if (signal < 0 && signal != -EAGAIN && signal != -EINTR) sleep_for(SHORT_NAP);
  return signal > 0 ? (int)signal : 0;
}

/* Returns the set of blocked signals that have come, and that take_signal has not taken yet. */
static uint64_t pending_signals(void) {
  uint64_t signals = 0;
  raw_call(SYS_rt_sigpending, (long)&signals, sizeof signals, 0, 0, 0);
  return signals;
}

/* Returns the time of a clock that is never set, in nanoseconds. */
static int64_t now(void) {
  struct timespec time = {0};
  raw_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0);
  return (int64_t)time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

/* Sends a signal. Returns false if there is no such process, or if this process may not signal it. */
static bool send_signal(pid_t process, int signal) { return raw_call(SYS_kill, process, signal, 0, 0, 0) == 0; }

/* Sends a signal with a value, as sigqueue(3) does. */
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

/* Returns the PID of the sender; 0 for the kernel. */
static pid_t sender_of(const siginfo_t *info) { return is_from_kernel(info) ? 0 : info->si_pid; }

#include "witness.inc"

/*
 * The state of the monitor. run_monitor fills in `settings` and `self`; all else is 0 at first. Only the functions below,
 * which run_monitor calls in its one thread, read and change it. The other roles of the file do not use it.
 */
static struct {
  /*
   * Three of the settings change: `witness` becomes 0 when the witness ends, `early_signals` loses each signal that `forward`
   * handles, and `kill_after` becomes negative when the program has got SIGKILL.
   */
  struct monitor_settings settings;
  /* The PID of this process. */
  pid_t self;
  /* The number of the last question to the witness. */
  uint32_t question_count;
  /* By signal: how many of the signals that the witness has reported are still pending here, and who sent them. */
  int reported_count[QUERY + 1];
  pid_t reported_sender[QUERY + 1];
  /* The time at which the program gets SIGKILL; 0: never. */
  int64_t deadline;
  /* By signal: when the terminal sent the last SIGINT or SIGQUIT, which the parent process may pass on; 0: none. */
  int64_t last_key_time[SIGQUIT + 1];
  /* When the monitor last sent SIGCONT to the program; 0: never. */
  int64_t continued_at;
} monitor;

static bool is_from_witness(const siginfo_t *info) {
  return info->si_code == SI_QUEUE && info->si_pid == monitor.settings.witness;
}

/*
 * Asks the witness (witness.inc) how many of these signals it has got from this sender since the last question about the
 * signal. The witness forgets the signals that it reports. Returns -1 if the witness cannot be asked, or does not answer within
 * ANSWER_TIME.
 */
static int ask_witness(int signal, pid_t sender) {
  const uint32_t number = ++monitor.question_count & NUMBER_MASK;
  const uint64_t question = (uint64_t)number << SIGNAL_BITS | (unsigned)signal;
  if (monitor.settings.witness == 0 || !send_value(monitor.settings.witness, QUERY, question, monitor.self)) return -1;
  const int64_t end = now() + ANSWER_TIME;
  for (int64_t remaining = ANSWER_TIME; remaining > 0; remaining = end - now()) {
    siginfo_t info = {0};
    if (take_signal(bit(QUERY), &info, remaining) == 0 || !is_from_witness(&info)) continue;
    const uint64_t answer = (uint64_t)(uintptr_t)info.si_ptr;
    const bool is_late_answer = answer >> NUMBER_SHIFT != number;
    if (is_late_answer) continue;
    const pid_t recorded_sender = (pid_t)(answer & ((1 << PID_BITS) - 1));
    const int count = (int)((uint32_t)answer >> PID_BITS);
    return recorded_sender == sender ? count : 0;
  }
  /* The witness may be stopped: the group was stopped, and then only this process was continued. */
  send_signal(monitor.settings.witness, SIGCONT);
  return -1;
}

/* Returns 1 if the signal was sent to the process group, 0 if it was not, and -1 if that is unknown. */
static int was_sent_to_group(int signal, const siginfo_t *info) {
  const pid_t sender = sender_of(info);
  const int answer = ask_witness(signal, sender);
  int count = monitor.reported_sender[signal] == sender ? monitor.reported_count[signal] : 0;
  if (answer > 0) count += answer;
  /*
   * The witness may have got further signals before it answered, and may have got two as one. If the same signal is pending
   * here, it is one of them, and so was sent to the group as well.
   */
  const int further_count = count > 1 ? count - 1 : answer > 0;
  monitor.reported_count[signal] = (pending_signals() & bit(signal)) != 0 ? further_count : 0;
  monitor.reported_sender[signal] = sender;
  return count > 0 ? 1 : answer;
}

static pid_t group_of(pid_t process) { return (pid_t)raw_call(SYS_getpgid, process, 0, 0, 0, 0); }

/* Returns true if the sender has sent the signal to the program as well. */
static bool has_program_got(int signal, const siginfo_t *info) {
  const uint64_t terminal_signals = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGTSTP) | bit(SIGCONT) | bit(SIGWINCH);
  const int answer = was_sent_to_group(signal, info);
  /* A program that has left the group does not get the signals of the group. */
  if (group_of(monitor.settings.program) != group_of(0)) return false;
  if (answer >= 0) return answer > 0;
  const bool is_from_terminal = is_from_kernel(info) && (terminal_signals & bit(signal)) != 0;
  if (!is_from_terminal) return false;
  /* When a terminal hangs up, the kernel sends these two to the leader of the session alone. */
  return (signal != SIGHUP && signal != SIGCONT) || raw_call(SYS_getsid, 0, 0, 0, 0, 0) != monitor.self;
}

/*
 * Returns true for the SIGINT or SIGQUIT of a key (Ctrl-C, Ctrl-\) that the parent process passes on, as npm does. The
 * terminal has sent the same signal to the program already.
 */
static bool is_passed_on_key(int signal, const siginfo_t *info) {
  if (signal != SIGINT && signal != SIGQUIT) return false;
  int64_t *const last_key_time = &monitor.last_key_time[signal];
  const int64_t key_time = *last_key_time;
  *last_key_time = is_from_kernel(info) ? now() : 0;
  const pid_t parent = (pid_t)raw_call(SYS_getppid, 0, 0, 0, 0, 0);
  return !is_from_kernel(info) && key_time != 0 && now() - key_time < PASSED_ON_TIME && info->si_pid == parent &&
         group_of(parent) == group_of(0);
}

/*
 * Returns true for a SIGCONT after which a stop signal has come. The kernel removes pending stop signals when SIGCONT
 * comes, so one that is pending here came later. To forward the SIGCONT now would undo that stop in the program.
 */
static bool is_followed_by_stop(int signal) { return signal == SIGCONT && (pending_signals() & STOP_SIGNALS) != 0; }

/*
 * Returns true for a stop signal that came about the time at which the monitor sent SIGCONT to the program. The SIGCONT may
 * have removed the stop signal there, so it is sent again. If the program has stopped by the first one, the next SIGCONT
 * removes the second.
 */
static bool may_be_undone_by_sigcont(int signal) {
  return (STOP_SIGNALS & bit(signal)) != 0 && monitor.continued_at != 0 && now() - monitor.continued_at < ANSWER_TIME;
}

/* Handles a signal that was sent to the monitor. Forwards it if it is meant for the program, and the program has not got it. */
static void forward(int signal, siginfo_t *info) {
  const pid_t program = monitor.settings.program;
  /* The limit on processor time is one of each process, so the kernel signals the program by itself. */
  if (signal == SIGXCPU && is_from_kernel(info)) return;
  /* V8's profiler in the launcher sent these signals to its own thread, before the monitor replaced it. */
  if (info->si_code == SI_TKILL && info->si_pid == monitor.self) return;
  const bool is_early = (monitor.settings.early_signals & bit(signal)) != 0;
  monitor.settings.early_signals &= ~bit(signal);
  /* Early signals are asked about, too, because the question resets the record of the witness. */
  const bool program_has_it = has_program_got(signal, info);
  if (is_passed_on_key(signal, info)) return;
  const bool asks_for_end = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  if (asks_for_end && !is_from_kernel(info) && monitor.settings.kill_after >= 0 && monitor.deadline == 0)
    monitor.deadline = now() + monitor.settings.kill_after * MILLISECOND;
  if (program_has_it && !is_early && !may_be_undone_by_sigcont(signal)) return;
  if (is_followed_by_stop(signal)) return;
  if (signal == SIGCONT) monitor.continued_at = now();
  /* A signal of sigqueue(3) carries a value, which is passed on with it. */
  if (info->si_code == SI_QUEUE) raw_call(SYS_rt_sigqueueinfo, program, signal, (long)info, 0, 0);
  else send_signal(program, signal);
}

/* Ends this process by the signal; PID 1, which cannot die of one, exits with 128 plus its number. */
_Noreturn static void die_of(int signal) {
  if (monitor.self != 1) {
    set_action(signal, SIG_DFL);
    send_signal(monitor.self, signal);
    set_mask(~bit(signal));
  }
  exit_with(128 + signal);
}

/* Returns the PID of a child whose state has changed, or 0. Does not wait. The arguments are those of waitid(2). */
static int poll_child(int kind, pid_t child, int options, siginfo_t *info) {
  info->si_pid = 0;
  if (raw_call(SYS_waitid, kind, child, (long)info, options | WNOHANG, 0) != 0) return 0;
  return info->si_pid;
}

/*
 * Returns true if the stopped program has continued or ended. The change can still be waited for (WNOWAIT), by
 * reap_children.
 */
static bool program_changed_state(void) {
  siginfo_t info;
  return poll_child(P_PID, monitor.settings.program, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT, &info) != 0;
}

/* Waits until program_changed_state returns true, but not longer than this number of naps. */
static bool program_changes_state_within(int naps) {
  for (int count = 0; count < naps && !program_changed_state(); ++count) sleep_for(SHORT_NAP);
  return program_changed_state();
}

/* Stops this process by the signal; returns after SIGCONT. */
static void stop_self(int signal) {
  siginfo_t info;
  if (signal == SIGSTOP) {
    send_signal(monitor.self, SIGSTOP);
    return;
  }
  /*
   * This process must not stop after the SIGCONT that should end the stop. So the stop signal is first made pending, and
   * acts only when the mask allows it. A SIGCONT that comes while it is pending removes it. A SIGCONT that came before that
   * has continued the program, which program_changed_state notices.
   */
  set_action(signal, SIG_DFL);
  send_signal(monitor.self, signal);
  if (program_changed_state()) take_signal(bit(signal), &info, 0);
  else set_mask(~bit(signal));
  set_mask(~(uint64_t)0);
}

/* Stops this process because the program was stopped by the signal, and continues the program afterwards. */
static void mirror_stop(int signal) {
  siginfo_t info;
  /*
   * If the program is killed right after the stop, this process must not stop, because it could not report that to its
   * parent.
   */
  if (monitor.self == 1 || program_changes_state_within(8)) return;
  /*
   * A SIGSTOP to the group has stopped this process, too. If a SIGCONT is pending it came after that, and `forward` handles
   * it.
   */
  if (signal == SIGSTOP && (pending_signals() & bit(SIGCONT)) != 0) return;
  bool has_resumed;
  do {
    stop_self(signal);
    /* A SIGCONT to the group (`fg`, `bg`) continues the program, too. */
    has_resumed = program_changes_state_within(32);
  } while (!has_resumed && is_followed_by_stop(SIGCONT));
  if (!has_resumed) {
    monitor.continued_at = now();
    send_signal(monitor.settings.program, SIGCONT);
  }
  /* The SIGCONT that ended the stop is done with. The question makes the witness forget it. */
  if (take_signal(bit(SIGCONT), &info, 0) != 0) was_sent_to_group(SIGCONT, &info);
}

/* Kills the witness and reaps it, because the PID 1 of a container may not reap orphans. */
static void end_witness(void) {
  siginfo_t info;
  /* If a seccomp filter refuses the signal, the kernel kills the witness when this process ends (PR_SET_PDEATHSIG). */
  if (monitor.settings.witness == 0 || !send_signal(monitor.settings.witness, SIGKILL)) return;
  raw_call(SYS_waitid, P_PID, monitor.settings.witness, (long)&info, WEXITED, 0);
}

/* Handles each child whose state has changed: mirrors a stop of the program, and ends this process if the program has ended. */
static void reap_children(void) {
  siginfo_t info;
  int child;
  while ((child = poll_child(P_ALL, 0, WEXITED | WSTOPPED | WCONTINUED, &info)) != 0) {
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

/* Handles signals and children until the program ends; then ends as the program did. */
_Noreturn static void run_monitor(const struct monitor_settings *settings) {
  set_mask(~(uint64_t)0);
  raw_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  raw_call(SYS_prctl, PR_SET_NAME, (long)"sophia-run", 0, 0, 0);
  monitor.settings = *settings;
  monitor.self = (pid_t)raw_call(SYS_getpid, 0, 0, 0, 0, 0);
  for (;;) {
    siginfo_t info = {0};
    reap_children();
    const int64_t remaining = monitor.deadline == 0 ? -1 : monitor.deadline - now();
    const bool is_overdue = monitor.deadline != 0 && remaining < 0;
    const int signal = take_signal(~(uint64_t)0, &info, is_overdue ? 0 : remaining);
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
 * Runs the role for which this process was started. monitor-addon.c starts the first three, src/esc/auth/ the fourth, the
 * guard:
 *   group-witness MONITOR-PID
 *   secret-files PROGRAM-PID PROGRAM-DESCRIPTOR FOLDER-DESCRIPTOR PIPE-DESCRIPTOR
 *   sophia-run --monitor PROGRAM-PID WITNESS-PID KILL-AFTER-MS EARLY-SIGNALS [FOLDER-DESCRIPTOR]
 *   FILE-OF-THE-MONITOR SHELL -c COMMAND
 */
__attribute__((noinline)) static int run_role(int count, char **words) {
  char **const variables = words + count + 1;
  if (count == 2) run_witness((pid_t)number_in(words[1], 10));
  if (count == 4) run_guard(words + 1, variables);
  if (count == 5)
    run_cleaner((pid_t)number_in(words[1], 10), (int)number_in(words[2], 10), (int)number_in(words[3], 10),
                (int)number_in(words[4], 10), variables);
  const bool has_folder = count == 7;
  if (count != 6 && !has_folder) exit_with(125);
  const struct monitor_settings settings = {
      .program = (pid_t)number_in(words[2], 10),
      .witness = (pid_t)number_in(words[3], 10),
      .kill_after = words[4][0] == '-' ? -1 : (int64_t)number_in(words[4], 10),
      .early_signals = number_in(words[5], 10),
      .folder = has_folder ? (int)number_in(words[6], 10) : -1,
      .secret_files = variables,
  };
  run_monitor(&settings);
}

#ifdef MONITOR_WITH_LIBC
/* scripts/platforms/monitor-sanitizers.sh links a C library, which its sanitizers need. */
int main(int count, char **words) { return run_role(count, words); }
#else
#include "program-entry.inc"
#endif
#endif
