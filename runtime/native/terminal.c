/*
 * Terminals for node:tty (runtime/modules/tty.ts). While one is in raw mode, its settings are restored at any end of this
 * process: at its exit, and by the signals that a user or a terminal sends, if they would end it.
 */
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const int ENDING[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/* The terminal in raw mode; -1: none. */
static volatile sig_atomic_t raw = -1;
static struct termios before;

void restore_terminal(void) {
  if (raw < 0) return;
  /* A process in the background would be stopped. */
  const uint64_t former = change_mask(SIG_BLOCK, signal_bit(SIGTTOU));
  tcsetattr(raw, TCSANOW, &before);
  change_mask(SIG_SETMASK, former);
  raw = -1;
}

static void restore_and_end(int number) {
  restore_terminal();
  signal(number, SIG_DFL);
  raise(number);
}

static void replace_handler(int number, void (*from)(int), void (*to)(int)) {
  struct sigaction action;
  if (sigaction(number, NULL, &action) != 0 || action.sa_handler != from) return;
  action = (struct sigaction){.sa_handler = to};
  sigaction(number, &action, NULL);
}

/* (terminal, is raw): returns the number of an error, or 0. Raw mode is that of libuv: output keeps its line ends. */
FUNCTION(set_raw_mode) {
  const int terminal = integer_of(context, arguments[0]);
  const bool is_raw = JS_ToBool(context, arguments[1]);
  if (!is_raw) {
    if (raw != terminal) return JS_NewInt32(context, 0);
    restore_terminal();
    for (size_t i = 0; i < COUNT(ENDING); ++i) replace_handler(ENDING[i], restore_and_end, SIG_DFL);
    return JS_NewInt32(context, 0);
  }
  if (raw >= 0) return JS_NewInt32(context, raw == terminal ? 0 : EBUSY);
  if (tcgetattr(terminal, &before) != 0) return JS_NewInt32(context, errno);
  struct termios settings = before;
  settings.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  settings.c_oflag |= ONLCR;
  settings.c_cflag |= CS8;
  settings.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  raw = terminal;
  for (size_t i = 0; i < COUNT(ENDING); ++i) replace_handler(ENDING[i], SIG_DFL, restore_and_end);
  if (tcsetattr(terminal, TCSADRAIN, &settings) == 0) return JS_NewInt32(context, 0);
  const int error = errno;
  restore_terminal();
  return JS_NewInt32(context, error);
}

void add_terminal(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("setRawMode", 2, set_raw_mode),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
