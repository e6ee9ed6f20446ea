/*
 * Two functions of the OpenSSL that Node.js has loaded: its own node:crypto takes a start eight milliseconds to load. The
 * names are weak: where the process has no such functions, as with a Node.js that exports none, these are not defined.
 */
#define WEAK __attribute__((weak))

typedef struct evp_md_st EVP_MD;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;

extern const EVP_MD *EVP_sha256(void) WEAK;
extern unsigned char *HMAC(const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *,
                           unsigned int *) WEAK;
extern const EVP_CIPHER *EVP_aes_256_gcm(void) WEAK;
extern EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void) WEAK;
extern void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *) WEAK;
extern int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int, int, void *) WEAK;
extern int EVP_DecryptInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *, const unsigned char *,
                              const unsigned char *) WEAK;
extern int EVP_DecryptUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int) WEAK;
extern int EVP_DecryptFinal_ex(EVP_CIPHER_CTX *, unsigned char *, int *) WEAK;

/* OpenSSL's EVP_CTRL_AEAD_SET_TAG. */
enum { SET_TAG = 0x11, KEY_BYTES = 32, IV_BYTES = 12, TAG_BYTES = 16, HMAC_BYTES = 32 };

static bool has_openssl(void) {
  return EVP_sha256 && HMAC && EVP_aes_256_gcm && EVP_CIPHER_CTX_new && EVP_CIPHER_CTX_free && EVP_CIPHER_CTX_ctrl &&
         EVP_DecryptInit_ex && EVP_DecryptUpdate && EVP_DecryptFinal_ex;
}

struct bytes {
  const unsigned char *data;
  size_t length;
};

/* The arguments, each of which has to be a Buffer of less than 2 GiB. */
static bool buffer_arguments(napi_env env, napi_callback_info info, struct bytes *bytes, size_t expected) {
  napi_value given[4];
  size_t count = expected;
  if (napi_get_cb_info(env, info, &count, given, NULL, NULL) != napi_ok || count != expected) return false;
  for (size_t i = 0; i < expected; ++i) {
    void *data = NULL;
    if (napi_get_buffer_info(env, given[i], &data, &bytes[i].length) != napi_ok) return false;
    if (bytes[i].length > INT32_MAX) return false;
    /* An empty one may have no address, which OpenSSL takes for a key or data that stay as they were. */
    bytes[i].data = data == NULL ? (const unsigned char *)"" : data;
  }
  return true;
}

static napi_value hmac_sha256(napi_env env, napi_callback_info info) {
  struct bytes given[2]; /* key, data */
  unsigned char digest[HMAC_BYTES];
  napi_value result = NULL;
  if (!buffer_arguments(env, info, given, COUNT(given))) return NULL;
  if (HMAC(EVP_sha256(), given[0].data, (int)given[0].length, given[1].data, given[1].length, digest, NULL) != NULL)
    napi_create_buffer_copy(env, sizeof digest, digest, NULL, &result);
  return result;
}

static bool decrypt(const struct bytes *given, unsigned char *text) {
  const struct bytes key = given[0], iv = given[1], bound = given[2], sealed = given[3];
  const size_t length = sealed.length - TAG_BYTES;
  unsigned char tag[TAG_BYTES];
  int written = 0;
  EVP_CIPHER_CTX *const context = EVP_CIPHER_CTX_new();
  memcpy(tag, sealed.data + length, sizeof tag);
  const bool is_opened = context != NULL &&
                         EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key.data, iv.data) == 1 &&
                         EVP_DecryptUpdate(context, NULL, &written, bound.data, (int)bound.length) == 1 &&
                         EVP_DecryptUpdate(context, text, &written, sealed.data, (int)length) == 1 &&
                         EVP_CIPHER_CTX_ctrl(context, SET_TAG, sizeof tag, tag) == 1 &&
                         EVP_DecryptFinal_ex(context, text + written, &written) == 1;
  if (context != NULL) EVP_CIPHER_CTX_free(context);
  return is_opened;
}

static napi_value open_aes_256_gcm(napi_env env, napi_callback_info info) {
  struct bytes given[4]; /* key, IV, what is authenticated and not encrypted, what is encrypted with the tag behind it */
  napi_value result = NULL;
  void *text = NULL;
  if (!buffer_arguments(env, info, given, COUNT(given)) || given[0].length != KEY_BYTES ||
      given[1].length != IV_BYTES || given[3].length < TAG_BYTES)
    return NULL;
  if (napi_create_buffer(env, given[3].length - TAG_BYTES, &text, &result) != napi_ok) return NULL;
  if (decrypt(given, text)) return result;
  /* What did not prove right is nobody's. */
  memset(text, 0, given[3].length - TAG_BYTES);
  return NULL;
}
