/* Reports events of descriptors to the event loop. A thread waits by epoll(7), which neither Node.js nor Bun offers. */
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watching {
  napi_threadsafe_function tell;
  int epoll;
};

static void *wait_for_events(void *argument) {
  const struct watching it = *(struct watching *)argument;
  struct epoll_event events[8];
  free(argument);
  for (;;) {
    const int count = epoll_wait(it.epoll, events, COUNT(events), -1);
    if (count < 0 && errno != EINTR) return NULL;
    for (int i = 0; i < count; ++i) {
      void *const descriptor = (void *)(intptr_t)events[i].data.fd;
      if (napi_call_threadsafe_function(it.tell, descriptor, napi_tsfn_blocking) != napi_ok) return NULL;
    }
  }
}

static void pass_on(napi_env env, napi_value callback, void *context, void *descriptor) {
  napi_value receiver, argument;
  if (env == NULL || napi_get_undefined(env, &receiver) != napi_ok) return;
  if (napi_create_int32(env, (int)(intptr_t)descriptor, &argument) != napi_ok) return;
  napi_call_function(env, receiver, callback, 1, &argument, NULL);
}

/* Returns the descriptor of the epoll, or a negative error number. */
static int start_thread(napi_env env, napi_value callback) {
  napi_value name;
  pthread_t thread;
  struct watching *const it = malloc(sizeof *it);
  if (it == NULL) return -ENOMEM;
  const int epoll = it->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    const int error = errno;
    free(it);
    return -error;
  }
  int error = ENOMEM;
  napi_create_string_utf8(env, "descriptors", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, pass_on, &it->tell) == napi_ok) {
    sigset_t all, former;
    sigfillset(&all);
    /* The thread inherits this mask: signals are for the threads of the runtime. */
    sigprocmask(SIG_SETMASK, &all, &former);
    error = pthread_create(&thread, NULL, wait_for_events, it);
    sigprocmask(SIG_SETMASK, &former, NULL);
    if (error == 0) return epoll;
    napi_release_threadsafe_function(it->tell, napi_tsfn_abort);
  }
  close(epoll);
  free(it);
  return -error;
}

/* A descriptor that cannot be waited for, such as that of a regular file, never has an event. */
static napi_value watch(napi_env env, const struct argument *args) {
  const int epoll = args[0].number, descriptor = args[1].number, what = args[2].number;
  struct epoll_event event = {.events = EPOLLONESHOT | (what == UNTIL_READABLE ? EPOLLIN : 0), .data.fd = descriptor};
  if (what == FORGET) epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
  else if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0) epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
  return NULL;
}
