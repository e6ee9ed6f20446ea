/*
 * The certificates that a TLS client trusts: those of the authorities that Mozilla trusts, and those of PEM texts that the
 * user has configured.
 *
 * These are some 150 certificates, of which the chain of one server needs one or two. So at first only their names are read.
 * When a chain needs a certificate, add_issuers parses it and adds it to the store of AWS-LC, the library for TLS.
 */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

/* A trusted certificate. It owns no memory: each CBS points into mozilla_roots, or into a block of struct trust. */
struct certificate {
  /* The bytes of the certificate in DER, and those of its two names. */
  CBS der, issuer, subject;
  /*
   * Behind the certificate the bytes list the purposes for which it is trusted (`TRUSTED CERTIFICATE`, a PEM type of
   * OpenSSL).
   */
  bool has_purposes;
  /* The certificate was added to the store. */
  bool is_added;
};

/* The certificates that the sessions of one SSL_CTX trust (tls.c), and the memory of those that are not in mozilla_roots. */
struct trust {
  struct certificate *certificates;
  size_t count, capacity;
  /* The decoded bytes of PEM texts, into which their certificates point. */
  uint8_t **blocks;
  size_t block_count;
};

struct trust *new_trust(void) {
  return calloc(1, sizeof(struct trust));
}

void free_trust(struct trust *trust) {
  if (trust == NULL) return;
  for (size_t i = 0; i < trust->block_count; ++i) free(trust->blocks[i]);
  free(trust->blocks);
  free(trust->certificates);
  free(trust);
}

/*
 * Finds issuer and subject in the bytes of a certificate, whose fields are: version (optional), serial number, signature
 * algorithm, issuer, validity, subject, and others (RFC 5280, 4.1). Returns false if the bytes have not this structure.
 * Everything else is checked when the certificate is parsed.
 */
