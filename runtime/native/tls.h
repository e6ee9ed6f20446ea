/* Certificates and TLS, shared by trust.c, verify.c and tls.c. */
#ifndef SOPHIA_RUN_TLS_H
#define SOPHIA_RUN_TLS_H

#include "runtime.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Mozilla's authorities, DER one after another (runtime/build/parts/roots.mjs). */
extern const uint8_t mozilla_roots[], mozilla_roots_end[];

/* Certificates that a context trusts. Each is parsed when a peer's chain names it: all of them take milliseconds. */
struct trust;

struct trust *new_trust(void);
void free_trust(struct trust *trust);
/* Adds all certificates of a PEM text up to the first damaged one, as OpenSSL does. */
bool trust_pem(struct trust *trust, const uint8_t *text, size_t size);
bool trust_roots(struct trust *trust);
/* Adds the certificates to a store that have the names of the chain's issuers, or of the issuers of those. */
void add_issuers(struct trust *trust, X509_STORE *store, const X509 *leaf, const STACK_OF(X509) *chain);
/* Makes verifications compare a host, a name or an address. Returns false for what no certificate can be for. */
bool expect_host(X509_VERIFY_PARAM *parameters, const char *host, size_t size);
/* Verifies a peer's chain. Returns X509_V_OK, or the error that Node.js reports; another host is told apart, as there. */
int verify_chain(X509_STORE_CTX *chain, bool *is_other_host);
/* Returns Node's name for an error of X.509, such as "CERT_HAS_EXPIRED". */
const char *name_of_verification(int error);
const char *message_of_verification(int error);
/* Returns the names and addresses that a certificate is for, in turns: "DNS" or "IP Address", and a text. */
JSValue names_of_certificate(JSContext *context, X509 *certificate);

#endif
