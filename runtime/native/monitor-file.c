/*
 * Makes a file in memory of the monitor's program (native/monitor/), which is part of this executable, so that execve can
 * start it.
 */
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

/* Writes the program to an empty file. Returns false if the file cannot have this size. */
static bool write_program(int file) {
  const size_t size = (size_t)(MONITOR.end - MONITOR.start);
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_max < size) return false;
  /* The caller's limit on the size of files (ulimit -f) is valid for this file as well. */
  const struct rlimit raised = {limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < size) setrlimit(RLIMIT_FSIZE, &raised);
  const bool result = write(file, MONITOR.start, size) == (ssize_t)size;
  setrlimit(RLIMIT_FSIZE, &limit);
  return result;
}

/*
 * Returns the path of the file, such as "/proc/self/fd/10". No other process can change the file. Undefined if there can be
 * none.
 */
FUNCTION(monitor_file) {
  static char path[32];
  if (path[0] == '\0') {
    int file = memfd_create("sophia-run", MFD_CLOEXEC | MFD_EXEC);
    /* Linux before 6.3 does not know the second flag. Later versions may be set up to require it (vm.memfd_noexec). */
    if (file < 0 && errno == EINVAL) file = memfd_create("sophia-run", MFD_CLOEXEC);
    if (file < 0) return JS_UNDEFINED;
    /*
     * Descriptors that a child is given have lower numbers, and would replace this file before the execve if it had one of
     * them.
     */
    const int moved = fcntl(file, F_DUPFD_CLOEXEC, 10);
    if (moved >= 0) {
      close(file);
      file = moved;
    }
    if (!write_program(file)) {
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
