/*
 * The raw mode of a terminal, for node:tty (runtime/modules/tty.ts): each key reaches this process at once, and is not echoed.
 *
 * The former settings of the terminal are restored when this process ends: at its exit (restore_terminal), or by a handler when
 * it gets a signal that ends it.
 */
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The signals by which a user or a terminal ends a process. */
static const int ENDING_SIGNALS[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/* The descriptor of the terminal that is in raw mode; -1: there is none. A signal handler reads and sets it, too. */
static volatile sig_atomic_t raw_terminal = -1;
/* The settings of that terminal before raw mode. begin_raw_mode sets them before raw_terminal. */
static struct termios former_settings;

void restore_terminal(void) {
  if (raw_terminal < 0) return;
  /* If this process is in the background, the kernel sends it SIGTTOU now, which would stop it. */
  const uint64_t former_mask = change_mask(SIG_BLOCK, signal_bit(SIGTTOU));
  tcsetattr(raw_terminal, TCSANOW, &former_settings);
  change_mask(SIG_SETMASK, former_mask);
  raw_terminal = -1;
}

/* Handles an ending signal: restores the terminal, and lets the signal act. */
static void restore_and_end(int number) {
  restore_terminal();
  signal(number, SIG_DFL);
  raise(number);
}

/* Replaces the handler `expected` of a signal. Does nothing if the signal has another handler, such as one of JavaScript. */
static void replace_handler(int number, void (*expected)(int), void (*replacement)(int)) {
  struct sigaction action;
  if (sigaction(number, NULL, &action) != 0 || action.sa_handler != expected) return;
  action = (struct sigaction){.sa_handler = replacement};
  sigaction(number, &action, NULL);
}

/* Ends raw mode, if this terminal is in it. */
static void end_raw_mode(int terminal) {
  if (raw_terminal != terminal) return;
  restore_terminal();
  for (size_t i = 0; i < COUNT(ENDING_SIGNALS); ++i) replace_handler(ENDING_SIGNALS[i], restore_and_end, SIG_DFL);
}

/* Begins raw mode. Returns 0, or the number of an error: EBUSY if another terminal is in raw mode. */
static int begin_raw_mode(int terminal) {
  if (raw_terminal >= 0) return raw_terminal == terminal ? 0 : EBUSY;
  if (tcgetattr(terminal, &former_settings) != 0) return errno;
  struct termios settings = former_settings;
  settings.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  /* As in libuv, output still gets a CR before each LF. */
  settings.c_oflag |= ONLCR;
  settings.c_cflag |= CS8;
  settings.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  /* The handlers must be set before the settings, so that no signal can end this process in between. */
  raw_terminal = terminal;
  for (size_t i = 0; i < COUNT(ENDING_SIGNALS); ++i) replace_handler(ENDING_SIGNALS[i], SIG_DFL, restore_and_end);
  if (tcsetattr(terminal, TCSADRAIN, &settings) == 0) return 0;
  const int error = errno;
  restore_terminal();
  return error;
}

/* (terminal, true or false): begins or ends raw mode. Returns 0, or the number of an error. */
JAVASCRIPT_FUNCTION(set_raw_mode) {
  const int terminal = integer_of(context, arguments[0]);
  const bool is_raw = JS_ToBool(context, arguments[1]);
  if (is_raw) return JS_NewInt32(context, begin_raw_mode(terminal));
  end_raw_mode(terminal);
  return JS_NewInt32(context, 0);
}

void add_terminal(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("setRawMode", 2, set_raw_mode),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
