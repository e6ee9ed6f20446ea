/* Files and folders for node:fs (runtime/modules/fs.ts). Each function throws the system's error, as Node.js does. */
#include "runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * Calls the system with the path that is the first argument of a function for JavaScript. `make` is an expression that uses
 * `path` and is -1 if it fails, as in
 *   WITH_PATH("mkdir", mkdir(path, mode));
 * If it fails, the function returns with an exception for the system call `call`. Otherwise the function goes on, with the
 * value of the expression in `made`; `path` is freed then. A path with a NUL in it is EINVAL.
 */
#define WITH_PATH(call, make)                                              \
  size_t length = 0;                                                       \
  const char *const path = utf8_of(context, arguments[0], &length);        \
  if (path == NULL) return JS_EXCEPTION;                                   \
  const bool is_whole = strlen(path) == length;                            \
  errno = is_whole ? 0 : EINVAL;                                           \
  const long made = is_whole ? (long)(make) : -1;                          \
  const JSValue problem = made == -1 ? throw_system_error(context, errno, call, path) : JS_UNDEFINED; \
  JS_FreeCString(context, path);                                           \
  if (made == -1) return problem

/* (path, flags, mode): returns a descriptor, which closes on exec */
FUNCTION(open_file) {
  const int flags = integer_of(context, arguments[1]) | O_CLOEXEC, mode = integer_of(context, arguments[2]);
  WITH_PATH("open", open(path, flags, mode));
  return JS_NewInt32(context, (int)made);
}

/* (descriptor): closes it; EINTR is a success, because Linux has closed the descriptor anyway */
FUNCTION(close_file) {
  if (close(integer_of(context, arguments[0])) == 0 || errno == EINTR) return JS_UNDEFINED;
  return throw_system_error(context, errno, "close", NULL);
}

/* (descriptor, bytes, offset, length, position or -1): reads or writes a part of the bytes. Returns how many were moved. */
static JSValue move_bytes(JSContext *context, JSValueConst *arguments, bool reads) {
  size_t size = 0;
  uint8_t *bytes = bytes_of(context, arguments[1], &size);
  const int descriptor = integer_of(context, arguments[0]);
  const int64_t offset = long_of(context, arguments[2]), length = long_of(context, arguments[3]);
  const int64_t position = long_of(context, arguments[4]);
  if (bytes == NULL || offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > size) {
    return JS_ThrowRangeError(context, "a part outside of the bytes");
  }
  bytes += offset;
  const size_t part = (size_t)length;
  ssize_t moved;
  do {
    if (reads) moved = position < 0 ? read(descriptor, bytes, part) : pread(descriptor, bytes, part, position);
    else moved = position < 0 ? write(descriptor, bytes, part) : pwrite(descriptor, bytes, part, position);
  } while (moved < 0 && errno == EINTR);
  return moved < 0 ? throw_system_error(context, errno, reads ? "read" : "write", NULL) : JS_NewInt64(context, moved);
}

FUNCTION(read_file) { return move_bytes(context, arguments, true); }
FUNCTION(write_file) { return move_bytes(context, arguments, false); }

/* (path, mode): throws if this process does not have these permissions */
FUNCTION(access_file) {
  const int mode = integer_of(context, arguments[1]);
  WITH_PATH("access", access(path, mode));
  return JS_UNDEFINED;
}

static double milliseconds(struct statx_timestamp time) {
  return (double)time.tv_sec * 1000 + time.tv_nsec / 1e6;
}

/* Returns the fields of a status as a list of numbers, in the order that fs.ts reads. */
static JSValue status_of(JSContext *context, const struct statx *status) {
  const double fields[] = {
    (double)makedev(status->stx_dev_major, status->stx_dev_minor),
    status->stx_mode,
    status->stx_nlink,
    status->stx_uid,
    status->stx_gid,
    (double)makedev(status->stx_rdev_major, status->stx_rdev_minor),
    status->stx_blksize,
    (double)status->stx_ino,
    (double)status->stx_size,
    (double)status->stx_blocks,
    milliseconds(status->stx_atime),
    milliseconds(status->stx_mtime),
    milliseconds(status->stx_ctime),
    milliseconds(status->stx_btime),
  };
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(fields); ++i) JS_SetPropertyUint32(context, result, i, JS_NewFloat64(context, fields[i]));
  return result;
}

