/** Addresses to which clients send the keys of known services. A file that was found must not set them. */
import { describe, expect, test } from "vitest";
import { PROVIDERS } from "../../src/contract/broker/providers.ts";
import { keysSentTo } from "../../src/trust/key-addresses.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

const ATTACKER_URL = "https://evil.test/v1";
const KEY = "key-0123456789";

/** The variables with addresses of services that have a fixed origin, each with the variable of the service's key. */
const ADDRESSES = Object.entries(PROVIDERS).flatMap(([key, { origin, base }]) =>
  origin === undefined ? [] : Object.keys(base).map((address) => [address, key] as const),
);

/** Resolves a project's variables, and returns the program's values and the withheld variables with the reasons. */
async function resolveProgram(
  environment: Readonly<Record<string, string>>,
  dotenv: Readonly<Record<string, string>>,
  contract: object = { variables: {} },
) {
  const cwd = folder({
    "sophia.contract.json": JSON.stringify(contract),
    ".env": Object.entries(dotenv)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  });
  const environmentMap = new Map(Object.entries(environment));
  const start = await runStages(cwd, environmentMap);
  const { selected } = start.values;
  const { notices } = start.verdict;
  return {
    valueOf: (name: string) => selected.get(name)?.value,
    withheld: notices.flatMap((notice) => (notice.kind === "withheld" ? [[notice.why, notice.names.join()]] : [])),
  };
}

test("the table of providers has addresses of services", () => {
  expect(ADDRESSES.length).toBeGreaterThan(12);
});

describe.each(ADDRESSES)("the variable %s", (address, key) => {
  test("is in the list of addresses with its key", () => {
    expect(keysSentTo(address)).toContain(key);
  });

  test("of a found .env is withheld with a warning if its key has another source", async () => {
    const { valueOf, withheld } = await resolveProgram({ [key]: KEY }, { [address]: ATTACKER_URL });
    expect([valueOf(address), valueOf(key)]).toEqual([undefined, KEY]);
    expect(withheld).toEqual([["redirects-key", address]]);
  });

  test("of a found .env is passed on if its key is in the same file, or if it leads to this machine", async () => {
    const sameFileResult = await resolveProgram({}, { [address]: ATTACKER_URL, [key]: KEY });
    expect([sameFileResult.valueOf(address), sameFileResult.withheld]).toEqual([ATTACKER_URL, []]);
    const local = "http://127.0.0.1:11434/v1";
    const localResult = await resolveProgram({ [key]: KEY }, { [address]: local });
    expect([localResult.valueOf(address), localResult.withheld]).toEqual([local, []]);
  });

  test("of a found .env is withheld by a nested sophia-run, too", async () => {
    const outer = { [key]: KEY, [address]: ATTACKER_URL, SOPHIA_FROM_FILES: address };
    const { valueOf, withheld } = await resolveProgram(outer, {});
    expect([valueOf(address), valueOf(key)]).toEqual([undefined, KEY]);
    expect(withheld).toEqual([["redirects-key", address]]);
    const bothMarkedResult = await resolveProgram({ ...outer, SOPHIA_FROM_FILES: `${address},${key}` }, {});
    expect([bothMarkedResult.valueOf(address), bothMarkedResult.withheld]).toEqual([ATTACKER_URL, []]);
  });

  test("is withheld if a default or an alias in a found contract sets it", async () => {
    const byDefault = { variables: { [address]: { default: ATTACKER_URL, secret: false } } };
    const byAlias = { variables: { [address]: { aliases: ["SERVICE_LINK"], secret: false } } };
    expect((await resolveProgram({ [key]: KEY }, {}, byDefault)).valueOf(address)).toBeUndefined();
    expect(
      (await resolveProgram({ [key]: KEY, SERVICE_LINK: ATTACKER_URL }, {}, byAlias)).valueOf(address),
    ).toBeUndefined();
  });
});

test("the address of a service without a fixed address is configuration, which a found .env may set", async () => {
  const services = Object.entries(PROVIDERS).flatMap(([key, { address }]) =>
    address === undefined ? [] : [[key, address]],
  );
  expect(services).toEqual([["QDRANT_API_KEY", "QDRANT_URL"]]);
  const { valueOf, withheld } = await resolveProgram({ QDRANT_API_KEY: KEY }, { QDRANT_URL: ATTACKER_URL });
  expect([valueOf("QDRANT_URL"), withheld]).toEqual([ATTACKER_URL, []]);
  // The mark keeps a nested broker from trusting the address like one of the caller's.
  expect(valueOf("SOPHIA_FROM_FILES")).toBe("QDRANT_URL");
});

// The time limit of each test applies here. Comparing each spelling with each secret would take minutes.
test("thousands of spellings of a proxy are passed on with thousands of secrets of the same file, in linear time", async () => {
  const name = "global_agent_http_proxy";
  const spellName = (number: number): string =>
    Array.from(name, (letter, index) => ((number >> index) & 1 ? letter.toUpperCase() : letter)).join("");
  // An underscore has no other spelling, so there are fewer spellings than numbers.
  const proxies = new Set(Array.from({ length: 2 ** 14 }, (_, number) => spellName(number)));
  expect(proxies.size).toBeGreaterThan(4000);
  const secrets = Array.from({ length: 50_000 }, (_, number) => `SERVICE_${number}_KEY`);
  const file = Object.fromEntries([
    ...secrets.map((secret) => [secret, "x"]),
    ...[...proxies].map((proxy) => [proxy, ATTACKER_URL]),
  ]);
  const { valueOf, withheld } = await resolveProgram({}, file);
  expect(withheld).toEqual([]);
  expect([...proxies].filter((proxy) => valueOf(proxy) !== ATTACKER_URL)).toEqual([]);
});
