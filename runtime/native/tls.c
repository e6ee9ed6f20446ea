/*
 * TLS clients for node:tls (runtime/modules/tls.ts), by AWS-LC.
 *
 * A session has no descriptor and never blocks. JavaScript moves the encrypted bytes: it puts those that come from the
 * socket into the session (putEncrypted), takes those for the server out of it (takeEncrypted) after every other call, and
 * sends them. shakeHands must be called until it returns true; then `outcomeOf` tells whether the server was accepted. Only
 * a session whose server was accepted reads and writes decrypted bytes.
 */
#include "image.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/mem.h>

/* The same ciphers as by default in Node.js: those with forward secrecy first, and none that is anonymous or broken. */
static const char CIPHERS[] = "ALL:!aNULL:!eNULL:!PSK:!3DES";
/* The accepted kinds of signatures. By default AWS-LC does not accept Ed25519, and accepts SHA-1. */
static const uint16_t SIGNATURES[] = {
  SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,          SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
  SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PKCS1_SHA384,
  SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512, SSL_SIGN_RSA_PKCS1_SHA512,
};
/* The groups for the key exchange, the preferred ones first. By default AWS-LC has no P-521. */
static const uint16_t GROUPS[] = {
  SSL_GROUP_X25519_MLKEM768, SSL_GROUP_SECP256R1_MLKEM768, SSL_GROUP_SECP384R1_MLKEM1024,
  SSL_GROUP_X25519,          SSL_GROUP_SECP256R1,          SSL_GROUP_SECP384R1, SSL_GROUP_SECP521R1,
};

/* One connection to a server, from before its handshake. The class "TlsSession" of JavaScript owns it. */
struct session {
  SSL *ssl;
  /* Memory with encrypted bytes: those that came from the server, and those that must be sent to it. `ssl` owns both. */
  BIO *incoming, *outgoing;
  /* The certificate of the server itself; NULL before it has come. */
  X509 *certificate;
  /* The result of the verification: X509_V_OK, or an error (verify_chain). */
  int verification_error;
  /* There is a host name or address to compare with the certificate; the certificate is for another one. */
  bool has_host, is_other_host;
  /* Accepts any server, even one whose certificate fails verification (`rejectUnauthorized: false`). */
  bool accepts_any_server;
  /* This session ended the handshake because the server's certificate was not accepted. */
  bool is_server_rejected;
  /* The handshake is over and the server was accepted. Only then are decrypted bytes read and written. */
  bool is_open;
};

static JSClassID context_class IMAGED, session_class IMAGED;
/*
 * The indexes by which a context of AWS-LC finds its struct trust, and an SSL its session. new_context sets them at its
 * first call.
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

static void free_trust_of_context(void *parent, void *trust, CRYPTO_EX_DATA *data, int index, long argument, void *pointer) {
  (void)parent, (void)data, (void)index, (void)argument, (void)pointer;
  free_trust(trust);
}

/*
 * Returns false before the verification, too, and in a resumed session, which would verify nothing. (None is ever resumed.)
 */
static bool is_server_verified(const struct session *session) {
  return session->verification_error == X509_V_OK && session->has_host && !session->is_other_host;
}

/*
 * Verifies the chain of the server's certificates. AWS-LC calls this during the handshake. The result 0 ends the handshake
 * with a TLS alert, and JavaScript then reports verification_error by the name that Node.js uses.
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
  /* AWS-LC chooses the alert by this error. */
  const bool is_only_host_wrong = session->verification_error == X509_V_OK && session->is_server_rejected;
  X509_STORE_CTX_set_error(chain, is_only_host_wrong ? X509_V_ERR_HOSTNAME_MISMATCH : session->verification_error);
  return !session->is_server_rejected;
}

/*
 * (trusts Mozilla's roots, list of PEM texts, as strings or bytes): returns a context for sessions, which trusts these
 * certificates. Throws a TypeError if a text cannot be used.
 */
