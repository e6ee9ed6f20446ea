/*
 * The raw mode of a terminal, for node:tty (runtime/modules/tty.ts). The settings are restored whenever this process ends:
 * at its exit (restore_terminal), and by handlers of the signals that a user or a terminal sends, if they would end the
 * process.
 */
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const int ENDING_SIGNALS[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/* The descriptor of the terminal that is in raw mode; -1: there is none. */
static volatile sig_atomic_t raw_terminal = -1;
/* The settings of that terminal before it was in raw mode. */
static struct termios former_settings;

void restore_terminal(void) {
  if (raw_terminal < 0) return;
  /* The kernel would stop a process in the background by this signal. */
  const uint64_t former = change_mask(SIG_BLOCK, signal_bit(SIGTTOU));
  tcsetattr(raw_terminal, TCSANOW, &former_settings);
  change_mask(SIG_SETMASK, former);
  raw_terminal = -1;
}

static void restore_and_end(int number) {
  restore_terminal();
  signal(number, SIG_DFL);
  raise(number);
}

/* Replaces a handler of a signal, unless the signal has another one. */
static void replace_handler(int number, void (*expected)(int), void (*replacement)(int)) {
  struct sigaction action;
  if (sigaction(number, NULL, &action) != 0 || action.sa_handler != expected) return;
  action = (struct sigaction){.sa_handler = replacement};
  sigaction(number, &action, NULL);
}

/*
 * (terminal, true or false): begins or ends raw mode. Returns 0, or the number of an error. It is the raw mode of libuv, in
 * which output still gets a CR before each LF.
 */
FUNCTION(set_raw_mode) {
  const int terminal = integer_of(context, arguments[0]);
  const bool is_raw = JS_ToBool(context, arguments[1]);
  if (!is_raw) {
    if (raw_terminal != terminal) return JS_NewInt32(context, 0);
    restore_terminal();
    for (size_t i = 0; i < COUNT(ENDING_SIGNALS); ++i) replace_handler(ENDING_SIGNALS[i], restore_and_end, SIG_DFL);
    return JS_NewInt32(context, 0);
  }
  if (raw_terminal >= 0) return JS_NewInt32(context, raw_terminal == terminal ? 0 : EBUSY);
  if (tcgetattr(terminal, &former_settings) != 0) return JS_NewInt32(context, errno);
  struct termios settings = former_settings;
  settings.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  settings.c_oflag |= ONLCR;
  settings.c_cflag |= CS8;
  settings.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  raw_terminal = terminal;
  for (size_t i = 0; i < COUNT(ENDING_SIGNALS); ++i) replace_handler(ENDING_SIGNALS[i], SIG_DFL, restore_and_end);
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
