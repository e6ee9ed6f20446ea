/*
 * Declarations for TLS clients: trust.c defines which certificates are trusted, verify.c verifies certificate chains, and tls.c
 * makes the connections.
 */
#ifndef SOPHIA_RUN_TLS_H
#define SOPHIA_RUN_TLS_H

#include "runtime.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* The certificates of the authorities that Mozilla trusts, in DER, one after the other (runtime/build/parts/roots.mjs). */
extern const uint8_t mozilla_roots[], mozilla_roots_end[];

/*
 * The set of certificates that the connections of a context trust. Each certificate is parsed only when a server's chain needs
 * it, because to parse all takes milliseconds.
 */
struct trust;

/* Returns an empty set, which the caller must free by free_trust; NULL if there is no memory. */
struct trust *new_trust(void);
void free_trust(struct trust *trust);
/* Adds the certificates of a PEM text up to the first damaged one, as OpenSSL does. Returns false if there is no memory. */
bool trust_pem(struct trust *trust, const uint8_t *text, size_t size);
/* Adds mozilla_roots. Returns false if there is no memory. */
bool trust_roots(struct trust *trust);
/*
 * Adds to a store of AWS-LC those trusted certificates that may be needed to verify a chain: the ones whose names are those
 * of the chain's issuers, of their issuers, and so on. `leaf` is the server's own certificate.
 */
void add_issuers(struct trust *trust, X509_STORE *store, const X509 *leaf, const STACK_OF(X509) *chain);
/*
 * Makes a verification compare the certificate with a host, which is a name or an address. Returns false if the host is
 * neither, so that no certificate can be for it.
 */
bool expect_host(X509_VERIFY_PARAM *parameters, const char *host, size_t size);
/*
 * Verifies a server's certificate chain. Returns X509_V_OK, or the error that Node.js reports. Stores in `is_other_host`
 * whether the certificate is for another host; that is no error here.
 */
int verify_chain(X509_STORE_CTX *chain, bool *is_other_host);
/* Return the name that a verification error has in Node.js, such as "CERT_HAS_EXPIRED", and OpenSSL's message for it. */
const char *name_of_verification(int error);
const char *message_of_verification(int error);
/*
 * Returns a list of the names and addresses that a certificate is for, each behind its kind, as in
 *   ["DNS", "example.org", "IP Address", "127.0.0.1"]
 */
JSValue names_of_certificate(JSContext *context, X509 *certificate);

#endif
