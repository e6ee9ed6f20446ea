/*
 * Files and folders for node:fs (runtime/modules/fs.ts). If a system call fails, its function throws the Error of Node.js:
 * "ENOENT: no such file or directory, open '/x'".
 *
 * A function that takes a path begins with path_of and ends with finish_call, as remove_file does. The comment of each function
 * lists its arguments in parentheses, in the order of `arguments`. A function that opens a file or folder returns a descriptor,
 * which its caller owns and closes by close_file.
 */
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
 * Encodes a path for the system call `call_name`. The result must be freed by JS_FreeCString. Returns NULL with an
 * exception if there is no memory, or if the path contains a NUL: the kernel would use only the part before the NUL.
 */
static const char *path_of(JSContext *context, JSValueConst value, const char *call_name) {
  size_t length = 0;
  const char *const path = utf8_of(context, value, &length);
  if (path == NULL || strlen(path) == length) return path;
  throw_system_error(context, EINVAL, call_name, path);
  JS_FreeCString(context, path);
  return NULL;
}

/*
 * Ends a function after the system call `call_name`, whose result was -1 if it failed: frees the path, and throws the error
 * in errno if the call failed. Returns undefined or JS_EXCEPTION. No other call may come between, because it could change
 * errno.
 */
static JSValue finish_call(JSContext *context, long call_result, const char *call_name, const char *path) {
  const JSValue result = call_result == -1 ? throw_system_error(context, errno, call_name, path) : JS_UNDEFINED;
  JS_FreeCString(context, path);
  return result;
}

/* (path, flags, mode): opens a file. Returns the descriptor, which an execve closes. */
JAVASCRIPT_FUNCTION(open_file) {
  const char *const path = path_of(context, arguments[0], "open");
  if (path == NULL) return JS_EXCEPTION;
  const int flags = integer_of(context, arguments[1]) | O_CLOEXEC, mode = integer_of(context, arguments[2]);
  const int descriptor = open(path, flags, mode);
  const JSValue result = finish_call(context, descriptor, "open", path);
  return JS_IsException(result) ? result : JS_NewInt32(context, descriptor);
}

/* (descriptor): closes the descriptor. EINTR is a success, because Linux has closed the descriptor anyway. */
JAVASCRIPT_FUNCTION(close_file) {
  if (close(integer_of(context, arguments[0])) == 0 || errno == EINTR) return JS_UNDEFINED;
  return throw_system_error(context, errno, "close", NULL);
}

enum direction { READ, WRITE };

/*
 * Reads into a range of a Uint8Array, or writes that range. The arguments are (descriptor, Uint8Array, offset, length,
 * position in the file); with a negative position the descriptor's own position is used. Returns the number of bytes.
 */
