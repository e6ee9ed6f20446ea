/* Verification of a server's certificates, with the errors of Node.js. */
#include "tls.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#define NAMES(E)                                                                                                        \
  E(UNABLE_TO_GET_ISSUER_CERT) E(UNABLE_TO_DECRYPT_CERT_SIGNATURE) E(UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)                \
  E(CERT_SIGNATURE_FAILURE) E(CERT_NOT_YET_VALID) E(CERT_HAS_EXPIRED) E(ERROR_IN_CERT_NOT_BEFORE_FIELD)                 \
  E(ERROR_IN_CERT_NOT_AFTER_FIELD) E(OUT_OF_MEM) E(DEPTH_ZERO_SELF_SIGNED_CERT) E(SELF_SIGNED_CERT_IN_CHAIN)            \
  E(UNABLE_TO_GET_ISSUER_CERT_LOCALLY) E(UNABLE_TO_VERIFY_LEAF_SIGNATURE) E(CERT_CHAIN_TOO_LONG) E(CERT_REVOKED)        \
  E(INVALID_CA) E(PATH_LENGTH_EXCEEDED) E(INVALID_PURPOSE) E(CERT_UNTRUSTED) E(CERT_REJECTED)

/* Node.js has no names for the others. */
const char *name_of_verification(int error) {
  static const struct {
    int number;
    const char *name;
  } ALL[] = {
#define ENTRY(name) {X509_V_ERR_##name, #name},
    NAMES(ENTRY)
#undef ENTRY
  };
  for (size_t i = 0; i < COUNT(ALL); ++i) {
    if (ALL[i].number == error) return ALL[i].name;
  }
  return "UNSPECIFIED";
}

const char *message_of_verification(int error) {
  switch (error) {
    /* AWS-LC has no words for them. */
    case X509_V_ERR_EE_KEY_TOO_SMALL: return "EE certificate key too weak";
    case X509_V_ERR_CA_KEY_TOO_SMALL: return "CA certificate key too weak";
    case X509_V_ERR_CA_MD_TOO_WEAK: return "CA signature digest algorithm too weak";
    case X509_V_ERR_APPLICATION_VERIFICATION: return "certificate key is neither of RSA nor of an elliptic curve";
    default: return X509_verify_cert_error_string(error);
  }
}

static int error_index = -1;

struct notes {
  int error;
  bool is_other_host;
};

/* Lets the verification go on, as Node.js does: it reports the last error, and another host only if there is no error. */
static int note_error(int is_right, X509_STORE_CTX *chain) {
  if (is_right) return 1;
  struct notes *const notes = X509_STORE_CTX_get_ex_data(chain, error_index);
  const int error = X509_STORE_CTX_get_error(chain);
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    notes->is_other_host = true;
    X509_STORE_CTX_set_error(chain, notes->error);
  } else notes->error = error;
  return 1;
}

