// The reference launcher: `bare command args…` is a bare exec, with the words and statuses that a shell has for failures.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 125;
  execvp(argv[1], argv + 1);
  int reason = errno;
  char name[201];
  size_t n = 0;
  for (; argv[1][n] && n + 1 < sizeof name; n++) name[n] = (unsigned char)argv[1][n] < ' ' ? '?' : argv[1][n];
  name[n] = 0;
  dprintf(2, "bare: %s: %s\n", name, strerror(reason));
  return reason == ENOENT ? 127 : 126;
}
