/*
 * System errors as Node.js reports them: an Error with the message "ENOENT: no such file or directory, open 'x'", and with the
 * properties that throw_system_error (runtime.h) lists.
 */
#include "runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* All errors that have a name in Node.js. */
#define NAMES(E)                                                                                                       \
  E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG) E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN) E(ENOMEM)      \
  E(EACCES) E(EFAULT) E(ENOTBLK) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR) E(EISDIR) E(EINVAL) E(ENFILE)        \
  E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG) E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE) E(EDOM) E(ERANGE) E(EDEADLK) \
  E(ENAMETOOLONG) E(ENOLCK) E(ENOSYS) E(ENOTEMPTY) E(ELOOP) E(EILSEQ) E(EOVERFLOW) E(EUSERS) E(ENOTSOCK)               \
  E(EDESTADDRREQ) E(EMSGSIZE) E(EPROTOTYPE) E(ENOPROTOOPT) E(EPROTONOSUPPORT) E(ESOCKTNOSUPPORT) E(ENOTSUP)            \
  E(EPFNOSUPPORT) E(EAFNOSUPPORT) E(EADDRINUSE) E(EADDRNOTAVAIL) E(ENETDOWN) E(ENETUNREACH) E(ENETRESET)               \
  E(ECONNABORTED) E(ECONNRESET) E(ENOBUFS) E(EISCONN) E(ENOTCONN) E(ESHUTDOWN) E(ETIMEDOUT) E(ECONNREFUSED)            \
  E(EHOSTDOWN) E(EHOSTUNREACH) E(EALREADY) E(EINPROGRESS) E(ESTALE) E(EDQUOT) E(ENOMEDIUM) E(ECANCELED) E(EPROTO)      \
  E(ENODATA) E(EBADMSG) E(EREMOTEIO) E(ELIBBAD) E(EUCLEAN) E(EKEYREJECTED)

static const struct {
  int number;
  const char *name;
} ERRORS[] = {
#define ENTRY(name) {name, #name},
  NAMES(ENTRY)
#undef ENTRY
};

const char *name_of_error(int error) {
  for (size_t i = 0; i < COUNT(ERRORS); ++i) {
    if (ERRORS[i].number == error) return ERRORS[i].name;
  }
  return "UNKNOWN";
}

JSValue throw_system_error(JSContext *context, int error, const char *call_name, const char *path) {
  const char *const name = name_of_error(error);
  const size_t path_length = path == NULL ? 0 : strlen(path);
  char message[256 + 4096];
  /* The kernel refuses paths of 4,096 bytes and more, so 4,000 bytes are enough to recognize one. */
  const int full_length = path == NULL
                            ? snprintf(message, sizeof message, "%s: %s, %s", name, strerror(error), call_name)
                            : snprintf(message, sizeof message, "%s: %s, %s '%.4000s'", name, strerror(error), call_name, path);
  /* snprintf(3) returns the length of the whole text, even if it had to truncate it. */
  size_t length = full_length < 0 ? 0 : (size_t)full_length;
  if (length >= sizeof message) length = sizeof message - 1;
  const JSValue result = JS_NewError(context);
  const int flags = JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE;
  JS_DefinePropertyValueStr(context, result, "message", text_from_utf8(context, (const uint8_t *)message, length), flags);
  JS_SetPropertyStr(context, result, "errno", JS_NewInt32(context, -error));
  JS_SetPropertyStr(context, result, "code", JS_NewString(context, name));
  JS_SetPropertyStr(context, result, "syscall", JS_NewString(context, call_name));
  if (path != NULL) {
    JS_SetPropertyStr(context, result, "path", text_from_utf8(context, (const uint8_t *)path, path_length));
  }
  return JS_Throw(context, result);
}

/* (error number, name of the system call): returns the Error that throw_system_error would throw */
JAVASCRIPT_FUNCTION(system_error) {
  size_t length = 0;
  const char *const call_name = utf8_of(context, arguments[1], &length);
  if (call_name == NULL) return JS_EXCEPTION;
  throw_system_error(context, integer_of(context, arguments[0]), call_name, NULL);
  JS_FreeCString(context, call_name);
  return JS_GetException(context);
}

/* Returns an object that has the number of each error under its name. */
JAVASCRIPT_FUNCTION(error_numbers) {
  const JSValue result = JS_NewObject(context);
  for (size_t i = 0; i < COUNT(ERRORS); ++i) {
    JS_SetPropertyStr(context, result, ERRORS[i].name, JS_NewInt32(context, ERRORS[i].number));
  }
  return result;
}

/* (error number): returns its name */
JAVASCRIPT_FUNCTION(error_name) { return JS_NewString(context, name_of_error(integer_of(context, arguments[0]))); }

void add_errors(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("systemError", 2, system_error),
    JS_CFUNC_DEF("errorName", 1, error_name),
    JS_CFUNC_DEF("errorNumbers", 0, error_numbers),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
