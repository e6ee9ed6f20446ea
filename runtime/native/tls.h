/*
 * Declarations that trust.c (the certificates that are trusted), verify.c (their verification) and tls.c (sessions) share.
 */
#ifndef SOPHIA_RUN_TLS_H
#define SOPHIA_RUN_TLS_H

#include "runtime.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* The certificates of Mozilla's authorities in DER, one after the other (runtime/build/parts/roots.mjs). */
extern const uint8_t mozilla_roots[], mozilla_roots_end[];

/*
 * The certificates that a context trusts. Each is parsed only when a server's chain names it: to parse all takes
 * milliseconds.
 */
struct trust;

/* Returns an empty trust, which free_trust frees; NULL if there is no memory. */
struct trust *new_trust(void);
void free_trust(struct trust *trust);
/* Adds all certificates of a PEM text up to the first damaged one, as OpenSSL does. Returns false if there is no memory. */
bool trust_pem(struct trust *trust, const uint8_t *text, size_t size);
/* Adds mozilla_roots. */
bool trust_roots(struct trust *trust);
/* Adds to a store the trusted certificates whose names are those of the chain's issuers, of their issuers, and so on. */
void add_issuers(struct trust *trust, X509_STORE *store, const X509 *leaf, const STACK_OF(X509) *chain);
/*
 * Makes verifications compare the certificate with a host, a name or an address. Returns false if no certificate can be for
 * it.
 */
bool expect_host(X509_VERIFY_PARAM *parameters, const char *host, size_t size);
/*
 * Verifies a server's chain. Returns X509_V_OK, or the error that Node.js reports. A certificate for another host is not an
 * error here: it sets `is_other_host`.
 */
int verify_chain(X509_STORE_CTX *chain, bool *is_other_host);
/* Return the name of Node.js for an error of X.509, such as "CERT_HAS_EXPIRED", and OpenSSL's message for it. */
const char *name_of_verification(int error);
const char *message_of_verification(int error);
/*
 * Returns the names and addresses that a certificate is for as a list, each as its kind and its text, as in
 *   ["DNS", "example.org", "IP Address", "127.0.0.1"]
 */
JSValue names_of_certificate(JSContext *context, X509 *certificate);

#endif
