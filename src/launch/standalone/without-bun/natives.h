/* Functions for host.ts besides the addon's. Unusual files (dangling links, pipes, missing permissions) fall back to Bun. */
#ifndef SOPHIA_RUN_NATIVES_H
#define SOPHIA_RUN_NATIVES_H

static JSValue working_directory(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  char path[PATH_BYTES];
  const long length = syscall(SYS_getcwd, path, sizeof path);
  if (length <= 0 || path[0] != '/' || !is_utf8((unsigned char *)path, (size_t)length - 1)) {
    fall_back("the working directory");
  }
  return JS_NewStringLen(context, path, (size_t)length - 1);
}

static const char *path_in(JSContext *context, JSValueConst argument) {
  static char path[PATH_BYTES];
  JSValue value = argument;
  if (!path_of(context, &value, path)) fall_back("a path");
  return path;
}

static JSValue can_access(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  return JS_NewBool(context, access(path_in(context, arguments[0]), integer(context, &arguments[1])) == 0);
}

static JSValue status(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  struct statx found;
  const bool is_open = JS_IsNumber(arguments[0]);
  const int flags = is_open ? AT_EMPTY_PATH : JS_ToBool(context, arguments[1]) ? 0 : AT_SYMLINK_NOFOLLOW;
  const long failed = syscall(SYS_statx, is_open ? integer(context, &arguments[0]) : AT_FDCWD,
                              is_open ? "" : path_in(context, arguments[0]), flags, STATX_BASIC_STATS, &found);
  if (failed != 0 && !is_open && errno == ENOENT) return JS_UNDEFINED;
  if (failed != 0) fall_back("statx");
  const double fields[] = {found.stx_mode, found.stx_uid, (double)found.stx_size, (double)found.stx_ino,
                           (double)((uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor)};
  const JSValue result = JS_NewArray(context);
  for (size_t i = 0; i < COUNT(fields); ++i) {
    JS_SetPropertyUint32(context, result, (uint32_t)i, JS_NewFloat64(context, fields[i]));
  }
  return result;
}

/* The lowest free descriptor, which the kernel gives to the one file that is open at a time. */
static int descriptor;

static void find_descriptor(void) {
  descriptor = 0;
  while (fcntl(descriptor, F_GETFD) != -1) ++descriptor;
}

static JSValue open_to_read(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t size = 0;
  const char *const path = path_in(context, arguments[0]);
  struct statx found;
  /* The other end of a pipe would notice the opening. */
  if (!status_of(AT_FDCWD, path, 0, &found) || (found.stx_mode & S_IFMT) != S_IFREG) fall_back("no regular file");
  const int file = open_file(path, &size);
  if (file == -1) fall_back("open");
  if (file == descriptor) return JS_NewInt32(context, file);
  close(file);
  fall_back("a second file");
}

static JSValue read_into(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t size = 0;
  uint8_t *const bytes = JS_GetUint8Array(context, &size, arguments[1]);
  const int offset = integer(context, &arguments[2]);
  const int length = integer(context, &arguments[3]);
  if (bytes == NULL || offset < 0 || length < 0 || size < (size_t)offset + (size_t)length) fall_back("read");
  const ssize_t got = read(integer(context, &arguments[0]), bytes + offset, (size_t)length);
  if (got < 0) fall_back("read");
  return JS_NewInt32(context, (int)got);
}

static JSValue close_file(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  close(descriptor);
  return JS_UNDEFINED;
}

static JSValue decode(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t size = 0;
  const uint8_t *const bytes = JS_GetUint8Array(context, &size, arguments[0]);
  if (bytes == NULL || !is_utf8(bytes, size)) fall_back("bytes that are not UTF-8");
  return JS_NewStringLen(context, (const char *)bytes, size);
}

static JSValue encode(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  size_t length = 0;
  const char *const text = utf8_of(context, arguments[0], &length);
  const JSValue bytes = JS_NewUint8ArrayCopy(context, (const uint8_t *)text, length);
  JS_FreeCString(context, text);
  return bytes;
}

/* The caller's filter while it is replaced; else -1. */
static int former_core_filter = -1;

/* As in addon.c; start_without_bun restores the filter. */
static JSValue exchange_filter(JSContext *context, JSValueConst receiver, int count, JSValueConst *arguments) {
  int32_t filter = 0;
  if (JS_ToInt32(context, &filter, arguments[0]) != 0) fall_back("a core dump filter");
  const int former = exchange((unsigned)filter);
  former_core_filter = former_core_filter == -1 ? former : -1;
  return JS_NewInt32(context, former);
}

#endif
