/** base64 and base64url (RFC 4648); pure. */

/** Columns after which encoders break lines: base64(1) and MIME, PEM and openssl. */
const WIDTHS = [76, 64];
const SHORTEST_LINE = 24;

/**
 * Returns the forms of bytes in base64 and base64url wherever they begin in what is encoded: at one of three offsets. Only
 * the characters that the bytes alone determine: no padding, no character at either end that holds bits of a neighbour.
 */
export function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const form = formAt(bytes, offset, "base64");
    return /[+/]/.test(form) ? [form, formAt(bytes, offset, "base64url")] : [form];
  });
}

/**
 * Returns single lines of base64 that encoders have wrapped, of bytes that begin where the encoding begins; but for a short
 * last one, since short patterns slow the search for all others.
 */
export function base64Lines(bytes: Buffer): readonly string[] {
  const form = formAt(bytes, 0, "base64");
  return WIDTHS.flatMap((width) =>
    Array.from({ length: form.length > width ? Math.ceil(form.length / width) : 0 }, (_, line) =>
      form.slice(line * width, (line + 1) * width),
    ).filter((line) => line.length >= SHORTEST_LINE),
  );
}

function formAt(bytes: Buffer, offset: number, alphabet: "base64" | "base64url"): string {
  const text = (offset === 0 ? bytes : Buffer.concat([Buffer.alloc(offset), bytes])).toString(alphabet);
  return text.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6));
}
