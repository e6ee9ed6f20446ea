/*
 * TLS clients for node:tls (runtime/modules/tls.ts), by the library AWS-LC.
 *
 * A session is the client's side of one TLS connection. It has no socket and never blocks: JavaScript passes the bytes on.
 * It gives to the session what it reads from the socket (putEncrypted). After each call of another function it takes from
 * the session what must be sent (takeEncrypted), and writes that to the socket.
 *
 * JavaScript calls shakeHands, as often as bytes come from the server, until shakeHands returns true. Then `outcomeOf`
 * returns whether the server's certificate was accepted. If it was, readDecrypted and writeDecrypted transfer the data of
 * the connection; in any other session they throw.
 *
 * Owners: a JavaScript object of the class SecureContext owns an SSL_CTX, which owns its struct trust. An object of the class
 * TlsSession owns a struct session, which owns its SSL and its certificate; the SSL holds a reference to the SSL_CTX. The
 * engine calls free_context and free_session when it frees these objects.
 *
 * runtime/modules/tls.ts calls newContext, and runtime/modules/tls/session.ts and identity.ts call the others. The comment of each
 * function lists its arguments in parentheses, in the order of `arguments`.
 */
#include "image.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/mem.h>

/* The default ciphers of Node.js: those with forward secrecy first, and none that is anonymous or broken. */
static const char CIPHERS[] = "ALL:!aNULL:!eNULL:!PSK:!3DES";
/* The accepted signature algorithms. The default of AWS-LC has SHA-1 and lacks Ed25519. */
static const uint16_t SIGNATURES[] = {
  SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,          SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
  SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PKCS1_SHA384,
  SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512, SSL_SIGN_RSA_PKCS1_SHA512,
};
/* The groups for the key exchange, in the order of preference. The default of AWS-LC lacks P-521. */
static const uint16_t GROUPS[] = {
  SSL_GROUP_X25519_MLKEM768, SSL_GROUP_SECP256R1_MLKEM768, SSL_GROUP_SECP384R1_MLKEM1024,
  SSL_GROUP_X25519,          SSL_GROUP_SECP256R1,          SSL_GROUP_SECP384R1, SSL_GROUP_SECP521R1,
};

/* One connection to a server. It is created before the handshake, and an object of the class TlsSession owns it. */
struct session {
  /* The connection in AWS-LC. */
  SSL *ssl;
  /* Encrypted bytes in memory: those that came from the server, and those that must be sent to it. `ssl` owns both. */
  BIO *incoming, *outgoing;
  /* The server's own certificate, of which this is a counted reference; NULL until verify_server is called. */
  X509 *certificate;
  /*
   * The result of the verification: X509_V_OK, or an error (verify_chain). X509_V_ERR_UNSPECIFIED until verify_server is
   * called.
   */
  int verification_error;
  /* The caller has named a host or address that the certificate must be for. */
  bool has_host;
  /* The certificate is for another host. */
  bool is_other_host;
  /* Accepts any server, even one whose certificate fails verification (`rejectUnauthorized: false`). */
  bool accepts_any_server;
  /* The server's certificate was not accepted, so verify_server has ended the handshake. */
  bool is_server_rejected;
  /* The handshake is over and the server was accepted: decrypted bytes may be read and written. */
  bool is_open;
};

/* The classes of the two kinds of objects. add_tls registers them. */
static JSClassID context_class IMAGED, session_class IMAGED;
/*
 * The indexes under which an SSL_CTX stores its struct trust, and an SSL its struct session (SSL_get_ex_new_index(3)).
 * new_context reserves them at its first call.
 */
static int trust_index = -1, session_index = -1;

static void free_context(JSRuntime *runtime, JSValueConst value) {
  (void)runtime;
  SSL_CTX_free(JS_GetOpaque(value, context_class));
}

static void free_session(JSRuntime *runtime, JSValueConst value) {
  (void)runtime;
  struct session *const session = JS_GetOpaque(value, session_class);
  if (session == NULL) return;
  SSL_free(session->ssl);
  X509_free(session->certificate);
  OPENSSL_free(session);
}

