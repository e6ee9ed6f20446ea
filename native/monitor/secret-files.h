/*
 * Removal of secret files, by the monitor in spawn mode and by the cleaner in exec mode. Included by monitor.c.
 *
 * The launcher starts the cleaner before it executes the program, in a session of its own and without the caller's
 * descriptors. The cleaner reports by a byte that it watches the process (by a pidfd, else by /proc).
 *
 * The open folder has the lock by which other starts see that the files have an owner (launch/spawn/owned-folder.ts). It is
 * released when the cleaner or the monitor ends, so neither the program nor the witness may inherit the descriptor.
 *
 * The environment names the files, since other users can read arguments: FOLDER=PATH, and INODE=NAME for each file, in any
 * order (qemu-user changes it). A file or folder that has replaced another since is left alone.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static bool status_at(int folder, const char *path, int flags, struct stat *status) {
  return raw_call(SYS_newfstatat, folder, (long)path, (long)status, flags, 0) == 0;
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
      raw_call(SYS_unlinkat, folder, (long)name, 0, 0, 0);
  }
  if (status_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &found) && are_same(&found, opened.st_dev, opened.st_ino))
    raw_call(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0);
}

/* Without a pidfd, by the open folder of the process in /proc, which a reused PID does not share. */
static bool has_ended_by_proc(pid_t program, int folder) {
  char text[512];
  struct stat threads;
  const int file = (int)raw_call(SYS_openat, folder, (long)"stat", O_RDONLY | O_CLOEXEC, 0, 0);
  if (file == -ESRCH) return true;
  /* /proc may hide a program of another user (hidepid of proc(5)). */
  if (file < 0) return raw_call(SYS_kill, program, 0, 0, 0, 0) == -ESRCH;
  const long length = raw_call(SYS_read, file, (long)text, sizeof text, 0, 0);
  raw_call(SYS_close, file, 0, 0, 0, 0);
  if (length < 0) return length == -ESRCH;
  /* The state follows the name in parentheses, which may contain parentheses. */
  char state = 0;
  for (long at = 0; at + 2 < length; ++at)
    if (text[at] == ')') state = text[at + 2];
  if (state == 'X') return true;
  /* A main thread that ended before others is a zombie, too: the folder of threads has a link for each. */
  return state == 'Z' && (!status_at(folder, "task", 0, &threads) || threads.st_nlink <= 3);
}

enum watch { RUNS, ENDED, UNKNOWN };

static enum watch check_end(pid_t program, int watched, bool is_pidfd, bool waits) {
  if (!is_pidfd) {
    if (waits) sleep_for(PROC_CHECK);
    return has_ended_by_proc(program, watched) ? ENDED : RUNS;
  }
  const struct timespec none = {0};
  struct pollfd end = {.fd = watched, .events = POLLIN};
  const long count = raw_call(SYS_ppoll, (long)&end, 1, waits ? 0 : (long)&none, 0, sizeof(uint64_t));
  if (count == 1) return (end.revents & POLLIN) != 0 ? ENDED : UNKNOWN;
  return count == 0 || count == -EINTR ? RUNS : UNKNOWN;
}

/* monitor-addon.c calls it in no process of its own. */
_Noreturn __attribute__((unused)) static void run_cleaner(pid_t program, int watched, int folder, int ready, char **strings) {
  struct stat status;
  set_mask(~(uint64_t)0);
  raw_call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  raw_call(SYS_prctl, PR_SET_NAME, (long)CLEANER, 0, 0, 0);
  /* So that the caller's working directory can be unmounted. */
  raw_call(SYS_chdir, (long)"/", 0, 0, 0, 0);
  const bool is_pidfd = status_at(watched, "", AT_EMPTY_PATH, &status) && !S_ISDIR(status.st_mode);
  if (check_end(program, watched, is_pidfd, false) != RUNS || raw_call(SYS_write, ready, (long)"", 1, 0, 0) != 1) exit_with(125);
  raw_call(SYS_close, ready, 0, 0, 0, 0);
  while (check_end(program, watched, is_pidfd, true) == RUNS) {
  }
  remove_secret_files(folder, strings);
  exit_with(0);
}
