/*
 * Sockets for node:net (runtime/modules/net/): TCP over IPv4 and IPv6, and Unix domain sockets ("local sockets" here). All of
 * them are non-blocking. runtime/modules/net/handle.ts and server.ts call these functions and own the descriptors, which they
 * close by `close` of files.c. descriptor-stream.ts calls shutDownSocket for descriptors that it owns.
 *
 * Errors are expected, such as ECONNREFUSED. So a function does not throw a system error, but returns its negative number,
 * as in -ECONNREFUSED. In arguments and results an address family is 4, 6, or 0 for a local socket.
 *
 * The arguments of a function are listed in parentheses in its comment, in the order of `arguments`.
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

/* The limit on the chunks that one call of write_socket writes. Its caller writes the rest by further calls. */
enum { MAX_CHUNKS = 64 };

/* An address of any family. `storage` is as large as the largest address. */
union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
  struct sockaddr_storage storage;
};

/*
 * Returns the result of a system call to JavaScript; for -1, the negative number of the error in errno. No other call may come
 * between, because it could change errno.
 */
static JSValue result_or_error(JSContext *context, int result) {
  return JS_NewInt32(context, result == -1 ? -errno : result);
}

/*
 * Parses the path of a local socket, which is followed by a NUL. The address must be zero. Returns the size of the address; 0
 * if the path is not valid: it is empty or too long, or contains a NUL.
 */
static socklen_t parse_local_address(union address *address, const char *path, size_t length) {
  /* Linux has an abstract namespace, whose names begin with a NUL. They may contain NULs, and do not end with one (unix(7)). */
  const bool is_abstract = length > 0 && path[0] == '\0';
  const size_t max_length = sizeof address->local.sun_path - (is_abstract ? 0 : 1);
  if (length == 0 || length > max_length || (!is_abstract && strlen(path) != length)) return 0;
  address->local.sun_family = AF_UNIX;
  memcpy(address->local.sun_path, path, length);
  const size_t size = offsetof(struct sockaddr_un, sun_path) + length;
  /* The address contains the NUL at the end of a path. */
  return (socklen_t)(is_abstract ? size : size + 1);
}

/*
 * Parses an address, such as "127.0.0.1", "fe80::1%eth0", or the path of a local socket, which is followed by a NUL. Returns
 * the size of the address; 0 if the text is not valid for the family. A local socket has no port.
 */
static socklen_t parse_address(union address *address, int family, const char *text, size_t length, int port) {
  memset(address, 0, sizeof *address);
  if (family == 0) return parse_local_address(address, text, length);
  const bool has_nul = strlen(text) != length;
  if (has_nul) return 0;
  if (family == 4) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1 ? sizeof address->v4 : 0;
  }
  /*
   * inet_pton(3) does not know zones, such as `%eth0`, so it gets only what precedes the zone. The zone is the name of a
   * network interface; an unknown name means the scope 0.
   */
  char host[INET6_ADDRSTRLEN];
  const char *const zone = strchr(text, '%');
  const size_t host_length = zone == NULL ? length : (size_t)(zone - text);
  if (host_length >= sizeof host) return 0;
  memcpy(host, text, host_length);
  host[host_length] = '\0';
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons((uint16_t)port);
  if (zone != NULL) address->v6.sin6_scope_id = if_nametoindex(zone + 1);
  return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1 ? sizeof address->v6 : 0;
}