static JSValue transfer_bytes(JSContext *context, JSValueConst *arguments, enum direction direction) {
  enum { DESCRIPTOR, ARRAY, OFFSET, LENGTH, POSITION };
  size_t array_size = 0;
  uint8_t *const array = bytes_of(context, arguments[ARRAY], &array_size);
  const int descriptor = integer_of(context, arguments[DESCRIPTOR]);
  const int64_t offset = long_of(context, arguments[OFFSET]), length = long_of(context, arguments[LENGTH]);
  const int64_t position = long_of(context, arguments[POSITION]);
  if (array == NULL || offset < 0 || length < 0 || (uint64_t)offset + (uint64_t)length > array_size) {
    return JS_ThrowRangeError(context, "offset and length are outside of the bytes");
  }
  uint8_t *const range = array + offset;
  const size_t size = (size_t)length;
  ssize_t count;
  do {
    if (direction == READ) count = position < 0 ? read(descriptor, range, size) : pread(descriptor, range, size, position);
    else count = position < 0 ? write(descriptor, range, size) : pwrite(descriptor, range, size, position);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return throw_system_error(context, errno, direction == READ ? "read" : "write", NULL);
  return JS_NewInt64(context, count);
}

/* The arguments of these two functions are those of transfer_bytes. */
JAVASCRIPT_FUNCTION(read_file) { return transfer_bytes(context, arguments, READ); }
JAVASCRIPT_FUNCTION(write_file) { return transfer_bytes(context, arguments, WRITE); }

/* (path, mode): throws if this process does not have the permissions of the mode, as in access(2) */
JAVASCRIPT_FUNCTION(access_file) {
  const char *const path = path_of(context, arguments[0], "access");
  if (path == NULL) return JS_EXCEPTION;
  return finish_call(context, access(path, integer_of(context, arguments[1])), "access", path);
}

/* Returns a time in milliseconds since 1970, with a fraction. */
static double milliseconds(struct statx_timestamp time) {
  return (double)time.tv_sec * 1000 + time.tv_nsec / 1e6;
}

/*
 * Returns the fields of a status as a list of numbers, in the order in which the constructor of Stats (fs.ts) reads them.
 */
static JSValue list_status_fields(JSContext *context, const struct statx *status) {
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

/* Converts a time of struct stat to one of struct statx. */
static struct statx_timestamp timestamp(struct timespec time) {
  return (struct statx_timestamp){.tv_sec = time.tv_sec, .tv_nsec = (uint32_t)time.tv_nsec};
}

/*
 * Reads the status of a file: of the path below the folder `base_descriptor`, or of the open file `base_descriptor` itself
 * if the path is "" and the flags have AT_EMPTY_PATH. It calls statx(2), or fstatat(2) if there is no statx (ENOSYS, Linux
 * before 4.11) or a container's seccomp filter refuses it (EPERM). Returns -1 with errno if that fails.
 */
static int read_status(int base_descriptor, const char *path, int flags, struct statx *status) {
  const int result = (int)syscall(SYS_statx, base_descriptor, path, flags, STATX_BASIC_STATS | STATX_BTIME, status);
  if (result == 0 || (errno != ENOSYS && errno != EPERM)) return result;
  struct stat older_status;
  if (fstatat(base_descriptor, path, &older_status, flags) != 0) return -1;
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
    /* fstatat(2) does not report the birth time. Node.js takes the time of the last change for it as well (libuv). */
    .stx_btime = timestamp(older_status.st_ctim),
  };
  return 0;
}

/*
 * (path, follows symbolic links, throws if there is no file): returns the status of a file. If there is no file, throws or
 * returns undefined, by the third argument.
 */
JAVASCRIPT_FUNCTION(status) {
  enum { PATH, FOLLOWS_LINKS, THROWS_IF_MISSING };
  const bool follows_links = JS_ToBool(context, arguments[FOLLOWS_LINKS]);
  const bool throws_if_missing = JS_ToBool(context, arguments[THROWS_IF_MISSING]);
  const char *const call_name = follows_links ? "stat" : "lstat";
  const char *const path = path_of(context, arguments[PATH], call_name);
  if (path == NULL) return JS_EXCEPTION;
  struct statx status;
  const int call_result = read_status(AT_FDCWD, path, follows_links ? 0 : AT_SYMLINK_NOFOLLOW, &status);
  const bool is_missing = call_result == -1 && (errno == ENOENT || errno == ENOTDIR);
  if (is_missing && !throws_if_missing) {
    JS_FreeCString(context, path);
    return JS_UNDEFINED;
  }
  const JSValue result = finish_call(context, call_result, call_name, path);
  return JS_IsException(result) ? result : list_status_fields(context, &status);
}

/* Reads the status of an open file. Returns false with an exception if that fails. */
static bool read_open_status(JSContext *context, int descriptor, struct statx *status) {
  /* Negative numbers are refused here: to the kernel, -100 would be AT_FDCWD, the working directory. */
  if (descriptor < 0) errno = EBADF;
  else if (read_status(descriptor, "", AT_EMPTY_PATH, status) == 0) return true;
  throw_system_error(context, errno, "fstat", NULL);
  return false;
}

/* (descriptor): returns the status of an open file */
JAVASCRIPT_FUNCTION(status_of_open) {
  struct statx status;
  if (!read_open_status(context, integer_of(context, arguments[0]), &status)) return JS_EXCEPTION;
  return list_status_fields(context, &status);
}

/* (descriptor): returns the inode number as a BigInt, because a JavaScript number is not exact beyond 2^53 */
JAVASCRIPT_FUNCTION(inode_of_open) {
  struct statx status;
  if (!read_open_status(context, integer_of(context, arguments[0]), &status)) return JS_EXCEPTION;
  return JS_NewBigUint64(context, status.stx_ino);
}

/* (path): returns the magic number of the file system's type (`f_type` of statfs(2)) */
JAVASCRIPT_FUNCTION(file_system_type) {
  const char *const path = path_of(context, arguments[0], "statfs");
  if (path == NULL) return JS_EXCEPTION;
  struct statfs file_system;
  const JSValue result = finish_call(context, statfs(path, &file_system), "statfs", path);
  return JS_IsException(result) ? result : JS_NewInt64(context, (int64_t)file_system.f_type);
}

/* (path, mode): makes a folder */
JAVASCRIPT_FUNCTION(make_folder) {
  const char *const path = path_of(context, arguments[0], "mkdir");
  if (path == NULL) return JS_EXCEPTION;
  return finish_call(context, mkdir(path, (mode_t)integer_of(context, arguments[1])), "mkdir", path);
}

/* (prefix): makes a folder whose path is the prefix and six random characters. Returns the path. */
JAVASCRIPT_FUNCTION(make_temporary_folder) {
  const char *const prefix = path_of(context, arguments[0], "mkdtemp");
  if (prefix == NULL) return JS_EXCEPTION;
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%sXXXXXX", prefix);
  JS_FreeCString(context, prefix);
  if (length >= (int)sizeof path) return throw_system_error(context, ENAMETOOLONG, "mkdtemp", NULL);
  /* mkdtemp(3) replaces the X. */
  if (mkdtemp(path) == NULL) return throw_system_error(context, errno, "mkdtemp", path);
  return text_from_system(context, path, (size_t)length);
}

/* (path): removes a file or a link */
JAVASCRIPT_FUNCTION(remove_file) {
  const char *const path = path_of(context, arguments[0], "unlink");
  if (path == NULL) return JS_EXCEPTION;
  return finish_call(context, unlink(path), "unlink", path);
}

/* (path): removes an empty folder */
JAVASCRIPT_FUNCTION(remove_folder) {
  const char *const path = path_of(context, arguments[0], "rmdir");
  if (path == NULL) return JS_EXCEPTION;
  return finish_call(context, rmdir(path), "rmdir", path);
}

/*
 * Makes a system call on the two paths in `arguments`. If the call fails, the error contains the first path; if a path
 * contains a NUL, that path.
 */
static JSValue call_with_two_paths(JSContext *context, JSValueConst *arguments, const char *call_name,
                                   int (*system_call)(const char *, const char *)) {
  const char *const first = path_of(context, arguments[0], call_name);
  if (first == NULL) return JS_EXCEPTION;
  const char *const second = path_of(context, arguments[1], call_name);
  if (second == NULL) {
    JS_FreeCString(context, first);
    return JS_EXCEPTION;
  }
  const JSValue result = finish_call(context, system_call(first, second), call_name, first);
  JS_FreeCString(context, second);
  return result;
}

/* (path, new path): renames a file, and replaces the file that has the new path */
JAVASCRIPT_FUNCTION(rename_file) {
  return call_with_two_paths(context, arguments, "rename", rename);
}

/* (target, path): makes a symbolic link */
JAVASCRIPT_FUNCTION(make_symbolic_link) {
  return call_with_two_paths(context, arguments, "symlink", symlink);
}

/*
 * Reads the target of the symbolic link whose path is in arguments[0]. Returns its length, or -1 with an exception. The
 * target is never truncated: the kernel limits it to less than PATH_MAX bytes.
 */
static ssize_t read_target(JSContext *context, JSValueConst *arguments, char target[PATH_MAX]) {
  const char *const path = path_of(context, arguments[0], "readlink");
  if (path == NULL) return -1;
  const ssize_t length = readlink(path, target, PATH_MAX);
  /* If readlink has failed, finish_call throws, and the caller returns JS_EXCEPTION. */
  finish_call(context, length, "readlink", path);
  return length;
}

/* (path): returns the target of a symbolic link as a string */
JAVASCRIPT_FUNCTION(read_link) {
  char target[PATH_MAX];
  const ssize_t length = read_target(context, arguments, target);
  return length < 0 ? JS_EXCEPTION : text_from_system(context, target, (size_t)length);
}

/* (path): returns the target of a symbolic link as bytes, for targets that are not UTF-8 */
JAVASCRIPT_FUNCTION(read_link_bytes) {
  char target[PATH_MAX];
  const ssize_t length = read_target(context, arguments, target);
  return length < 0 ? JS_EXCEPTION : JS_NewUint8ArrayCopy(context, (const uint8_t *)target, (size_t)length);
}

/* Resolves all symbolic links of the path in arguments[0]. Returns false with an exception if that fails. */
static bool resolve_links(JSContext *context, JSValueConst *arguments, char resolved[PATH_MAX]) {
  const char *const path = path_of(context, arguments[0], "realpath");
  if (path == NULL) return false;
  const bool is_resolved = realpath(path, resolved) != NULL;
  finish_call(context, is_resolved ? 0 : -1, "realpath", path);
  return is_resolved;
}

/* (path): returns the path with all symbolic links resolved, as a string */
JAVASCRIPT_FUNCTION(real_path) {
  char resolved[PATH_MAX];
  if (!resolve_links(context, arguments, resolved)) return JS_EXCEPTION;
  return text_from_system(context, resolved, strlen(resolved));
}

/* (path): returns the path with all symbolic links resolved, as bytes, for results that are not UTF-8 */
JAVASCRIPT_FUNCTION(real_path_bytes) {
  char resolved[PATH_MAX];
  if (!resolve_links(context, arguments, resolved)) return JS_EXCEPTION;
  return JS_NewUint8ArrayCopy(context, (const uint8_t *)resolved, strlen(resolved));
}

/*
 * Adds the name, as bytes, and the type (DT_REG and so on) of an entry to a list, and 2 to its length. `folder` is the
 * descriptor of the folder that has the entry. Ignores "." and "..".
 */
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

/*
 * Adds all entries of an open folder to a list, and closes the folder. Returns -1 with errno if the folder cannot be read.
 */
static int add_all_entries(JSContext *context, JSValueConst list, DIR *folder) {
  uint32_t length = 0;
  /* readdir(3) returns NULL at the end of the folder and after an error. Only an error sets errno. */
  errno = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0) {
    add_entry(context, list, &length, dirfd(folder), entry);
  }
  const int error = errno;
  closedir(folder);
  errno = error;
  return error == 0 ? 0 : -1;
}

