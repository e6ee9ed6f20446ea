/* The monitor's file (native/monitor/), which is part of this executable, as a file in memory. */
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "files.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

static bool is_filled(int file) {
  const size_t size = (size_t)(MONITOR.end - MONITOR.start);
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_max < size) return false;
  /* The caller's limit on the size of files holds here, too. */
  const struct rlimit raised = {limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < size) setrlimit(RLIMIT_FSIZE, &raised);
  const bool result = write(file, MONITOR.start, size) == (ssize_t)size;
  setrlimit(RLIMIT_FSIZE, &limit);
  return result;
}

/* Returns the path of the file, which no other process can change; undefined if the system allows none. */
FUNCTION(monitor_file) {
  static char path[32];
  if (path[0] == '\0') {
    int file = memfd_create("sophia-run", MFD_CLOEXEC | MFD_EXEC);
    /* Linux before 6.3 does not know the second flag, which later versions may ask for. */
    if (file < 0 && errno == EINVAL) file = memfd_create("sophia-run", MFD_CLOEXEC);
    if (file < 0) return JS_UNDEFINED;
    /* A child gets descriptors of its own below this number, of which one may else replace it before the execve. */
    const int moved = fcntl(file, F_DUPFD_CLOEXEC, 10);
    if (moved >= 0) {
      close(file);
      file = moved;
    }
    if (!is_filled(file)) {
      close(file);
      return JS_UNDEFINED;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  }
  return JS_NewString(context, path);
}

void add_monitor_file(JSContext *context, JSValueConst native) {
  JS_SetPropertyStr(context, native, "monitorFile", JS_NewCFunction(context, monitor_file, "monitorFile", 0));
}
