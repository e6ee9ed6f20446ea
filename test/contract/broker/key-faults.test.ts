import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  findAddressNameFault,
  findOriginFault,
  findRuleFault,
  findRuleHostFault,
} from "../../../src/contract/broker/key-faults.ts";
import { parseOrigin } from "../../../src/contract/broker/from-probe.ts";

test("an https origin is accepted if and only if the URL parser reads the same origin from it", () => {
  const label = fc.stringMatching(/^[a-z\d-]{1,5}$/);
  const host = fc.tuple(
    fc.array(fc.oneof(label, fc.constant("xn--a")), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", ":443", ":8443", ":0", ":99999", ":80"),
  );
  const origins = fc.oneof(
    host.map(([labels, port]) => `https://${labels.join(".")}${port}`),
    fc.constantFrom("https://1.2.test", "https://1.2.3.4", "https://0x7f.1", "https://a.b.1"),
  );
  let accepted = 0;
  fc.assert(
    fc.property(origins, (origin) => {
      let expected: string | undefined;
      try {
        expected = new URL(origin).origin;
      } catch {
        expected = undefined;
      }
      expect(parseOrigin(origin)).toBe(expected);
      expect([origin, findOriginFault(origin) === undefined]).toEqual([origin, expected === origin]);
      accepted += expected === origin ? 1 : 0;
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

const OF_FOLDERS = "decides which settings and which code programs load";
const OF_NETWORK = "decides how programs connect, and whom they trust";
const OF_SETTINGS = "is a setting of sophia-run or Pulumi";

test.each([
  ["PATH", "decides which programs run"],
  ["Path", "decides which programs run"],
  ["HOME", OF_FOLDERS],
  ["UserProfile", OF_FOLDERS],
  ["PYTHONPATH", OF_FOLDERS],
  ["NODE_PATH", OF_FOLDERS],
  ["CLASSPATH", OF_FOLDERS],
  ["GOPATH", OF_FOLDERS],
  ["LD_PRELOAD", "makes other programs run code"],
  ["ld_preload", "makes other programs run code"],
  ["HTTPS_PROXY", OF_NETWORK],
  ["ESC_TOKEN", OF_SETTINGS],
  ["Sophia_X", OF_SETTINGS],
  ["PULUMI_X", OF_SETTINGS],
])("a contract may not put the broker's address into %s, which %s", (name, reason) => {
  expect(findAddressNameFault(name)).toBe(reason);
});

test("a contract may put the broker's address into the variables that clients read", () => {
  for (const name of ["SEARCH_URL", "OPENAI_BASE_URL", "PORTKEY_PROXY", "HOME_URL", "MY_ESC_URL", "ESCAPE_URL"]) {
    expect(findAddressNameFault(name)).toBeUndefined();
  }
});

const NO_RULE = [
  "this is not a rule",
  "METHOD /path, with * for any method or one segment, and ** at the end for all segments that follow",
];
const NO_QUERY = ["a path has no query and no fragment", "only the path"];
const TWO_WAYS = [
  "servers can read this path in two ways",
  "no empty segments, no . or .. segments, no needless escapes",
];
const NOT_ESCAPED = ["the path has a character that URLs escape", "the escaped form, such as %20"];

test.each([
  ["GET /v1/models", undefined],
  ["api.example.com:8443: GET /v1/**", undefined],
  ["GET /v1/**/a", NO_RULE],
  ["GET v1", NO_RULE],
  ["/v1", NO_RULE],
  ["GET /a?b", NO_QUERY],
  ["GET /a#b", NO_QUERY],
  ["api.example.com: GET /a?b", NO_QUERY],
  ["GET /a//b", TWO_WAYS],
  ["api.example.com: GET /a/../b", TWO_WAYS],
  ["GET /%61", TWO_WAYS],
  ["GET /a b", NOT_ESCAPED],
  ["api.example.com: GET /é", NOT_ESCAPED],
])("the rule %j of a contract has the fault %j", (rule, fault) => {
  expect(findRuleFault(rule)).toEqual(fault);
});

test.each([
  ["GET /a", ["a.test"], undefined],
  ["a.test: GET /a", ["b.test", "a.test"], undefined],
  ["a.test: GET /a", [], "a rule without a host"],
  ["a.test: GET /a", ["b.test"], "b.test, or no host for all"],
  ["a.test: GET /a", ["b.test", "c.test:8443"], "b.test or c.test:8443, or no host for all"],
])("the host of the rule %j must be one of %j", (rule, hosts, allowed) => {
  expect(findRuleHostFault(rule, hosts)).toEqual(
    allowed === undefined ? undefined : ["the key is not for the host of this rule", allowed],
  );
});

const FORMS = "https://HOST, http:// for this machine, or ${NAME} of a declared variable";

test.each([
  ["https://a.test", undefined],
  ["http://127.0.0.1:8080", undefined],
  ["https://${HOST}", ["a variable must be the whole upstream", FORMS]],
  ["a.test", ["this is not an origin", FORMS]],
  ["https://ann@a.test", ["an origin has no user name and no password", FORMS]],
  ["https://:x@a.test", ["an origin has no user name and no password", FORMS]],
  ["http://a.test", ["http sends the key unencrypted", FORMS]],
  ["https://a.test/v1", ["an origin has no path and no query", `https://a.test, and the path in "base"`]],
  ["https://a.test?x", ["an origin has no path and no query", `https://a.test, and the path in "base"`]],
  ["https://a.test#x", ["an origin has no path and no query", `https://a.test, and the path in "base"`]],
  ["https://a.test/", ["the origin is not in its usual form", "https://a.test"]],
  ["https://A.test:443", ["the origin is not in its usual form", "https://a.test"]],
])("the origin %j of a contract has the fault %j", (origin, fault) => {
  expect(findOriginFault(origin)).toEqual(fault);
});
