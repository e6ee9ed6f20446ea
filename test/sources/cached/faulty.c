/* A preloaded library that makes one of the calls by which the cache writes its file fail, or kills the process before the call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;
static int descriptor = -1;
static int folder = -1;
static int halved;

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

/* Returns whether the call must fail with errno. Kills the process if the call has the number in FAULT_AT. */
static int fails(const char *call) {
  calls++;
  if (calls == atoi(setting("FAULT_AT"))) kill(getpid(), SIGKILL);
  if (strcmp(call, setting("FAULT_IN")) != 0) return 0;
  errno = atoi(setting("FAULT_ERRNO"));
  return 1;
}

static int opened(const char *call, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, call);
  const char *caches = setting("XDG_CACHE_HOME");
  /* The cache opens the file relative to the descriptor of its folder. */
  int written = strstr(path, "/esc-") != NULL && (flags & O_CREAT) != 0;
  if (written && fails("open")) return -1;
  int result = real(path, flags, mode);
  if (written) descriptor = result;
  if (strncmp(path, caches, strlen(caches)) == 0 && strcmp(path + strlen(caches), "/sophia-run") == 0) folder = result;
  return result;
}

#define OPEN(name)                                     \
  int name(const char *path, int flags, ...) {         \
    va_list list;                                      \
    va_start(list, flags);                             \
    mode_t mode = va_arg(list, mode_t);                \
    va_end(list);                                      \
    return opened(#name, path, flags, mode);           \
  }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (fd == descriptor) {
    if (fails("write")) return -1;
    /* The text is written in two parts, so that the process can be killed between them. */
    if (!halved) size /= 2;
    halved = 1;
  }
  return real(fd, bytes, size);
}

#define ON_DESCRIPTOR(name, parameters, arguments)         \
  int name parameters {                                    \
    int(*real) parameters = dlsym(RTLD_NEXT, #name);       \
    if ((fd == descriptor || fd == folder) && fails(#name)) return -1; \
    return real arguments;                                 \
  }
ON_DESCRIPTOR(fsync, (int fd), (fd))
ON_DESCRIPTOR(fchmod, (int fd, mode_t mode), (fd, mode))

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  if (strstr(to, "/esc-") != NULL && fails("rename")) return -1;
  return real(from, to);
}
