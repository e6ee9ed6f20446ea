/*
 * Verifies a server's certificate chain by the library AWS-LC, with the results of Node.js, which uses OpenSSL: the same
 * chains are accepted, and the same errors reported. Where the two libraries differ, a comment says how. tls.h declares the
 * functions that other files call.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

/* The verification errors that have names in Node.js. NAMES(E) is E(name) for each, without the prefix X509_V_ERR_. */
#define NAMES(E)                                                                                                        \
  E(UNABLE_TO_GET_ISSUER_CERT) E(UNABLE_TO_DECRYPT_CERT_SIGNATURE) E(UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)                \
  E(CERT_SIGNATURE_FAILURE) E(CERT_NOT_YET_VALID) E(CERT_HAS_EXPIRED) E(ERROR_IN_CERT_NOT_BEFORE_FIELD)                 \
  E(ERROR_IN_CERT_NOT_AFTER_FIELD) E(OUT_OF_MEM) E(DEPTH_ZERO_SELF_SIGNED_CERT) E(SELF_SIGNED_CERT_IN_CHAIN)            \
  E(UNABLE_TO_GET_ISSUER_CERT_LOCALLY) E(UNABLE_TO_VERIFY_LEAF_SIGNATURE) E(CERT_CHAIN_TOO_LONG) E(CERT_REVOKED)        \
  E(INVALID_CA) E(PATH_LENGTH_EXCEEDED) E(INVALID_PURPOSE) E(CERT_UNTRUSTED) E(CERT_REJECTED)

const char *name_of_verification(int error) {
  static const struct {
    int number;
    const char *name;
  } NAMED_ERRORS[] = {
#define ENTRY(name) {X509_V_ERR_##name, #name},
    NAMES(ENTRY)
#undef ENTRY
  };
  for (size_t i = 0; i < COUNT(NAMED_ERRORS); ++i) {
    if (NAMED_ERRORS[i].number == error) return NAMED_ERRORS[i].name;
  }
  /* Node.js has no names for the other errors. */
  return "UNSPECIFIED";
}

const char *message_of_verification(int error) {
  switch (error) {
    /* AWS-LC has no messages for these errors. */
    case X509_V_ERR_EE_KEY_TOO_SMALL: return "EE certificate key too weak";
    case X509_V_ERR_CA_KEY_TOO_SMALL: return "CA certificate key too weak";
    case X509_V_ERR_CA_MD_TOO_WEAK: return "CA signature digest algorithm too weak";
    case X509_V_ERR_APPLICATION_VERIFICATION: return "certificate key is neither of RSA nor of an elliptic curve";
    default: return X509_verify_cert_error_string(error);
  }
}

/*
 * The index under which an X509_STORE_CTX stores a pointer to its struct findings; -1 until verify_chain reserves it at its
 * first call. Only verify_chain sets it, and record_error reads it during X509_verify_cert.
 */
static int findings_index = -1;

/* The findings of a verification. They are on the stack of verify_chain, and record_error changes them. */
struct findings {
  /* The last error other than that of another host; X509_V_OK: none. */
  int error;
  /* The certificate is for another host. */
  bool is_other_host;
};

/*
 * Records an error, and lets the verification continue, which the result 1 means. AWS-LC calls this function after each step,
 * with `is_valid` 0 if it has found an error. As in Node.js, the last error is the one that is reported, and another host is
 * reported only if there is no error.
 */
static int record_error(int is_valid, X509_STORE_CTX *chain) {
  if (is_valid) return 1;
  struct findings *const findings = X509_STORE_CTX_get_ex_data(chain, findings_index);
  const int error = X509_STORE_CTX_get_error(chain);
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    findings->is_other_host = true;
    /* AWS-LC must not take the other host for the error of the chain. */
    X509_STORE_CTX_set_error(chain, findings->error);
  } else findings->error = error;
  return 1;
}

/* The sizes of addresses, and the size of a host name with its NUL, in bytes. */
enum { IPV4_BYTES = 4, IPV6_BYTES = 16, MAX_HOST_NAME = 256 };

