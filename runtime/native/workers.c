/* Work in other threads: writes that may block, names of hosts, keys that take long to derive. Each piece has a thread of its own. */
#include "runtime.h"
#include "../../native/signal-mask.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct work *finished;
static int under_way;
/* A pipe, which the event loop needs for signals, too: filters of system calls may refuse an eventfd. */
static int wake_up[2] = {-1, -1};

static void *run(void *of) {
  struct work *const work = of;
  work->run(work);
  pthread_mutex_lock(&lock);
  work->next = finished;
  finished = work;
  pthread_mutex_unlock(&lock);
  /* A full pipe wakes the main thread, too. */
  (void)!write(wake_up[1], "", 1);
  return NULL;
}

/* Starts a thread. The kernel's signals for its writes reach it: a blocked SIGPIPE would be lost, a blocked SIGTTOU not stop. */
static bool start_thread(void *(*body)(void *), void *of) {
  static const int OF_WRITES[] = {SIGPIPE, SIGXFSZ, SIGTTOU};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  uint64_t blocked = ALL_SIGNALS;
  for (size_t i = 0; i < COUNT(OF_WRITES); ++i) blocked &= ~signal_bit(OF_WRITES[i]);
  const uint64_t former = change_mask(SIG_SETMASK, blocked);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, body, of) == 0;
  change_mask(SIG_SETMASK, former);
  pthread_attr_destroy(&attributes);
  return started;
}

bool start_work(JSContext *context, struct work *work, JSValueConst callback) {
  if (wake_up[0] == -1 && pipe2(wake_up, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  work->callback = JS_DupValue(context, callback);
  const bool started = start_thread(run, work);
  if (started) ++under_way;
  else JS_FreeValue(context, work->callback);
  return started;
}

static void *pause_forever(void *unused) {
  for (;;) pause();
}

/* Lets SIGPIPE and SIGXFSZ of other processes arrive, in a thread of their own, while the main thread blocks those of its writes. */
FUNCTION(take_signals_of_writes) {
  static bool has_thread;
  has_thread = has_thread || start_thread(pause_forever, NULL);
  return JS_UNDEFINED;
}

/* The descriptor that is readable when work has finished; -1 while there is none under way. */
FUNCTION(descriptor_of_workers) {
  return JS_NewInt32(context, under_way > 0 ? wake_up[0] : -1);
}

/* Returns callbacks and their results in turns. */
FUNCTION(finished_work) {
  char unused[64];
  (void)!read(wake_up[0], unused, sizeof unused);
  pthread_mutex_lock(&lock);
  struct work *next = finished;
  finished = NULL;
  pthread_mutex_unlock(&lock);
  const JSValue list = JS_NewArray(context);
  uint32_t number = 0;
  while (next != NULL) {
    struct work *const work = next;
    next = work->next;
    --under_way;
    JS_SetPropertyUint32(context, list, number++, work->callback);
    JS_SetPropertyUint32(context, list, number++, work->result(context, work));
  }
  return list;
}

struct write {
  struct work work;
  int descriptor;
  ssize_t result;
  size_t length;
  uint8_t bytes[];
};

static void run_write(struct work *work) {
  struct write *const this = (struct write *)work;
  do this->result = write(this->descriptor, this->bytes, this->length);
  while (this->result < 0 && errno == EINTR);
  if (this->result < 0) this->result = -errno;
}

static JSValue result_of_write(JSContext *context, struct work *work) {
  struct write *const this = (struct write *)work;
  const JSValue result = JS_NewInt64(context, this->result);
  explicit_bzero(this->bytes, this->length);
  free(this);
  return result;
}

/* (descriptor, bytes, callback): calls back with the number of bytes, or the negative number of an error */
FUNCTION(write_in_thread) {
  size_t length = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &length);
  struct write *const this = malloc(sizeof *this + length);
  if (bytes == NULL || this == NULL) {
    free(this);
    return JS_ThrowTypeError(context, "no bytes to write");
  }
  *this = (struct write){
    .work = {.run = run_write, .result = result_of_write},
    .descriptor = integer_of(context, arguments[0]),
    .length = length,
  };
  memcpy(this->bytes, bytes, length);
  if (start_work(context, &this->work, arguments[2])) return JS_UNDEFINED;
  free(this);
  return throw_system_error(context, EAGAIN, "write", NULL);
}

void add_workers(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("descriptorOfWorkers", 0, descriptor_of_workers),
    JS_CFUNC_DEF("finishedWork", 0, finished_work),
    JS_CFUNC_DEF("takeSignalsOfWrites", 0, take_signals_of_writes),
    JS_CFUNC_DEF("writeInThread", 3, write_in_thread),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
