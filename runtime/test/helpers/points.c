// Compares multiples of base points, by the tables that the build makes smaller (build/parts/aws-lc-tables.mjs), with those by functions
// that have no table. Prints each difference, then the number of multiples.
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/curve25519.h>
#include <openssl/ec.h>
#include <openssl/nid.h>

#include "crypto/fipsmodule/ec/internal.h"

static int count;

static EC_SCALAR scalar_of(const EC_GROUP *group, const BIGNUM *number) {
  EC_SCALAR scalar;
  if (!ec_bignum_to_scalar(group, &scalar, number)) puts("no scalar");
  return scalar;
}

static void compare(const EC_GROUP *group, const BIGNUM *number) {
  const BIGNUM *order = EC_GROUP_get0_order(group);
  if (BN_is_negative(number) || BN_cmp(number, order) >= 0) return;
  const EC_SCALAR scalar = scalar_of(group, number);
  const EC_JACOBIAN *base = &EC_GROUP_get0_generator(group)->raw;
  EC_JACOBIAN expected, secret;
  count += 1;
  if (!ec_point_mul_scalar(group, &expected, base, &scalar) || !ec_point_mul_scalar_base(group, &secret, &scalar) ||
      !ec_GFp_simple_points_equal(group, &expected, &secret))
    printf("%s: %s\n", EC_curve_nid2nist(EC_GROUP_get_curve_name(group)), BN_bn2hex(number));
  // As a signature is verified: the same multiple, to which 0, the point itself, or its opposite are added.
  BIGNUM *others[3] = {BN_new(), BN_dup(number), BN_new()};
  BN_sub(others[2], order, number);
  for (int index = 0; index < 3; index++) {
    if (BN_cmp(others[index], order) >= 0) continue;
    const EC_SCALAR other = scalar_of(group, others[index]);
    EC_JACOBIAN added, sum, found;
    ec_point_mul_scalar(group, &added, base, &other);
    group->meth->add(group, &sum, &expected, &added);
    if (!ec_point_mul_scalar_public(group, &found, &scalar, base, &other) ||
        !ec_GFp_simple_points_equal(group, &found, &sum))
      printf("%s, public %d: %s\n", EC_curve_nid2nist(EC_GROUP_get_curve_name(group)), index, BN_bn2hex(number));
  }
  for (int index = 0; index < 3; index++) BN_free(others[index]);
}

/** Compares a number and its opposite. */
static void compare_both(const EC_GROUP *group, const BIGNUM *number) {
  BIGNUM *opposite = BN_new();
  compare(group, number);
  BN_sub(opposite, EC_GROUP_get0_order(group), number);
  compare(group, opposite);
  BN_free(opposite);
}

/** @param step of the bits; all for 1 */
static void compare_curve(int name, unsigned step) {
  EC_GROUP *group = EC_GROUP_new_by_curve_name(name);
  const unsigned bits = BN_num_bits(EC_GROUP_get0_order(group));
  BIGNUM *number = BN_new();
  // Next to 0 and to n, where sums of windows come closest to the point that is added to them.
  for (unsigned small = 0; small <= 260; small += step) {
    BN_set_word(number, small);
    compare_both(group, number);
  }
  for (unsigned bit = 1; bit < bits; bit += step) {
    for (unsigned more = 0; more < 3; more++) {
      BN_zero(number);
      BN_set_bit(number, (int)bit);
      BN_add_word(number, more);
      BN_sub_word(number, 1);
      compare_both(group, number);
    }
    BN_rshift(number, EC_GROUP_get0_order(group), (int)bit);
    compare_both(group, number);
  }
  // The same window of 7 bits everywhere, and in every second place.
  for (unsigned window = 1; window < 128; window += step) {
    for (unsigned places = 7; places <= 14; places += 7) {
      BN_zero(number);
      for (unsigned bit = 0; bit + 7 < bits; bit += places) {
        BN_lshift(number, number, (int)places);
        BN_add_word(number, window);
      }
      compare_both(group, number);
    }
  }
  BN_free(number);
}

static void compare_25519(const uint8_t key[32]) {
  static const uint8_t base[32] = {9};
  uint8_t found[32], expected[32];
  count += 1;
  X25519_public_from_private(found, key);
  if (!X25519(expected, key, base) || memcmp(found, expected, 32) != 0) printf("X25519: %d %d\n", key[0], key[31]);
}

int main(void) {
  compare_curve(NID_X9_62_prime256v1, 1);
  // Its arithmetic takes ten times as long.
  compare_curve(NID_secp384r1, 17);
  uint8_t key[32];
  for (int byte = 0; byte < 256; byte++) {
    memset(key, byte, 32);
    compare_25519(key);
    memset(key, 0, 32);
    key[byte / 8] = (uint8_t)(1 << byte % 8);
    compare_25519(key);
    memset(key, 255, 32);
    key[byte / 8] ^= (uint8_t)(1 << byte % 8);
    compare_25519(key);
  }
  printf("%d multiples\n", count);
}
