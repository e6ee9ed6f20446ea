/** The addresses to which clients send the keys of known services: a file that was found does not set them. */
import { describe, expect, test } from "vitest";
import { PROVIDERS } from "../../src/contract/broker/providers.ts";
import { keysSentTo } from "../../src/trust/key-addresses.ts";
import { folder } from "../helpers/sophia.ts";
import { runStages } from "../helpers/start-stages.ts";

const EVIL = "https://evil.test/v1";
const KEY = "key-0123456789";

/** Each variable that has the address of a service with an origin of its own, and the service's key. */
const ADDRESSES = Object.entries(PROVIDERS).flatMap(([key, { origin, base }]) =>
  origin === undefined ? [] : Object.keys(base).map((address) => [address, key] as const),
);

async function program(
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
  const own = new Map(Object.entries(environment));
  const start = await runStages(cwd, own);
  const { selected } = start.values;
  const { notices } = start.verdict;
  return {
    valueOf: (name: string) => selected.get(name)?.value,
    withheld: notices.flatMap((one) => (one.kind === "withheld" ? [[one.why, one.names.join()]] : [])),
  };
}

test("there are addresses in the table", () => {
  expect(ADDRESSES.length).toBeGreaterThan(12);
});

describe.each(ADDRESSES)("%s of a found .env", (address, key) => {
  test("is in the list of addresses", () => {
    expect(keysSentTo(address)).toContain(key);
  });

  test("is withheld for a key of another source, with a warning", async () => {
    const { valueOf, withheld } = await program({ [key]: KEY }, { [address]: EVIL });
    expect([valueOf(address), valueOf(key)]).toEqual([undefined, KEY]);
    expect(withheld).toEqual([["redirects-key", address]]);
  });

  test("passes for the key of the same file, and for this machine", async () => {
    const same = await program({}, { [address]: EVIL, [key]: KEY });
    expect([same.valueOf(address), same.withheld]).toEqual([EVIL, []]);
    const local = "http://127.0.0.1:11434/v1";
    const here = await program({ [key]: KEY }, { [address]: local });
    expect([here.valueOf(address), here.withheld]).toEqual([local, []]);
  });

  test("is withheld by a nested sophia-run as well", async () => {
    const outer = { [key]: KEY, [address]: EVIL, SOPHIA_FROM_FILES: address };
    const { valueOf, withheld } = await program(outer, {});
    expect([valueOf(address), valueOf(key)]).toEqual([undefined, KEY]);
    expect(withheld).toEqual([["redirects-key", address]]);
    const both = await program({ ...outer, SOPHIA_FROM_FILES: `${address},${key}` }, {});
    expect([both.valueOf(address), both.withheld]).toEqual([EVIL, []]);
  });

  test("is withheld if a default or an alias of a found contract sets it", async () => {
    const byDefault = { variables: { [address]: { default: EVIL, secret: false } } };
    const byAlias = { variables: { [address]: { aliases: ["SERVICE_LINK"], secret: false } } };
    expect((await program({ [key]: KEY }, {}, byDefault)).valueOf(address)).toBeUndefined();
    expect((await program({ [key]: KEY, SERVICE_LINK: EVIL }, {}, byAlias)).valueOf(address)).toBeUndefined();
  });
});

test("an address of a service without one of its own is configuration, which a found .env may set", async () => {
  const services = Object.entries(PROVIDERS).flatMap(([key, { address }]) =>
    address === undefined ? [] : [[key, address]],
  );
  expect(services).toEqual([["QDRANT_API_KEY", "QDRANT_URL"]]);
  const { valueOf, withheld } = await program({ QDRANT_API_KEY: KEY }, { QDRANT_URL: EVIL });
  expect([valueOf("QDRANT_URL"), withheld]).toEqual([EVIL, []]);
  // A nested broker must not take it for the caller's.
  expect(valueOf("SOPHIA_FROM_FILES")).toBe("QDRANT_URL");
});

// The limit is that of each test: each spelling with each secret would take minutes.
test("thousands of spellings of a proxy pass beside as many secrets of the same file", async () => {
  const name = "global_agent_http_proxy";
  const spelled = (number: number): string =>
    Array.from(name, (letter, index) => ((number >> index) & 1 ? letter.toUpperCase() : letter)).join("");
  // An underscore has one form only.
  const proxies = new Set(Array.from({ length: 2 ** 14 }, (_, number) => spelled(number)));
  expect(proxies.size).toBeGreaterThan(4000);
  const secrets = Array.from({ length: 50_000 }, (_, number) => `SERVICE_${number}_KEY`);
  const file = Object.fromEntries([...secrets.map((one) => [one, "x"]), ...[...proxies].map((one) => [one, EVIL])]);
  const { valueOf, withheld } = await program({}, file);
  expect(withheld).toEqual([]);
  expect([...proxies].filter((one) => valueOf(one) !== EVIL)).toEqual([]);
});
