import * as fc from "fast-check";
import { expect, test } from "vitest";
import { planKey } from "../../../src/broker/key-plan.ts";
import { compileBrokerEntry } from "../../../src/contract/broker/entry.ts";
import { providerOf } from "../../../src/contract/broker/providers.ts";
import type { Contract } from "../../../src/contract/contract-model.ts";
import { ContractFileError } from "../../../src/contract/file/contract-file-error.ts";
import { contractOf } from "../contracts.ts";

/** Generates mostly valid values, so that some documents are accepted as a whole. */
const mostlySound = <Value>(sound: fc.Arbitrary<Value>, odd: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: odd }, { weight: 1, arbitrary: fc.jsonValue() });

const rarelySet = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values });

const oddPaths = fc.oneof(
  fc.constantFrom("/v1/", "/", "//", "/a/../b", "/%2e", "/%41", "/a?b", "/ä", "v1"),
  fc.stringMatching(/^\/[a-z*%./?]{0,6}$/),
);
const paths = mostlySound(fc.constantFrom("", "/v1", "/a%20b", "/v1/x"), oddPaths);
const rules = mostlySound(
  fc.constantFrom("GET /a", "* /a/**", "post /a/*/b"),
  fc.tuple(fc.constantFrom("*", "GET", "", "A B"), oddPaths).map((parts) => parts.join(" ")),
);
const upstreams = mostlySound(
  fc.constantFrom("https://s.test", "http://[::1]:1", "${SEARCH_URL}"),
  fc.oneof(
    fc.constantFrom(
      "http://s.test",
      "https://u:p@s.test",
      "${SEARCH_KEY}",
      "${}",
      "${X",
      "https://[",
      "https://s.test:x",
    ),
    fc.webUrl(),
  ),
);
const headers = mostlySound(
  fc.constantFrom("api-key", "Authorization: Bearer", "X-Key", "__proto__"),
  fc.constantFrom("Host", "X: Y Z", ":", "Api-Key"),
);
const addresses = fc.constantFrom("SEARCH_BASE_URL", "SEARCH_URL", "a.b-c", "__proto__");
const oddAddresses = fc.constantFrom("SEARCH_KEY", "OPENAI_BASE_URL", "ESC_X", "PATH", "ALIAS", "search_url", "A B");

const members = mostlySound(
  fc.record(
    {
      upstream: upstreams,
      headers: fc.array(headers, { minLength: 1, maxLength: 2 }),
      base: fc.dictionary(
        fc.oneof({ weight: 12, arbitrary: addresses }, { weight: 1, arbitrary: oddAddresses }),
        paths,
        { minKeys: 1, maxKeys: 2 },
      ),
      prefix: paths,
      allow: fc.array(rules, { minLength: 1, maxLength: 2 }),
      deny: fc.array(rules, { maxLength: 2 }),
    },
    { requiredKeys: ["upstream", "headers", "base"] },
  ),
  fc.record({ upstream: upstreams, base: fc.constant({}) }, { requiredKeys: [] }),
);

const probe = fc.record({
  url: fc.constantFrom("https://s.test/me", "${SEARCH_URL}/me", "http://127.0.0.1:9/x"),
  headers: fc
    .tuple(
      fc.constantFrom("Authorization", "x-key", "Content-X"),
      fc.constantFrom("${SEARCH_KEY}", "Bearer ${SEARCH_KEY}", "a b ${SEARCH_KEY}"),
    )
    .map((header) => Object.fromEntries([header])),
});

const more = {
  secret: rarelySet(fc.boolean()),
  deprecated: rarelySet(fc.constantFrom("SEARCH_URL", "SEARCH_KEY")),
  aliases: rarelySet(fc.constantFrom(["ALIAS"], ["OTHER"])),
  format: rarelySet(fc.constantFrom<unknown>("port", "base64", { type: "text", prefix: "sk-" })),
};

const variables = fc.record({
  SEARCH_URL: fc.constant({}),
  SEARCH_KEY: fc.oneof(
    fc.record({ broker: members, ...more }),
    fc.record({ broker: fc.oneof(fc.boolean(), fc.constant({})), probe, ...more }),
  ),
  OPENAI_API_KEY: rarelySet(fc.record({ broker: fc.oneof(fc.boolean(), members), ...more })),
  PATH: rarelySet(fc.record({ broker: members })),
  constructor: rarelySet(fc.record({ broker: members })),
});
const profiles = rarelySet(fc.record({ p: fc.record({ variables }) }));
const documents = fc.record({ variables, profiles });

/** Returns the contract, or undefined if it is refused with a position for each fault. */
function compileIfValid(document: object, profile: string | undefined): Contract | undefined {
  try {
    return contractOf(document, profile);
  } catch (error) {
    if (!(error instanceof ContractFileError) || error.problem.kind !== "faults") throw error;
    const { faults } = error.problem;
    expect(faults).not.toEqual([]);
    const odd = faults.filter(({ line, column, problem }) => line !== 1 || !(column >= 1) || problem === "");
    expect(odd).toEqual([]);
    return undefined;
  }
}

test("a document with broker members compiles to keys that can be brokered, or is refused with positions", () => {
  let accepted = 0;
  fc.assert(
    fc.property(documents, (document) => {
      for (const profile of [undefined, ...(document.profiles === undefined ? [] : ["p"])]) {
        const contract = compileIfValid(document, profile);
        if (contract === undefined) continue;
        accepted += 1;
        const declared = Array.from(contract.variables.values());
        const taken = declared.flatMap((declaration) => {
          const { name, broker } = declaration;
          const entry = compileBrokerEntry(declaration);
          if (broker === false || (broker === undefined && providerOf(name) === undefined))
            expect(entry).toBeUndefined();
          if (entry === undefined) return [];
          const value = { value: "https://address.test/x", source: "caller" };
          const planned = planKey(
            { name, source: "esc", dummy: "dummy", entry, provider: providerOf(name) },
            {
              valueOf: () => value,
              callerSource: "environment",
              contract: { path: "/c", isNamed: true },
              allowedOrigins: [],
            },
          );
          expect(planned).toMatchObject({ route: { name }, trustReason: expect.any(String) });
          return "kind" in planned ? [] : Object.keys(planned.addressPaths);
        });
        expect(new Set(taken).size).toBe(taken.length);
      }
    }),
    { numRuns: 800 },
  );
  // If almost no document were accepted, the property would have been tested for nothing.
  expect(accepted).toBeGreaterThan(100);
});