/* (path): returns a list of all entries of a folder: name, type, name, type, and so on */
JAVASCRIPT_FUNCTION(read_folder) {
  const char *const path = path_of(context, arguments[0], "scandir");
  if (path == NULL) return JS_EXCEPTION;
  /* The list is made first, because an allocation could change the errno of opendir(3). */
  const JSValue list = JS_NewArray(context);
  DIR *const folder = opendir(path);
  const int call_result = folder == NULL ? -1 : add_all_entries(context, list, folder);
  const JSValue result = finish_call(context, call_result, "scandir", path);
  if (!JS_IsException(result)) return list;
  JS_FreeValue(context, list);
  return result;
}

/* (path): opens a folder. Returns the descriptor, for read_open_folder. */
JAVASCRIPT_FUNCTION(open_folder) {
  const char *const path = path_of(context, arguments[0], "opendir");
  if (path == NULL) return JS_EXCEPTION;
  const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const JSValue result = finish_call(context, descriptor, "opendir", path);
  return JS_IsException(result) ? result : JS_NewInt32(context, descriptor);
}

/*
 * (descriptor): returns the next entries, some hundreds at once, as read_folder does. Returns undefined at the end, and an
 * empty list if these entries were "." and ".." alone.
 */
JAVASCRIPT_FUNCTION(read_open_folder) {
  /* The struct dirent of musl and glibc for 64-bit systems is the record that getdents64(2) writes. */
  enum { MAX_RECORDS_BYTES = 32768 };
  _Alignas(struct dirent) char records[MAX_RECORDS_BYTES];
  const int folder = integer_of(context, arguments[0]);
  const long size = syscall(SYS_getdents64, folder, records, sizeof records);
  /* The kernel reports ENOENT for a folder that was removed after it was opened. readdir(3) takes that for the end, too. */
  if (size == 0 || (size < 0 && errno == ENOENT)) return JS_UNDEFINED;
  if (size < 0) return throw_system_error(context, errno, "scandir", NULL);
  const JSValue list = JS_NewArray(context);
  uint32_t length = 0;
  for (long offset = 0; offset < size;) {
    const struct dirent *const entry = (const struct dirent *)(records + offset);
    add_entry(context, list, &length, folder, entry);
    offset += entry->d_reclen;
  }
  return list;
}

/* (descriptor, mode): changes the permissions of an open file */
JAVASCRIPT_FUNCTION(change_mode) {
  if (fchmod(integer_of(context, arguments[0]), (mode_t)integer_of(context, arguments[1])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fchmod", NULL);
}

/* (descriptor): waits until the file's data is flushed to the disk */
JAVASCRIPT_FUNCTION(synchronize) {
  if (fsync(integer_of(context, arguments[0])) == 0) return JS_UNDEFINED;
  return throw_system_error(context, errno, "fsync", NULL);
}

/* (descriptor, length): cuts an open file off at this length, or fills it up with zeros */
JAVASCRIPT_FUNCTION(truncate_file) {
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
    JS_CFUNC_DEF("makeLink", 2, make_symbolic_link),
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
