/*
 * The guard of ESC_TOKEN_COMMAND: the parent process of the command, between it and the launcher. Included by monitor.c.
 *
 * A descendant that makes a session of its own, and whose parent has ended, is in no group that the launcher knows, and has
 * init as its parent. The guard is a subreaper: such orphans become its children instead, so that all descendants are below
 * it in /proc, and the launcher can end them. The launcher is no subreaper itself, since it may have other children, the
 * program's for one.
 *
 * The guard reports by a socket, as two numbers each: that it has started the command, or that the command could not be
 * executed, then how it ended. It ends once the launcher closes the other end, or dies; descendants that are left then are
 * init's, as if there had been no guard. It does not keep the command's output open.
 */
#include <fcntl.h>

/* The socket's number, and the kinds of reports beside the codes of waitid(2), which are positive. */
enum { CHANNEL = 3, STARTED = 0, NOT_EXECUTED = -1 };

static void report(int kind, int number) {
  const int32_t numbers[2] = {kind, number};
  raw_call(SYS_write, CHANNEL, (long)numbers, sizeof numbers, 0, 0);
}

/* @param words the command's file and its arguments, ended by a NULL */
_Noreturn static void run_guard(char **words, char **variables) {
  siginfo_t info = {0};
  char byte;
  /* The command must inherit neither. */
  raw_call(SYS_fcntl, CHANNEL, F_SETFD, FD_CLOEXEC, 0, 0);
  const bool is_subreaper = raw_call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
  const pid_t command = is_subreaper ? (pid_t)raw_call(SYS_clone, SIGCHLD, 0, 0, 0, 0) : -1;
  /* Without a report the launcher starts the command itself. */
  if (command < 0) exit_with(125);
  if (command == 0) {
    report(NOT_EXECUTED, (int)-raw_call(SYS_execve, (long)words[0], (long)words, (long)variables, 0, 0));
    exit_with(127);
  }
  /* The terminal's signals are for the command. */
  set_mask(~(uint64_t)0);
  raw_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  raw_call(SYS_prctl, PR_SET_NAME, (long)GUARD, 0, 0, 0);
  raw_call(SYS_close, 1, 0, 0, 0, 0);
  report(STARTED, 0);
  do {
    if (raw_call(SYS_waitid, P_ALL, 0, (long)&info, WEXITED, 0) != 0) exit_with(125);
  } while (info.si_pid != command);
  report(info.si_code, info.si_status);
  raw_call(SYS_read, CHANNEL, (long)&byte, 1, 0, 0);
  exit_with(0);
}
