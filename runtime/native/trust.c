/* Certificates that a TLS client trusts: Mozilla's, and those of the user's files. */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

struct certificate {
  CBS der, issuer, subject;
  /* Followed by what it is trusted for, as in `TRUSTED CERTIFICATE`. */
  bool has_purposes;
  bool is_added;
};

struct trust {
  struct certificate *all;
  size_t count, capacity;
  /* The memory that certificates of files point into. */
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
  free(trust->all);
  free(trust);
}

/* Finds issuer and subject (RFC 5280, 4.1); the rest is verified when the certificate is parsed. */
static bool find_names(struct certificate *one) {
  CBS der = one->der, certificate, contents;
  return CBS_get_asn1(&der, &certificate, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1(&certificate, &contents, CBS_ASN1_SEQUENCE) &&
         CBS_get_optional_asn1(&contents, NULL, NULL, CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0) &&
         CBS_get_asn1(&contents, NULL, CBS_ASN1_INTEGER) && CBS_get_asn1(&contents, NULL, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1_element(&contents, &one->issuer, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1(&contents, NULL, CBS_ASN1_SEQUENCE) &&
         CBS_get_asn1_element(&contents, &one->subject, CBS_ASN1_SEQUENCE);
}

static bool add_certificate(struct trust *trust, CBS der, bool has_purposes) {
  struct certificate added = {.der = der, .has_purposes = has_purposes};
  if (!find_names(&added)) return false;
  if (trust->count == trust->capacity) {
    const size_t capacity = trust->capacity == 0 ? 16 : trust->capacity * 2;
    struct certificate *const all = realloc(trust->all, capacity * sizeof *all);
    if (all == NULL) return false;
    trust->all = all;
    trust->capacity = capacity;
  }
  trust->all[trust->count++] = added;
  return true;
}

bool trust_roots(struct trust *trust) {
  CBS rest, der;
  CBS_init(&rest, mozilla_roots, (size_t)(mozilla_roots_end - mozilla_roots));
  while (CBS_len(&rest) > 0) {
    if (!CBS_get_asn1_element(&rest, &der, CBS_ASN1_SEQUENCE) || !add_certificate(trust, der, false)) return false;
  }
  return true;
}

/* Memory that lives as long as the trust. */
static uint8_t *allocate_block(struct trust *trust, size_t size) {
  uint8_t **const blocks = realloc(trust->blocks, (trust->block_count + 1) * sizeof *blocks);
  if (blocks == NULL) return NULL;
  trust->blocks = blocks;
  uint8_t *const block = malloc(size);
  if (block != NULL) blocks[trust->block_count++] = block;
  return block;
}

static const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *text) {
  return memmem(from, (size_t)(end - from), text, strlen(text));
}

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decodes base64 (RFC 4648, 4) with blanks. That of AWS-LC hides its timing, which takes ten times as long. */
static bool decode(const uint8_t *from, const uint8_t *end, uint8_t *to, size_t *size) {
  static int8_t values[256];
  if (values['B'] == 0) {
    memset(values, -1, sizeof values);
    for (int i = 0; i < 64; ++i) values[(uint8_t)DIGITS[i]] = (int8_t)i;
  }
  uint32_t bits = 0;
  size_t count = 0, padding = 0, written = 0;
  for (; from < end; ++from) {
    if (*from <= ' ') continue;
    const bool is_padding = *from == '=';
    if (is_padding ? ++padding > 2 : padding > 0 || values[*from] < 0) return false;
    bits = bits << 6 | (is_padding ? 0 : (uint32_t)values[*from]);
    if (++count % 4 != 0) continue;
    for (int shift = 16; shift >= 0; shift -= 8) to[written++] = (uint8_t)(bits >> shift);
  }
  *size = written - padding;
  return count % 4 == 0;
}

bool trust_pem(struct trust *trust, const uint8_t *text, size_t size) {
  static const char BEGIN[] = "-----BEGIN ", DASHES[] = "-----";
  const uint8_t *const end = text + size;
  uint8_t *to = allocate_block(trust, size + 1);
  if (to == NULL) return false;
  for (const uint8_t *next = text; (next = find(next, end, BEGIN)) != NULL;) {
    next += strlen(BEGIN);
    const uint8_t *const name_end = find(next, end, DASHES);
    if (name_end == NULL) break;
    const uint8_t *const body = name_end + strlen(DASHES), *const body_end = find(body, end, DASHES);
    if (body_end == NULL) break;
    const size_t length = (size_t)(name_end - next);
    const bool has_purposes = length == 19 && memcmp(next, "TRUSTED CERTIFICATE", length) == 0;
    const bool is_certificate = has_purposes || (length == 11 && memcmp(next, "CERTIFICATE", length) == 0) ||
                                (length == 16 && memcmp(next, "X509 CERTIFICATE", length) == 0);
    next = body_end;
    if (!is_certificate) continue;
    size_t bytes = 0;
    CBS der;
    if (!decode(body, body_end, to, &bytes)) break;
    CBS_init(&der, to, bytes);
    if (!add_certificate(trust, der, has_purposes)) break;
    to += bytes;
  }
  return true;
}

static void add_to_store(struct certificate *one, X509_STORE *store) {
  one->is_added = true;
  const uint8_t *bytes = CBS_data(&one->der);
  const long size = (long)CBS_len(&one->der);
  X509 *const parsed = one->has_purposes ? d2i_X509_AUX(NULL, &bytes, size) : d2i_X509(NULL, &bytes, size);
  if (parsed != NULL) X509_STORE_add_cert(store, parsed);
  X509_free(parsed);
  /* A damaged one is not trusted. */
  ERR_clear_error();
}

static X509_NAME *parse_name(const CBS *name) {
  const uint8_t *bytes = CBS_data(name);
  return d2i_X509_NAME(NULL, &bytes, (long)CBS_len(name));
}

/* Compares as RFC 5280, 7.1, does: another type of text, other spaces, another case. */
static bool is_same_name(const CBS *left, const CBS *right) {
  X509_NAME *const one = parse_name(left), *const other = parse_name(right);
  const bool result = one != NULL && other != NULL && X509_NAME_cmp(one, other) == 0;
  X509_NAME_free(one);
  X509_NAME_free(other);
  return result;
}

/* A limit for hostile chains. */
enum { MAX_NAMES = 64 };

struct names {
  CBS all[MAX_NAMES];
  size_t count;
};

static void add_name(struct names *names, CBS name) {
  for (size_t i = 0; i < names->count; ++i) {
    if (CBS_mem_equal(&names->all[i], CBS_data(&name), CBS_len(&name))) return;
  }
  if (names->count < MAX_NAMES) names->all[names->count++] = name;
}

static void add_issuer_of(struct names *names, const X509 *certificate) {
  const uint8_t *bytes = NULL;
  size_t size = 0;
  CBS name;
  if (!X509_NAME_get0_der(X509_get_issuer_name(certificate), &bytes, &size)) return;
  CBS_init(&name, bytes, size);
  add_name(names, name);
}

/* Returns true if there are any of this name. */
static bool add_named(struct trust *trust, X509_STORE *store, struct names *names, CBS name, bool is_exact) {
  bool is_found = false;
  for (size_t i = 0; i < trust->count; ++i) {
    struct certificate *const one = &trust->all[i];
    const bool is_same = is_exact ? CBS_mem_equal(&one->subject, CBS_data(&name), CBS_len(&name))
                                  : is_same_name(&one->subject, &name);
    if (!is_same) continue;
    is_found = true;
    if (!one->is_added) add_to_store(one, store);
    add_name(names, one->issuer);
  }
  return is_found;
}

void add_issuers(struct trust *trust, X509_STORE *store, const X509 *leaf, const STACK_OF(X509) *chain) {
  struct names names = {.count = 0};
  add_issuer_of(&names, leaf);
  for (size_t i = 0; i < sk_X509_num(chain); ++i) add_issuer_of(&names, sk_X509_value(chain, i));
  for (size_t i = 0; i < names.count; ++i) {
    const CBS name = names.all[i];
    if (!add_named(trust, store, &names, name, true)) add_named(trust, store, &names, name, false);
  }
}

/* (PEM or DER): undefined if the first certificate can be parsed, otherwise the part of OpenSSL that fails, and why */
FUNCTION(problem_of_certificate) {
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
