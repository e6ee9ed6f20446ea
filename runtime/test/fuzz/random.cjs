/* Random numbers by a seed. They are the same in Node.js and in the executable's runtime. */

/** Returns a function that returns whole numbers from 0 to below its argument (the generator mulberry32). */
exports.random = (seed) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x20, 0x2d, 0x3a];

/** Returns a changed copy of the bytes: some bytes are replaced, inserted, left out, repeated or cut off. */
exports.mutate = (next, bytes, most = 4) => {
  let result = bytes;
  for (let changes = 1 + next(most); changes > 0 && result.length > 0; changes -= 1) {
    const at = next(result.length);
    const length = Math.min(1 + next(next(4) === 0 ? 200 : 4), result.length - at);
    const filler = Buffer.from(
      Array.from({ length: 1 + next(4) }, () => (next(2) === 0 ? next(256) : NUMBERS[next(NUMBERS.length)])),
    );
    const [before, part, after] = [
      result.subarray(0, at),
      result.subarray(at, at + length),
      result.subarray(at + length),
    ];
    switch (next(6)) {
      case 0:
        result = Buffer.concat([before, filler, after]);
        break;
      case 1:
        result = Buffer.concat([before, filler, part, after]);
        break;
      case 2:
        result = Buffer.concat([before, part, part, after]);
        break;
      case 3:
        result = next(4) === 0 ? before : Buffer.concat([before, after]);
        break;
      default:
        result = Buffer.from(result);
        result[at] ^= 1 << next(8);
    }
  }
  return result;
};

/** Returns the bytes in a few pieces, or each byte as a piece. */
exports.pieces = (next, bytes) => {
  const most = [1, 7, 100, 5000, bytes.length + 1][next(5)];
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + next(most);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
};
