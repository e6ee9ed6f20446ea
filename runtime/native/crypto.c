/*
 * Hashes, HMACs, derived keys and AES-256-GCM for node:crypto (runtime/modules/crypto.ts), by the library AWS-LC.
 *
 * An argument of bytes may also be a string, which is encoded as UTF-8, unless a function's comment says Uint8Array. The
 * functions wipe their copies of data that may be secret.
 */
#include "image.h"
#include "runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/cipher.h>
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>

/* The length of the authentication tag of AES-GCM, and of the key of AES-256. */
enum { TAG_BYTES = 16, KEY_BYTES = 32 };
/* The limit on an initialization vector. sophia-run uses 12 bytes (src/sources/cached/seal.ts). */
enum { MAX_VECTOR_BYTES = 128 };

/*
 * Returns a digest by its name, such as "sha256". Returns NULL for an unknown name, and with an exception if there is no
 * memory.
 */
static const EVP_MD *find_digest(JSContext *context, JSValueConst name) {
  static const struct {
    const char *name;
    const EVP_MD *(*digest)(void);
  } DIGESTS[] = {
    {"sha256", EVP_sha256}, {"sha512", EVP_sha512}, {"sha384", EVP_sha384},
    {"sha224", EVP_sha224}, {"sha1", EVP_sha1},     {"md5", EVP_md5},
  };
  size_t length = 0;
  const char *const text = utf8_of(context, name, &length);
  if (text == NULL) return NULL;
  const EVP_MD *digest = NULL;
  for (size_t i = 0; i < COUNT(DIGESTS) && digest == NULL; ++i) {
    if (strcasecmp(DIGESTS[i].name, text) == 0) digest = DIGESTS[i].digest();
  }
  JS_FreeCString(context, text);
  return digest;
}

/* The bytes of an argument: the UTF-8 of a string, or the memory of a Uint8Array. */
struct input {
  const uint8_t *bytes;
  size_t size;
  /* The same bytes if the argument is a string, so that free_input can free them; otherwise NULL. */
  const char *text;
};

/*
 * Reads an argument of bytes. Returns false with an exception if the value is neither a string nor a Uint8Array. The caller
 * must call free_input before JavaScript runs again.
 */
static bool read_input(JSContext *context, JSValueConst value, struct input *input) {
  *input = (struct input){0};
  if (JS_IsString(value)) {
    input->text = utf8_of(context, value, &input->size);
    input->bytes = (const uint8_t *)input->text;
    return input->text != NULL;
  }
  input->bytes = bytes_of(context, value, &input->size);
  if (input->bytes != NULL) return true;
  JS_ThrowTypeError(context, "neither text nor bytes");
  return false;
}

/* Frees the text of an input. The bytes of a Uint8Array belong to JavaScript. */
static void free_input(JSContext *context, struct input *input) {
  if (input->text != NULL) JS_FreeCString(context, input->text);
}

/*
 * The state of a hash (`plain`), or of an HMAC, which is a hash with a key (`keyed`). An object of the class Hasher owns it.
 */
struct hasher {
  EVP_MD_CTX plain;
  HMAC_CTX keyed;
  bool is_keyed;
};

/* The classes of objects that own a struct hasher, and an EVP_CIPHER_CTX of AES-256-GCM. add_crypto registers them. */
static JSClassID hasher_class IMAGED, cipher_class IMAGED;

static void free_hasher(JSRuntime *runtime, JSValueConst value) {
  (void)runtime;
  struct hasher *const hasher = JS_GetOpaque(value, hasher_class);
  if (hasher == NULL) return;
  EVP_MD_CTX_cleanup(&hasher->plain);
  HMAC_CTX_cleanup(&hasher->keyed);
  OPENSSL_free(hasher);
}