FUNCTION(new_context) {
  if (trust_index < 0) {
    trust_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_trust_of_context);
    session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  }
  struct trust *const trust = new_trust();
  SSL_CTX *const tls_context = SSL_CTX_new(TLS_client_method());
  if (tls_context == NULL || trust == NULL || !SSL_CTX_set_ex_data(tls_context, trust_index, trust)) {
    free_trust(trust);
    SSL_CTX_free(tls_context);
    return JS_ThrowOutOfMemory(context);
  }
  bool is_ready = SSL_CTX_set_min_proto_version(tls_context, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(tls_context, CIPHERS) &&
              SSL_CTX_set1_group_ids(tls_context, GROUPS, COUNT(GROUPS)) &&
              SSL_CTX_set_verify_algorithm_prefs(tls_context, SIGNATURES, COUNT(SIGNATURES));
  SSL_CTX_set_verify(tls_context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(tls_context, verify_server, NULL);
  SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
  if (JS_ToBool(context, arguments[0])) is_ready = is_ready && trust_roots(trust);
  int64_t pem_count = 0;
  if (JS_GetLength(context, arguments[1], &pem_count) != 0) is_ready = false;
  for (int64_t i = 0; i < pem_count && is_ready; ++i) {
    const JSValue pem = JS_GetPropertyInt64(context, arguments[1], i);
    size_t size = 0;
    const char *const string = JS_IsString(pem) ? utf8_of(context, pem, &size) : NULL;
    const uint8_t *const bytes = string != NULL ? (const uint8_t *)string : bytes_of(context, pem, &size);
    is_ready = bytes != NULL && trust_pem(trust, bytes, size);
    if (string != NULL) JS_FreeCString(context, string);
    JS_FreeValue(context, pem);
  }
  const JSValue result = is_ready ? new_native_object(context, context_class)
                              : JS_ThrowTypeError(context, "certificates cannot be used");
  if (JS_IsException(result)) SSL_CTX_free(tls_context);
  else JS_SetOpaque(result, tls_context);
  return result;
}

/*
 * (context, name for SNI or undefined, protocols for ALPN in their wire format or undefined, host that the certificate must
 * be for, accepts any server): returns a session. Throws a TypeError if the name or the protocols cannot be used. The wire
 * format has the length of each protocol in front of it, as in `\x08http/1.1`.
 */
FUNCTION(new_session) {
  SSL_CTX *const tls_context = JS_GetOpaque2(context, arguments[0], context_class);
  if (tls_context == NULL) return JS_EXCEPTION;
  size_t name_size = 0, protocols_size = 0, host_size = 0;
  const char *const name = JS_IsUndefined(arguments[1]) ? NULL : utf8_of(context, arguments[1], &name_size);
  const char *const host = utf8_of(context, arguments[3], &host_size);
  const uint8_t *const protocols = bytes_of(context, arguments[2], &protocols_size);
  struct session *const session = OPENSSL_zalloc(sizeof *session);
  bool is_ready = session != NULL && host != NULL;
  if (is_ready) {
    session->verification_error = X509_V_ERR_UNSPECIFIED;
    session->ssl = SSL_new(tls_context);
    session->incoming = BIO_new(BIO_s_mem());
    session->outgoing = BIO_new(BIO_s_mem());
    is_ready = session->ssl != NULL && session->incoming != NULL && session->outgoing != NULL &&
           SSL_set_ex_data(session->ssl, session_index, session);
  }
  if (is_ready) {
    SSL_set_bio(session->ssl, session->incoming, session->outgoing);
    SSL_set_connect_state(session->ssl);
    /*
     * A server of TLS 1.2 may ask for another handshake, as with OpenSSL. AWS-LC accepts only the same certificate again.
     */
    SSL_set_renegotiate_mode(session->ssl, ssl_renegotiate_freely);
    session->has_host = expect_host(SSL_get0_param(session->ssl), host, host_size);
    session->accepts_any_server = JS_ToBool(context, arguments[4]) > 0;
    is_ready = (name == NULL || SSL_set_tlsext_host_name(session->ssl, name)) &&
           (protocols == NULL || SSL_set_alpn_protos(session->ssl, protocols, protocols_size) == 0);
  } else if (session != NULL) {
    BIO_free(session->incoming);
    BIO_free(session->outgoing);
  }
  if (name != NULL) JS_FreeCString(context, name);
  if (host != NULL) JS_FreeCString(context, host);
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
 * Throws the first error of AWS-LC's queue as Node.js does, with `code`, `library` and `reason`, and empties the queue. The
 * code is made of the reason: "wrong version number" has the code ERR_SSL_WRONG_VERSION_NUMBER.
 */
static JSValue throw_tls_error(JSContext *context) {
  /* Reasons by their names in AWS-LC, and those in OpenSSL, which Node.js uses. */
  static const char *const RENAMED[][2] = {
    {"BAD_DECRYPT", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    {"ENCRYPTED_LENGTH_TOO_LONG", "PACKET_LENGTH_TOO_LONG"},
    {"UNEXPECTED_RECORD", "UNEXPECTED_MESSAGE"},
    {"TLSV1_ALERT_CERTIFICATE_REQUIRED", "TLSV13_ALERT_CERTIFICATE_REQUIRED"},
    {"TLSV1_ALERT_UNRECOGNIZED_NAME", "TLSV1_UNRECOGNIZED_NAME"},
  };
  const uint32_t error = ERR_get_error();
  const char *reason = ERR_reason_error_string(error), *const library = ERR_lib_error_string(error);
  if (reason == NULL) reason = "INTERNAL_ERROR";
  for (size_t i = 0; i < COUNT(RENAMED); ++i) {
    if (strcmp(reason, RENAMED[i][0]) == 0) reason = RENAMED[i][1];
  }
  char code[128], words[128], message[512];
  snprintf(code, sizeof code, "ERR_SSL_%s", reason);
  snprintf(words, sizeof words, "%s", reason);
  for (char *letter = words; *letter != '\0'; ++letter) {
    if (*letter == '_') *letter = ' ';
    else if (*letter >= 'A' && *letter <= 'Z') *letter = (char)(*letter | 0x20);
  }
  snprintf(message, sizeof message, "error:%08X:%s::%s", error, library == NULL ? "SSL routines" : library, words);
  ERR_clear_error();
  const JSValue result = JS_NewError(context);
  JS_DefinePropertyValueStr(context, result, "message", JS_NewString(context, message),
                            JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
  JS_SetPropertyStr(context, result, "library", JS_NewString(context, library == NULL ? "SSL routines" : library));
  JS_SetPropertyStr(context, result, "reason", JS_NewString(context, words));
  JS_SetPropertyStr(context, result, "code", JS_NewString(context, code));
  return JS_Throw(context, result);
}

/*
 * Returns the session of an object; NULL with an exception for anything else. Removes errors that earlier calls left in the
 * queue.
 */
static struct session *session_of(JSContext *context, JSValueConst value) {
  ERR_clear_error();
  return JS_GetOpaque2(context, value, session_class);
}

/* (session, encrypted bytes): puts bytes that came from the server into the session */
FUNCTION(put_encrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  if (size == 0) return JS_UNDEFINED;
  if (size > INT32_MAX || BIO_write(session->incoming, bytes, (int)size) != (int)size) return JS_ThrowOutOfMemory(context);
  return JS_UNDEFINED;
}

/* (session): returns the encrypted bytes that must be sent to the server; undefined if there are none */
FUNCTION(take_encrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const uint8_t *bytes = NULL;
  size_t size = 0;
  if (!BIO_mem_contents(session->outgoing, &bytes, &size) || size == 0) return JS_UNDEFINED;
  const JSValue result = new_buffer(context, bytes, size);
  BIO_reset(session->outgoing);
  return result;
}

/* Returns true if a call failed with this result only because the session needs more bytes from the server. */
static bool needs_more_bytes(const struct session *session, int result) {
  const int error = SSL_get_error(session->ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/*
 * (session): continues the handshake. Returns true if it is over, or if this session ended it because the server's
 * certificate was not accepted; false if more bytes are needed; null after the server's close_notify.
 */
FUNCTION(shake_hands) {
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
FUNCTION(read_decrypted) {
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
    /* If a later SSL_read failed, it will fail again with the same error at the next call. */
    ERR_clear_error();
    const JSValue array = new_buffer(context, read_buffer, size);
    OPENSSL_cleanse(read_buffer, size);
    return array;
  }
  if (needs_more_bytes(session, result)) return JS_UNDEFINED;
  return SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN ? JS_NULL : throw_tls_error(context);
}

/*
 * (session, list of chunks): encrypts the chunks and packs them into as few TLS records as possible: each record is an
 * overhead for both sides. Small chunks are collected in `record`; what fills a whole record by itself is encrypted without
 * a copy.
 */
FUNCTION(write_decrypted) {
  enum { MAX_RECORD = 16384 };
  static uint8_t record[MAX_RECORD];
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  if (!session->is_open) return throw_not_open(context);
  int64_t chunk_count = 0;
  JS_GetLength(context, arguments[1], &chunk_count);
  /* How many bytes of `record` are filled now, and how many were filled at most: those must be wiped. */
  size_t filled = 0, max_filled = 0;
  bool has_failed = false;
  for (uint32_t index = 0; index < chunk_count; ++index) {
    const JSValue chunk = JS_GetPropertyUint32(context, arguments[1], index);
    size_t size = 0;
    const uint8_t *const bytes = bytes_of(context, chunk, &size);
    /* The list keeps the chunk alive. */
    JS_FreeValue(context, chunk);
    for (size_t offset = 0; offset < size && !has_failed;) {
      const size_t remaining = size - offset;
      if (filled == 0 && remaining >= MAX_RECORD) {
        has_failed = SSL_write(session->ssl, bytes + offset, MAX_RECORD) <= 0;
        offset += MAX_RECORD;
        continue;
      }
      const size_t room = MAX_RECORD - filled, copied = remaining < room ? remaining : room;
      memcpy(record + filled, bytes + offset, copied);
      filled += copied;
      offset += copied;
      if (filled > max_filled) max_filled = filled;
      if (filled < MAX_RECORD) break;
      has_failed = SSL_write(session->ssl, record, MAX_RECORD) <= 0;
      filled = 0;
    }
  }
  if (filled > 0 && !has_failed) has_failed = SSL_write(session->ssl, record, (int)filled) <= 0;
  OPENSSL_cleanse(record, max_filled);
  return has_failed ? throw_tls_error(context) : JS_UNDEFINED;
}

/* (session): makes the TLS alert close_notify, which takeEncrypted returns: no more decrypted bytes will be written. */
FUNCTION(close_session) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  SSL_shutdown(session->ssl);
  ERR_clear_error();
  return JS_UNDEFINED;
}

/*
 * (session): returns what the handshake has found as a list: the name and the message of the verification's error, or
 * undefined twice; the protocol that the server chose by ALPN, or false; the names of the certificate
 * (names_of_certificate); and true if the certificate is for the host.
 */
FUNCTION(outcome_of) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const int error = session->verification_error;
  const bool is_verified = error == X509_V_OK;
  const uint8_t *protocol = NULL;
  unsigned size = 0;
  SSL_get0_alpn_selected(session->ssl, &protocol, &size);
  const JSValue parts[] = {
    is_verified ? JS_UNDEFINED : JS_NewString(context, name_of_verification(error)),
    is_verified ? JS_UNDEFINED : JS_NewString(context, message_of_verification(error)),
    size == 0 ? JS_FALSE : text_from_utf8(context, protocol, size),
    session->certificate == NULL ? JS_NewArray(context) : names_of_certificate(context, session->certificate),
    JS_NewBool(context, session->has_host && !session->is_other_host),
  };
  const JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(parts); ++i) JS_SetPropertyUint32(context, list, i, parts[i]);
  return list;
}

/*
 * (IPv4 or IPv6 address): returns the one text that stands for this address, so that addresses can be compared; "" if
 * invalid
 */
FUNCTION(canonical_address) {
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