bool expect_host(X509_VERIFY_PARAM *parameters, const char *host, size_t size) {
  char name[MAX_HOST_NAME];
  uint8_t address[IPV6_BYTES];
  /* A dot at the end makes a host name absolute. Certificates do not have it. */
  if (size > 0 && host[size - 1] == '.') --size;
  /* AWS-LC would accept any certificate for an empty name, and one of any subdomain for a name with a dot at its start. */
  if (size == 0 || size >= sizeof name || host[0] == '.' || memchr(host, '\0', size) != NULL) return false;
  memcpy(name, host, size);
  name[size] = '\0';
  if (inet_pton(AF_INET, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, IPV4_BYTES);
  if (inet_pton(AF_INET6, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, IPV6_BYTES);
  /* Only the extension subjectAltName is compared, and not the common name in the certificate's subject. */
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(parameters, name, size);
}

/*
 * Returns the digest of a certificate's signature; NID_undef if the signature has none, as Ed25519, or is of an unknown
 * kind.
 */
static int digest_of_signature(const X509 *certificate) {
  int digest = NID_undef;
  const int signature = X509_get_signature_nid(certificate);
  if (signature != NID_rsassaPss) return OBJ_find_sigid_algs(signature, &digest, NULL) ? digest : NID_undef;
  /* In RSASSA-PSS the digest is one of the parameters of the signature. */
  const X509_ALGOR *algorithm = NULL;
  const void *parameters = NULL;
  int type = V_ASN1_UNDEF;
  X509_get0_signature(NULL, &algorithm, certificate);
  X509_ALGOR_get0(NULL, &type, &parameters, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_undef;
  const uint8_t *bytes = ASN1_STRING_get0_data(parameters);
  RSA_PSS_PARAMS *const pss = d2i_RSA_PSS_PARAMS(NULL, &bytes, ASN1_STRING_length(parameters));
  /* Parameters that name no digest mean SHA-1 (RFC 4055, 3.1). */
  if (pss != NULL) digest = pss->hashAlgorithm == NULL ? NID_sha1 : OBJ_obj2nid(pss->hashAlgorithm->algorithm);
  RSA_PSS_PARAMS_free(pss);
  return digest;
}

/*
 * Returns true if the digest of a signature is not one of SHA-2. A signature by Ed25519 has no digest. Unlike OpenSSL,
 * AWS-LC accepts RIPEMD-160 and SHA-1.
 */
static bool has_weak_signature(const X509 *certificate) {
  if (X509_get_signature_nid(certificate) == NID_ED25519) return false;
  switch (digest_of_signature(certificate)) {
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512: return false;
    default: return true;
  }
}

/* Returns true for a key of RSA or an elliptic curve. AWS-LC also accepts DSA and ML-DSA, which no public authority uses. */
static bool is_accepted_kind(const EVP_PKEY *key) {
  const int kind = EVP_PKEY_id(key);
  return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS || kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519;
}

/* The lengths of keys with 112 bits of security. */
enum { MIN_RSA_BITS = 2048, MIN_CURVE_BITS = 224 };

/*
 * Returns X509_V_OK, or an error if a key or a signature of the chain is too weak. Node.js uses OpenSSL's security level 2.
 * It requires keys with 112 bits of security, which means 2048 bits for RSA and 224 bits for an elliptic curve, and
 * signatures with a stronger digest than SHA-1.
 */
static int find_weakness(X509_STORE_CTX *verified) {
  const STACK_OF(X509) *const chain = X509_STORE_CTX_get0_chain(verified);
  const size_t count = sk_X509_num(chain);
  for (size_t i = 0; i < count; ++i) {
    const X509 *const certificate = sk_X509_value(chain, i);
    const EVP_PKEY *const key = X509_get0_pubkey(certificate);
    if (key == NULL || !is_accepted_kind(key)) return X509_V_ERR_APPLICATION_VERIFICATION;
    const int min_key_bits = EVP_PKEY_id(key) == EVP_PKEY_EC ? MIN_CURVE_BITS : MIN_RSA_BITS;
    /* Each key of Ed25519 has the same length, which is sufficient. */
    const bool is_short = EVP_PKEY_id(key) != EVP_PKEY_ED25519 && EVP_PKEY_bits(key) < min_key_bits;
    /* The first certificate is the server's own. */
    if (is_short) return i == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
    /* The last certificate is the trusted authority, whose signature is not verified. */
    if (i < count - 1 && has_weak_signature(certificate)) return X509_V_ERR_CA_MD_TOO_WEAK;
  }
  return X509_V_OK;
}

/*
 * Returns true if an authority has more authorities below it than its certificate allows. AWS-LC does not check that for a
 * self-issued certificate, whose issuer has the same name, as that of a root.
 */
static bool exceeds_path_length(X509_STORE_CTX *verified) {
  const STACK_OF(X509) *const chain = X509_STORE_CTX_get0_chain(verified);
  long authorities_below = 0;
  for (size_t i = 1; i < sk_X509_num(chain); ++i) {
    X509 *const authority = sk_X509_value(chain, i);
    const long max_below = X509_get_pathlen(authority);
    if (max_below >= 0 && authorities_below > max_below) return true;
    /* Self-issued certificates are not counted (RFC 5280, 4.2.1.9). */
    if ((X509_get_extension_flags(authority) & EXFLAG_SI) == 0) ++authorities_below;
  }
  return false;
}

/*
 * Returns X509_V_OK, or an error if a certificate is not valid at this time. For a certificate whose issuer is unknown
 * OpenSSL reports this error, because it checks the dates last. AWS-LC ends before it has checked them.
 */
static int find_date_error(const X509 *leaf) {
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) return X509_V_ERR_CERT_HAS_EXPIRED;
  if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) return X509_V_ERR_CERT_NOT_YET_VALID;
  return X509_V_OK;
}

/*
 * X509_verify_cert continues after an error, because record_error returns 1, and so it can build the whole chain of a server
 * that is rejected. If it ends early anyway (`is_complete` is false), the error of AWS-LC is the result.
 */
int verify_chain(X509_STORE_CTX *chain, bool *is_other_host) {
  struct findings findings = {.error = X509_V_OK};
  /* If this function returns early, the host must not seem to be verified. */
  *is_other_host = true;
  if (findings_index < 0) findings_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  if (findings_index < 0 || !X509_STORE_CTX_set_ex_data(chain, findings_index, &findings)) return X509_V_ERR_OUT_OF_MEM;
  X509_STORE_CTX_set_verify_cb(chain, record_error);
  const bool is_complete = X509_verify_cert(chain) > 0;
  const int recorded_error = findings.error;
  /* The chain must not keep a pointer to this function's stack. */
  X509_STORE_CTX_set_ex_data(chain, findings_index, NULL);
  *is_other_host = findings.is_other_host;
  ERR_clear_error();
  if (recorded_error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE) {
    const int date_error = find_date_error(X509_STORE_CTX_get0_cert(chain));
    if (date_error != X509_V_OK) return date_error;
  }
  if (is_complete) {
    if (recorded_error != X509_V_OK) return recorded_error;
    return exceeds_path_length(chain) ? X509_V_ERR_PATH_LENGTH_EXCEEDED : find_weakness(chain);
  }
  const int error = X509_STORE_CTX_get_error(chain);
  return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

JSValue names_of_certificate(JSContext *context, X509 *certificate) {
  const JSValue list = JS_NewArray(context);
  GENERAL_NAMES *const names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  uint32_t count = 0;
  for (size_t i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME *const name = sk_GENERAL_NAME_value(names, i);
    char address[INET6_ADDRSTRLEN];
    const char *text = NULL;
    size_t size = 0;
    if (name->type == GEN_DNS) {
      text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
      size = (size_t)ASN1_STRING_length(name->d.dNSName);
    } else if (name->type == GEN_IPADD) {
      const int length = ASN1_STRING_length(name->d.iPAddress);
      if (length != IPV4_BYTES && length != IPV6_BYTES) continue;
      text = inet_ntop(length == IPV4_BYTES ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof address);
      size = strlen(address);
    }
    if (text == NULL) continue;
    JS_SetPropertyUint32(context, list, count++, JS_NewString(context, name->type == GEN_DNS ? "DNS" : "IP Address"));
    JS_SetPropertyUint32(context, list, count++, text_from_utf8(context, (const uint8_t *)text, size));
  }
  GENERAL_NAMES_free(names);
  ERR_clear_error();
  return list;
}
