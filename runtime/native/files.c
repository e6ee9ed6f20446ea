/* Files for node:fs (runtime/modules/fs.ts). Each function throws the system's error. */
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

/* Calls with one path: `make` is an expression of `path` that is -1 for an error. */
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

FUNCTION(open_file) {
  const int flags = integer_of(context, arguments[1]) | O_CLOEXEC, mode = integer_of(context, arguments[2]);
  WITH_PATH("open", open(path, flags, mode));
  return JS_NewInt32(context, (int)made);
}

FUNCTION(close_file) {
  if (close(integer_of(context, arguments[0])) == 0 || errno == EINTR) return JS_UNDEFINED;
  return throw_system_error(context, errno, "close", NULL);
}

/* (descriptor, bytes, offset, length, position or -1): returns the number of bytes that were moved */
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

FUNCTION(access_file) {
  const int mode = integer_of(context, arguments[1]);
  WITH_PATH("access", access(path, mode));
  return JS_UNDEFINED;
}

static double milliseconds(struct statx_timestamp time) {
  return (double)time.tv_sec * 1000 + time.tv_nsec / 1e6;
}

static JSValue status_of(JSContext *context, const struct statx *found) {
  const double fields[] = {
    (double)makedev(found->stx_dev_major, found->stx_dev_minor),
    found->stx_mode,
    found->stx_nlink,
    found->stx_uid,
    found->stx_gid,
    (double)makedev(found->stx_rdev_major, found->stx_rdev_minor),
    found->stx_blksize,
    (double)found->stx_ino,
    (double)found->stx_size,
    (double)found->stx_blocks,
    milliseconds(found->stx_atime),
    milliseconds(found->stx_mtime),
    milliseconds(found->stx_ctime),
    milliseconds(found->stx_btime),
  };
  const JSValue result = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(fields); ++i) JS_SetPropertyUint32(context, result, i, JS_NewFloat64(context, fields[i]));
  return result;
}

static struct statx_timestamp timestamp(struct timespec time) {
  return (struct statx_timestamp){.tv_sec = time.tv_sec, .tv_nsec = (uint32_t)time.tv_nsec};
}

/* Kernels before 4.11 have no statx(2), and older containers' filters forbid it. */
static int find_status(int folder, const char *path, int flags, struct statx *found) {
  const int result = (int)syscall(SYS_statx, folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, found);
  if (result == 0 || (errno != ENOSYS && errno != EPERM)) return result;
  struct stat other;
  if (fstatat(folder, path, &other, flags) != 0) return -1;
  *found = (struct statx){
    .stx_dev_major = major(other.st_dev),
    .stx_dev_minor = minor(other.st_dev),
    .stx_mode = (uint16_t)other.st_mode,
    .stx_nlink = (uint32_t)other.st_nlink,
    .stx_uid = other.st_uid,
    .stx_gid = other.st_gid,
    .stx_rdev_major = major(other.st_rdev),
    .stx_rdev_minor = minor(other.st_rdev),
    .stx_blksize = (uint32_t)other.st_blksize,
    .stx_ino = other.st_ino,
    .stx_size = (uint64_t)other.st_size,
    .stx_blocks = (uint64_t)other.st_blocks,
    .stx_atime = timestamp(other.st_atim),
    .stx_mtime = timestamp(other.st_mtim),
    .stx_ctime = timestamp(other.st_ctim),
    .stx_btime = timestamp(other.st_ctim),
  };
  return 0;
}

/* (path, follows links, throws if nothing is there): undefined if nothing is there */
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

FUNCTION(status_of_open) {
  struct statx found;
  const int descriptor = integer_of(context, arguments[0]);
  errno = EBADF;
  if (descriptor < 0 || find_status(descriptor, "", AT_EMPTY_PATH, &found) != 0) {
    return throw_system_error(context, errno, "fstat", NULL);
  }
  return status_of(context, &found);
}

/* (descriptor): the inode's number as a BigInt; that of status_of is rounded beyond 2^53 */
FUNCTION(inode_of_open) {
  struct statx found;
  if (find_status(integer_of(context, arguments[0]), "", AT_EMPTY_PATH, &found) != 0) {
    return throw_system_error(context, errno, "fstat", NULL);
  }
  return JS_NewBigUint64(context, found.stx_ino);
}

FUNCTION(file_system_type) {
  struct statfs found;
  WITH_PATH("statfs", statfs(path, &found));
  return JS_NewInt64(context, (int64_t)found.f_type);
}