/* (name of the digest, key for an HMAC or undefined): returns a hasher; undefined for an unknown name */
JAVASCRIPT_FUNCTION(start_hash) {
  const EVP_MD *const digest = find_digest(context, arguments[0]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_UNDEFINED;
  struct input key = {0};
  const bool is_keyed = !JS_IsUndefined(arguments[1]);
  if (is_keyed && !read_input(context, arguments[1], &key)) return JS_EXCEPTION;
  struct hasher *const hasher = OPENSSL_zalloc(sizeof *hasher);
  bool is_ready = hasher != NULL;
  if (is_ready) {
    hasher->is_keyed = is_keyed;
    EVP_MD_CTX_init(&hasher->plain);
    HMAC_CTX_init(&hasher->keyed);
    /* The pointer of an empty key must not be NULL, which would mean the key of an earlier call (HMAC_Init_ex(3)). */
    const void *const key_bytes = key.bytes == NULL ? (const uint8_t *)"" : key.bytes;
    is_ready = is_keyed ? HMAC_Init_ex(&hasher->keyed, key_bytes, key.size, digest, NULL)
                        : EVP_DigestInit_ex(&hasher->plain, digest, NULL);
  }
  free_input(context, &key);
  const JSValue result = is_ready ? new_native_object(context, hasher_class) : JS_ThrowInternalError(context, "no digest");
  if (JS_IsException(result)) {
    OPENSSL_free(hasher);
    return result;
  }
  JS_SetOpaque(result, hasher);
  return result;
}

/* (hasher, bytes): hashes bytes */
JAVASCRIPT_FUNCTION(update_hash) {
  struct hasher *const hasher = JS_GetOpaque2(context, arguments[0], hasher_class);
  struct input input;
  if (hasher == NULL || !read_input(context, arguments[1], &input)) return JS_EXCEPTION;
  if (hasher->is_keyed) HMAC_Update(&hasher->keyed, input.bytes, input.size);
  else EVP_DigestUpdate(&hasher->plain, input.bytes, input.size);
  free_input(context, &input);
  return JS_UNDEFINED;
}

/* (hasher): returns the digest of all bytes. The hasher must not be used afterwards. */
JAVASCRIPT_FUNCTION(finish_hash) {
  struct hasher *const hasher = JS_GetOpaque2(context, arguments[0], hasher_class);
  if (hasher == NULL) return JS_EXCEPTION;
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool is_computed = hasher->is_keyed ? HMAC_Final(&hasher->keyed, digest, &size)
                                            : EVP_DigestFinal_ex(&hasher->plain, digest, &size);
  if (!is_computed) return JS_ThrowInternalError(context, "no digest");
  const JSValue result = new_buffer(context, digest, size);
  OPENSSL_cleanse(digest, sizeof digest);
  return result;
}

/* (Uint8Array, Uint8Array): returns true if the bytes are the same. The time does not depend on where they differ. */
JAVASCRIPT_FUNCTION(are_equal) {
  size_t left_size = 0, right_size = 0;
  const uint8_t *const left = bytes_of(context, arguments[0], &left_size);
  const uint8_t *const right = bytes_of(context, arguments[1], &right_size);
  return JS_NewBool(context, left_size == right_size && CRYPTO_memcmp(left, right, left_size) == 0);
}

/* Copies bytes to a Buffer, and frees them, which also wipes them. They must come from OPENSSL_malloc. */
static JSValue move_to_buffer(JSContext *context, uint8_t *bytes, size_t size) {
  const JSValue result = new_buffer(context, bytes, size);
  OPENSSL_free(bytes);
  return result;
}

/*
 * (name of the digest, key, salt, info, length): derives a key by HKDF (RFC 5869). Returns undefined for an unknown digest,
 * and null if this digest does not allow keys of this length.
 */
JAVASCRIPT_FUNCTION(derive_by_hkdf) {
  enum { DIGEST, KEY, SALT, INFO, LENGTH };
  const EVP_MD *const digest = find_digest(context, arguments[DIGEST]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_UNDEFINED;
  const int length = integer_of(context, arguments[LENGTH]);
  /* The limit is in RFC 5869, 2.3. */
  if (length < 0 || (size_t)length > 255 * EVP_MD_size(digest)) return JS_NULL;
  struct input key = {0}, salt = {0}, info = {0};
  const bool is_read = read_input(context, arguments[KEY], &key) && read_input(context, arguments[SALT], &salt) &&
                       read_input(context, arguments[INFO], &info);
  /* The length may be 0. With one byte more, a NULL always means that there is no memory. */
  uint8_t *const derived = is_read ? OPENSSL_malloc((size_t)length + 1) : NULL;
  JSValue result = JS_EXCEPTION;
  if (derived != NULL) {
    const bool is_derived = HKDF(derived, (size_t)length, digest, key.bytes, key.size, salt.bytes, salt.size, info.bytes,
                                 info.size);
    result = is_derived ? move_to_buffer(context, derived, (size_t)length) : JS_ThrowInternalError(context, "no key");
    if (!is_derived) OPENSSL_free(derived);
  }
  free_input(context, &key);
  free_input(context, &salt);
  free_input(context, &info);
  return result;
}

/* The derivation of a key by PBKDF2, which takes so long that it runs in another thread. */
struct derivation {
  struct work work;
  const EVP_MD *digest;
  unsigned iterations;
  /* Memory for the key; NULL if the derivation has failed. */
  uint8_t *key;
  size_t key_length, password_length, salt_length;
  /* The password, and behind it the salt. */
  uint8_t inputs[];
};

/* Wipes the password, and frees a derivation with its key. */
static void free_derivation(struct derivation *derivation) {
  OPENSSL_cleanse(derivation->inputs, derivation->password_length);
  OPENSSL_free(derivation->key);
  free(derivation);
}

/* Derives the key. Runs in the other thread. */
static void run_derivation(struct work *work) {
  struct derivation *const derivation = (struct derivation *)work;
  const uint8_t *const salt = derivation->inputs + derivation->password_length;
  const bool is_derived =
    PKCS5_PBKDF2_HMAC((const char *)derivation->inputs, derivation->password_length, salt, derivation->salt_length,
                      derivation->iterations, derivation->digest, derivation->key_length, derivation->key);
  if (is_derived) return;
  OPENSSL_free(derivation->key);
  derivation->key = NULL;
}

/* Returns the key as a Buffer, or undefined if the derivation has failed. Frees the derivation. */
static JSValue result_of_derivation(JSContext *context, struct work *work) {
  struct derivation *const derivation = (struct derivation *)work;
  const JSValue result =
    derivation->key == NULL ? JS_UNDEFINED : move_to_buffer(context, derivation->key, derivation->key_length);
  derivation->key = NULL;
  free_derivation(derivation);
  return result;
}

/* Returns a derivation with copies of the inputs; NULL if there is no memory. */
static struct derivation *new_derivation(const EVP_MD *digest, const struct input *password, const struct input *salt,
                                         int iterations, int key_length) {
  struct derivation *const derivation = malloc(sizeof *derivation + password->size + salt->size);
  if (derivation == NULL) return NULL;
  *derivation = (struct derivation){
    .work = {.run = run_derivation, .result = result_of_derivation},
    .digest = digest,
    .iterations = (unsigned)iterations,
    .key_length = (size_t)key_length,
    .password_length = password->size,
    .salt_length = salt->size,
    .key = OPENSSL_malloc((size_t)key_length + 1),
  };
  memcpy(derivation->inputs, password->bytes, password->size);
  memcpy(derivation->inputs + password->size, salt->bytes, salt->size);
  return derivation;
}

/*
 * (name of the digest, password, salt, iterations, length, callback): derives a key by PBKDF2 (RFC 8018) in another thread. The
 * callback gets the key, or undefined if that fails. Returns false for an unknown digest, otherwise true.
 */
JAVASCRIPT_FUNCTION(derive_by_pbkdf2) {
  enum { DIGEST, PASSWORD, SALT, ITERATIONS, LENGTH, CALLBACK };
  const EVP_MD *const digest = find_digest(context, arguments[DIGEST]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_FALSE;
  const int iterations = integer_of(context, arguments[ITERATIONS]), length = integer_of(context, arguments[LENGTH]);
  if (iterations < 1 || length < 0) return JS_ThrowRangeError(context, "no iterations, or no length");
  struct input password = {0}, salt = {0};
  const bool is_read = read_input(context, arguments[PASSWORD], &password) && read_input(context, arguments[SALT], &salt);
  struct derivation *const derivation = is_read ? new_derivation(digest, &password, &salt, iterations, length) : NULL;
  free_input(context, &password);
  free_input(context, &salt);
  if (derivation == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
  if (derivation->key != NULL && start_work(context, &derivation->work, arguments[CALLBACK])) return JS_TRUE;
  free_derivation(derivation);
  return throw_system_error(context, EAGAIN, "pbkdf2", NULL);
}

static void free_cipher(JSRuntime *runtime, JSValueConst value) {
  (void)runtime;
  EVP_CIPHER_CTX_free(JS_GetOpaque(value, cipher_class));
}

/*
 * (true to encrypt or false to decrypt, key, initialization vector): returns a cipher of AES-256-GCM. Key and vector must
 * be of type Uint8Array.
 */
JAVASCRIPT_FUNCTION(start_cipher) {
  enum { ENCRYPTS, KEY, VECTOR };
  size_t key_size = 0, vector_size = 0;
  const uint8_t *const key = bytes_of(context, arguments[KEY], &key_size);
  const uint8_t *const vector = bytes_of(context, arguments[VECTOR], &vector_size);
  const bool has_valid_sizes = key_size == KEY_BYTES && vector_size > 0 && vector_size <= MAX_VECTOR_BYTES;
  if (!has_valid_sizes) return JS_ThrowRangeError(context, "key or vector have a wrong length for AES-256-GCM");
  const int encrypts = JS_ToBool(context, arguments[ENCRYPTS]);
  EVP_CIPHER_CTX *const cipher = EVP_CIPHER_CTX_new();
  if (cipher == NULL || !EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypts) ||
      !EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_IVLEN, (int)vector_size, NULL) ||
      !EVP_CipherInit_ex(cipher, NULL, NULL, key, vector, encrypts)) {
    EVP_CIPHER_CTX_free(cipher);
    return JS_ThrowInternalError(context, "no cipher");
  }
  const JSValue result = new_native_object(context, cipher_class);
  if (JS_IsException(result)) EVP_CIPHER_CTX_free(cipher);
  else JS_SetOpaque(result, cipher);
  return result;
}

/*
 * (cipher, Uint8Array): adds bytes that the tag authenticates but that are not encrypted. Must precede update_cipher.
 * Returns false if that fails.
 */
JAVASCRIPT_FUNCTION(authenticate) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  int length = 0;
  return JS_NewBool(context, EVP_CipherUpdate(cipher, NULL, &length, bytes, (int)size));
}

/* (cipher, bytes): encrypts or decrypts bytes. Returns undefined if that fails, as after finish_cipher. */
JAVASCRIPT_FUNCTION(update_cipher) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  struct input input;
  if (cipher == NULL || !read_input(context, arguments[1], &input)) return JS_EXCEPTION;
  int length = 0;
  /* AWS-LC takes a length of type int. In this mode (GCM) the output is as long as the input. */
  uint8_t *const output = input.size > INT32_MAX - 16 ? NULL : OPENSSL_malloc(input.size + 1);
  const bool is_done = output != NULL && EVP_CipherUpdate(cipher, output, &length, input.bytes, (int)input.size);
  free_input(context, &input);
  if (is_done) return move_to_buffer(context, output, (size_t)length);
  OPENSSL_free(output);
  return JS_UNDEFINED;
}

