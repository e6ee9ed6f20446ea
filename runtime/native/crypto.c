/*
 * Hashes, HMACs, derived keys and AES-256-GCM for node:crypto (runtime/modules/crypto.ts), by AWS-LC. Arguments for bytes
 * may be strings, which are encoded as UTF-8. Copies of what may be a secret are wiped.
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

enum { TAG_BYTES = 16 };

/* Returns a digest by its name, such as "sha256"; NULL for another name, or with an exception. */
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
  const EVP_MD *found = NULL;
  for (size_t i = 0; i < COUNT(DIGESTS) && found == NULL; ++i) {
    if (strcasecmp(DIGESTS[i].name, text) == 0) found = DIGESTS[i].digest();
  }
  JS_FreeCString(context, text);
  return found;
}

/* An argument: a string as UTF-8, or the memory of a Uint8Array. `text` is NULL for an array. */
struct input {
  const uint8_t *bytes;
  size_t size;
  const char *text;
};

/*
 * Reads an argument. Returns false with an exception for anything else. free_input must be called before JavaScript runs
 * again.
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

static void free_input(JSContext *context, struct input *input) {
  if (input->text != NULL) JS_FreeCString(context, input->text);
}

/* A hash, or an HMAC if it has a key: one of the two contexts is used. The class "Hasher" of JavaScript owns it. */
struct hasher {
  EVP_MD_CTX plain;
  HMAC_CTX keyed;
  bool is_keyed;
};

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
FUNCTION(start_hash) {
  const EVP_MD *const digest = find_digest(context, arguments[0]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_UNDEFINED;
  struct input key = {0};
  const bool is_keyed = !JS_IsUndefined(arguments[1]);
  if (is_keyed && !read_input(context, arguments[1], &key)) return JS_EXCEPTION;
  struct hasher *const hasher = OPENSSL_zalloc(sizeof *hasher);
  bool done = hasher != NULL;
  if (done) {
    hasher->is_keyed = is_keyed;
    EVP_MD_CTX_init(&hasher->plain);
    HMAC_CTX_init(&hasher->keyed);
    /* For a key without bytes the pointer must not be NULL, which would mean the key of an earlier call. */
    const void *const bytes = key.bytes == NULL ? (const uint8_t *)"" : key.bytes;
    done = is_keyed ? HMAC_Init_ex(&hasher->keyed, bytes, key.size, digest, NULL)
                    : EVP_DigestInit_ex(&hasher->plain, digest, NULL);
  }
  free_input(context, &key);
  const JSValue result = done ? new_native_object(context, hasher_class) : JS_ThrowInternalError(context, "no digest");
  if (JS_IsException(result)) {
    OPENSSL_free(hasher);
    return result;
  }
  JS_SetOpaque(result, hasher);
  return result;
}

/* (hasher, bytes): adds bytes to what is hashed */
FUNCTION(update_hash) {
  struct hasher *const hasher = JS_GetOpaque2(context, arguments[0], hasher_class);
  struct input input;
  if (hasher == NULL || !read_input(context, arguments[1], &input)) return JS_EXCEPTION;
  if (hasher->is_keyed) HMAC_Update(&hasher->keyed, input.bytes, input.size);
  else EVP_DigestUpdate(&hasher->plain, input.bytes, input.size);
  free_input(context, &input);
  return JS_UNDEFINED;
}

/* (hasher): returns the digest; no other call may follow */
FUNCTION(finish_hash) {
  struct hasher *const hasher = JS_GetOpaque2(context, arguments[0], hasher_class);
  if (hasher == NULL) return JS_EXCEPTION;
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool done = hasher->is_keyed ? HMAC_Final(&hasher->keyed, digest, &size)
                                     : EVP_DigestFinal_ex(&hasher->plain, digest, &size);
  if (!done) return JS_ThrowInternalError(context, "no digest");
  const JSValue result = new_buffer(context, digest, size);
  OPENSSL_cleanse(digest, sizeof digest);
  return result;
}

/* (bytes, other bytes): compares in a time that does not depend on where they differ */
FUNCTION(are_equal) {
  size_t left_size = 0, right_size = 0;
  const uint8_t *const left = bytes_of(context, arguments[0], &left_size);
  const uint8_t *const right = bytes_of(context, arguments[1], &right_size);
  return JS_NewBool(context, left_size == right_size && CRYPTO_memcmp(left, right, left_size) == 0);
}

/* Returns a Buffer with bytes of OPENSSL_malloc, and frees those. OPENSSL_free wipes them. */
static JSValue buffer_of(JSContext *context, uint8_t *bytes, size_t size) {
  const JSValue result = new_buffer(context, bytes, size);
  OPENSSL_free(bytes);
  return result;
}

/*
 * (digest, key, salt, info, length): returns a key by HKDF (RFC 5869); undefined for an unknown digest, null if it is too
 * long
 */
FUNCTION(derive_by_hkdf) {
  const EVP_MD *const digest = find_digest(context, arguments[0]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_UNDEFINED;
  const int length = integer_of(context, arguments[4]);
  if (length < 0 || (size_t)length > 255 * EVP_MD_size(digest)) return JS_NULL;
  struct input inputs[3] = {{0}};
  bool done = true;
  for (size_t i = 0; i < COUNT(inputs) && done; ++i) done = read_input(context, arguments[1 + i], &inputs[i]);
  uint8_t *const key = done ? OPENSSL_malloc((size_t)length + 1) : NULL;
  JSValue result = JS_EXCEPTION;
  if (key != NULL) {
    const bool is_made = HKDF(key, (size_t)length, digest, inputs[0].bytes, inputs[0].size, inputs[1].bytes,
                              inputs[1].size, inputs[2].bytes, inputs[2].size);
    result = is_made ? buffer_of(context, key, (size_t)length) : JS_ThrowInternalError(context, "no key");
    if (!is_made) OPENSSL_free(key);
  }
  for (size_t i = 0; i < COUNT(inputs); ++i) free_input(context, &inputs[i]);
  return result;
}

/*
 * The derivation of a key by PBKDF2, which takes long and so runs in another thread. `inputs` are the password and the
 * salt.
 */
struct derivation {
  struct work work;
  const EVP_MD *digest;
  unsigned iterations;
  size_t key_length, password_length, salt_length;
  uint8_t *key;
  uint8_t inputs[];
};

static void free_derivation(struct derivation *derivation) {
  OPENSSL_cleanse(derivation->inputs, derivation->password_length);
  OPENSSL_free(derivation->key);
  free(derivation);
}

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

static JSValue result_of_derivation(JSContext *context, struct work *work) {
  struct derivation *const derivation = (struct derivation *)work;
  const JSValue result = derivation->key == NULL ? JS_UNDEFINED : buffer_of(context, derivation->key, derivation->key_length);
  derivation->key = NULL;
  free_derivation(derivation);
  return result;
}

/*
 * (digest, password, salt, iterations, length, callback): returns true, and the callback gets the key; returns false for an
 * unknown digest
 */
FUNCTION(derive_by_pbkdf2) {
  const EVP_MD *const digest = find_digest(context, arguments[0]);
  if (digest == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_FALSE;
  const int iterations = integer_of(context, arguments[3]), length = integer_of(context, arguments[4]);
  if (iterations < 1 || length < 0) return JS_ThrowRangeError(context, "no iterations, or no length");
  struct input password = {0}, salt = {0};
  struct derivation *derivation = NULL;
  if (read_input(context, arguments[1], &password) && read_input(context, arguments[2], &salt)) {
    derivation = malloc(sizeof *derivation + password.size + salt.size);
  }
  if (derivation != NULL) {
    *derivation = (struct derivation){
      .work = {.run = run_derivation, .result = result_of_derivation},
      .digest = digest,
      .iterations = (unsigned)iterations,
      .key_length = (size_t)length,
      .password_length = password.size,
      .salt_length = salt.size,
      .key = OPENSSL_malloc((size_t)length + 1),
    };
    memcpy(derivation->inputs, password.bytes, password.size);
    memcpy(derivation->inputs + password.size, salt.bytes, salt.size);
  }
  free_input(context, &password);
  free_input(context, &salt);
  if (derivation == NULL) return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
  if (derivation->key != NULL && start_work(context, &derivation->work, arguments[5])) return JS_TRUE;
  free_derivation(derivation);
  return throw_system_error(context, EAGAIN, "pbkdf2", NULL);
}

static void free_cipher(JSRuntime *runtime, JSValueConst value) {
  (void)runtime;
  EVP_CIPHER_CTX_free(JS_GetOpaque(value, cipher_class));
}

/* (true to encrypt or false to decrypt, key of 32 bytes, initialization vector): returns a cipher of AES-256-GCM */
FUNCTION(start_cipher) {
  size_t key_size = 0, vector_size = 0;
  const uint8_t *const key = bytes_of(context, arguments[1], &key_size);
  const uint8_t *const vector = bytes_of(context, arguments[2], &vector_size);
  if (key_size != 32 || vector_size == 0 || vector_size > 128) return JS_ThrowRangeError(context, "not for AES-256-GCM");
  const int encrypts = JS_ToBool(context, arguments[0]);
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

/* (cipher, bytes that are authenticated but not encrypted): must precede update_cipher */
FUNCTION(authenticate) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  size_t size = 0;
  const uint8_t *const bytes = bytes_of(context, arguments[1], &size);
  int length = 0;
  return JS_NewBool(context, EVP_CipherUpdate(cipher, NULL, &length, bytes, (int)size));
}

/* (cipher, bytes): returns the bytes encrypted or decrypted; undefined if the cipher is not in a state for that */
FUNCTION(update_cipher) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  struct input input;
  if (cipher == NULL || !read_input(context, arguments[1], &input)) return JS_EXCEPTION;
  int length = 0;
  uint8_t *const output = input.size > INT32_MAX - 16 ? NULL : OPENSSL_malloc(input.size + 1);
  const bool done = output != NULL && EVP_CipherUpdate(cipher, output, &length, input.bytes, (int)input.size);
  free_input(context, &input);
  if (done) return buffer_of(context, output, (size_t)length);
  OPENSSL_free(output);
  return JS_UNDEFINED;
}

/* (cipher): ends the encryption or decryption. Returns false if the decrypted bytes do not belong to the tag. */
FUNCTION(finish_cipher) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  /* GCM has no padding, so no bytes are written at the end. */
  uint8_t unused[EVP_MAX_BLOCK_LENGTH];
  int length = 0;
  return JS_NewBool(context, EVP_CipherFinal_ex(cipher, unused, &length));
}

/* (cipher, tag): sets the tag that the encryption has made; must precede finish_cipher when decrypting */
FUNCTION(set_tag) {
  EVP_CIPHER_CTX *const cipher = JS_GetOpaque2(context, arguments[0], cipher_class);
  if (cipher == NULL) return JS_EXCEPTION;
  size_t size = 0;
  uint8_t *const tag = bytes_of(context, arguments[1], &size);
  return JS_NewBool(context, size == TAG_BYTES && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag));
}

/* (cipher): returns the tag, after finish_cipher when encrypting; otherwise undefined */
FUNCTION(tag_of) {
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
