// The program under the launcher: it reports its surroundings and executes the harness's commands, over a Unix socket
// named by CONFORMANCE_SOCKET. Its arguments are data only, and neither its standard streams nor any inherited
// descriptor carries the conversation, so that a case may do to those whatever it likes.
//
// It says `hello JSON` once, then answers each command line with one line; `signal NUMBER CODE SENDER` lines are
// written by the signal handler itself, one for each delivery, so that a double delivery cannot hide.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_DESCRIPTOR = 1024 };

static int channel = -1;
static char **arguments;

// What can only be seen before the probe itself has changed it.
static struct {
  sigset_t blocked;
  int ignored[65];
  int descriptors[MAX_DESCRIPTOR];
  int descriptor_count;
  int has_children;
} start;

static void die(const char *what) {
  dprintf(2, "probe: %s: %s\n", what, strerror(errno));
  _exit(99);
}

static void write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) _exit(98);
    data += n;
    size -= (size_t)n;
  }
}

// A reply is written with signals blocked, so that a handler's line never falls inside it.
static void reply_bytes(const char *data, size_t size) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  write_all(channel, data, size);
  sigprocmask(SIG_SETMASK, &before, NULL);
}

static void reply(const char *format, ...) {
  char line[4096];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  line[n++] = '\n';
  reply_bytes(line, (size_t)n);
}

static size_t put_number(char *to, long value) {
  char digits[24];
  size_t n = 0, length = 0;
  if (value < 0) to[length++] = '-', value = -value;
  do digits[n++] = (char)('0' + value % 10); while (value /= 10);
  while (n > 0) to[length++] = digits[--n];
  return length;
}

// Only async-signal-safe calls; every other signal is blocked meanwhile (sa_mask).
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  char line[96];
  size_t n = 0;
  memcpy(line, "signal ", 7), n = 7;
  n += put_number(line + n, number);
  line[n++] = ' ';
  n += put_number(line + n, info->si_code);
  line[n++] = ' ';
  n += put_number(line + n, info->si_pid);
  line[n++] = '\n';
  write_all(channel, line, n);
  errno = saved;
}

enum disposition { RECORD, IGNORE, DEFAULT };

static int set_action(int number, enum disposition wanted) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  if (wanted == RECORD) {
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
  } else {
    action.sa_handler = wanted == IGNORE ? SIG_IGN : SIG_DFL;
  }
  return sigaction(number, &action, NULL);
}

static void put_hex(FILE *out, const char *bytes, size_t size) {
  fputc('"', out);
  for (size_t i = 0; i < size; i++) fprintf(out, "%02x", (unsigned char)bytes[i]);
  fputc('"', out);
}

static void put_strings(FILE *out, char **list) {
  fputc('[', out);
  for (int i = 0; list[i]; i++) {
    if (i) fputc(',', out);
    put_hex(out, list[i], strlen(list[i]));
  }
  fputc(']', out);
}

static void look_around(void) {
  sigprocmask(SIG_BLOCK, NULL, &start.blocked);
  for (int number = 1; number <= 64; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0) start.ignored[number] = action.sa_handler == SIG_IGN;
  }
  for (int fd = 0; fd < MAX_DESCRIPTOR; fd++)
    if (fcntl(fd, F_GETFD) >= 0) start.descriptors[start.descriptor_count++] = fd;
  start.has_children = !(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void put_descriptors(FILE *out) {
  fputc('[', out);
  for (int i = 0; i < start.descriptor_count; i++) {
    int fd = start.descriptors[i];
    struct stat info;
    if (fstat(fd, &info) < 0) memset(&info, 0, sizeof info);
    fprintf(out, "%s{\"fd\":%d,\"flags\":%d,\"dev\":%lu,\"ino\":%lu,\"mode\":%u,\"tty\":%d}", i ? "," : "", fd,
            fcntl(fd, F_GETFL), (unsigned long)info.st_dev, (unsigned long)info.st_ino, info.st_mode, isatty(fd));
  }
  fputc(']', out);
}

static void put_signals(FILE *out) {
  int n = 0;
  fputs(",\"blocked\":[", out);
  for (int number = 1; number <= 64; number++)
    if (sigismember(&start.blocked, number) == 1) fprintf(out, "%s%d", n++ ? "," : "", number);
  n = 0;
  fputs("],\"ignored\":[", out);
  for (int number = 1; number <= 64; number++)
    if (start.ignored[number]) fprintf(out, "%s%d", n++ ? "," : "", number);
  fputc(']', out);
}

static void put_limits(FILE *out) {
  fputs(",\"limits\":[", out);
  for (int resource = 0; resource < 16; resource++) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) limit.rlim_cur = limit.rlim_max = 0;
    fprintf(out, "%s[\"%llu\",\"%llu\"]", resource ? "," : "", (unsigned long long)limit.rlim_cur,
            (unsigned long long)limit.rlim_max);
  }
  fputc(']', out);
}

static void say_hello(const char *role) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) die("open_memstream");
  char folder[8192];
  const char *cwd = getcwd(folder, sizeof folder);
  mode_t mask = umask(0);
  umask(mask);
  int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  fprintf(out, "hello {\"role\":\"%s\",\"pid\":%d,\"ppid\":%d,\"pgrp\":%d,\"sid\":%d,\"foreground\":%d", role, getpid(),
          getppid(), getpgrp(), getsid(0), terminal < 0 ? -1 : tcgetpgrp(terminal));
  if (terminal >= 0) close(terminal);
  fprintf(out, ",\"umask\":%u,\"nice\":%d,\"parent_death_signal\":%d,\"has_children\":%d", mask,
          getpriority(PRIO_PROCESS, 0), death, start.has_children);
  fputs(",\"cwd\":", out);
  put_hex(out, cwd ? cwd : "", cwd ? strlen(cwd) : 0);
  fputs(",\"argv\":", out);
  put_strings(out, arguments);
  fputs(",\"env\":", out);
  put_strings(out, environ);
  fputs(",\"descriptors\":", out);
  put_descriptors(out);
  put_signals(out);
  put_limits(out);
  fputs("}\n", out);
  fclose(out);
  reply_bytes(text, size);
  free(text);
}