static struct statx_timestamp timestamp(struct timespec time) {
  return (struct statx_timestamp){.tv_sec = time.tv_sec, .tv_nsec = (uint32_t)time.tv_nsec};
}

/*
 * Reads a status by statx(2), or by fstatat(2) where a kernel before 4.11 has no statx or a container's seccomp filter
 * blocks it (EPERM).
 */
static int find_status(int folder, const char *path, int flags, struct statx *status) {
  const int result = (int)syscall(SYS_statx, folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, status);
  if (result == 0 || (errno != ENOSYS && errno != EPERM)) return result;
  struct stat older_status;
  if (fstatat(folder, path, &older_status, flags) != 0) return -1;
  *status = (struct statx){
    .stx_dev_major = major(older_status.st_dev),
    .stx_dev_minor = minor(older_status.st_dev),
    .stx_mode = (uint16_t)older_status.st_mode,
    .stx_nlink = (uint32_t)older_status.st_nlink,
    .stx_uid = older_status.st_uid,
    .stx_gid = older_status.st_gid,
    .stx_rdev_major = major(older_status.st_rdev),
    .stx_rdev_minor = minor(older_status.st_rdev),
    .stx_blksize = (uint32_t)older_status.st_blksize,
    .stx_ino = older_status.st_ino,
    .stx_size = (uint64_t)older_status.st_size,
    .stx_blocks = (uint64_t)older_status.st_blocks,
    .stx_atime = timestamp(older_status.st_atim),
    .stx_mtime = timestamp(older_status.st_mtim),
    .stx_ctime = timestamp(older_status.st_ctim),
    .stx_btime = timestamp(older_status.st_ctim),
  };
  return 0;
}

/* (path, follows links, throws if nothing is there): returns the status; undefined if nothing is there and that is no error */
FUNCTION(status) {
  size_t length = 0;
  const char *const path = utf8_of(context, arguments[0], &length);
  if (path == NULL) return JS_EXCEPTION;
  const bool follows = JS_ToBool(context, arguments[1]), throws = JS_ToBool(context, arguments[2]);
  struct statx found;
  const bool is_whole = strlen(path) == length;
  const int flags = follows ? 0 : AT_SYMLINK_NOFOLLOW;
  errno = EINVAL;
  const bool done = is_whole && find_status(AT_FDCWD, path, flags, &found) == 0;
  const bool is_missing = !done && !throws && (errno == ENOENT || errno == ENOTDIR);
  const JSValue result = done         ? status_of(context, &found)
                         : is_missing ? JS_UNDEFINED
                                      : throw_system_error(context, errno, follows ? "stat" : "lstat", path);
  JS_FreeCString(context, path);
  return result;
}

/* (descriptor): returns the status of an open file */
FUNCTION(status_of_open) {
  struct statx found;
  const int descriptor = integer_of(context, arguments[0]);
  errno = EBADF;
  if (descriptor < 0 || find_status(descriptor, "", AT_EMPTY_PATH, &found) != 0) {
    return throw_system_error(context, errno, "fstat", NULL);
  }
  return status_of(context, &found);
}

/* (descriptor): returns the inode's number as a BigInt, because a JavaScript number is not exact beyond 2^53 */
FUNCTION(inode_of_open) {
  struct statx found;
  const int descriptor = integer_of(context, arguments[0]);
  /* statx(2) would take -100, which is AT_FDCWD, for the working directory. */
  errno = EBADF;
  if (descriptor < 0 || find_status(descriptor, "", AT_EMPTY_PATH, &found) != 0) {
    return throw_system_error(context, errno, "fstat", NULL);
  }
  return JS_NewBigUint64(context, found.stx_ino);
}

/* (path): returns the magic number of the file system's type (`f_type` of statfs(2)) */
FUNCTION(file_system_type) {
  struct statfs found;
  WITH_PATH("statfs", statfs(path, &found));
  return JS_NewInt64(context, (int64_t)found.f_type);
}

/* (path, mode) */
FUNCTION(make_folder) {
  const int mode = integer_of(context, arguments[1]);
  WITH_PATH("mkdir", mkdir(path, (mode_t)mode));
  return JS_UNDEFINED;
}

