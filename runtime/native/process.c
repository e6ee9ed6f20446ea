/* This process, its terminal and its user, for node:process, node:tty and node:os (runtime/modules/). */
#include "runtime.h"
#include "../../native/environment.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns the environment as environment_strings does (native/environment.h); undefined if there is no memory. */
JAVASCRIPT_FUNCTION(environment) {
  size_t length = 0;
  char *const strings = environment_strings(&length);
  if (strings == NULL) return JS_UNDEFINED;
  const JSValue result = text_from_system(context, strings, length);
  free(strings);
  return result;
}

/* Returns the path of the working directory. Throws if it cannot be reached. */
JAVASCRIPT_FUNCTION(working_directory) {
  char path[PATH_MAX];
  /* Node.js names the function of libuv in these errors. */
  if (getcwd(path, sizeof path) == NULL) return throw_system_error(context, errno, "uv_cwd", NULL);
  /*
   * The kernel returns the path of a folder outside of the root folder (chroot(2)) with "(unreachable)" at its start.
   * getcwd(3) reports an error then, and so does Node.js; older versions of musl returned the path.
   */
  if (path[0] != '/') return throw_system_error(context, ENOENT, "uv_cwd", NULL);
  return text_from_system(context, path, strlen(path));
}

/* (path): changes the working directory. As in Node.js, a path ends at its first NUL. */
JAVASCRIPT_FUNCTION(change_folder) {
  size_t length = 0;
  const char *const path = utf8_of(context, arguments[0], &length);
  if (path == NULL) return JS_EXCEPTION;
  const JSValue result = chdir(path) == 0 ? JS_UNDEFINED : throw_system_error(context, errno, "chdir", path);
  JS_FreeCString(context, path);
  return result;
}

/* These five return the IDs of this process and its parent process, and of the user and the group of this process. */
JAVASCRIPT_FUNCTION(own_id) { return JS_NewInt32(context, getpid()); }
JAVASCRIPT_FUNCTION(parent_id) { return JS_NewInt32(context, getppid()); }
JAVASCRIPT_FUNCTION(user_id) { return JS_NewUint32(context, getuid()); }
JAVASCRIPT_FUNCTION(effective_user_id) { return JS_NewUint32(context, geteuid()); }
JAVASCRIPT_FUNCTION(group_id) { return JS_NewUint32(context, getgid()); }

/* (umask): sets the umask. Returns the former one. */
JAVASCRIPT_FUNCTION(set_umask) {
  const mode_t former = umask((mode_t)integer_of(context, arguments[0]));
  return JS_NewUint32(context, former);
}

/* (PID, signal): sends a signal. With 0 it sends none, and throws if the process does not exist. */
JAVASCRIPT_FUNCTION(send_signal) {
  const pid_t process = (pid_t)integer_of(context, arguments[0]);
  const int number = integer_of(context, arguments[1]);
  /*
   * A signal that this process sends to itself must act before this function returns, even if the caller of sophia-run or
   * block_own_writes (native/system.c) has blocked it. Otherwise the kernel would deliver it to another thread, and this
   * thread might exit before that.
   */
  const bool is_to_self = process == getpid() && number > 0;
  const uint64_t former_mask = change_mask(SIG_UNBLOCK, is_to_self ? signal_bit(number) : 0);
  const int error = kill(process, number) == 0 ? 0 : errno;
  change_mask(SIG_SETMASK, former_mask);
  return error == 0 ? JS_UNDEFINED : throw_system_error(context, error, "kill", NULL);
}

/* (status): ends this process at once, without the functions that exit(3) calls */
JAVASCRIPT_FUNCTION(exit_now) {
  restore_terminal();
  _exit(integer_of(context, arguments[0]));
}

JAVASCRIPT_FUNCTION(abort_now) { abort(); }
/* (descriptor): returns true for a terminal */
JAVASCRIPT_FUNCTION(is_terminal) { return JS_NewBool(context, isatty(integer_of(context, arguments[0])) == 1); }

/* (descriptor): returns the columns and rows of a terminal; undefined for anything else. */
JAVASCRIPT_FUNCTION(size_of_terminal) {
  struct winsize size;
  if (ioctl(integer_of(context, arguments[0]), TIOCGWINSZ, &size) != 0) return JS_UNDEFINED;
  const JSValue list = JS_NewArray(context);
  JS_SetPropertyUint32(context, list, 0, JS_NewInt32(context, size.ws_col));
  JS_SetPropertyUint32(context, list, 1, JS_NewInt32(context, size.ws_row));
  return list;
}

/* Returns a list of the name, the home folder and the shell of the effective user; undefined if /etc/passwd has no entry. */
JAVASCRIPT_FUNCTION(user) {
  struct passwd memory, *entry = NULL;
  char strings[16 * 1024];
  if (getpwuid_r(geteuid(), &memory, strings, sizeof strings, &entry) != 0 || entry == NULL) return JS_UNDEFINED;
  const char *const texts[] = {entry->pw_name, entry->pw_dir, entry->pw_shell};
  const JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(texts); ++i) {
    const char *const text = texts[i] == NULL ? "" : texts[i];
    JS_SetPropertyUint32(context, list, i, text_from_system(context, text, strlen(text)));
  }
  return list;
}

void add_process(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("environment", 0, environment),
    JS_CFUNC_DEF("workingDirectory", 0, working_directory),
    JS_CFUNC_DEF("changeFolder", 1, change_folder),
    JS_CFUNC_DEF("ownId", 0, own_id),
    JS_CFUNC_DEF("parentId", 0, parent_id),
    JS_CFUNC_DEF("userId", 0, user_id),
    JS_CFUNC_DEF("effectiveUserId", 0, effective_user_id),
    JS_CFUNC_DEF("groupId", 0, group_id),
    JS_CFUNC_DEF("setUmask", 1, set_umask),
    JS_CFUNC_DEF("sendSignal", 2, send_signal),
    JS_CFUNC_DEF("exit", 1, exit_now),
    JS_CFUNC_DEF("abort", 0, abort_now),
    JS_CFUNC_DEF("isTerminal", 1, is_terminal),
    JS_CFUNC_DEF("sizeOfTerminal", 1, size_of_terminal),
    JS_CFUNC_DEF("user", 0, user),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
