/** base64 and base64url (RFC 4648); pure. */

/** Columns after which encoders break lines: base64(1) and MIME, PEM and openssl. */
const WIDTHS = [76, 64];

/**
 * The forms of bytes in base64 and base64url wherever they begin in what is encoded: at one of three offsets. Only the
 * characters that the bytes alone determine: no padding, no character at either end that holds bits of a neighbour.
 * Lines of wrapped output are forms, too, of bytes that begin where the encoding begins.
 */
export function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const end = Math.floor((8 * (offset + bytes.length)) / 6);
    const form = text.slice(Math.ceil((8 * offset) / 6), end);
    const lines = offset === 0 ? WIDTHS.flatMap((width) => wrapped(form, width)) : [];
    return [form, ...lines].flatMap(variants);
  });
}

function wrapped(form: string, width: number): readonly string[] {
  if (form.length <= width) return [];
  return Array.from({ length: Math.ceil(form.length / width) }, (_, line) =>
    form.slice(line * width, (line + 1) * width),
  );
}

/** `+` and `/` as base64url, as URLs and as JSON encoders write them. */
const ALPHABETS: readonly (readonly [plus: string, slash: string])[] = [
  ["-", "_"],
  ["%2B", "%2F"],
  ["%2b", "%2f"],
  ["%2B", "/"],
  ["%2b", "/"],
  ["+", String.raw`\/`],
  [String.raw`\u002B`, "/"],
  [String.raw`\u002b`, "/"],
  [String.raw`\u002B`, String.raw`\u002F`],
  [String.raw`\u002b`, String.raw`\u002f`],
];

function variants(form: string): readonly string[] {
  if (!/[+/]/.test(form)) return [form];
  return [form, ...ALPHABETS.map(([plus, slash]) => form.replaceAll("+", plus).replaceAll("/", slash))];
}
