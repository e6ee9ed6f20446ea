// Changes AWS-LC for the executables for Linux: its tables name algorithms that no client of TLS 1.2 and 1.3 meets, and faster
// variants of rare ones, so that the linker cannot leave them out.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TABLES } from "./aws-lc-tables.mjs";
import { changed } from "./changes.mjs";

/** Texts by path, and what takes their place. Each occurs once in its file, if no other number is given. */
const CHANGES = {
  // Kinds of keys: RSA, elliptic curves, Ed25519, X25519 and ML-KEM stay. Certificates for TLS have neither DSA, DH nor, so far, ML-DSA.
  "crypto/fipsmodule/evp/internal.h": [
    ["#define FIPS_EVP_PKEY_METHODS 9\n", "#define FIPS_EVP_PKEY_METHODS 5\n"],
    ["#define NON_FIPS_EVP_PKEY_METHODS 3\n", "#define NON_FIPS_EVP_PKEY_METHODS 1\n"],
    ["#define ASN1_EVP_PKEY_METHODS 11\n", "#define ASN1_EVP_PKEY_METHODS 6\n"],
  ],
  "crypto/fipsmodule/evp/evp_ctx.c": [
    ["  out->methods[3] = EVP_PKEY_hkdf_pkey_meth();\n", "  out->methods[3] = EVP_PKEY_ed25519_pkey_meth();\n"],
    ["  out->methods[4] = EVP_PKEY_hmac_pkey_meth();\n", "  out->methods[4] = EVP_PKEY_kem_pkey_meth();\n"],
    ["  out->methods[5] = EVP_PKEY_ed25519_pkey_meth();\n", ""],
    ["  out->methods[6] = EVP_PKEY_kem_pkey_meth();\n", ""],
    ["  out->methods[7] = EVP_PKEY_pqdsa_pkey_meth();\n", ""],
    ["  out->methods[8] = EVP_PKEY_ed25519ph_pkey_meth();\n", ""],
  ],
  "crypto/evp_extra/p_methods.c": [
    ["  &x25519_pkey_meth,\n  &dh_pkey_meth,\n  &dsa_pkey_meth\n", "  &x25519_pkey_meth\n"],
    ["  &dsa_asn1_meth,\n", ""],
    ["  &pqdsa_asn1_meth,\n", ""],
    ["  &kem_asn1_meth,\n  &hmac_asn1_meth,\n  &dh_asn1_meth,\n  &ed25519ph_asn1_meth\n", "  &kem_asn1_meth\n"],
  ],
  "crypto/evp_extra/evp_asn1.c": [
    [
      "  const EVP_PKEY_ASN1_METHOD *pqdsa_method = PQDSA_find_asn1_by_nid(nid);\n" +
        "  if (pqdsa_method != NULL) {\n    return pqdsa_method;\n  }\n",
      "",
    ],
  ],
  // The groups of TLS have ML-KEM-768 and 1024.
  "crypto/fipsmodule/kem/kem.c": [["    case NID_MLKEM512:\n      return KEM_ml_kem_512();\n", ""]],
  // Digests that no signature has.
  "crypto/digest_extra/digest_extra.c": [
    ["    {NID_md4, EVP_md4, SN_md4, LN_md4},\n", ""],
    ["    {NID_ripemd160, EVP_ripemd160, SN_ripemd160, LN_ripemd160},\n", ""],
  ],
  // 3DES: the client offers none (CIPHERS in runtime/native/tls.c).
  "ssl/ssl_cipher.cc": [
    [
      "      if (version == TLS1_VERSION) {\n        *out_aead = EVP_aead_des_ede3_cbc_sha1_tls_implicit_iv();\n" +
        "        *out_fixed_iv_len = 8;\n      } else {\n        *out_aead = EVP_aead_des_ede3_cbc_sha1_tls();\n      }\n",
      "      return false;\n",
    ],
  ],
  "crypto/pem/pem_lib.c": [
    [
      "  if (0 == strcmp(name, SN_des_cbc)) {\n    return EVP_des_cbc();\n" +
        "  } else if (0 == strcmp(name, SN_des_ede3_cbc)) {\n    return EVP_des_ede3_cbc();\n  } else if",
      "  if",
    ],
  ],
  // P-224 and P-521 by the code for any curve: some 1 ms more for a server with such a key, or one that knows no other group.
  "crypto/fipsmodule/ec/ec.c": [
    [
      "#if defined(BORINGSSL_HAS_UINT128) && !defined(OPENSSL_SMALL)\n  out->meth = EC_GFp_nistp224_method();",
      "#if 0\n  out->meth = EC_GFp_nistp224_method();",
    ],
    [
      "#if !defined(OPENSSL_SMALL)\n  out->meth = EC_GFp_nistp521_method();",
      "#if 0\n  out->meth = EC_GFp_nistp521_method();",
    ],
  ],
  ...TABLES,
  // The client signs and decrypts nothing, and has no keys but those that TLS makes for a handshake, without these functions.
  "crypto/fipsmodule/evp/p_rsa.c": [
    ["  out->keygen = pkey_rsa_keygen;\n", "  out->keygen = NULL;\n", 2],
    ["  out->sign = pkey_rsa_sign;\n", "  out->sign = NULL;\n", 2],
    ["  out->encrypt = pkey_rsa_encrypt; /* encrypt */\n", "  out->encrypt = NULL;\n"],
    ["  out->decrypt = pkey_rsa_decrypt; /* decrypt */\n", "  out->decrypt = NULL;\n"],
  ],
  "crypto/evp_extra/p_rsa_asn1.c": [
    ["  rsa_priv_decode,\n  rsa_priv_encode,\n", "  NULL,\n  NULL,\n"],
    ["  rsa_pss_priv_decode,\n", "  NULL,\n"],
  ],
  "crypto/fipsmodule/evp/p_ec.c": [
    ["  out->keygen = pkey_ec_keygen;\n", "  out->keygen = NULL;\n"],
    ["  out->sign = pkey_ec_sign;\n", "  out->sign = NULL;\n"],
  ],
  "crypto/evp_extra/p_ec_asn1.c": [["  eckey_priv_decode,\n  eckey_priv_encode,\n", "  NULL,\n  NULL,\n"]],
  "crypto/fipsmodule/evp/p_ed25519.c": [
    ["  out->keygen = pkey_ed25519_keygen;\n", "  out->keygen = NULL;\n"],
    ["  out->sign_message = pkey_ed25519_sign_message;\n", "  out->sign_message = NULL;\n"],
  ],
  "crypto/evp_extra/p_ed25519_asn1.c": [
    [
      "    ed25519_priv_decode,\n    ed25519_priv_encode,\n    ed25519_priv_encode_v2,\n    ed25519_set_priv_raw,\n",
      "    NULL,\n    NULL,\n    NULL,\n    NULL,\n",
    ],
  ],
  // A faster variant of signing by RSA.
  "crypto/fipsmodule/bn/rsaz_exp.h": [
    [
      "#if !defined(OPENSSL_NO_ASM) && defined(OPENSSL_X86_64) && \\\n    !defined(MY_ASSEMBLER_IS_TOO_OLD_FOR_AVX)\n#define RSAZ_ENABLED",
      "#if 0\n#define RSAZ_ENABLED",
    ],
  ],
};

/**
 * Writes the changed files, and a list of them for the compiler.
 *
 * @param library the folder of the library, which stays as it is
 * @param folder for what is written
 * @returns options of the compiler
 */
export function changedSources(library, folder) {
  const roots = Object.entries(CHANGES).map(([path, changes], index) => {
    const name = join(library, path);
    const ours = join(folder, `changed-${index}`);
    writeFileSync(ours, changed(readFileSync(name, "utf8"), `${path} of AWS-LC`, changes));
    return { name, type: "file", "external-contents": ours };
  });
  const list = join(folder, "changes.json");
  // Errors name the library's own file.
  writeFileSync(list, JSON.stringify({ version: 0, "use-external-names": false, roots }));
  return ["-ivfsoverlay", list];
}
