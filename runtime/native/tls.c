/*
 * TLS clients for node:tls (runtime/modules/tls.ts). JavaScript carries the encrypted bytes between a session here and the
 * socket below it; a session has no descriptor, and never blocks.
 */
#include "image.h"
#include "tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/mem.h>

/* As Node.js's default: forward secrecy first, no anonymous or broken ciphers. */
static const char CIPHERS[] = "ALL:!aNULL:!eNULL:!PSK:!3DES";
/* AWS-LC's default lacks Ed25519 and has SHA-1. */
static const uint16_t SIGNATURES[] = {
  SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,          SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
  SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PKCS1_SHA384,
  SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512, SSL_SIGN_RSA_PKCS1_SHA512,
};
/* AWS-LC's default lacks P-521. */
static const uint16_t GROUPS[] = {
  SSL_GROUP_X25519_MLKEM768, SSL_GROUP_SECP256R1_MLKEM768, SSL_GROUP_SECP384R1_MLKEM1024,
  SSL_GROUP_X25519,          SSL_GROUP_SECP256R1,          SSL_GROUP_SECP384R1, SSL_GROUP_SECP521R1,
};

struct session {
  SSL *ssl;
  /* Encrypted bytes from the server, and to it. */
  BIO *incoming, *outgoing;
  /* The server's own certificate. */
  X509 *certificate;
  int problem;
  /* There is a host to compare; the certificate is for another one. */
  bool has_host, is_other_host;
  /* The caller also wants a server that is not the right one (`rejectUnauthorized: false`). */
  bool accepts_all;
  bool is_refused;
  /* The handshake is over, and the server is not refused. Only then bytes go in and out. */
  bool is_open;
};

static JSClassID context_class IMAGED, session_class IMAGED;
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

/* Returns false also if this session has verified none, as a resumed one (there are none to resume). */
static bool is_right_server(const struct session *session) {
  return session->problem == X509_V_OK && session->has_host && !session->is_other_host;
}

/* A refusal ends the handshake. JavaScript then reports the problem, by the names of Node.js. */
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
  session->problem = verify_chain(chain, &session->is_other_host);
  session->is_refused = !is_right_server(session) && !session->accepts_all;
  /* The alert follows from it. */
  const bool is_host_alone = session->problem == X509_V_OK && session->is_refused;
  X509_STORE_CTX_set_error(chain, is_host_alone ? X509_V_ERR_HOSTNAME_MISMATCH : session->problem);
  return !session->is_refused;
}

/* (trusts Mozilla's roots, list of PEM: text or bytes) */
FUNCTION(new_context) {
  if (trust_index < 0) {
    trust_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_trust_of_context);
    session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  }
  struct trust *const trust = new_trust();
  SSL_CTX *const made = SSL_CTX_new(TLS_client_method());
  if (made == NULL || trust == NULL || !SSL_CTX_set_ex_data(made, trust_index, trust)) {
    free_trust(trust);
    SSL_CTX_free(made);
    return JS_ThrowOutOfMemory(context);
  }
  bool done = SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(made, CIPHERS) &&
              SSL_CTX_set1_group_ids(made, GROUPS, COUNT(GROUPS)) &&
              SSL_CTX_set_verify_algorithm_prefs(made, SIGNATURES, COUNT(SIGNATURES));
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_cert_verify_callback(made, verify_server, NULL);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  if (JS_ToBool(context, arguments[0])) done = done && trust_roots(trust);
  int64_t texts = 0;
  if (JS_GetLength(context, arguments[1], &texts) != 0) done = false;
  for (int64_t i = 0; i < texts && done; ++i) {
    const JSValue text = JS_GetPropertyInt64(context, arguments[1], i);
    size_t size = 0;
    const char *const string = JS_IsString(text) ? utf8_of(context, text, &size) : NULL;
    const uint8_t *const bytes = string != NULL ? (const uint8_t *)string : bytes_of(context, text, &size);
    done = bytes != NULL && trust_pem(trust, bytes, size);
    if (string != NULL) JS_FreeCString(context, string);
    JS_FreeValue(context, text);
  }
  const JSValue result = done ? new_native_object(context, context_class)
                              : JS_ThrowTypeError(context, "certificates cannot be used");
  if (JS_IsException(result)) SSL_CTX_free(made);
  else JS_SetOpaque(result, made);
  return result;
}

