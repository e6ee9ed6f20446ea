// `lower_stack BYTES command args…`: starts the command under the stack limit in force, and lowers the soft limit to BYTES
// as soon as the command has been executed. What the command executes then has a quarter of BYTES for its arguments
// and environment, so that a list that reached the launcher is too long for the program (E2BIG).
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 90;
  pid_t child = fork();
  if (child < 0) return 91;
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(92);
    execv(argv[2], argv + 2);
    perror("lower_stack: exec");
    _exit(93);
  }
  int status;
  if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status)) return WIFEXITED(status) ? WEXITSTATUS(status) : 94;
  struct rlimit limit;
  if (prlimit(child, RLIMIT_STACK, NULL, &limit) < 0) return 95;
  limit.rlim_cur = (rlim_t)atol(argv[1]);
  if (prlimit(child, RLIMIT_STACK, &limit, NULL) < 0) return 95;
  if (ptrace(PTRACE_DETACH, child, NULL, NULL) < 0) return 96;
  if (waitpid(child, &status, 0) < 0) return 97;
  if (WIFSIGNALED(status)) {
    // A core of this helper would be mistaken for one of the launcher.
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status));
    return 128 + WTERMSIG(status);
  }
  return WEXITSTATUS(status);
}
