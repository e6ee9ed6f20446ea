/*
 * Sockets for node:net (runtime/modules/net/). All of them are non-blocking. A function that may fail in ordinary use
 * returns the negative number of the error.
 */
#include "runtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_PARTS = 64 };

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
  struct sockaddr_storage all;
};

static JSValue result_of(JSContext *context, int result) {
  return JS_NewInt32(context, result == -1 ? -errno : result);
}

/* Reads an address with a port: family 4 or 6, or 0 for the path of a local socket. Returns its size, or 0 if it is none. */
static socklen_t read_address(union address *address, int family, const char *text, size_t length, int port) {
  memset(address, 0, sizeof *address);
  if (family == 0) {
    /* A path that begins with NUL is a name in Linux's abstract space, and need not end with one. */
    const size_t most = sizeof address->local.sun_path - (length > 0 && text[0] == '\0' ? 0 : 1);
    if (length == 0 || length > most || (text[0] != '\0' && strlen(text) != length)) return 0;
    address->local.sun_family = AF_UNIX;
    memcpy(address->local.sun_path, text, length);
    const size_t size = offsetof(struct sockaddr_un, sun_path) + length;
    return (socklen_t)(text[0] == '\0' ? size : size + 1);
  }
  if (strlen(text) != length) return 0;
  if (family == 4) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1 ? sizeof address->v4 : 0;
  }
  char host[INET6_ADDRSTRLEN];
  const char *const zone = strchr(text, '%');
  const size_t size = zone == NULL ? length : (size_t)(zone - text);
  if (size >= sizeof host) return 0;
  memcpy(host, text, size);
  host[size] = '\0';
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons((uint16_t)port);
  if (zone != NULL) address->v6.sin6_scope_id = if_nametoindex(zone + 1);
  return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1 ? sizeof address->v6 : 0;
}

/* (family): a descriptor */
FUNCTION(open_socket) {
  const int family = integer_of(context, arguments[0]);
  const int domain = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNIX;
  return result_of(context, socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/* Calls `apply` with (descriptor, family, address, port). */
static JSValue with_address(JSContext *context, JSValueConst *arguments,
                            int (*apply)(int, const struct sockaddr *, socklen_t)) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[2]);
  if (text == NULL) return JS_EXCEPTION;
  union address address;
  const socklen_t size =
    read_address(&address, integer_of(context, arguments[1]), text, length, integer_of(context, arguments[3]));
  JS_FreeCString(context, text);
  if (size == 0) return JS_NewInt32(context, -EINVAL);
  int result;
  do result = apply(integer_of(context, arguments[0]), &address.any, size);
  while (result == -1 && errno == EINTR);
  return result_of(context, result);
}

/* Returns -EINPROGRESS for a connection that is being made. */
FUNCTION(connect_socket) {
  return with_address(context, arguments, connect);
}

FUNCTION(bind_socket) {
  const int on = 1, descriptor = integer_of(context, arguments[0]), family = integer_of(context, arguments[1]);
  if (family != 0) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return with_address(context, arguments, bind);
}

FUNCTION(listen_socket) {
  return result_of(context, listen(integer_of(context, arguments[0]), integer_of(context, arguments[1])));
}

static int accept_from(int descriptor) {
  int result;
  do result = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (result == -1 && errno == EINTR);
  return result;
}

FUNCTION(accept_socket) {
  static int reserve = -1;
  const int descriptor = integer_of(context, arguments[0]);
  if (reserve == -1) reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int result = accept_from(descriptor);
  /* Without a free descriptor a client would wait, and the loop would spin: it is closed, as libuv does. */
  while (result == -1 && (errno == EMFILE || errno == ENFILE) && reserve != -1) {
    close(reserve);
    result = accept_from(descriptor);
    if (result != -1) close(result);
    reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    result = accept_from(descriptor);
  }
  return result_of(context, result);
}

/* The error of a connection that was being made. */
FUNCTION(error_of_socket) {
  int error = 0;
  socklen_t size = sizeof error;
  const int result = getsockopt(integer_of(context, arguments[0]), SOL_SOCKET, SO_ERROR, &error, &size);
  return result == -1 ? result_of(context, -1) : JS_NewInt32(context, -error);
}

/* Returns a Buffer, 0 at the end. */
FUNCTION(read_socket) {
  ssize_t got;
  do got = read(integer_of(context, arguments[0]), read_bytes, sizeof read_bytes);
  while (got == -1 && errno == EINTR);
  if (got <= 0) return result_of(context, (int)got);
  const JSValue result = new_buffer(context, read_bytes, (size_t)got);
  erase(read_bytes, (size_t)got);
  return result;
}