/* Frees the struct trust of an SSL_CTX. AWS-LC calls this function when it frees the SSL_CTX (CRYPTO_EX_free). */
static void free_trust_of_context(void *parent, void *trust, CRYPTO_EX_DATA *data, int index, long argument, void *pointer) {
  (void)parent, (void)data, (void)index, (void)argument, (void)pointer;
  free_trust(trust);
}

/*
 * Returns true if the server's certificate is valid and for the right host; false until verify_server is called. In a
 * resumed session AWS-LC would not call verify_server, so no session is ever resumed (SSL_SESS_CACHE_OFF).
 */
static bool is_server_verified(const struct session *session) {
  return session->verification_error == X509_V_OK && session->has_host && !session->is_other_host;
}

/*
 * Verifies the server's certificate chain. AWS-LC calls this function during the handshake. The result 0 ends the handshake
 * with a TLS alert; then JavaScript reports verification_error, under the name that it has in Node.js.
 */
static int verify_server(X509_STORE_CTX *chain, void *unused) {
  (void)unused;
  SSL *const ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
  SSL_CTX *const context = SSL_get_SSL_CTX(ssl);
  struct session *const session = SSL_get_ex_data(ssl, session_index);
  add_issuers(SSL_CTX_get_ex_data(context, trust_index), SSL_CTX_get_cert_store(context),
              X509_STORE_CTX_get0_cert(chain), X509_STORE_CTX_get0_untrusted(chain));
  X509_free(session->certificate);
  session->certificate = X509_STORE_CTX_get0_cert(chain);
  X509_up_ref(session->certificate);
  session->verification_error = verify_chain(chain, &session->is_other_host);
  session->is_server_rejected = !is_server_verified(session) && !session->accepts_any_server;
  const bool is_only_host_wrong = session->verification_error == X509_V_OK && session->is_server_rejected;
  /* AWS-LC chooses the alert by this error. */
  X509_STORE_CTX_set_error(chain, is_only_host_wrong ? X509_V_ERR_HOSTNAME_MISMATCH : session->verification_error);
  return !session->is_server_rejected;
}