/*
 * (context, name for SNI or undefined, protocols for ALPN as on the wire or undefined, host that the certificate must be for,
 * whether all servers are accepted)
 */
FUNCTION(new_session) {
  SSL_CTX *const from = JS_GetOpaque2(context, arguments[0], context_class);
  if (from == NULL) return JS_EXCEPTION;
  size_t size = 0, host_size = 0;
  const char *const name = JS_IsUndefined(arguments[1]) ? NULL : utf8_of(context, arguments[1], &size);
  const char *const host = utf8_of(context, arguments[3], &host_size);
  const uint8_t *const protocols = bytes_of(context, arguments[2], &size);
  struct session *const session = OPENSSL_zalloc(sizeof *session);
  bool done = session != NULL && host != NULL;
  if (done) {
    session->problem = X509_V_ERR_UNSPECIFIED;
    session->ssl = SSL_new(from);
    session->incoming = BIO_new(BIO_s_mem());
    session->outgoing = BIO_new(BIO_s_mem());
    done = session->ssl != NULL && session->incoming != NULL && session->outgoing != NULL &&
           SSL_set_ex_data(session->ssl, session_index, session);
  }
  if (done) {
    SSL_set_bio(session->ssl, session->incoming, session->outgoing);
    SSL_set_connect_state(session->ssl);
    /* A server of TLS 1.2 may ask for another handshake, as with OpenSSL. AWS-LC takes the same certificate only. */
    SSL_set_renegotiate_mode(session->ssl, ssl_renegotiate_freely);
    session->has_host = expect_host(SSL_get0_param(session->ssl), host, host_size);
    session->accepts_all = JS_ToBool(context, arguments[4]) > 0;
    done = (name == NULL || SSL_set_tlsext_host_name(session->ssl, name)) &&
           (protocols == NULL || SSL_set_alpn_protos(session->ssl, protocols, size) == 0);
  } else if (session != NULL) {
    BIO_free(session->incoming);
    BIO_free(session->outgoing);
  }
  if (name != NULL) JS_FreeCString(context, name);
  if (host != NULL) JS_FreeCString(context, host);
  const JSValue result = done ? new_native_object(context, session_class)
                              : JS_ThrowTypeError(context, "TLS cannot begin with this name and these protocols");
  if (!JS_IsException(result)) {
    JS_SetOpaque(result, session);
    return result;
  }
  if (session != NULL) SSL_free(session->ssl);
  OPENSSL_free(session);
  return result;
}

