/*
 * How the monitor and the cleaner remove secret files. Included by monitor.c.
 *
 * The launcher names them by the process's environment, in any order: FOLDER=PATH, and for each file INODE=NAME. The folder
 * itself is open. A file that has taken the place of another since is left alone, and so is a folder. (An environment, since
 * others cannot read it, as they can arguments; with "=" in each entry, since qemu-user drops those without, and their order.)
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static bool status_at(int folder, const char *path, int flags, struct stat *status) {
  return call(SYS_newfstatat, folder, (long)path, (long)status, flags, 0) == 0;
}

static bool are_same(const struct stat *one, dev_t device, ino_t inode) {
  return one->st_dev == device && one->st_ino == inode;
}

static void remove_secret_files(int folder, char **strings) {
  struct stat opened, found;
  const char *path = "";
  if (!status_at(folder, "", AT_EMPTY_PATH, &opened)) return;
  for (; *strings != NULL; ++strings) {
    const char *name = *strings;
    ino_t inode = 0;
    for (; *name >= '0' && *name <= '9'; ++name) inode = inode * 10 + (ino_t)(*name - '0');
    const bool is_file = name != *strings;
    while (*name != '\0' && *name++ != '=') {
    }
    if (!is_file) path = name;
    else if (status_at(folder, name, AT_SYMLINK_NOFOLLOW, &found) && are_same(&found, opened.st_dev, inode))
      call(SYS_unlinkat, folder, (long)name, 0, 0, 0);
  }
  if (status_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &found) && are_same(&found, opened.st_dev, opened.st_ino))
    call(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0);
}

/* Without a pidfd: the process's folder in /proc. Another process of the same PID has another one. */
static bool has_ended_by_proc(pid_t program, int folder) {
  char text[512];
  struct stat threads;
  const int file = (int)call(SYS_openat, folder, (long)"stat", O_RDONLY | O_CLOEXEC, 0, 0);
  if (file == -ESRCH) return true;
  /* /proc shows it no more, such as a program of another user (hidepid of proc(5)). */
  if (file < 0) return call(SYS_kill, program, 0, 0, 0, 0) == -ESRCH;
  const long length = call(SYS_read, file, (long)text, sizeof text, 0, 0);
  call(SYS_close, file, 0, 0, 0, 0);
  if (length < 0) return length == -ESRCH;
  /* The state stands behind the name in parentheses, which may hold parentheses. */
  char state = 0;
  for (long at = 0; at + 2 < length; ++at)
    if (text[at] == ')') state = text[at + 2];
  if (state == 'X') return true;
  /* A main thread that has ended before the others is a zombie, too: the folder of threads has a link for each. */
  return state == 'Z' && (!status_at(folder, "task", 0, &threads) || threads.st_nlink <= 3);
}

enum watch { RUNS, ENDED, UNKNOWN };

/* Looks whether the program has ended, or waits until it may have. */
static enum watch look_at(pid_t program, int watched, bool is_pidfd, bool waits) {
  if (!is_pidfd) {
    if (waits) nap(PROC_CHECK);
    return has_ended_by_proc(program, watched) ? ENDED : RUNS;
  }
  const struct timespec none = {0};
  struct pollfd end = {.fd = watched, .events = POLLIN};
  const long count = call(SYS_ppoll, (long)&end, 1, waits ? 0 : (long)&none, 0, sizeof(uint64_t));
  if (count == 1) return (end.revents & POLLIN) != 0 ? ENDED : UNKNOWN;
  return count == 0 || count == -EINTR ? RUNS : UNKNOWN;
}

/*
 * The cleaner. It says that it watches the program by a byte, or ends without one: then the launcher has another process
 * remove the files.
 */
_Noreturn static void be_cleaner(pid_t program, int watched, int folder, int ready, char **strings) {
  struct stat status;
  set_mask(~(uint64_t)0);
  call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  call(SYS_prctl, PR_SET_NAME, (long)CLEANER, 0, 0, 0);
  /* The caller's working directory can be unmounted and removed. */
  call(SYS_chdir, (long)"/", 0, 0, 0, 0);
  const bool is_pidfd = status_at(watched, "", AT_EMPTY_PATH, &status) && !S_ISDIR(status.st_mode);
  if (look_at(program, watched, is_pidfd, false) != RUNS || call(SYS_write, ready, (long)"", 1, 0, 0) != 1) leave(125);
  call(SYS_close, ready, 0, 0, 0, 0);
  while (look_at(program, watched, is_pidfd, true) == RUNS) {
  }
  remove_secret_files(folder, strings);
  leave(0);
}