/* (prefix): makes a folder whose name is the prefix and six random characters. Returns its path. */
FUNCTION(make_temporary_folder) {
  size_t length = 0;
  const char *const prefix = utf8_of(context, arguments[0], &length);
  if (prefix == NULL) return JS_EXCEPTION;
  const bool has_nul = strlen(prefix) != length;
  char path[PATH_MAX];
  const int size = snprintf(path, sizeof path, "%sXXXXXX", prefix);
  JS_FreeCString(context, prefix);
  if (has_nul) return throw_system_error(context, EINVAL, "mkdtemp", path);
  if (size >= (int)sizeof path) return throw_system_error(context, ENAMETOOLONG, "mkdtemp", NULL);
  if (mkdtemp(path) == NULL) return throw_system_error(context, errno, "mkdtemp", path);
  return text_from_system(context, path, (size_t)size);
}

FUNCTION(remove_file) {
  WITH_PATH("unlink", unlink(path));
  return JS_UNDEFINED;
}

FUNCTION(remove_folder) {
  WITH_PATH("rmdir", rmdir(path));
  return JS_UNDEFINED;
}

/*
 * Runs a system call on the two paths in `arguments`. If the call fails, the error contains the first path. A path with a NUL
 * in it is EINVAL, because the kernel would use only the part before the NUL.
 */
static JSValue with_paths(JSContext *context, JSValueConst *arguments, const char *call_name,
                          int (*system_call)(const char *, const char *)) {
  size_t first_length = 0, second_length = 0;
  const char *const first = utf8_of(context, arguments[0], &first_length);
  const char *const second = first == NULL ? NULL : utf8_of(context, arguments[1], &second_length);
  JSValue result = JS_EXCEPTION;
  if (second != NULL) {
    const bool has_nul = strlen(first) != first_length || strlen(second) != second_length;
    errno = EINVAL;
    const bool succeeded = !has_nul && system_call(first, second) == 0;
    result = succeeded ? JS_UNDEFINED : throw_system_error(context, errno, call_name, first);
  }
  if (first != NULL) JS_FreeCString(context, first);
  if (second != NULL) JS_FreeCString(context, second);
  return result;
}

/* (path, new path) */
FUNCTION(rename_file) {
  return with_paths(context, arguments, "rename", rename);
}

/* (target, path) */
FUNCTION(make_link) {
  return with_paths(context, arguments, "symlink", symlink);
}

/* (path): returns the target of a symbolic link */
FUNCTION(read_link) {
  char target[PATH_MAX];
  WITH_PATH("readlink", readlink(path, target, sizeof target));
  return text_from_system(context, target, (size_t)made);
}

/* (path): returns the target of a symbolic link as bytes, for a target that is not UTF-8 */
FUNCTION(read_link_bytes) {
  char target[PATH_MAX];
  WITH_PATH("readlink", readlink(path, target, sizeof target));
  return JS_NewUint8ArrayCopy(context, (const uint8_t *)target, (size_t)made);
}

/* (path): returns the path with all symbolic links resolved */
FUNCTION(real_path) {
  char target[PATH_MAX];
  WITH_PATH("realpath", realpath(path, target) == NULL ? -1 : 0);
  return text_from_system(context, target, strlen(target));
}

/* (path): returns the path with all symbolic links resolved as bytes, for a result that is not UTF-8 */
FUNCTION(real_path_bytes) {
  char target[PATH_MAX];
  WITH_PATH("realpath", realpath(path, target) == NULL ? -1 : 0);
  return JS_NewUint8ArrayCopy(context, (const uint8_t *)target, strlen(target));
}

/* Adds the name, as bytes, and the type (DT_REG and so on) of an entry to a list. */
static void add_entry(JSContext *context, JSValueConst list, uint32_t *length, int folder, const struct dirent *entry) {
  if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) return;
  int type = entry->d_type;
  struct stat status;
  /* Some file systems, such as NFS, do not give the type of an entry. */
  if (type == DT_UNKNOWN && fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) type = IFTODT(status.st_mode);
  const JSValue name = JS_NewUint8ArrayCopy(context, (const uint8_t *)entry->d_name, strlen(entry->d_name));
  JS_SetPropertyUint32(context, list, (*length)++, name);
  JS_SetPropertyUint32(context, list, (*length)++, JS_NewInt32(context, type));
}

