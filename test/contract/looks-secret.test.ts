import { describe, expect, it } from "vitest";
import { describeCredential } from "../../src/contract/credential-forms.ts";
import { looksSecret, mayHoldCredentials } from "../../src/contract/looks-secret.ts";
import { TOKEN_FORMS } from "../../src/contract/known-credentials.ts";
import { CORPUS, type Row } from "./corpus.ts";

describe("a variable that no contract declares", () => {
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
  ])("looks like a secret if it is %s=%s", (name, value) => expect(looksSecret(name, value)).toBe(true));

  it.each([
    ["LOG_LEVEL", "debug"],
    ["KEYBOARD", "us"],
    ["AUTHOR", "a@b.example"],
    ["COMPATIBLE", "1"],
    ["API_URL", "https://api.example/a@b"],
  ])("does not look like a secret if it is %s=%s", (name, value) => expect(looksSecret(name, value)).toBe(false));
});

describe("the recognition of secrets, tried with a corpus of names and values,", () => {
  const namesOf = (isOne: (row: Row) => boolean): readonly string[] => CORPUS.filter(isOne).map(({ name }) => name);

  it("has several hundred rows to try", () => {
    expect(CORPUS.length).toBeGreaterThan(400);
    expect(CORPUS.filter(({ value }) => value === "")).toEqual([]);
  });

  it("recognizes every credential by its value alone, under any name", () => {
    expect(namesOf(({ value, answer }) => answer === "value" && describeCredential(value) === undefined)).toEqual([]);
    expect(
      namesOf(({ value, answer }) => answer === "value" && describeCredential(` ${value}\n`) === undefined),
    ).toEqual([]);
  });

  it("recognizes every secret, and takes at most 5 % of the plain variables for secrets", () => {
    expect(namesOf(({ name, value, answer }) => answer !== "plain" && !looksSecret(name, value))).toEqual([]);
    const plain = CORPUS.filter(({ answer }) => answer === "plain");
    const wrong = plain.filter(({ name, value }) => looksSecret(name, value));
    expect(wrong.length).toBeLessThanOrEqual(plain.length * 0.05);
  });

  it("takes no plain value for a credential: commit hashes, identifiers and public keys are none", () => {
    expect(namesOf(({ value, answer }) => answer === "plain" && describeCredential(value) !== undefined)).toEqual([]);
  });

  it("describes a credential by its well-known beginning, and by nothing else of the value", () => {
    for (const { value, random } of CORPUS) {
      const words = describeCredential(value) ?? "";
      expect(random.filter((part) => words.includes(part))).toEqual([]);
    }
  });
});

it.each(["://:", "eyJ", "ghp_ ", "password", "pass: ", "a:"])(
  "describeCredential searches ten million characters of %j in linear time",
  (text) => {
    const value = text.repeat(Math.ceil(1e7 / text.length));
    expect(describeCredential(value)).toBeUndefined();
  },
);

it("describeCredential finds a credential after ten million characters", () => {
  expect(describeCredential(`${"a ".repeat(5e6)}${["gh", "p_"].join("")}${"a1".repeat(18)}`)).toBe("a token (ghp_…)");
});

it.each<[string, boolean]>([
  ["http://localhost:3000", true],
  ["redis://cache", true],
  ["db.example:5432", true],
  ["one.example:9092,two.example:9092", true],
  ["localhost", false],
  ["3000", false],
  ["debug", false],
])("%s may hold credentials later: %s", (value, expected) => expect(mayHoldCredentials(value)).toBe(expected));

it.each(TOKEN_FORMS.map(([beginning]) => beginning))(
  "the beginning of a token alone is no credential: %s",
  (beginning) => {
    expect(describeCredential(beginning)).toBeUndefined();
    expect(describeCredential(`${beginning}…`)).toBeUndefined();
  },
);