static void connect_channel(void) {
  const char *path = getenv("CONFORMANCE_SOCKET");
  if (!path) errno = EINVAL, die("CONFORMANCE_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
  // Out of the way of whatever descriptor a case asks about.
  int high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
  if (high >= 0) close(fd), fd = high;
  channel = fd;
}

// A descendant that reports for itself. With `orphan` its parent ends at once, so that it is handed to the reaper.
static void fork_agent(int orphan) {
  pid_t child = fork();
  if (child < 0) {
    reply("errno %d", errno);
    return;
  }
  if (child > 0) {
    int status = 0;
    if (orphan) waitpid(child, &status, 0);
    reply("ok %d", child);
    return;
  }
  if (orphan) {
    pid_t grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0 ? 97 : 0);
  }
  close(channel);
  connect_channel();
  say_hello(orphan ? "orphan" : "grandchild");
}

static void do_read(int fd, size_t most) {
  static char data[65536], hex[2 * sizeof data + 16];
  if (most > sizeof data) most = sizeof data;
  ssize_t n = read(fd, data, most);
  if (n < 0) {
    reply("errno %d", errno);
    return;
  }
  size_t length = (size_t)sprintf(hex, "data ");
  for (ssize_t i = 0; i < n; i++) length += (size_t)sprintf(hex + length, "%02x", (unsigned char)data[i]);
  hex[length++] = '\n';
  reply_bytes(hex, length);
}

static void do_write(int fd, const char *hex) {
  for (; hex[0] && hex[1]; hex += 2) {
    unsigned value = 0;
    sscanf(hex, "%2x", &value);
    char byte = (char)value;
    if (write(fd, &byte, 1) != 1) {
      reply("errno %d", errno);
      return;
    }
  }
  reply("ok");
}

static void result(int code) {
  if (code < 0) reply("errno %d", errno);
  else reply("ok %d", code);
}

static void obey(char *line) {
  char verb[32] = "", rest[8192] = "";
  long a = 0, b = 0, c = 0;
  sscanf(line, "%31s %8191[^\n]", verb, rest);
  sscanf(rest, "%ld %ld %ld", &a, &b, &c);
  if (!strcmp(verb, "ping")) reply("ok");
  else if (!strcmp(verb, "exit")) _exit((int)a);
  else if (!strcmp(verb, "handle")) result(set_action((int)a, RECORD));
  else if (!strcmp(verb, "ignore")) result(set_action((int)a, IGNORE));
  else if (!strcmp(verb, "default")) result(set_action((int)a, DEFAULT));
  else if (!strcmp(verb, "raise")) result(kill(getpid(), (int)a));
  else if (!strcmp(verb, "raise-group")) result(kill(0, (int)a));
  else if (!strcmp(verb, "raise-quietly")) kill(getpid(), (int)a);
  else if (!strcmp(verb, "fork")) fork_agent(0);
  else if (!strcmp(verb, "orphan")) fork_agent(1);
  else if (!strcmp(verb, "read")) do_read((int)a, (size_t)b);
  else if (!strcmp(verb, "write")) {
    char *hex = strchr(rest, ' ');
    do_write((int)a, hex ? hex + 1 : "");
  } else if (!strcmp(verb, "close")) result(close((int)a));
  else if (!strcmp(verb, "accept")) result(accept((int)a, NULL, NULL));
  else if (!strcmp(verb, "flags")) result(fcntl((int)a, F_GETFL));
  else if (!strcmp(verb, "foreground")) result(tcgetpgrp((int)a));
  else if (!strcmp(verb, "limit")) {
    struct rlimit limit = {(rlim_t)b, (rlim_t)c};
    result(setrlimit((int)a, &limit));
  } else if (!strcmp(verb, "open-terminal")) result(open("/dev/tty", O_RDWR | O_CLOEXEC));
  else if (!strcmp(verb, "spin")) {
    for (volatile unsigned long n = 0;; n++) {}
  } else reply("unknown %s", verb);
}

static void install_early_handlers(void) {
  const char *list = getenv("CONFORMANCE_HANDLE");
  for (int number, used; list && sscanf(list, "%d%n", &number, &used) == 1; list += used) set_action(number, RECORD);
}

int main(int argc, char **argv) {
  (void)argc;
  arguments = argv;
  look_around();
  // From here to the greeting no signal comes through: a program that has connected has also said hello.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  connect_channel();
  install_early_handlers();
  say_hello("program");
  sigprocmask(SIG_SETMASK, &start.blocked, NULL);
  static char buffer[16384];
  size_t used = 0;
  for (;;) {
    char *end;
    while ((end = memchr(buffer, '\n', used))) {
      *end = 0;
      char line[16384];
      memcpy(line, buffer, (size_t)(end - buffer) + 1);
      used -= (size_t)(end - buffer) + 1;
      memmove(buffer, end + 1, used);
      obey(line);
    }
    ssize_t n = read(channel, buffer + used, sizeof buffer - used);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(96);
    used += (size_t)n;
  }
}