/* (family): returns the descriptor of a new socket */
JAVASCRIPT_FUNCTION(open_socket) {
  const int family = integer_of(context, arguments[0]);
  const int domain = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNIX;
  return result_or_error(context, socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/*
 * Calls connect(2) or bind(2) with the arguments of connect_socket or bind_socket. Returns 0, or the negative number of an
 * error; -EINVAL if the address cannot be parsed.
 */
static JSValue call_with_address(JSContext *context, JSValueConst *arguments,
                                 int (*system_call)(int, const struct sockaddr *, socklen_t)) {
  enum { DESCRIPTOR, FAMILY, ADDRESS, PORT };
  size_t length = 0;
  const char *const text = JS_ToCStringLen(context, &length, arguments[ADDRESS]);
  if (text == NULL) return JS_EXCEPTION;
  union address address;
  const socklen_t size =
    parse_address(&address, integer_of(context, arguments[FAMILY]), text, length, integer_of(context, arguments[PORT]));
  JS_FreeCString(context, text);
  if (size == 0) return JS_NewInt32(context, -EINVAL);
  int result;
  do result = system_call(integer_of(context, arguments[DESCRIPTOR]), &address.any, size);
  while (result == -1 && errno == EINTR);
  return result_or_error(context, result);
}

/*
 * (descriptor, family, address, port): connects a socket. Usually returns -EINPROGRESS. Then the socket becomes writable when
 * the attempt is over, and error_of_socket returns its result.
 */
JAVASCRIPT_FUNCTION(connect_socket) {
  return call_with_address(context, arguments, connect);
}

/* (descriptor, family, address, port): binds a socket to an address of this machine */
JAVASCRIPT_FUNCTION(bind_socket) {
  const int enabled = 1, descriptor = integer_of(context, arguments[0]), family = integer_of(context, arguments[1]);
  /* As in libuv, a port can be used again while connections of an earlier server are in the state TIME_WAIT. */
  if (family != 0) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &enabled, sizeof enabled);
  return call_with_address(context, arguments, bind);
}

/* (descriptor, backlog): lets clients connect to a socket, of which `backlog` may wait to be accepted */
JAVASCRIPT_FUNCTION(listen_socket) {
  return result_or_error(context, listen(integer_of(context, arguments[0]), integer_of(context, arguments[1])));
}

/* Accepts the next connection. Returns its descriptor; -1 with errno if there is none, or after an error. */
static int accept_from(int descriptor) {
  int result;
  do result = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (result == -1 && errno == EINTR);
  return result;
}

/*
 * (descriptor): accepts the next connection. Returns its descriptor, or -EAGAIN if there is none.
 *
 * If the limit on descriptors is reached no connection can be accepted. Its client would wait, and the event loop would
 * not, since the listening socket stays readable. So `reserve`, a descriptor without other use, is closed then: the
 * connection gets its number and is closed at once, as in libuv.
 */
JAVASCRIPT_FUNCTION(accept_socket) {
  /* Opened at the first call, and open between calls from then on; -1 if the last attempt to open it has failed. */
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
  return result_or_error(context, result);
}

/* (descriptor): returns the result of connect_socket: 0 if the socket is connected, or the negative number of the error */
JAVASCRIPT_FUNCTION(error_of_socket) {
  int error = 0;
  socklen_t size = sizeof error;
  const int result = getsockopt(integer_of(context, arguments[0]), SOL_SOCKET, SO_ERROR, &error, &size);
  return result == -1 ? result_or_error(context, -1) : JS_NewInt32(context, -error);
}

/*
 * (descriptor): returns a Buffer with the bytes that have come; 0 if the peer has ended its writing; -EAGAIN if none have
 * come
 */
JAVASCRIPT_FUNCTION(read_socket) {
  ssize_t size;
  do size = read(integer_of(context, arguments[0]), read_buffer, sizeof read_buffer);
  while (size == -1 && errno == EINTR);
  if (size <= 0) return result_or_error(context, (int)size);
  const JSValue result = new_buffer(context, read_buffer, (size_t)size);
  erase(read_buffer, (size_t)size);
  return result;
}

/* (descriptor): returns true if read_socket would return something other than -EAGAIN */
JAVASCRIPT_FUNCTION(has_input) {
  struct pollfd socket = {.fd = integer_of(context, arguments[0]), .events = POLLIN};
  return JS_NewBool(context, poll(&socket, 1, 0) > 0);
}

/*
 * (descriptor, list of chunks, number of bytes of the first chunk to skip): writes as much as possible without waiting.
 * Returns the number of bytes that were written. The descriptor may also be a pipe or a file.
 */
JAVASCRIPT_FUNCTION(write_socket) {
  enum { DESCRIPTOR, CHUNKS, SKIPPED };
  struct iovec chunks[MAX_CHUNKS];
  /* This is 0 for all chunks but the first. */
  size_t skipped = (size_t)long_of(context, arguments[SKIPPED]);
  int chunk_count = 0;
  for (; chunk_count < MAX_CHUNKS; ++chunk_count) {
    const JSValue chunk = JS_GetPropertyUint32(context, arguments[CHUNKS], (uint32_t)chunk_count);
    size_t length = 0;
    uint8_t *const bytes = bytes_of(context, chunk, &length);
    /* The list keeps the chunk alive. */
    JS_FreeValue(context, chunk);
    /* Behind the last chunk the list has undefined, which is no Buffer. */
    if (bytes == NULL) break;
    if (skipped > length) return JS_ThrowRangeError(context, "more bytes to skip than the first chunk has");
    chunks[chunk_count] = (struct iovec){bytes + skipped, length - skipped};
    skipped = 0;
  }
  const int descriptor = integer_of(context, arguments[DESCRIPTOR]);
  const struct msghdr message = {.msg_iov = chunks, .msg_iovlen = chunk_count};
  ssize_t written;
  do {
    /* MSG_NOSIGNAL makes a closed connection the error EPIPE, without SIGPIPE. */
    written = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (written == -1 && errno == ENOTSOCK) written = writev(descriptor, chunks, chunk_count);
  } while (written == -1 && errno == EINTR);
  return written == -1 ? result_or_error(context, -1) : JS_NewInt64(context, written);
}

/* (descriptor): ends the writing, so that the peer reads the end of the stream */
JAVASCRIPT_FUNCTION(shut_down_socket) {
  return result_or_error(context, shutdown(integer_of(context, arguments[0]), SHUT_WR));
}

/* (descriptor, true or false): sends small parts at once, rather than waiting until they fill a packet (TCP_NODELAY) */
JAVASCRIPT_FUNCTION(set_no_delay) {
  const int is_enabled = JS_ToBool(context, arguments[1]), descriptor = integer_of(context, arguments[0]);
  return result_or_error(context, setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &is_enabled, sizeof is_enabled));
}