/* Throws the first error of the queue as Node.js does: `code`, `library` and `reason`. */
static JSValue throw_tls_error(JSContext *context) {
  /* Names of AWS-LC, and those of OpenSSL. */
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

static struct session *session_of(JSContext *context, JSValueConst value) {
  ERR_clear_error();
  return JS_GetOpaque2(context, value, session_class);
}

/* (session, encrypted bytes of the server) */
FUNCTION(put_encrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  if (size == 0) return JS_UNDEFINED;
  if (size > INT32_MAX || BIO_write(session->incoming, bytes, (int)size) != (int)size) return JS_ThrowOutOfMemory(context);
  return JS_UNDEFINED;
}

/* (session): encrypted bytes for the server, or undefined */
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

/* Returns true if the session needs more bytes of the server. */
static bool is_waiting(const struct session *session, int result) {
  const int error = SSL_get_error(session->ssl, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* (session): whether the handshake is over, or ended by a refusal; null after the server's close_notify */
FUNCTION(shake_hands) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const int result = SSL_do_handshake(session->ssl);
  session->is_open = result == 1 && (session->accepts_all || is_right_server(session));
  if (result == 1 || session->is_refused) return JS_TRUE;
  if (SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN) return JS_NULL;
  return is_waiting(session, result) ? JS_FALSE : throw_tls_error(context);
}

static JSValue throw_not_open(JSContext *context) {
  return JS_ThrowTypeError(context, "TLS is not open: no server has been accepted");
}

/* (session): decrypted bytes, undefined if there are none yet, null after the server's close_notify */
FUNCTION(read_decrypted) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  if (!session->is_open) return throw_not_open(context);
  size_t size = 0;
  int result = 1;
  while (size < sizeof read_bytes &&
         (result = SSL_read(session->ssl, read_bytes + size, (int)(sizeof read_bytes - size))) > 0) {
    size += (size_t)result;
  }
  if (size > 0) {
    /* An error comes again. */
    ERR_clear_error();
    const JSValue array = new_buffer(context, read_bytes, size);
    OPENSSL_cleanse(read_bytes, size);
    return array;
  }
  if (is_waiting(session, result)) return JS_UNDEFINED;
  return SSL_get_error(session->ssl, result) == SSL_ERROR_ZERO_RETURN ? JS_NULL : throw_tls_error(context);
}

/* (session, list of bytes): as few records as possible have all of them */
FUNCTION(write_decrypted) {
  enum { MAX_RECORD = 16384 };
  static uint8_t record[MAX_RECORD];
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  if (!session->is_open) return throw_not_open(context);
  int64_t number = 0;
  JS_GetLength(context, arguments[1], &number);
  size_t used = 0, most = 0;
  bool has_failed = false;
  for (uint32_t index = 0; index < number; ++index) {
    const JSValue chunk = JS_GetPropertyUint32(context, arguments[1], index);
    size_t size = 0;
    const uint8_t *const bytes = bytes_of(context, chunk, &size);
    /* The list still holds it. */
    JS_FreeValue(context, chunk);
    for (size_t done = 0; done < size && !has_failed;) {
      if (used == 0 && size - done >= MAX_RECORD) {
        has_failed = SSL_write(session->ssl, bytes + done, MAX_RECORD) <= 0;
        done += MAX_RECORD;
        continue;
      }
      const size_t room = MAX_RECORD - used, part = size - done < room ? size - done : room;
      memcpy(record + used, bytes + done, part);
      used += part;
      done += part;
      if (used > most) most = used;
      if (used < MAX_RECORD) break;
      has_failed = SSL_write(session->ssl, record, MAX_RECORD) <= 0;
      used = 0;
    }
  }
  if (used > 0 && !has_failed) has_failed = SSL_write(session->ssl, record, (int)used) <= 0;
  OPENSSL_cleanse(record, most);
  return has_failed ? throw_tls_error(context) : JS_UNDEFINED;
}

/* (session): makes a close_notify */
FUNCTION(close_session) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  SSL_shutdown(session->ssl);
  ERR_clear_error();
  return JS_UNDEFINED;
}

/*
 * (session): name and message of the problem of the certificates, or undefined twice; protocol by ALPN; names in turns; whether
 * the certificate is for the host
 */
FUNCTION(outcome_of) {
  struct session *const session = session_of(context, arguments[0]);
  if (session == NULL) return JS_EXCEPTION;
  const int problem = session->problem;
  const bool is_right = problem == X509_V_OK;
  const uint8_t *protocol = NULL;
  unsigned size = 0;
  SSL_get0_alpn_selected(session->ssl, &protocol, &size);
  const JSValue parts[] = {
    is_right ? JS_UNDEFINED : JS_NewString(context, name_of_verification(problem)),
    is_right ? JS_UNDEFINED : JS_NewString(context, message_of_verification(problem)),
    size == 0 ? JS_FALSE : text_from_utf8(context, protocol, size),
    session->certificate == NULL ? JS_NewArray(context) : names_of_certificate(context, session->certificate),
    JS_NewBool(context, session->has_host && !session->is_other_host),
  };
  const JSValue list = JS_NewArray(context);
  for (uint32_t i = 0; i < COUNT(parts); ++i) JS_SetPropertyUint32(context, list, i, parts[i]);
  return list;
}

/* (IPv4 or IPv6): the same text for the same address */
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