/* (cipher): ends the encryption or decryption. Returns false if decrypted bytes do not match the tag, and must not be used. */
JAVASCRIPT_FUNCTION(finish_cipher) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  /* GCM has no padding, so no bytes are written at the end. */
  uint8_t unused[EVP_MAX_BLOCK_LENGTH];
  int length = 0;
  return JS_NewBool(context, EVP_CipherFinal_ex(cipher, unused, &length));
}

/* (cipher, Uint8Array): sets the tag for a decryption. Must precede finish_cipher. Returns false if it has a wrong length. */
JAVASCRIPT_FUNCTION(set_tag) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  size_t size = 0;
  uint8_t *const tag = bytes_of(context, arguments[1], &size);
  return JS_NewBool(context, size == TAG_BYTES && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag));
}

/* (cipher): returns the tag of an encryption after finish_cipher; otherwise undefined */
JAVASCRIPT_FUNCTION(tag_of) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  uint8_t tag[TAG_BYTES];
  if (!EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag)) return JS_UNDEFINED;
  return new_buffer(context, tag, TAG_BYTES);
}

void add_crypto(JSContext *context, JSValueConst native) {
  static const JSCFunctionListEntry FUNCTIONS[] = {
    JS_CFUNC_DEF("startHash", 2, start_hash),
    JS_CFUNC_DEF("updateHash", 2, update_hash),
    JS_CFUNC_DEF("finishHash", 1, finish_hash),
    JS_CFUNC_DEF("areEqual", 2, are_equal),
    JS_CFUNC_DEF("deriveByHkdf", 5, derive_by_hkdf),
    JS_CFUNC_DEF("deriveByPbkdf2", 6, derive_by_pbkdf2),
    JS_CFUNC_DEF("startCipher", 3, start_cipher),
    JS_CFUNC_DEF("authenticate", 2, authenticate),
    JS_CFUNC_DEF("updateCipher", 2, update_cipher),
    JS_CFUNC_DEF("finishCipher", 1, finish_cipher),
    JS_CFUNC_DEF("setTag", 2, set_tag),
    JS_CFUNC_DEF("tagOf", 1, tag_of),
  };
  JS_SetPropertyFunctionList(context, native, FUNCTIONS, COUNT(FUNCTIONS));
  JSRuntime *const runtime = JS_GetRuntime(context);
  JS_NewClassID(runtime, &hasher_class);
  JS_NewClass(runtime, hasher_class, &(JSClassDef){"Hasher", .finalizer = free_hasher});
  JS_NewClassID(runtime, &cipher_class);
  JS_NewClass(runtime, cipher_class, &(JSClassDef){"Cipher", .finalizer = free_cipher});
}