/*
 * (descriptor, true or false, seconds until the first probe): enables or disables keep-alive, by which the kernel notices
 * that the peer is gone. The interval and the number of probes are those of libuv.
 */
JAVASCRIPT_FUNCTION(set_keep_alive) {
  enum { DESCRIPTOR, IS_ENABLED, FIRST_PROBE_S };
  const int descriptor = integer_of(context, arguments[DESCRIPTOR]), is_enabled = JS_ToBool(context, arguments[IS_ENABLED]);
  const int first_probe_s = integer_of(context, arguments[FIRST_PROBE_S]), interval_s = 1, probe_count = 10;
  int result = setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &is_enabled, sizeof is_enabled);
  if (result == 0 && is_enabled && first_probe_s > 0) {
    result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &first_probe_s, sizeof first_probe_s);
    if (result == 0) result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    if (result == 0) result = setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probe_count, sizeof probe_count);
  }
  return result_or_error(context, result);
}

/*
 * Returns a list of the address, the family and the port that getsockname(2) or getpeername(2) reports; undefined for a
 * local socket or after an error.
 */
static JSValue list_address(JSContext *context, JSValueConst descriptor,
                            int (*read_address)(int, struct sockaddr *, socklen_t *)) {
  union address address;
  socklen_t size = sizeof address;
  if (read_address(integer_of(context, descriptor), &address.any, &size) == -1) return JS_UNDEFINED;
  const int family = address.any.sa_family;
  if (family != AF_INET && family != AF_INET6) return JS_UNDEFINED;
  /* This has room for the address, a percent sign and the zone, as in `fe80::1%eth0`. */
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

/* (descriptor): returns this end of a connection, as list_address does */
JAVASCRIPT_FUNCTION(name_of_socket) {
  return list_address(context, arguments[0], getsockname);
}

/* (descriptor): returns the peer's end of a connection, as list_address does */
JAVASCRIPT_FUNCTION(name_of_peer) {
  return list_address(context, arguments[0], getpeername);
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