/* Sets the protocol versions and algorithms of a context, and how it verifies servers. Returns false if that fails. */
static bool configure_context(SSL_CTX *tls_context) {
  SSL_CTX_set_verify(tls_context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(tls_context, verify_server, NULL);
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(tls_context, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(tls_context, CIPHERS) &&
         SSL_CTX_set1_group_ids(tls_context, GROUPS, COUNT(GROUPS)) &&
         SSL_CTX_set_verify_algorithm_prefs(tls_context, SIGNATURES, COUNT(SIGNATURES));
}

/* Adds the certificates of a list of PEM texts, each a string or bytes. Returns false if a text cannot be used. */
static bool trust_pem_list(JSContext *context, struct trust *trust, JSValueConst list) {
  int64_t text_count = 0;
  if (JS_GetLength(context, list, &text_count) != 0) return false;
  bool is_usable = true;
  for (int64_t i = 0; i < text_count && is_usable; ++i) {
    const JSValue pem = JS_GetPropertyInt64(context, list, i);
    size_t size = 0;
    const char *const string = JS_IsString(pem) ? utf8_of(context, pem, &size) : NULL;
    const uint8_t *const bytes = string != NULL ? (const uint8_t *)string : bytes_of(context, pem, &size);
    is_usable = bytes != NULL && trust_pem(trust, bytes, size);
    if (string != NULL) JS_FreeCString(context, string);
    JS_FreeValue(context, pem);
  }
  return is_usable;
}

/*
 * (true to trust Mozilla's roots, list of PEM texts): returns a context for new_session, whose sessions trust these
 * certificates. A PEM text is a string or bytes. Throws a TypeError if a text cannot be used.
 */
JAVASCRIPT_FUNCTION(new_context) {
  enum { TRUSTS_ROOTS, PEM_TEXTS };
  if (trust_index < 0) {
    trust_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_trust_of_context);
    session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  }
  struct trust *const trust = new_trust();
  SSL_CTX *const tls_context = SSL_CTX_new(TLS_client_method());
  /* From this SSL_CTX_set_ex_data on the context owns the trust, so that SSL_CTX_free frees both. */
  if (tls_context == NULL || trust == NULL || !SSL_CTX_set_ex_data(tls_context, trust_index, trust)) {
    free_trust(trust);
    SSL_CTX_free(tls_context);
    return JS_ThrowOutOfMemory(context);
  }
  const bool trusts_roots = JS_ToBool(context, arguments[TRUSTS_ROOTS]) > 0;
  const bool is_ready = configure_context(tls_context) && (!trusts_roots || trust_roots(trust)) &&
                        trust_pem_list(context, trust, arguments[PEM_TEXTS]);
  const JSValue result = is_ready ? new_native_object(context, context_class)
                                  : JS_ThrowTypeError(context, "certificates cannot be used");
  if (JS_IsException(result)) SSL_CTX_free(tls_context);
  else JS_SetOpaque(result, tls_context);
  return result;
}

/* The options of a new session. The pointers are valid only during new_session; AWS-LC copies what it keeps. */
struct session_options {
  /* The host name that the server is told (SNI); NULL: none. */
  const char *server_name;
  /*
   * The protocols that the server may choose from (ALPN), each with its length in front of it: `\x08http/1.1`; NULL: none.
   */
  const uint8_t *protocols;
  size_t protocols_size;
  /* The host name or address that the certificate must be for. */
  const char *host;
  size_t host_size;
  bool accepts_any_server;
};

/*
 * Creates the SSL of a session, which is otherwise zero, and sets its options. Returns false if that fails. The caller must
 * free `session->ssl` in either case.
 */
static bool prepare_session(struct session *session, SSL_CTX *tls_context, const struct session_options *options) {
  session->verification_error = X509_V_ERR_UNSPECIFIED;
  session->ssl = SSL_new(tls_context);
  session->incoming = BIO_new(BIO_s_mem());
  session->outgoing = BIO_new(BIO_s_mem());
  if (session->ssl == NULL || session->incoming == NULL || session->outgoing == NULL ||
      !SSL_set_ex_data(session->ssl, session_index, session)) {
    BIO_free(session->incoming);
    BIO_free(session->outgoing);
    return false;
  }
  /* From here on `ssl` owns both. */
  SSL_set_bio(session->ssl, session->incoming, session->outgoing);
  SSL_set_connect_state(session->ssl);
  /* A server of TLS 1.2 may ask for another handshake, as with OpenSSL. AWS-LC accepts only the same certificate again. */
  SSL_set_renegotiate_mode(session->ssl, ssl_renegotiate_freely);
  session->has_host = expect_host(SSL_get0_param(session->ssl), options->host, options->host_size);
  session->accepts_any_server = options->accepts_any_server;
  return (options->server_name == NULL || SSL_set_tlsext_host_name(session->ssl, options->server_name)) &&
         /* This function returns 0 if it succeeds. */
         (options->protocols == NULL || SSL_set_alpn_protos(session->ssl, options->protocols, options->protocols_size) == 0);
}

/*
 * (context, server_name or undefined, protocols or undefined, host, accepts_any_server): returns a session with these
 * options (struct session_options). Throws a TypeError if the server's name or the protocols cannot be used.
 */
JAVASCRIPT_FUNCTION(new_session) {
  enum { CONTEXT, SERVER_NAME, PROTOCOLS, HOST, ACCEPTS_ANY_SERVER };
  SSL_CTX *const tls_context = JS_GetOpaque2(context, arguments[CONTEXT], context_class);
  if (tls_context == NULL) return JS_EXCEPTION;
  size_t name_size = 0;
  struct session_options options = {.accepts_any_server = JS_ToBool(context, arguments[ACCEPTS_ANY_SERVER]) > 0};
  if (!JS_IsUndefined(arguments[SERVER_NAME])) options.server_name = utf8_of(context, arguments[SERVER_NAME], &name_size);
  options.host = utf8_of(context, arguments[HOST], &options.host_size);
  options.protocols = bytes_of(context, arguments[PROTOCOLS], &options.protocols_size);
  struct session *const session = OPENSSL_zalloc(sizeof *session);
  const bool is_ready = session != NULL && options.host != NULL && prepare_session(session, tls_context, &options);
  if (options.server_name != NULL) JS_FreeCString(context, options.server_name);
  if (options.host != NULL) JS_FreeCString(context, options.host);
  const JSValue result = is_ready ? new_native_object(context, session_class)
                                  : JS_ThrowTypeError(context, "TLS cannot begin with this name and these protocols");
  if (!JS_IsException(result)) {
    JS_SetOpaque(result, session);
    return result;
  }
  if (session != NULL) SSL_free(session->ssl);
  OPENSSL_free(session);
  return result;
}

/*
 * Throws the first error of AWS-LC's error queue, and empties the queue. The Error has the properties that it has in
 * Node.js, such as `code` "ERR_SSL_WRONG_VERSION_NUMBER", `library` "SSL routines", and `reason` "wrong version number".
 */
static JSValue throw_tls_error(JSContext *context) {
  /* The names of reasons in AWS-LC, each with the name in OpenSSL, which Node.js uses. */
  static const char *const RENAMED_REASONS[][2] = {
    {"BAD_DECRYPT", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    {"ENCRYPTED_LENGTH_TOO_LONG", "PACKET_LENGTH_TOO_LONG"},
    {"UNEXPECTED_RECORD", "UNEXPECTED_MESSAGE"},
    {"TLSV1_ALERT_CERTIFICATE_REQUIRED", "TLSV13_ALERT_CERTIFICATE_REQUIRED"},
    {"TLSV1_ALERT_UNRECOGNIZED_NAME", "TLSV1_UNRECOGNIZED_NAME"},
  };
  const uint32_t error = ERR_get_error();
  const char *reason_name = ERR_reason_error_string(error), *library = ERR_lib_error_string(error);
  if (reason_name == NULL) reason_name = "INTERNAL_ERROR";
  if (library == NULL) library = "SSL routines";
  for (size_t i = 0; i < COUNT(RENAMED_REASONS); ++i) {
    if (strcmp(reason_name, RENAMED_REASONS[i][0]) == 0) reason_name = RENAMED_REASONS[i][1];
  }
  char code[128], reason[128], message[512];
  snprintf(code, sizeof code, "ERR_SSL_%s", reason_name);
  snprintf(reason, sizeof reason, "%s", reason_name);
  for (char *letter = reason; *letter != '\0'; ++letter) {
    if (*letter == '_') *letter = ' ';
    else if (*letter >= 'A' && *letter <= 'Z') *letter = (char)(*letter | 0x20);
  }
  snprintf(message, sizeof message, "error:%08X:%s::%s", error, library, reason);
  ERR_clear_error();
  const JSValue result = JS_NewError(context);
  JS_DefinePropertyValueStr(context, result, "message", JS_NewString(context, message),
                            JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
  JS_SetPropertyStr(context, result, "library", JS_NewString(context, library));
  JS_SetPropertyStr(context, result, "reason", JS_NewString(context, reason));
  JS_SetPropertyStr(context, result, "code", JS_NewString(context, code));
  return JS_Throw(context, result);
}

/*
 * Returns the session of an object; NULL with an exception for anything else. Also empties the error queue, so that
 * throw_tls_error finds only errors of the present call.
 */
static struct session *session_of(JSContext *context, JSValueConst value) {
  ERR_clear_error();
  return JS_GetOpaque2(context, value, session_class);
}

/* (session, encrypted bytes): gives bytes that came from the server to the session */
JAVASCRIPT_FUNCTION(put_encrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  if (size == 0) return JS_UNDEFINED;
  if (size > INT32_MAX || BIO_write(session->incoming, bytes, (int)size) != (int)size) return JS_ThrowOutOfMemory(context);
  return JS_UNDEFINED;
}

/* (session): returns the encrypted bytes that must be sent to the server; undefined if there are none */
JAVASCRIPT_FUNCTION(take_encrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const uint8_t *bytes = NULL;
  size_t size = 0;
  if (!BIO_mem_contents(session->outgoing, &bytes, &size) || size == 0) return JS_UNDEFINED;
  const JSValue result = new_buffer(context, bytes, size);
  BIO_reset(session->outgoing);
  return result;
}

/* Returns true if `result` of the last call of the SSL means that the session needs more bytes from the server. */
static bool needs_more_bytes(const struct session *session, int result) {
  const int error = SSL_get_error(session->ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/*
 * (session): continues the handshake. Returns true if the handshake is over, or verify_server has ended it; false if more
 * bytes are needed; null if the server has closed the connection by the TLS alert close_notify. Throws any other error.
 */
JAVASCRIPT_FUNCTION(shake_hands) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const int result = SSL_do_handshake(session->ssl);
  session->is_open = result == 1 && (session->accepts_any_server || is_server_verified(session));
  if (result == 1 || session->is_server_rejected) return JS_TRUE;
  if (SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN) return JS_NULL;
  return needs_more_bytes(session, result) ? JS_FALSE : throw_tls_error(context);
}

static JSValue throw_not_open(JSContext *context) {
  return JS_ThrowTypeError(context, "TLS is not open: no server has been accepted");
}

/* (session): returns decrypted bytes; undefined if there are none yet; null after the server's close_notify */
JAVASCRIPT_FUNCTION(read_decrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  if (!session->is_open) return throw_not_open(context);
  size_t size = 0;
  int result = 1;
  while (size < sizeof read_buffer &&
         (result = SSL_read(session->ssl, read_buffer + size, (int)(sizeof read_buffer - size))) > 0) {
    size += (size_t)result;
  }
  if (size > 0) {
    /* If the last SSL_read has failed, it will fail with the same error at the next call, which reports it. */
    ERR_clear_error();
    const JSValue decrypted = new_buffer(context, read_buffer, size);
    OPENSSL_cleanse(read_buffer, size);
    return decrypted;
  }
  if (needs_more_bytes(session, result)) return JS_UNDEFINED;
  return SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN ? JS_NULL : throw_tls_error(context);
}

/* The largest number of decrypted bytes in one TLS record (RFC 8446, 5.1). */
enum { MAX_RECORD_BYTES = 16384 };

/*
 * The small chunks that write_decrypted collects for the next TLS record. All sessions share this memory: it is wiped between
 * two calls of write_decrypted, each of which begins with it empty.
 */
static struct {
  uint8_t bytes[MAX_RECORD_BYTES];
  size_t length;
  /* The greatest length in this call of write_decrypted, up to which the bytes must be wiped. */
  size_t max_length;
} record;

/* Encrypts the bytes in `record`, and empties it. Returns false if that fails. */
static bool encrypt_record(SSL *ssl) {
  const bool is_encrypted = SSL_write(ssl, record.bytes, (int)record.length) > 0;
  record.length = 0;
  return is_encrypted;
}

/*
 * Adds a chunk to `record`, and encrypts each record that becomes full. What fills a whole record by itself is encrypted
 * without a copy. Returns false if that fails.
 */
static bool add_to_record(SSL *ssl, const uint8_t *chunk, size_t size) {
  while (size > 0) {
    if (record.length == 0 && size >= MAX_RECORD_BYTES) {
      if (SSL_write(ssl, chunk, MAX_RECORD_BYTES) <= 0) return false;
      chunk += MAX_RECORD_BYTES;
      size -= MAX_RECORD_BYTES;
      continue;
    }
    const size_t free_size = MAX_RECORD_BYTES - record.length, copied = size < free_size ? size : free_size;
    memcpy(record.bytes + record.length, chunk, copied);
    record.length += copied;
    if (record.length > record.max_length) record.max_length = record.length;
    chunk += copied;
    size -= copied;
    if (record.length == MAX_RECORD_BYTES && !encrypt_record(ssl)) return false;
  }
  return true;
}

/*
 * (session, list of chunks): encrypts the chunks, in as few TLS records as possible, because each record is an overhead for
 * both sides
 */
JAVASCRIPT_FUNCTION(write_decrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  if (!session->is_open) return throw_not_open(context);
  int64_t chunk_count = 0;
  JS_GetLength(context, arguments[1], &chunk_count);
  record.length = record.max_length = 0;
  bool has_failed = false;
  for (uint32_t index = 0; index < chunk_count && !has_failed; ++index) {
    const JSValue chunk = JS_GetPropertyUint32(context, arguments[1], index);
    size_t size = 0;
    const uint8_t *const bytes = bytes_of(context, chunk, &size);
    /* The list keeps the chunk alive. */
    JS_FreeValue(context, chunk);
    has_failed = !add_to_record(session->ssl, bytes, size);
  }
  if (record.length > 0 && !has_failed) has_failed = !encrypt_record(session->ssl);
  OPENSSL_cleanse(record.bytes, record.max_length);
  return has_failed ? throw_tls_error(context) : JS_UNDEFINED;
}

/* (session): ends the writing of decrypted bytes. takeEncrypted then returns the TLS alert close_notify. */
JAVASCRIPT_FUNCTION(close_session) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  SSL_shutdown(session->ssl);
  ERR_clear_error();
  return JS_UNDEFINED;
}

/*
 * (session): returns the results of the handshake as a list:
 * - the name of the verification error, such as "CERT_HAS_EXPIRED"; undefined if there is none
 * - the message of that error, or undefined
 * - the protocol that the server has chosen (ALPN), or false
 * - the names that the certificate is for (names_of_certificate)
 * - true if the certificate is for the host of new_session
 */
JAVASCRIPT_FUNCTION(outcome_of) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const int error = session->verification_error;
  const bool is_verified = error == X509_V_OK;
  const uint8_t *protocol = NULL;
  unsigned protocol_size = 0;
  SSL_get0_alpn_selected(session->ssl, &protocol, &protocol_size);
  const JSValue results[] = {
    is_verified ? JS_UNDEFINED : JS_NewString(context, name_of_verification(error)),
    is_verified ? JS_UNDEFINED : JS_NewString(context, message_of_verification(error)),
    protocol_size == 0 ? JS_FALSE : text_from_utf8(context, protocol, protocol_size),
    session->certificate == NULL ? JS_NewArray(context) : names_of_certificate(context, session->certificate),
    JS_NewBool(context, session->has_host && !session->is_other_host),
  };
  const JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(results); ++i) JS_SetPropertyUint32(context, list, i, results[i]);
  return list;
}

/*
 * (IPv4 or IPv6 address): returns the address in one spelling, so that addresses can be compared as strings; "" if the text
 * is not an address
 */
JAVASCRIPT_FUNCTION(canonical_address) {
  size_t length = 0;
  const char *const text = utf8_of(context, arguments[0], &length);
  if (text == NULL) return JS_EXCEPTION;
  uint8_t bytes[16];
  char result[INET6_ADDRSTRLEN] = "";
  const int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  if (inet_pton(family, text, bytes) == 1) inet_ntop(family, bytes, result, sizeof result);
  JS_FreeCString(context, text);
  return JS_NewString(context, result);
}

void add_tls(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("newContext", 2, new_context),
    JS_CFUNC_DEF("newSession", 5, new_session),
    JS_CFUNC_DEF("putEncrypted", 2, put_encrypted),
    JS_CFUNC_DEF("takeEncrypted", 1, take_encrypted),
    JS_CFUNC_DEF("shakeHands", 1, shake_hands),
    JS_CFUNC_DEF("readDecrypted", 1, read_decrypted),
    JS_CFUNC_DEF("writeDecrypted", 2, write_decrypted),
    JS_CFUNC_DEF("closeSession", 1, close_session),
    JS_CFUNC_DEF("outcomeOf", 1, outcome_of),
    JS_CFUNC_DEF("canonicalAddress", 1, canonical_address),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
  JSRuntime *const runtime = JS_GetRuntime(context);
  JS_NewClassID(runtime, &context_class);
  JS_NewClass(runtime, context_class, &(JSClassDef){"SecureContext", .finalizer = free_context});
  JS_NewClassID(runtime, &session_class);
  JS_NewClass(runtime, session_class, &(JSClassDef){"TlsSession", .finalizer = free_session});
}
