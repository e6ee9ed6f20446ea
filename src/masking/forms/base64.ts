/** base64 and base64url (RFC 4648); pure. */
import { formsBy, type Encoder } from "./encoder.ts";

/** Columns after which encoders break lines: base64(1) and MIME, PEM and openssl. */
const WIDTHS = [76, 64];
const SHORTEST_LINE = 24;

/**
 * The forms of bytes in base64 and base64url wherever they begin in what is encoded: at one of three offsets. Only the
 * characters that the bytes alone determine: no padding, no character at either end that holds bits of a neighbour.
 * Line breaks in it are passed over by the search (breaks.ts). Single lines of wrapped output are forms, too, of bytes that
 * begin where the encoding begins.
 */
export function base64Forms(): (bytes: Buffer) => readonly string[] {
  const variants = formsBy(ALPHABETS);
  return (bytes) => [0, 1, 2].flatMap((offset) => formsAt(bytes, offset).flatMap((one) => [one, ...variants(one)]));
}

function formsAt(bytes: Buffer, offset: number): readonly string[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const form = text.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6));
  return offset === 0 && form.length > 64 ? [form, ...WIDTHS.flatMap((width) => wrapped(form, width))] : [form];
}

/** The lines, but for a short last one: short patterns slow the search for all others. */
function wrapped(form: string, width: number): readonly string[] {
  return Array.from({ length: Math.ceil(form.length / width) }, (_, line) =>
    form.slice(line * width, (line + 1) * width),
  ).filter((line) => line.length >= SHORTEST_LINE);
}

/** `+` and `/` as base64url, as URLs and as JSON encoders write them. */
const ALPHABETS: readonly Encoder[] = [
  alphabet("-", "_"),
  alphabet("%2B", "%2F"),
  alphabet("%2b", "%2f"),
  alphabet("%2B", "/"),
  alphabet("%2b", "/"),
  alphabet("+", String.raw`\/`),
  alphabet(String.raw`\u002B`, "/"),
  alphabet(String.raw`\u002b`, "/"),
  alphabet(String.raw`\u002B`, String.raw`\u002F`),
  alphabet(String.raw`\u002b`, String.raw`\u002f`),
];

function alphabet(plus: string, slash: string): Encoder {
  return (character) => (character === "+" ? plus : slash);
}
