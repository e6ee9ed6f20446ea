/** The texts of which a secret consists, and which of them can be masked; pure. */

export type Maskability = "masked" | "short" | "common" | "armour";

/** A whole value, or a part of it that a program may print alone. */
export type SecretPart = "value" | "line" | "leaf";

/** In characters (code points). */
const SHORTEST_VALUE = 6;
const SHORTEST_LINE = 8;
/** JSON in JSON in JSON. */
const DEEPEST = 3;

/** Values that are never secret (docs/masking.md): a mask would spoil outputs and hide nothing. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  `
    undefined default disabled enabled required optional unknown public private internal external
    production development staging testing preview sandbox
    notice warning verbose
    localhost 127.0.0.1 0.0.0.0 localhost.localdomain
    postgres postgresql mongodb rabbitmq username password secret changeme example anonymous administrator
    bearer basic-auth api_key service_account authorized_user external_account client_credentials
    googleapis.com https://accounts.google.com/o/oauth2/auth https://oauth2.googleapis.com/token
    https://accounts.google.com/o/oauth2/token https://www.googleapis.com/oauth2/v1/certs
    config
  `
    .trim()
    .split(/\s+/),
);

/** The first and last lines of PEM (RFC 7468), of OpenSSH's and of PGP's keys. */
const ARMOUR = /^-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+ ?-{4,5}$/;

/** The part of a URL between its scheme and its host (RFC 3986, 3.2.1), up to the last at sign, as browsers read it. */
const USERINFO = /:\/\/([^\s/?#]*)@/g;

/** A line that is as secret as the value it names: `name: value`, `NAME=value`, `"name": "value",`; not base64. */
const NAMED = /^(?:- )?(?:export )?["']?[A-Za-z][\w.-]{0,63}["']?(?:: |=)\s*["']?([^=\s].*?)["']?,?$/;

/** Returns `masked`, or the reason why a value is not masked by itself. */
export function maskabilityOf(value: string | Uint8Array): Maskability {
  const text = (typeof value === "string" ? value : Buffer.from(value).toString()).trim();
  if (isShorter(text, SHORTEST_VALUE)) return "short";
  if (COMMON_WORDS.has(text.toLowerCase())) return "common";
  return ARMOUR.test(text) ? "armour" : "masked";
}

/** Returns each text once: the value, trimmed, with other line ends; its lines; passwords in URLs; the strings in it if it is JSON. */
export function textsOf(value: string): ReadonlyMap<string, SecretPart> {
  const texts = new Map<string, SecretPart>();
  if (maskabilityOf(value) === "masked") collect(value, "value", texts, DEEPEST);
  return texts;
}

function collect(text: string, part: SecretPart, texts: Map<string, SecretPart>, depth: number): void {
  const add = (one: string, as: SecretPart): void => void (texts.has(one) || texts.set(one, as));
  const trimmed = text.trim();
  for (const whole of text === trimmed ? [text] : [text, trimmed]) {
    add(whole, part);
    // Line ends make a difference in base64 only.
    if (whole.includes("\r")) add(whole.replaceAll(/\r\n?/g, "\n"), part);
  }
  if (/[\r\n]/.test(trimmed)) {
    // A program may print a line without its indentation.
    for (const line of trimmed.split(/[\r\n]+/)) if (isSecretLine(line.trim())) add(line.trim(), "line");
  }
  for (const password of passwordsOf(trimmed)) add(password, "leaf");
  if (depth === 0) return;
  // A key on one line of a .env file: programs put the line ends back.
  if (/\\n/.test(trimmed)) collect(trimmed.replaceAll(/(?:\\r)?\\n/g, "\n"), part, texts, depth - 1);
  for (const leaf of leavesOf(trimmed)) if (maskabilityOf(leaf) === "masked") collect(leaf, "leaf", texts, depth - 1);
}

function isSecretLine(line: string): boolean {
  if (isShorter(line, SHORTEST_LINE) || maskabilityOf(line) !== "masked") return false;
  const named = NAMED.exec(line)?.[1];
  return named === undefined || maskabilityOf(named) === "masked";
}

/** Returns the passwords of the URLs in a text, as they are and decoded: programs print both. */
function passwordsOf(text: string): readonly string[] {
  const passwords = Array.from(text.matchAll(USERINFO), ([, userinfo = ""]) => /:(.*)$/s.exec(userinfo)?.[1] ?? "");
  return passwords.flatMap((one) => [one, decoded(one)]).filter((one) => maskabilityOf(one) === "masked");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Its percent signs stand for themselves.
    return text;
  }
}

/** Returns the strings in JSON of any depth, in a loop: functions that call each other would end on the stack's limit. */
function leavesOf(text: string): readonly string[] {
  if (!/^[[{"]/.test(text)) return [];
  const waiting: unknown[] = [];
  try {
    waiting.push(JSON.parse(text));
  } catch (error) {
    // It only looks like JSON. Another error must not let the strings be seen.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const leaves: string[] = [];
  for (let at = 0; at < waiting.length; at++) {
    const value = waiting[at];
    if (typeof value === "string") leaves.push(value);
    else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) waiting.push(one);
  }
  return leaves;
}

function isShorter(text: string, least: number): boolean {
  return text.length < least || (text.length < 2 * least && Array.from(text).length < least);
}