/* (path): returns a list of all entries: name, type, name, type, and so on */
FUNCTION(read_folder) {
  DIR *folder = NULL;
  WITH_PATH("scandir", (folder = opendir(path)) == NULL ? -1 : 0);
  const JSValue result = JS_NewArray(context);
  uint32_t filled = 0;
  /* readdir(3) returns NULL at the end of the folder and after an error. Only an error sets errno. */
  errno = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0) {
    add_entry(context, result, &filled, dirfd(folder), entry);
  }
  const int error = errno;
  closedir(folder);
  if (error == 0) return result;
  JS_FreeValue(context, result);
  return throw_system_error(context, error, "scandir", NULL);
}

/* (path): returns a descriptor for read_open_folder */
FUNCTION(open_folder) {
  WITH_PATH("opendir", open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return JS_NewInt32(context, (int)made);
}

/* (descriptor): returns the next batch of entries, as read_folder does; undefined at the end */
FUNCTION(read_open_folder) {
  _Alignas(struct dirent) char bytes[32768];
  const int folder = integer_of(context, arguments[0]);
  const long size = syscall(SYS_getdents64, folder, bytes, sizeof bytes);
  /* The kernel reports ENOENT for a folder that was removed after it was opened. readdir(3) takes that for the end, too. */
  if (size < 0 && errno == ENOENT) return JS_UNDEFINED;
  if (size < 0) return throw_system_error(context, errno, "scandir", NULL);
  if (size == 0) return JS_UNDEFINED;
  const JSValue result = JS_NewArray(context);
  uint32_t filled = 0;
  for (long offset = 0; offset < size;) {
    const struct dirent *const entry = (const struct dirent *)(bytes + offset);
    add_entry(context, result, &filled, folder, entry);
    offset += entry->d_reclen;
  }
  return result;
}

/* (descriptor, mode) */
FUNCTION(change_mode) {
  if (fchmod(integer_of(context, arguments[0]), (mode_t)integer_of(context, arguments[1])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fchmod", NULL);
}

/* (descriptor): waits until the file's data is flushed to the disk */
FUNCTION(synchronize) {
  if (fsync(integer_of(context, arguments[0])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fsync", NULL);
}

/* (descriptor, length) */
FUNCTION(truncate_file) {
  if (ftruncate(integer_of(context, arguments[0]), long_of(context, arguments[1])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "ftruncate", NULL);
}

void add_files(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("open", 3, open_file),
    JS_CFUNC_DEF("close", 1, close_file),
    JS_CFUNC_DEF("read", 5, read_file),
    JS_CFUNC_DEF("write", 5, write_file),
    JS_CFUNC_DEF("access", 2, access_file),
    JS_CFUNC_DEF("status", 3, status),
    JS_CFUNC_DEF("statusOfOpen", 1, status_of_open),
    JS_CFUNC_DEF("inodeOfOpen", 1, inode_of_open),
    JS_CFUNC_DEF("fileSystemType", 1, file_system_type),
    JS_CFUNC_DEF("makeFolder", 2, make_folder),
    JS_CFUNC_DEF("makeTemporaryFolder", 1, make_temporary_folder),
    JS_CFUNC_DEF("removeFile", 1, remove_file),
    JS_CFUNC_DEF("removeFolder", 1, remove_folder),
    JS_CFUNC_DEF("rename", 2, rename_file),
    JS_CFUNC_DEF("makeLink", 2, make_link),
    JS_CFUNC_DEF("readLink", 1, read_link),
    JS_CFUNC_DEF("readLinkBytes", 1, read_link_bytes),
    JS_CFUNC_DEF("realPath", 1, real_path),
    JS_CFUNC_DEF("realPathBytes", 1, real_path_bytes),
    JS_CFUNC_DEF("readFolder", 1, read_folder),
    JS_CFUNC_DEF("openFolder", 1, open_folder),
    JS_CFUNC_DEF("readOpenFolder", 1, read_open_folder),
    JS_CFUNC_DEF("changeMode", 2, change_mode),
    JS_CFUNC_DEF("synchronize", 1, synchronize),
    JS_CFUNC_DEF("truncate", 2, truncate_file),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
