// Makes AWS-LC's tables of multiples of base points smaller: nothing can compress them, and the executables for Linux would have 0.2 MB
// more. Each handshake multiplies one or two base points.
import { between } from "./changes.mjs";

/** Each sixth of P-256's 37 rows stays: 29 kB in place of 152, for 12 microseconds in place of 8. Row w has multiples of 2^7w. */
const P256_STEP = 6;
/** Each fourth of Curve25519's 32 rows stays: 8 kB in place of 31, for 22 microseconds in place of 18. Row w has multiples of 2^8w. */
const CURVE25519_STEP = 4;

/**
 * Multiplies P-256's base point. Window w of the scalar, 7 bits with a sign, needs a point of row w. It takes one of row w - w % STEP, and
 * all those with the same w % STEP are doubled together.
 *
 * The library cannot add a point to itself, which would need the same multiple of the base point twice, modulo the order n. The difference
 * of both is a sum of windows from -64 to 64, each times another power of 128; that of the point is not 0, so the sum is not 0 either.
 * Before the last group the sum is less than n. In it, the sum is less than 2n, and so would be n or -n. But it is a multiple of 128,
 * which n is not: n is 81 modulo 128. Only with the point of window 0 it is none. Then it is the scalar less twice that window, so that
 * the window would be 47, and the scalar n + 94. So the lowest window is the last one.
 */
const P256_WINDOWS = `  OPENSSL_memset(aligned_p, 0, sizeof(*aligned_p));
  for (int shift = ${P256_STEP - 1}; shift >= 0; shift--) {
    for (int i = 0; i < 7 && shift < ${P256_STEP - 1}; i++) {
      ecp_nistz256_point_double(aligned_p, aligned_p);
    }
    for (int row = (36 - shift) / ${P256_STEP}; row >= 0; row--) {
      size_t index = 7 * (row * ${P256_STEP} + shift);
      const crypto_word_t wvalue =
          index == 0 ? calc_first_wvalue(&index, p_str) : calc_wvalue(&index, p_str);
`;
const P256_END = `      ecp_nistz256_point_add_affine(aligned_p, aligned_p, aligned_t);
    }
  }

`;

/** Windows of Curve25519's scalar have 4 bits, so that two of them share a row. Its formulas add each point to each. */
const WINDOWS_OF_ROW = 2 * CURVE25519_STEP;
const CURVE25519_WINDOWS = `  ge_p3_0(h);
  for (int shift = ${WINDOWS_OF_ROW - 1}; shift >= 0; shift--) {
    for (i = 0; i < 4 && shift < ${WINDOWS_OF_ROW - 1}; i++) {
      ge_p3_dbl(&r, h);
      x25519_ge_p1p1_to_p3(h, &r);
    }
    for (i = shift; i < 64; i += ${WINDOWS_OF_ROW}) {
      table_select(&t, i / ${WINDOWS_OF_ROW}, e[i]);
      ge_madd(&r, h, &t);
      x25519_ge_p1p1_to_p3(h, &r);
    }
  }
`;

/** Returns the text of a table with each so many of its rows, without what follows the last of these. `first` is what a row begins with. */
function rowsOf(table, first, step) {
  const [head, ...rows] = table.split(first);
  const some = rows.filter((_, index) => index % step === 0);
  return [head, ...some].join(first).replace(/,\s*$/, "");
}

/** Changes by path, as `changed` takes them. */
export const TABLES = {
  "crypto/fipsmodule/ec/p256-nistz-table.h": [
    [
      (text) => text.slice(text.indexOf("static const alignas(4096) PRECOMP256_ROW ecp_nistz256_precomputed[37]")),
      // The last row, which stays, has the end of the table.
      (table) => rowsOf(table, "\n    {{{", P256_STEP).replace("[37]", "[]"),
    ],
  ],
  "crypto/fipsmodule/ec/p256-nistz.c": [
    [
      between(
        "  // First window\n",
        "  assert(group->field.N.width == P256_LIMBS);\n  OPENSSL_memcpy(r->X.words, aligned_p->X",
      ),
      `${P256_WINDOWS}      ecp_nistz256_select_w7(aligned_t, ecp_nistz256_precomputed[row], wvalue >> 1);

      stack_align_type buffer_neg_y[32 + (sizeof(BN_ULONG) * P256_LIMBS)];
      BN_ULONG *aligned_neg_y = (BN_ULONG *) align_pointer(buffer_neg_y, 32);
      ecp_nistz256_neg(aligned_neg_y, aligned_t->Y);
      copy_conditional(aligned_t->Y, aligned_neg_y, wvalue & 1);

${P256_END}`,
    ],
    [
      between("  // First window\n", "  stack_align_type buffer_tmp[32 + sizeof(P256_POINT)];"),
      `${P256_WINDOWS}      if ((wvalue >> 1) == 0) {
        continue;
      }

      stack_align_type buffer_t[32 + sizeof(P256_POINT_AFFINE)];
      P256_POINT_AFFINE *aligned_t = (P256_POINT_AFFINE *) align_pointer(buffer_t, 32);
      OPENSSL_memcpy(aligned_t, &ecp_nistz256_precomputed[row][(wvalue >> 1) - 1], sizeof(*aligned_t));
      if ((wvalue & 1) == 1) {
        ecp_nistz256_neg(aligned_t->Y, aligned_t->Y);
      }
${P256_END}`,
    ],
  ],
  "crypto/fipsmodule/curve25519/curve25519_tables.h": [
    [
      between("static const ge_precomp k25519Precomp[32][8]", "\n};\n\n#endif  // OPENSSL_SMALL"),
      (table) => rowsOf(table, "\n    {\n", CURVE25519_STEP).replace("[32]", "[]"),
    ],
  ],
  "crypto/fipsmodule/curve25519/curve25519_nohw.c": [
    [
      between("  ge_p3_0(h);\n  for (i = 1; i < 64; i += 2) {", "}\n\n#endif\n\nstatic void cmov_cached("),
      CURVE25519_WINDOWS,
    ],
    // A variable that this leaves unused.
    [
      "  ge_p2 s;\n  ge_precomp t;\n  int i;\n\n  for (i = 0; i < 32; ++i) {",
      "  ge_precomp t;\n  int i;\n\n  for (i = 0; i < 32; ++i) {",
    ],
  ],
  // Signatures of P-384 are verified by the first row. The others are for a key of the client, which a server asks for that knows no other
  // group: 0.2 ms more.
  "crypto/fipsmodule/ec/p384_table.h": [
    [
      between("static const p384_felem p384_g_pre_comp[20][16][2]", "#else"),
      (table) => `${rowsOf(table, "\n    {{{", 20).replace("[20]", "[]")}};\n`,
    ],
  ],
  "crypto/fipsmodule/ec/p384.c": [
    [
      between(
        "  p384_felem res[3] = {{0}, {0}, {0}};\n\n  ec_nistp_scalar_mul_base(",
        "}\n\n// Computes [g_scalar]G + [p_scalar]P",
      ),
      "  ec_GFp_nistp384_point_mul(group, r, &group->generator.raw, scalar);\n",
    ],
  ],
};