FUNCTION(make_folder) {
  const int mode = integer_of(context, arguments[1]);
  WITH_PATH("mkdir", mkdir(path, (mode_t)mode));
  return JS_UNDEFINED;
}

FUNCTION(make_temporary_folder) {
  size_t length = 0;
  const char *const prefix = utf8_of(context, arguments[0], &length);
  if (prefix == NULL) return JS_EXCEPTION;
  char path[PATH_MAX];
  const int size = snprintf(path, sizeof path, "%sXXXXXX", prefix);
  JS_FreeCString(context, prefix);
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

/* Calls a function of two paths. Its error names the first. */
static JSValue with_paths(JSContext *context, JSValueConst *arguments, const char *syscall,
                          int (*function)(const char *, const char *)) {
  size_t length = 0;
  const char *const first = utf8_of(context, arguments[0], &length);
  const char *const second = first == NULL ? NULL : utf8_of(context, arguments[1], &length);
  const JSValue result = second == NULL                 ? JS_EXCEPTION
                         : function(first, second) == 0 ? JS_UNDEFINED
                                                        : throw_system_error(context, errno, syscall, first);
  if (first != NULL) JS_FreeCString(context, first);
  if (second != NULL) JS_FreeCString(context, second);
  return result;
}

FUNCTION(rename_file) {
  return with_paths(context, arguments, "rename", rename);
}

FUNCTION(make_link) {
  return with_paths(context, arguments, "symlink", symlink);
}

FUNCTION(read_link) {
  char target[PATH_MAX];
  WITH_PATH("readlink", readlink(path, target, sizeof target));
  return text_from_system(context, target, (size_t)made);
}

FUNCTION(read_link_bytes) {
  char target[PATH_MAX];
  WITH_PATH("readlink", readlink(path, target, sizeof target));
  return JS_NewUint8ArrayCopy(context, (const uint8_t *)target, (size_t)made);
}

FUNCTION(real_path) {
  char target[PATH_MAX];
  WITH_PATH("realpath", realpath(path, target) == NULL ? -1 : 0);
  return text_from_system(context, target, strlen(target));
}

FUNCTION(real_path_bytes) {
  char target[PATH_MAX];
  WITH_PATH("realpath", realpath(path, target) == NULL ? -1 : 0);
  return JS_NewUint8ArrayCopy(context, (const uint8_t *)target, strlen(target));
}

/* Adds the name, as bytes, and the type (DT_REG and so on) of an entry to a list. */
static void add_entry(JSContext *context, JSValueConst list, uint32_t *length, int folder, const struct dirent *entry) {
  if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) return;
  int type = entry->d_type;
  struct stat found;
  /* Such as of NFS. */
  if (type == DT_UNKNOWN && fstatat(folder, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0) type = IFTODT(found.st_mode);
  const JSValue name = JS_NewUint8ArrayCopy(context, (const uint8_t *)entry->d_name, strlen(entry->d_name));
  JS_SetPropertyUint32(context, list, (*length)++, name);
  JS_SetPropertyUint32(context, list, (*length)++, JS_NewInt32(context, type));
}

FUNCTION(read_folder) {
  DIR *folder = NULL;
  WITH_PATH("scandir", (folder = opendir(path)) == NULL ? -1 : 0);
  const JSValue result = JS_NewArray(context);
  uint32_t filled = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    add_entry(context, result, &filled, dirfd(folder), entry);
  }
  closedir(folder);
  return result;
}

FUNCTION(open_folder) {
  WITH_PATH("opendir", open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return JS_NewInt32(context, (int)made);
}

/* (descriptor): returns the next entries, some hundreds, as read_folder does; undefined at the end */
FUNCTION(read_open_folder) {
  _Alignas(struct dirent) char bytes[32768];
  const int folder = integer_of(context, arguments[0]);
  const long size = syscall(SYS_getdents64, folder, bytes, sizeof bytes);
  if (size < 0) return throw_system_error(context, errno, "scandir", NULL);
  if (size == 0) return JS_UNDEFINED;
  const JSValue result = JS_NewArray(context);
  uint32_t filled = 0;
  for (long at = 0; at < size;) {
    const struct dirent *const entry = (const struct dirent *)(bytes + at);
    add_entry(context, result, &filled, folder, entry);
    at += entry->d_reclen;
  }
  return result;
}

FUNCTION(change_mode) {
  if (fchmod(integer_of(context, arguments[0]), (mode_t)integer_of(context, arguments[1])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fchmod", NULL);
}

FUNCTION(synchronize) {
  if (fsync(integer_of(context, arguments[0])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fsync", NULL);
}

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