/* Returns true if there are bytes to read, an end or an error. */
FUNCTION(has_input) {
  struct pollfd one = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  return JS_NewBool(context, poll(&one, 1, 0) > 0);
}

/* (descriptor, list of bytes, bytes of the first one to skip): the number of bytes that were written */
FUNCTION(write_socket) {
  struct iovec parts[MOST_PARTS];
  size_t skipped = (size_t)long_of(context, arguments[2]);
  int number = 0;
  for (; number < MOST_PARTS; ++number) {
    const JSValue part = JS_GetPropertyUint32(context, arguments[1], (uint32_t)number);
    size_t length = 0;
    uint8_t *const bytes = bytes_of(context, part, &length);
    /* The list still holds it. */
    JS_FreeValue(context, part);
    if (bytes == NULL) break;
    if (skipped > length) return JS_ThrowRangeError(context, "a part outside of the bytes");
    parts[number] = (struct iovec){bytes + skipped, length - skipped};
    skipped = 0;
  }
  const int descriptor = integer_of(context, arguments[0]);
  const struct msghdr message = {.msg_iov = parts, .msg_iovlen = number};
  ssize_t put;
  do {
    put = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (put == -1 && errno == ENOTSOCK) put = writev(descriptor, parts, number);
  } while (put == -1 && errno == EINTR);
  return put == -1 ? result_of(context, -1) : JS_NewInt64(context, put);
}

FUNCTION(shut_down_socket) {
  return result_of(context, shutdown(integer_of(context, arguments[0]), SHUT_WR));
}

FUNCTION(set_no_delay) {
  const int on = JS_ToBool(context, arguments[1]);
  return result_of(context,
                   setsockopt(integer_of(context, arguments[0]), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

/* (descriptor, on, seconds until the first probe), with the intervals of libuv */
FUNCTION(set_keep_alive) {
  const int descriptor = integer_of(context, arguments[0]), on = JS_ToBool(context, arguments[1]);
  const int delay = integer_of(context, arguments[2]), interval = 1, probes = 10;
  int result = setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (result == 0 && on && delay > 0) {
    result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &delay, sizeof delay);
    if (result == 0) result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    if (result == 0) result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  }
  return result_of(context, result);
}

/* Returns the address, the family and the port; undefined for a local socket or an error. */
static JSValue name_of(JSContext *context, JSValueConst descriptor, int (*ask)(int, struct sockaddr *, socklen_t *)) {
  union address address;
  socklen_t size = sizeof address;
  if (ask(integer_of(context, descriptor), &address.any, &size) == -1) return JS_UNDEFINED;
  const int family = address.any.sa_family;
  if (family != AF_INET && family != AF_INET6) return JS_UNDEFINED;
  char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
  const void *const bytes = family == AF_INET ? (void *)&address.v4.sin_addr : (void *)&address.v6.sin6_addr;
  if (inet_ntop(family, bytes, text, INET6_ADDRSTRLEN) == NULL) return JS_UNDEFINED;
  char zone[IF_NAMESIZE];
  if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.v6.sin6_addr) &&
      if_indextoname(address.v6.sin6_scope_id, zone) != NULL) {
    strcat(strcat(text, "%"), zone);
  }
  const JSValue result = JS_NewArray(context);
  JS_SetPropertyUint32(context, result, 0, JS_NewString(context, text));
  JS_SetPropertyUint32(context, result, 1, JS_NewInt32(context, family == AF_INET ? 4 : 6));
  JS_SetPropertyUint32(context, result, 2,
                       JS_NewInt32(context, ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port)));
  return result;
}

FUNCTION(name_of_socket) {
  return name_of(context, arguments[0], getsockname);
}

FUNCTION(name_of_peer) {
  return name_of(context, arguments[0], getpeername);
}

void add_sockets(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("openSocket", 1, open_socket),
    JS_CFUNC_DEF("connectSocket", 4, connect_socket),
    JS_CFUNC_DEF("bindSocket", 4, bind_socket),
    JS_CFUNC_DEF("listenSocket", 2, listen_socket),
    JS_CFUNC_DEF("acceptSocket", 1, accept_socket),
    JS_CFUNC_DEF("errorOfSocket", 1, error_of_socket),
    JS_CFUNC_DEF("readSocket", 1, read_socket),
    JS_CFUNC_DEF("hasInput", 1, has_input),
    JS_CFUNC_DEF("writeSocket", 3, write_socket),
    JS_CFUNC_DEF("shutDownSocket", 1, shut_down_socket),
    JS_CFUNC_DEF("setNoDelay", 2, set_no_delay),
    JS_CFUNC_DEF("setKeepAlive", 3, set_keep_alive),
    JS_CFUNC_DEF("nameOfSocket", 1, name_of_socket),
    JS_CFUNC_DEF("nameOfPeer", 1, name_of_peer),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
