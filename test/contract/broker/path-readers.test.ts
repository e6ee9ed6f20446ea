/**
 * Paths are read here as various servers read them. If the rules do not deny a path, no such reading may be a denied
 * path.
 */
import { posix } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { listReadings } from "../../../src/contract/broker/path-forms.ts";
import { isDenied, parseRules } from "../../../src/contract/broker/path-rules.ts";
import { caseCount } from "../../helpers/seed.ts";

const RULES = parseRules(["* /user/keys/**", "* /repos/*/*/keys/**", "* /v1/sessions"]);
const BASES = ["/user/keys", "/user/keys/1", "/repos/acme/app/keys", "/repos/a/b/keys/2", "/v1/sessions"];

const escapes = (text: string): string => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&");
const decode = (text: string): string =>
  text.replaceAll(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"));
/** Decoders that look only at the bits read the bytes C0 AF as a slash. */
const overlong = (text: string): string =>
  text
    .replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => Buffer.from(digits, "hex").toString("latin1"))
    .replaceAll(/[\u00c0\u00c1][\u0080-\u00bf]/g, (pair) =>
      String.fromCharCode(((pair.charCodeAt(0) & 0x1f) << 6) | (pair.charCodeAt(1) & 0x3f)),
    );
const byUrl = (text: string): string => new URL(text.replace(/^\/+/, "/"), "http://a.test").pathname;
const eachName = (text: string, change: (name: string) => string): string => text.split("/").map(change).join("/");

const READERS: Readonly<Record<string, (path: string) => string>> = {
  "as it is": (path) => path,
  "once decoded": decode,
  "twice decoded": (path) => decode(decode(path)),
  "WHATWG URL": (path) => decode(byUrl(path)),
  "WHATWG URL of what is decoded": (path) => byUrl(decode(path)),
  "normalized, then decoded": (path) => decode(posix.normalize(path)),
  "decoded, then normalized": (path) => posix.normalize(decode(path)),
  "with backslashes": (path) => posix.normalize(decode(path).replaceAll("\\", "/")),
  "with merged slashes": (path) => decode(path).replaceAll(/\/+/g, "/"),
  "without parameters": (path) => posix.normalize(decode(path.replaceAll(/;[^/]*/g, ""))),
  "without parameters once decoded": (path) => posix.normalize(decode(path).replaceAll(/;[^/]*/g, "")),
  "without a format": (path) => decode(path).replace(/\.[^/.]*$/, ""),
  "without ends of dots and spaces": (path) => eachName(decode(path), (name) => name.replace(/[. ]+$/, "")),
  "with trimmed names": (path) => eachName(decode(path), (name) => name.trim()),
  "of a form": (path) => decode(path.replaceAll("+", " ")).trim(),
  "up to NUL": (path) => decode(path).replace(/\0.*$/s, ""),
  "up to a query": (path) => decode(path).replace(/[?#].*$/s, ""),
  "up to a query that was escaped twice": (path) => decode(decode(path)).replace(/[?#].*$/s, ""),
  "without controls": (path) => decode(path).replaceAll(/\p{Cc}/gu, ""),
  "without invisible characters": (path) => decode(path).replaceAll(/\p{Cf}/gu, ""),
  "in NFKC": (path) => posix.normalize(decode(path).normalize("NFKC").replaceAll("\\", "/")),
  "without accents": (path) => decode(path).normalize("NFKD").replaceAll(/\p{M}/gu, ""),
  "with overlong UTF-8": (path) => posix.normalize(overlong(path).replaceAll("\\", "/")),
};

function isDeniedText(text: string): boolean {
  const path = text.toUpperCase().toLowerCase().replace(/\/$/, "");
  return /^\/user\/keys(?:\/|$)|^\/repos\/[^/]+\/[^/]+\/keys(?:\/|$)|^\/v1\/sessions$/.test(path);
}

const JUNK = String.raw`
  . .. / // %2f %2F \ %5c ; ;x=1 %3b ? %3f # %23 %20 + %09 %0a %00 %7f %c2%a0 %e2%80%8b %ef%bb%bf .json %2e %2E%2e %252e
  %252f %25 % %c0%af %ef%bc%8f %ef%bc%8e /./ /../ /x/../ /;/ x X %cc%81 %c2%ad %e2%81%84 ~ : @ , = & ' ( ) ! * $ %u006b
  %e2%84%aa %c4%b1 %ef%bd%8b`
  .trim()
  .split(/\s+/);
const CHANGES: readonly ((letter: string) => string)[] = [
  escapes,
  (letter) => escapes(escapes(letter)),
  (letter) => letter.toUpperCase(),
  (letter) => (/[!-~]/.test(letter) ? escapes(String.fromCharCode(letter.charCodeAt(0) + 0xfe_e0)) : letter),
];

interface Mutation {
  /** The position in the path, as a fraction of its length. */
  readonly place: number;
  readonly junk: string;
  readonly change: (letter: string) => string;
  readonly kind: "put in" | "exchange" | "change";
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  junk: fc.constantFrom(...JUNK),
  change: fc.constantFrom(...CHANGES),
  kind: fc.constantFrom("put in", "exchange", "change"),
});

function applyMutation(path: string, { place, junk, change, kind }: Mutation): string {
  const at = Math.floor(place * path.length);
  const behind = kind === "put in" ? at : at + 1;
  const text = kind === "change" ? change(path.slice(at, behind)) : junk;
  return path.slice(0, at) + text + path.slice(behind);
}

const path = fc
  .tuple(fc.constantFrom(...BASES), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([base, mutations]) => mutations.reduce(applyMutation, base).replace(/\?.*$/s, ""))
  .filter((text) => /^\/[!-~]*$/.test(text) && !text.includes("#"));

test("no server's reading of an admitted path is a denied path", { timeout: 240_000 }, () => {
  let admitted = 0;
  fc.assert(
    fc.property(path, (text) => {
      if (listReadings(text) === undefined || isDenied(RULES, { host: "a.test", method: "GET", path: text })) return;
      admitted += 1;
      const found = Object.keys(READERS).filter((name) => isDeniedText(READERS[name]?.(text) ?? ""));
      expect(found, text).toEqual([]);
    }),
    { numRuns: caseCount(20_000, 200_000) },
  );
  // If almost no path were admitted, the test would have tried nothing.
  expect(admitted).toBeGreaterThan(500);
});
