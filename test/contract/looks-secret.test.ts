import { describe, expect, it } from "vitest";
import { credentialIn } from "../../src/contract/credential-forms.ts";
import { looksSecret, mayHoldCredentials } from "../../src/contract/looks-secret.ts";
import { CORPUS, type Row } from "./corpus.ts";

describe("a variable of no contract looks like a secret", () => {
  it.each([
    ["API_KEY", ""],
    ["DB_PASSPHRASE", ""],
    ["DB_PWD", ""],
    ["GITHUB_PAT", ""],
    ["SESSION_COOKIE", ""],
    ["PASSWORD_SALT", ""],
    ["tls-private-file", ""],
    ["AWS_CREDENTIALS", ""],
    ["PGPASSWORD", ""],
    ["OPENAI_APIKEY", ""],
    ["githubToken", ""],
    ["DATABASE_URL", "postgresql://user:password@host/db"],
    ["QUEUE", "amqp://guest@host"],
    ["TLS", "-----BEGIN RSA PRIVATE KEY-----"],
  ])("%s=%s", (name, value) => expect(looksSecret(name, value)).toBe(true));

  it.each([
    ["LOG_LEVEL", "debug"],
    ["KEYBOARD", "us"],
    ["AUTHOR", "a@b.example"],
    ["COMPATIBLE", "1"],
    ["API_URL", "https://api.example/a@b"],
  ])("not %s=%s", (name, value) => expect(looksSecret(name, value)).toBe(false));
});

describe("a corpus of names with values", () => {
  const namesOf = (isOne: (row: Row) => boolean): readonly string[] => CORPUS.filter(isOne).map(({ name }) => name);

  it("has several hundred of them", () => {
    expect(CORPUS.length).toBeGreaterThan(400);
    expect(CORPUS.filter(({ value }) => value === "")).toEqual([]);
  });

  it("no credential is plain, whatever its name is", () => {
    expect(namesOf(({ value, answer }) => answer === "value" && credentialIn(value) === undefined)).toEqual([]);
    expect(namesOf(({ value, answer }) => answer === "value" && credentialIn(` ${value}\n`) === undefined)).toEqual([]);
  });

  it("no secret is plain, and at most 5 % of the plain are secrets", () => {
    expect(namesOf(({ name, value, answer }) => answer !== "plain" && !looksSecret(name, value))).toEqual([]);
    const plain = CORPUS.filter(({ answer }) => answer === "plain");
    const wrong = plain.filter(({ name, value }) => looksSecret(name, value));
    expect(wrong.length).toBeLessThanOrEqual(plain.length * 0.05);
  });

  it("no value of a plain one is masked: commit hashes, identifiers and public keys are no credentials", () => {
    expect(namesOf(({ value, answer }) => answer === "plain" && credentialIn(value) !== undefined)).toEqual([]);
  });

  it("words name a credential by its known beginning, and have nothing else of the value", () => {
    for (const { value, random } of CORPUS) {
      const words = credentialIn(value) ?? "";
      expect(random.filter((part) => words.includes(part))).toEqual([]);
    }
  });
});

it.each(["://:", "eyJ", "ghp_ ", "password", "pass: ", "a:"])(
  "ten million characters of %j take linear time",
  (text) => {
    const value = text.repeat(Math.ceil(1e7 / text.length));
    expect(credentialIn(value)).toBeUndefined();
  },
);

it("a credential is found behind ten million characters", () => {
  expect(credentialIn(`${"a ".repeat(5e6)}${["gh", "p_"].join("")}${"a1".repeat(18)}`)).toBe("a token (ghp_…)");
});

it.each<[string, boolean]>([
  ["http://localhost:3000", true],
  ["redis://cache", true],
  ["db.example:5432", true],
  ["one.example:9092,two.example:9092", true],
  ["localhost", false],
  ["3000", false],
  ["debug", false],
])("%s may come to hold credentials: %s", (value, expected) => expect(mayHoldCredentials(value)).toBe(expected));