static bool find_names(struct certificate *certificate) {
  CBS der = certificate->der, sequence, fields;
  return CBS_get_asn1(&der, &sequence, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1(&sequence, &fields, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&fields, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
         CBS_get_asn1(&fields, NULL, CBS_ASN1_INTEGER) && CBS_get_asn1(&fields, NULL, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1_element(&fields, &certificate->issuer, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1(&fields, NULL, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1_element(&fields, &certificate->subject, CBS_ASN1_SEQUENCE);
}

/* Adds a certificate. Returns false if the certificate is damaged, or if there is no memory. */
static bool add_certificate(struct trust *trust, CBS der, bool has_purposes) {
  struct certificate added = {.der = der, .has_purposes = has_purposes};
  if (!find_names(&added)) return false;
  if (trust->count == trust->capacity) {
    const size_t capacity = trust->capacity == 0 ? 16 : trust->capacity * 2;
    struct certificate *const certificates = realloc(trust->certificates, capacity * sizeof *certificates);
    if (certificates == NULL) return false;
    trust->certificates = certificates;
    trust->capacity = capacity;
  }
  trust->certificates[trust->count++] = added;
  return true;
}

bool trust_roots(struct trust *trust) {
  CBS remaining, der;
  CBS_init(&remaining, mozilla_roots, (size_t)(mozilla_roots_end - mozilla_roots));
  while (CBS_len(&remaining) > 0) {
    if (!CBS_get_asn1_element(&remaining, &der, CBS_ASN1_SEQUENCE) || !add_certificate(trust, der, false)) return false;
  }
  return true;
}

/* Returns memory that free_trust frees; NULL if there is none. */
static uint8_t *allocate_block(struct trust *trust, size_t size) {
  uint8_t **const blocks = realloc(trust->blocks, (trust->block_count + 1) * sizeof *blocks);
  if (blocks == NULL) return NULL;
  trust->blocks = blocks;
  uint8_t *const block = malloc(size);
  if (block != NULL) blocks[trust->block_count++] = block;
  return block;
}

/* Returns the first position of a text between two positions; NULL if there is none. */
static const uint8_t *find_text(const uint8_t *start, const uint8_t *end, const char *text) {
  return memmem(start, (size_t)(end - start), text, strlen(text));
}

/* The digits of base64, in the order of their values. */
static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/*
 * Decodes base64 (RFC 4648, 4), and ignores blanks and line breaks. `output` must have room for as many bytes as the text has.
 * Returns false if the text is not valid. This decoder is ten times as fast as that of AWS-LC, which takes the same time for
 * all input, so that the time reveals no secret. Certificates are not secret.
 */
static bool decode_base64(const uint8_t *text, const uint8_t *end, uint8_t *output, size_t *size) {
  /* By character: the value of a digit, or -1. */
  static int8_t values[256];
  const bool is_first_call = values['B'] == 0;
  if (is_first_call) {
    memset(values, -1, sizeof values);
    for (int i = 0; i < 64; ++i) values[(uint8_t)DIGITS[i]] = (int8_t)i;
  }
  uint32_t bits = 0;
  size_t character_count = 0, padding_count = 0, output_size = 0;
  for (; text < end; ++text) {
    if (*text <= ' ') continue;
    const bool is_padding = *text == '=';
    if (is_padding) ++padding_count;
    const bool is_valid = is_padding ? padding_count <= 2 : padding_count == 0 && values[*text] >= 0;
    if (!is_valid) return false;
    bits = bits << 6 | (is_padding ? 0 : (uint32_t)values[*text]);
    /* Four characters are three bytes. */
    if (++character_count % 4 != 0) continue;
    for (int shift = 16; shift >= 0; shift -= 8) output[output_size++] = (uint8_t)(bits >> shift);
  }
  *size = output_size - padding_count;
  return character_count % 4 == 0;
}

/* Returns true if the type of a PEM block, such as "CERTIFICATE", is this one. */
static bool is_type(const uint8_t *type, size_t length, const char *expected) {
  return length == strlen(expected) && memcmp(type, expected, length) == 0;
}

/*
 * A block of PEM has this form. There may be any text before it and behind it.
 *   -----BEGIN CERTIFICATE-----
 *   MIIBtDCCAVqg…
 *   -----END CERTIFICATE-----
 */
bool trust_pem(struct trust *trust, const uint8_t *text, size_t size) {
  static const char BEGIN[] = "-----BEGIN ", DASHES[] = "-----";
  const uint8_t *const end = text + size;
  /* The decoded certificates are shorter than the text. They are put here one after the other. */
  uint8_t *decoded = allocate_block(trust, size + 1);
  if (decoded == NULL) return false;
  for (const uint8_t *next = text; (next = find_text(next, end, BEGIN)) != NULL;) {
    next += strlen(BEGIN);
    const uint8_t *const type = next, *const type_end = find_text(type, end, DASHES);
    if (type_end == NULL) break;
    const uint8_t *const body = type_end + strlen(DASHES), *const body_end = find_text(body, end, DASHES);
    if (body_end == NULL) break;
    const size_t type_length = (size_t)(type_end - type);
    const bool has_purposes = is_type(type, type_length, "TRUSTED CERTIFICATE");
    const bool is_certificate = has_purposes || is_type(type, type_length, "CERTIFICATE") ||
                                is_type(type, type_length, "X509 CERTIFICATE");
    next = body_end;
    if (!is_certificate) continue;
    size_t decoded_size = 0;
    CBS der;
    if (!decode_base64(body, body_end, decoded, &decoded_size)) break;
    CBS_init(&der, decoded, decoded_size);
    if (!add_certificate(trust, der, has_purposes)) break;
    decoded += decoded_size;
  }
  return true;
}

/* Parses a certificate, and adds it to the store of AWS-LC. */
static void add_to_store(struct certificate *certificate, X509_STORE *store) {
  certificate->is_added = true;
  const uint8_t *bytes = CBS_data(&certificate->der);
  const long size = (long)CBS_len(&certificate->der);
  X509 *const parsed = certificate->has_purposes ? d2i_X509_AUX(NULL, &bytes, size) : d2i_X509(NULL, &bytes, size);
  if (parsed != NULL) X509_STORE_add_cert(store, parsed);
  X509_free(parsed);
  /* A damaged certificate is ignored, and so not trusted. */
  ERR_clear_error();
}

/* Parses a name in DER. Returns NULL if it is not valid. */
static X509_NAME *parse_name(const CBS *name) {
  const uint8_t *bytes = CBS_data(name);
  return d2i_X509_NAME(NULL, &bytes, (long)CBS_len(name));
}

/* Compares names as RFC 5280, 7.1 requires: the type of a text, spaces, and upper and lower case make no difference. */
static bool is_same_name(const CBS *left, const CBS *right) {
  X509_NAME *const left_name = parse_name(left), *const right_name = parse_name(right);
  const bool result = left_name != NULL && right_name != NULL && X509_NAME_cmp(left_name, right_name) == 0;
  X509_NAME_free(left_name);
  X509_NAME_free(right_name);
  return result;
}

/* The limit on the names for one chain, since the server chooses the chain. */
enum { MAX_NAMES = 64 };

/* The names of issuers for which add_issuers searches, each once. The search adds further names at the end. */
struct names {
  CBS items[MAX_NAMES];
  size_t count;
};

/* Adds a name, unless it is there already or MAX_NAMES are there. The name points into the memory of a certificate. */
static void add_name(struct names *names, CBS name) {
  for (size_t i = 0; i < names->count; ++i) {
    if (CBS_mem_equal(&names->items[i], CBS_data(&name), CBS_len(&name))) return;
  }
  if (names->count < MAX_NAMES) names->items[names->count++] = name;
}

/* Adds the name of a certificate's issuer. */
static void add_issuer_of(struct names *names, const X509 *certificate) {
  const uint8_t *bytes = NULL;
  size_t size = 0;
  CBS name;
  if (!X509_NAME_get0_der(X509_get_issuer_name(certificate), &bytes, &size)) return;
  CBS_init(&name, bytes, size);
  add_name(names, name);
}

/* How add_certificates_named compares names: byte by byte, or by is_same_name. */
enum comparison { BY_BYTES, BY_MEANING };

/*
 * Adds the trusted certificates of a name to the store, and the names of their issuers to `names`. Returns true if there
 * are any such certificates.
 */
static bool add_certificates_named(struct trust *trust, X509_STORE *store, struct names *names, CBS name,
                                   enum comparison comparison) {
  bool has_any = false;
  for (size_t i = 0; i < trust->count; ++i) {
    struct certificate *const certificate = &trust->certificates[i];
    const bool is_same = comparison == BY_BYTES ? CBS_mem_equal(&certificate->subject, CBS_data(&name), CBS_len(&name))
                                                : is_same_name(&certificate->subject, &name);
    if (!is_same) continue;
    has_any = true;
    if (!certificate->is_added) add_to_store(certificate, store);
    add_name(names, certificate->issuer);
  }
  return has_any;
}

void add_issuers(struct trust *trust, X509_STORE *store, const X509 *leaf, const STACK_OF(X509) *chain) {
  struct names names = {.count = 0};
  add_issuer_of(&names, leaf);
  for (size_t i = 0; i < sk_X509_num(chain); ++i) add_issuer_of(&names, sk_X509_value(chain, i));
  for (size_t i = 0; i < names.count; ++i) {
    const CBS name = names.items[i];
    /* The comparison of bytes is much faster, and finds nearly all certificates. */
    const bool has_any = add_certificates_named(trust, store, &names, name, BY_BYTES);
    if (!has_any) add_certificates_named(trust, store, &names, name, BY_MEANING);
  }
}

/*
 * (Uint8Array with PEM or DER): returns undefined if the first certificate can be parsed. Otherwise returns the reason as
 * OpenSSL names it, behind the part of OpenSSL that has failed: "PEM_NO_START_LINE".
 */
JAVASCRIPT_FUNCTION(problem_of_certificate) {
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[0], &size), *der = bytes;
  BIO *const memory = BIO_new_mem_buf(bytes, (ossl_ssize_t)size);
  X509 *parsed = memory == NULL ? NULL : PEM_read_bio_X509_AUX(memory, NULL, NULL, NULL);
  const uint32_t error = ERR_peek_error();
  const char *const reason = ERR_reason_error_string(error);
  char problem[128];
  snprintf(problem, sizeof problem, "%s_%s", ERR_GET_LIB(error) == ERR_LIB_PEM ? "PEM" : "ASN1",
           reason == NULL ? "UNKNOWN" : reason);
  if (parsed == NULL && bytes != NULL) parsed = d2i_X509(NULL, &der, (long)size);
  const JSValue result = parsed != NULL ? JS_UNDEFINED : JS_NewString(context, problem);
  X509_free(parsed);
  BIO_free(memory);
  ERR_clear_error();
  return result;
}

void add_trust(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("problemOfCertificate", 1, problem_of_certificate),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
}
