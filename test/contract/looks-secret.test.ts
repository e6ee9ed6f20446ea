import { describe, expect, it } from "vitest";
import { looksSecret } from "../../src/contract/looks-secret.ts";

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
