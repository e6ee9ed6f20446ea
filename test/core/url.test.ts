/** Tests which addresses belong to this machine. */
import { describe, expect, test } from "vitest";
import { isLoopbackUrl } from "../../src/trust/key-addresses.ts";
import { isLoopback } from "../../src/core/url.ts";
import { contractOf, catchFailure } from "../contract/contracts.ts";

describe("an address belongs to this machine exactly if the system connects it to this machine", () => {
  test.each([
    ["localhost", true],
    ["localhost.", true],
    ["127.0.0.1", true],
    ["127.255.255.254", true],
    ["[::1]", true],
    ["[::ffff:7f00:1]", true],
    ["localhost.example.test", false],
    ["example.localhost.test", false],
    ["128.0.0.1", false],
    ["127.0.0.1.example.test", false],
    ["[::2]", false],
    ["0.0.0.0", false],
  ])("%s: %s, also for the probe of a contract", async (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
    const probe = { url: `http://${host}/x`, headers: { K: "${KEY}" } };
    const compile = (): unknown => contractOf({ variables: { KEY: { probe } } });
    if (expected) expect(compile).not.toThrow();
    else expect((await catchFailure(compile)).message).toMatch(/http .*unencrypted/);
  });

  test.each([
    ["http://localhost", true],
    ["http://LOCALHOST:11434/v1?a=b#c", true],
    [" https://127.0.0.1:1/ ", true],
    ["http://[::1]:8080/v1", true],
    ["http://127.0.0.1\\@evil.example.test", false],
    ["http://127.0.0.1:1@evil.example.test", false],
    ["http://localhost/@evil.example.test", false],
    ["http://localhost\n.evil.example.test", false],
    ["http://localhost%2eevil.example.test", false],
    ["http://localhost.evil.example.test", false],
    ["http://evil.example.test#http://localhost", false],
    ["//localhost", false],
    ["http:localhost", false],
    ["localhost:11434", false],
    ["ftp://localhost", false],
    ["", false],
  ])("by URL, %j: %s", (text, expected) => {
    expect(isLoopbackUrl(text)).toBe(expected);
  });
});
