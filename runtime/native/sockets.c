/*
 * Sockets for node:net (runtime/modules/net/): TCP over IPv4 and IPv6, and local sockets. All of them are non-blocking. A
 * function that may fail in ordinary use returns the negative number of the error instead of throwing it. In arguments and
 * results a family is 4, 6, or 0 for a local socket.
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

/* The limit on the chunks that one call writes. */
enum { MAX_CHUNKS = 64 };

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
  struct sockaddr_storage all;
};

/* Returns the result of a system call; the negative number of the error for -1. */
static JSValue result_of(JSContext *context, int result) {
  return JS_NewInt32(context, result == -1 ? -errno : result);
}

/*
 * Parses an address, such as "127.0.0.1", "fe80::1%eth0", or the path of a local socket. Returns its size; 0 if it is not
 * valid for the family.
 */
static socklen_t parse_address(union address *address, int family, const char *text, size_t length, int port) {
  memset(address, 0, sizeof *address);
  if (family == 0) {
    /*
     * A text that begins with NUL is a name in the abstract namespace of Linux. It may contain NULs, and does not end with
     * one.
     */
    const bool is_abstract = length > 0 && text[0] == '\0';
    const size_t max_length = sizeof address->local.sun_path - (is_abstract ? 0 : 1);
    if (length == 0 || length > max_length || (!is_abstract && strlen(text) != length)) return 0;
    address->local.sun_family = AF_UNIX;
    memcpy(address->local.sun_path, text, length);
    const size_t size = offsetof(struct sockaddr_un, sun_path) + length;
    return (socklen_t)(is_abstract ? size : size + 1);
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

/* (family): returns the descriptor of a new socket */
FUNCTION(open_socket) {
  const int family = integer_of(context, arguments[0]);
  const int domain = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNIX;
  return result_of(context, socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/* Calls connect(2) or bind(2) for the arguments (descriptor, family, address, port). */
static JSValue with_address(JSContext *context, JSValueConst *arguments,
                            int (*apply)(int, const struct sockaddr *, socklen_t)) {
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[2]);
  if (text == NULL) return JS_EXCEPTION;
  union address address;
  const socklen_t size =
    parse_address(&address, integer_of(context, arguments[1]), text, length, integer_of(context, arguments[3]));
  JS_FreeCString(context, text);
  if (size == 0) return JS_NewInt32(context, -EINVAL);
  int result;
  do result = apply(integer_of(context, arguments[0]), &address.any, size);
  while (result == -1 && errno == EINTR);
  return result_of(context, result);
}

/*
 * (descriptor, family, address, port): returns -EINPROGRESS if the connection is not yet made; error_of_socket has the
 * result later.
 */
FUNCTION(connect_socket) {
  return with_address(context, arguments, connect);
}

/* (descriptor, family, address, port): binds a socket to an address of this machine */
FUNCTION(bind_socket) {
  const int on = 1, descriptor = integer_of(context, arguments[0]), family = integer_of(context, arguments[1]);
  if (family != 0) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return with_address(context, arguments, bind);
}

/* (descriptor, maximum number of connections that wait): makes a socket accept connections */
FUNCTION(listen_socket) {
  return result_of(context, listen(integer_of(context, arguments[0]), integer_of(context, arguments[1])));
}

static int accept_from(int descriptor) {
  int result;
  do result = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (result == -1 && errno == EINTR);
  return result;
}

/*
 * (descriptor): returns the descriptor of the next connection, or -EAGAIN if there is none.
 *
 * `reserve` is a descriptor that is closed to get a free one. If the limit on descriptors is reached, a connection could
 * not be accepted: its client would wait, and the event loop would spin, since the socket stays readable. With the reserve
 * the connection is accepted and closed at once, as libuv does.
 */
FUNCTION(accept_socket) {
  static int reserve = -1;
  const int descriptor = integer_of(context, arguments[0]);
  if (reserve == -1) reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int result = accept_from(descriptor);
  while (result == -1 && (errno == EMFILE || errno == ENFILE) && reserve != -1) {
    close(reserve);
    result = accept_from(descriptor);
    if (result != -1) close(result);
    reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    result = accept_from(descriptor);
  }
  return result_of(context, result);
}

/* (descriptor): returns 0 if the connection is made, or the negative number of the error */
FUNCTION(error_of_socket) {
  int error = 0;
  socklen_t size = sizeof error;
  const int result = getsockopt(integer_of(context, arguments[0]), SOL_SOCKET, SO_ERROR, &error, &size);
  return result == -1 ? result_of(context, -1) : JS_NewInt32(context, -error);
}

/* (descriptor): returns a Buffer with the bytes that are there; 0 at the end */
FUNCTION(read_socket) {
  ssize_t size;
  do size = read(integer_of(context, arguments[0]), read_buffer, sizeof read_buffer);
  while (size == -1 && errno == EINTR);
  if (size <= 0) return result_of(context, (int)size);
  const JSValue result = new_buffer(context, read_buffer, (size_t)size);
  erase(read_buffer, (size_t)size);
  return result;
}

/* (descriptor): returns true if a read would return at once: with bytes, the end or an error */
FUNCTION(has_input) {
  struct pollfd socket = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  return JS_NewBool(context, poll(&socket, 1, 0) > 0);
}

/*
 * (descriptor, list of chunks, number of bytes of the first chunk to skip): writes as much as possible without waiting.
 * Returns the number of bytes that were written. The descriptor may also be a pipe or a file.
 */
FUNCTION(write_socket) {
  struct iovec chunks[MAX_CHUNKS];
  size_t skipped = (size_t)long_of(context, arguments[2]);
  int chunk_count = 0;
  for (; chunk_count < MAX_CHUNKS; ++chunk_count) {
    const JSValue chunk = JS_GetPropertyUint32(context, arguments[1], (uint32_t)chunk_count);
    size_t length = 0;
    uint8_t *const bytes = bytes_of(context, chunk, &length);
    /* The list keeps the chunk alive. */
    JS_FreeValue(context, chunk);
    if (bytes == NULL) break;
    if (skipped > length) return JS_ThrowRangeError(context, "a part outside of the bytes");
    chunks[chunk_count] = (struct iovec){bytes + skipped, length - skipped};
    skipped = 0;
  }
  const int descriptor = integer_of(context, arguments[0]);
  const struct msghdr message = {.msg_iov = chunks, .msg_iovlen = chunk_count};
  ssize_t written;
  do {
    written = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (written == -1 && errno == ENOTSOCK) written = writev(descriptor, chunks, chunk_count);
  } while (written == -1 && errno == EINTR);
  return written == -1 ? result_of(context, -1) : JS_NewInt64(context, written);
}

/* (descriptor): ends the writing; the peer reads the end */
FUNCTION(shut_down_socket) {
  return result_of(context, shutdown(integer_of(context, arguments[0]), SHUT_WR));
}

/* (descriptor, on): sends small parts at once if on, without waiting for more (TCP_NODELAY) */
FUNCTION(set_no_delay) {
  const int on = JS_ToBool(context, arguments[1]);
  return result_of(context,
                   setsockopt(integer_of(context, arguments[0]), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

/* (descriptor, on, seconds until the first probe): sets keep-alive, with the interval and the number of probes of libuv */
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

/*
 * Returns the list of address, family and port that getsockname(2) or getpeername(2) stores; undefined for a local socket
 * or an error.
 */
static JSValue name_of(JSContext *context, JSValueConst descriptor, int (*read_name)(int, struct sockaddr *, socklen_t *)) {
  union address address;
  socklen_t size = sizeof address;
  if (read_name(integer_of(context, descriptor), &address.any, &size) == -1) return JS_UNDEFINED;
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
  const in_port_t port = family == AF_INET ? address.v4.sin_port : address.v6.sin6_port;
  JS_SetPropertyUint32(context, result, 2, JS_NewInt32(context, ntohs(port)));
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
