/*
 * The monitor, the parent of a program on a pseudo-terminal; job.ts describes the scenario. It is a fork of a process with
 * many threads: it calls only functions that are safe in signal handlers, and never returns.
 *
 * It leads a new session, starts the program in a group of its own, reports its stops and its end, and continues it on
 * request. Both send records of two numbers through a socket. If the launcher ends first, the monitor restores the real
 * terminal and hangs the program up.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct record { int kind, value; };

struct monitored {
  struct program program;
  const int *inherited;
  size_t inherited_count;
  int slave, real, channel, foreground;
  struct termios former_settings;
  uint64_t mask;
};

/* The descriptors of the monitor after keep_own. */
enum { SLAVE, REAL, CHANNEL, SIGNALS };

static void report(int kind, int value) {
  const struct record record = {kind, value};
  send(CHANNEL, &record, sizeof record, MSG_NOSIGNAL);
}

/* From the background, too, since SIGTTOU is blocked. */
static void set_foreground(int group) {
  ioctl(SLAVE, TIOCSPGRP, &group);
}

/* Starts the program in a group of its own. Returns after its exec; until then they share memory. */
static pid_t start_program(const struct monitored *session, volatile int *error) {
  *error = 0;
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  if (session->foreground) {
    const int group = getpid();
    ioctl(session->slave, TIOCSPGRP, &group);
  }
  for (size_t i = 0; i < session->inherited_count; ++i) fcntl(session->inherited[i], F_SETFD, 0);
  for (int stream = 0; stream < 3; ++stream) dup2(session->slave, stream);
  change_mask(SIG_SETMASK, session->mask);
  execve(session->program.file, session->program.argv, session->program.envp);
  *error = errno;
  _exit(127);
}

/* Closes all other descriptors: the program's pipes and files must end with the program. Returns 0 or an error number. */
static int keep_own(const struct monitored *session, const sigset_t *watched) {
  const int kept[] = {session->slave, session->real, session->channel};
  /* Needs no further descriptor, since the limit may be reached: overwrites 0 to 2, which are the real terminal. */
  for (size_t i = 0; i < COUNT(kept); ++i) dup3(kept[i], (int)i, O_CLOEXEC);
  if (syscall(SYS_close_range, SIGNALS, ~0U, 0) != 0) {
    for (int descriptor = SIGNALS; descriptor < 65536; ++descriptor) close(descriptor);
  }
  /* Gets the lowest free number, SIGNALS. */
  return signalfd(-1, watched, SFD_CLOEXEC) < 0 ? errno : 0;
}

/* Returns keys that the program has not read: they are for the next reader of the real terminal. */
static void return_input(int is_last) {
  static char bytes[4096];
  struct termios left, raw;
  ssize_t length = 0;
  int group = getpid();
  ioctl(SLAVE, TIOCGPGRP, &group);
  /* Only the group in the foreground may read. */
  set_foreground(getpid());
  if (ioctl(SLAVE, TCGETS, &left) == 0) {
    raw = left;
    make_raw(&raw);
    raw.c_cc[VMIN] = 0;
    ioctl(SLAVE, TCSETS, &raw);
    length = read(SLAVE, bytes, sizeof bytes);
    ioctl(SLAVE, TCSETS, &left);
  }
  if (!is_last) set_foreground(group);
  /* Before the answer: the launcher then looks if other processes have the terminal open. */
  if (is_last) close(SLAVE);
  report(UNREAD, length > 0 ? (int)length : 0);
  if (length > 0) send(CHANNEL, bytes, (size_t)length, MSG_NOSIGNAL);
}

/* Reports stops and the end of the program. Returns 1 if it has ended. */
static int report_state(pid_t program) {
  siginfo_t change;
  for (;;) {
    change.si_pid = 0;
    if (waitid(P_ALL, 0, &change, WEXITED | WSTOPPED | WNOHANG) != 0 || change.si_pid == 0) return 0;
    /* Orphans of the program. */
    if (change.si_pid != program) continue;
    if (change.si_code == CLD_STOPPED) {
      report(STOPPED, change.si_status);
      continue;
    }
    /* The kernel hangs up the foreground group when this process ends: not the program's background processes. */
    set_foreground(getpid());
    report(change.si_code == CLD_EXITED ? EXITED : KILLED, change.si_status);
    return 1;
  }
}

static void monitor(struct monitored *session) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < 65; ++signal) sigaction(signal, &standard, NULL);
  prctl(PR_SET_DUMPABLE, 0);
  setsid();
  ioctl(session->slave, TIOCSCTTY, 0);
  if (session->foreground) {
    /* Before any key is read. From here on the monitor restores the settings if the launcher is killed. */
    struct termios raw = session->former_settings;
    make_raw(&raw);
    ioctl(session->real, TCSETS, &raw);
  }
  volatile int error;
  const pid_t program = start_program(session, &error);
  if (program < 0) error = errno;
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigaddset(&watched, SIGHUP);
  const int not_kept = keep_own(session, &watched);
  if (not_kept != 0 && error == 0) {
    kill(program, SIGKILL);
    error = not_kept;
  }
  if (chdir("/") != 0) error = error != 0 ? error : errno;
  if (error != 0) {
    if (session->foreground) ioctl(REAL, TCSETS, &session->former_settings);
    report(NOT_EXECUTED, error);
    _exit(0);
  }
  report(STARTED, program);

  int has_ended = 0, has_hung_up = 0, is_restored = 0;
  struct pollfd sources[] = {{.fd = SIGNALS, .events = POLLIN}, {.fd = CHANNEL, .events = POLLIN}};
  while (!has_ended || sources[1].fd >= 0) {
    if (poll(sources, COUNT(sources), -1) < 0 && errno != EINTR) _exit(1);
    struct signalfd_siginfo signal;
    struct record record;
    int hang_up = 0;
    if (sources[0].revents != 0 && read(SIGNALS, &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_signo == SIGHUP) hang_up = 1;
      if (signal.ssi_signo == SIGCHLD && !has_ended) has_ended = report_state(program);
    }
    if (sources[1].fd >= 0 && sources[1].revents != 0) {
      if (recv(CHANNEL, &record, sizeof record, MSG_WAITALL) != sizeof record) {
        /* The launcher has ended. */
        sources[1].fd = -1;
        hang_up = 1;
      } else if (record.kind == CONTINUE && !has_ended) {
        set_foreground(record.value ? program : getpid());
        kill(-program, SIGCONT);
        report(CONTINUED, record.value);
      } else if (record.kind == COLLECT) {
        return_input(record.value);
      } else if (record.kind == DETACH) {
        has_hung_up = 1;
      } else if (record.kind == RESTORED) {
        if (has_ended) _exit(0);
        is_restored = 1;
      }
    }
    /* Before the signal: the program may look at the terminal when it gets that. */
    if (hang_up && !is_restored) ioctl(REAL, TCSETS, &session->former_settings);
    if (hang_up && !has_hung_up && !has_ended) {
      has_hung_up = 1;
      kill(-program, SIGHUP);
      kill(-program, SIGCONT);
    }
  }
  _exit(0);
}
