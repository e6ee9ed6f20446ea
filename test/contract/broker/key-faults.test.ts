import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findAddressNameFault, findOriginFault } from "../../../src/contract/broker/key-faults.ts";
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

test.each([
  "PATH",
  "HOME",
  "UserProfile",
  "PYTHONPATH",
  "NODE_PATH",
  "LD_PRELOAD",
  "HTTPS_PROXY",
  "ESC_TOKEN",
  "SOPHIA_X",
])("a contract may not put the broker's address into %s", (name) => expect(findAddressNameFault(name)).toBeDefined());

test("a contract may put the broker's address into the variables that clients read", () => {
  for (const name of ["SEARCH_URL", "OPENAI_BASE_URL", "PORTKEY_PROXY", "HOME_URL"]) {
    expect(findAddressNameFault(name)).toBeUndefined();
  }
});
