/*
 * Makes the program of the monitor executable. The monitor (native/monitor/monitor.c) is the parent process of the user's
 * program in spawn mode. Its program is part of this executable, and execve(2) needs a file: so this file writes the
 * program to a file in memory (memfd_create(2)).
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

/* Writes the program to an empty file. Returns false if that fails. */
static bool write_program(int file) {
  const size_t size = (size_t)(MONITOR.end - MONITOR.start);
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_max < size) return false;
  /* The caller's limit on the size of files (ulimit -f) applies to files in memory, too, and is raised for this write. */
  const struct rlimit raised = {limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < size) setrlimit(RLIMIT_FSIZE, &raised);
  const bool is_written = write(file, MONITOR.start, size) == (ssize_t)size;
  setrlimit(RLIMIT_FSIZE, &limit);
  return is_written;
}

/*
 * Returns the path of the file, such as "/proc/self/fd/10"; undefined if the file cannot be made. Other users cannot change the
 * file, because it has no name in a file system.
 */
JAVASCRIPT_FUNCTION(monitor_file) {
  static char path[32];
  if (path[0] == '\0') {
    int file = memfd_create("sophia-run", MFD_CLOEXEC | MFD_EXEC);
    /* Linux before 6.3 does not know MFD_EXEC. Later versions require it if vm.memfd_noexec is set. */
    if (file < 0 && errno == EINVAL) file = memfd_create("sophia-run", MFD_CLOEXEC);
    if (file < 0) return JS_UNDEFINED;
    /*
     * The file gets a number that no descriptor of a child has. Otherwise child.c might replace it by a descriptor of the child
     * before the execve.
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