bool expect_host(X509_VERIFY_PARAM *parameters, const char *host, size_t size) {
  char name[256];
  uint8_t address[16];
  if (size > 0 && host[size - 1] == '.') --size;
  /* AWS-LC would accept each certificate for an empty name, and subdomains for one with a dot at its start. */
  if (size == 0 || size >= sizeof name || host[0] == '.' || memchr(host, '\0', size) != NULL) return false;
  memcpy(name, host, size);
  name[size] = '\0';
  if (inet_pton(AF_INET, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, 4);
  if (inet_pton(AF_INET6, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, 16);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(parameters, name, size);
}

/* Returns NID_undef for a signature without a digest of its own, such as Ed25519's, and for an unknown one. */
static int digest_of_signature(const X509 *certificate) {
  int digest = NID_undef;
  const int signature = X509_get_signature_nid(certificate);
  if (signature != NID_rsassaPss) return OBJ_find_sigid_algs(signature, &digest, NULL) ? digest : NID_undef;
  const X509_ALGOR *algorithm = NULL;
  const void *parameters = NULL;
  int type = V_ASN1_UNDEF;
  X509_get0_signature(NULL, &algorithm, certificate);
  X509_ALGOR_get0(NULL, &type, &parameters, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_undef;
  const uint8_t *bytes = ASN1_STRING_get0_data(parameters);
  RSA_PSS_PARAMS *const pss = d2i_RSA_PSS_PARAMS(NULL, &bytes, ASN1_STRING_length(parameters));
  /* RFC 4055, 3.1: the default is SHA-1. */
  if (pss != NULL) digest = pss->hashAlgorithm == NULL ? NID_sha1 : OBJ_obj2nid(pss->hashAlgorithm->algorithm);
  RSA_PSS_PARAMS_free(pss);
  return digest;
}

/* AWS-LC also verifies by RIPEMD-160 and SHA-1. */
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

/* AWS-LC also has keys of DSA and ML-DSA, which no authority for servers has. */
static bool is_kind_accepted(const EVP_PKEY *key) {
  const int kind = EVP_PKEY_id(key);
  return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS || kind == EVP_PKEY_EC || kind == EVP_PKEY_ED25519;
}

/* At OpenSSL's security level 2, that of Node.js, keys have 112 bits of security, and signatures more than SHA-1's. */
static int weakness_of(X509_STORE_CTX *verified) {
  const STACK_OF(X509) *const chain = X509_STORE_CTX_get0_chain(verified);
  const size_t count = sk_X509_num(chain);
  for (size_t i = 0; i < count; ++i) {
    const X509 *const one = sk_X509_value(chain, i);
    const EVP_PKEY *const key = X509_get0_pubkey(one);
    if (key == NULL || !is_kind_accepted(key)) return X509_V_ERR_APPLICATION_VERIFICATION;
    const int least = EVP_PKEY_id(key) == EVP_PKEY_EC ? 224 : 2048;
    const bool is_short = EVP_PKEY_id(key) != EVP_PKEY_ED25519 && EVP_PKEY_bits(key) < least;
    if (is_short) return i == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
    /* The signature of the last one, the authority, is not verified. */
    if (i < count - 1 && has_weak_signature(one)) return X509_V_ERR_CA_MD_TOO_WEAK;
  }
  return X509_V_OK;
}

/* AWS-LC ignores how many authorities one may have below it if that one has the name of its issuer, as each root has. */
static bool is_too_long(X509_STORE_CTX *verified) {
  const STACK_OF(X509) *const chain = X509_STORE_CTX_get0_chain(verified);
  long below = 0;
  for (size_t i = 1; i < sk_X509_num(chain); ++i) {
    X509 *const authority = sk_X509_value(chain, i);
    const long most = X509_get_pathlen(authority);
    if (most >= 0 && below > most) return true;
    /* RFC 5280, 4.2.1.9: self-issued ones do not count. */
    if ((X509_get_extension_flags(authority) & EXFLAG_SI) == 0) ++below;
  }
  return false;
}

/* OpenSSL goes on to the dates of a single certificate without an issuer, and reports those; AWS-LC ends before them. */
static int problem_of_dates(const X509 *leaf) {
  if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0) return X509_V_ERR_CERT_HAS_EXPIRED;
  if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) return X509_V_ERR_CERT_NOT_YET_VALID;
  return X509_V_OK;
}

int verify_chain(X509_STORE_CTX *chain, bool *is_other_host) {
  struct notes notes = {.error = X509_V_OK};
  *is_other_host = true;
  if (error_index < 0) error_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
  if (error_index < 0 || !X509_STORE_CTX_set_ex_data(chain, error_index, &notes)) return X509_V_ERR_OUT_OF_MEM;
  X509_STORE_CTX_set_verify_cb(chain, note_error);
  const int result = X509_verify_cert(chain), noted = notes.error;
  X509_STORE_CTX_set_ex_data(chain, error_index, NULL);
  *is_other_host = notes.is_other_host;
  ERR_clear_error();
  if (noted == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE) {
    const int dates = problem_of_dates(X509_STORE_CTX_get0_cert(chain));
    if (dates != X509_V_OK) return dates;
  }
  if (result > 0) {
    if (noted != X509_V_OK) return noted;
    return is_too_long(chain) ? X509_V_ERR_PATH_LENGTH_EXCEEDED : weakness_of(chain);
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
      if (length != 4 && length != 16) continue;
      text = inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof address);
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
