/** Values of an ESC environment that was opened by a file's credential: which of them have only the trust of the file. */
import { describe, expect, test } from "vitest";
import { BUILT_IN } from "../../src/contract/generated/built-in.ts";
import type { Layer, Origin, Variable } from "../../src/core/model.ts";
import { isTrustedOrigin } from "../../src/esc/settings/from-files.ts";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import { isReserved } from "../../src/resolve/reserved-names.ts";
import { findRisks, addMarkOfFiles } from "../../src/resolve/marks-of-files.ts";

const FILE = ".env";
const ESC: Origin = { source: "esc", environment: "acme/app/dev" };
const OPENED_BY_FILE: Origin = { ...ESC, openedBy: FILE };
const IN_FILE: Origin = { source: "dotenv", file: FILE, line: 1 };
const IN_OTHER_FILE: Origin = { source: "dotenv", file: "../.env", line: 1 };
const CALLER: Origin = { source: "environment" };
const READ_BY_NAME_FILE: Origin = { source: "environment", read: { by: "NAME_FILE", file: "secret" } };
const FROM_OUTER_FILE: Origin = { source: "environment", fromFile: true };

const ATTACKER_URL = "https://evil.example.test";
const ADDRESS_NAME = "OPENAI_BASE_URL";

function variableOf(name: string, origin: Origin, value = "x", delivery: Variable["delivery"] = "value"): Variable {
  return { name, value, secret: false, origin, delivery };
}

function layerOf(...variables: readonly Variable[]): Layer {
  return { source: variables[0]?.origin.source ?? "esc", variables };
}

const neverMatches = (): boolean => false;

const TRUST_SETTINGS = {
  isFound: () => true,
  isContractNamed: false,
  contract: BUILT_IN,
  isAllowed: neverMatches,
  isDeclared: neverMatches,
  keepEsc: false,
};

test.each<[Origin, boolean]>([
  [ESC, true],
  [CALLER, true],
  [OPENED_BY_FILE, false],
  [FROM_OUTER_FILE, false],
  [IN_FILE, false],
  [{ ...ESC, alias: "OTHER" }, false],
])("a value of the origin %o has the caller's trust: %s", (origin, expected) => {
  expect(isTrustedOrigin(origin)).toBe(expected);
});

test.each([
  ["SOPHIA_MODE", true, true, true],
  ["SOPHIA_ALLOW", true, true, true],
  ["SOPHIA_FROM_FILES", true, true, true],
  ["SOPHIA_BROKERED", true, true, true],
  ["SOPHIA_ENV_FILE", true, true, true],
  ["ESC_ORG", true, true, true],
  ["ESC_TOKEN", true, true, true],
  ["ESC_ADMIN_TOKEN", true, true, true],
  ["PULUMI_BACKEND_URL", true, false, false],
  ["SOPHIA_OF_A_LATER_VERSION", true, false, false],
  ["PLAIN", false, false, false],
])(
  "%s is reserved in an ESC that a file has opened: %s, if the caller allows it: %s, in the caller's ESC: %s",
  (name, isOne, isAllowed, isOfCallers) => {
    expect(isReserved({ name, origin: OPENED_BY_FILE }, neverMatches, neverMatches)).toBe(isOne);
    expect(isReserved({ name, origin: OPENED_BY_FILE }, () => true, neverMatches)).toBe(isAllowed);
    expect(
      isReserved(
        { name, origin: ESC },
        () => true,
        () => true,
      ),
    ).toBe(isOfCallers);
    expect(
      isReserved(
        { name, origin: READ_BY_NAME_FILE },
        () => true,
        () => true,
      ),
    ).toBe(isOfCallers);
    expect(isReserved({ name, origin: CALLER }, neverMatches, neverMatches)).toBe(false);
  },
);

test.each<[string, Origin, string, Variable["delivery"], boolean]>([
  ["LD_AUDIT", OPENED_BY_FILE, "./x.so", "value", true],
  ["BASH_ENV", OPENED_BY_FILE, "./x.sh", "value", true],
  ["BASH_ENV", { ...OPENED_BY_FILE, alias: "OTHER" }, "./x.sh", "value", true],
  ["NODE_OPTIONS", OPENED_BY_FILE, "--require ./x.js", "value", true],
  ["NODE_OPTIONS", OPENED_BY_FILE, "--max-old-space-size=64", "value", false],
  ["ENV", OPENED_BY_FILE, "dev", "value", false],
  ["ENV", OPENED_BY_FILE, "dev", "file", true],
  ["PYTHONPATH", OPENED_BY_FILE, "src", "value", false],
  ["LD_AUDIT", ESC, "./x.so", "value", false],
  ["ENV", ESC, "dev", "file", false],
])(
  "%s of the origin %o with the value %s, delivered as %s, may run code of a file's authors: %s",
  async (name, origin, value, delivery, expected) => {
    const { byName } = await findRisks([layerOf(variableOf(name, origin, value, delivery))], TRUST_SETTINGS);
    expect(byName.get(name)?.get(origin)).toBe(expected ? "runs-code" : undefined);
  },
);

describe("an address of a service", () => {
  test.each<[string, Origin, Origin, boolean]>([
    ["from an ESC that a file has opened, for the caller's key, is a redirection", OPENED_BY_FILE, CALLER, true],
    [
      "from an ESC that a file has opened, for a key of the same environment, is no redirection",
      OPENED_BY_FILE,
      { ...OPENED_BY_FILE },
      false,
    ],
    ["from an ESC that a file has opened, for a key of the file, is no redirection", OPENED_BY_FILE, IN_FILE, false],
    [
      "from an ESC that a file has opened, for a key of another file, is a redirection",
      OPENED_BY_FILE,
      IN_OTHER_FILE,
      true,
    ],
    [
      "from an ESC that a file has opened, for a key that an outer sophia-run has read from a file, is a redirection",
      OPENED_BY_FILE,
      FROM_OUTER_FILE,
      true,
    ],
    [
      "from an ESC that a file has opened, by a contract's alias, is a redirection",
      { ...OPENED_BY_FILE, alias: "DOCS" },
      { ...OPENED_BY_FILE },
      true,
    ],
    [
      "from an ESC that a file has opened, by another name of the address, is no redirection",
      { ...OPENED_BY_FILE, alias: "OPENAI_API_BASE" },
      { ...OPENED_BY_FILE },
      false,
    ],
    // The file may only name the user's token file, so that the authors of the file do not know the keys.
    ["from a file, for a key in an ESC that the file has opened, is a redirection", IN_FILE, OPENED_BY_FILE, true],
    ["from the caller's ESC, for the caller's key, is no redirection", ESC, CALLER, false],
    ["from the caller's ESC, by a contract's alias, is no redirection", { ...ESC, alias: "DOCS" }, ESC, true],
  ])("%s", async (_, address, key, expected) => {
    const layers = [
      layerOf(variableOf("OPENAI_API_KEY", key)),
      layerOf(variableOf(ADDRESS_NAME, address, ATTACKER_URL)),
    ];
    const { byName } = await findRisks(layers, TRUST_SETTINGS);
    expect(byName.get(ADDRESS_NAME)?.get(address)).toBe(expected ? "redirects-key" : undefined);
  });

  test("from an ESC that a file has opened is marked with its key for a nested sophia-run, unless the caller allows it", async () => {
    const layers = [
      layerOf(variableOf(ADDRESS_NAME, OPENED_BY_FILE, ATTACKER_URL), variableOf("OPENAI_API_KEY", OPENED_BY_FILE)),
    ];
    const selected = resolveLayers(layers, neverMatches);
    const { marked } = await findRisks(layers, TRUST_SETTINGS);
    expect(addMarkOfFiles(selected, marked, neverMatches).get("SOPHIA_FROM_FILES")?.value).toBe(
      `${ADDRESS_NAME},OPENAI_API_KEY`,
    );
    const allowed = await findRisks(layers, { ...TRUST_SETTINGS, isAllowed: () => true });
    expect(addMarkOfFiles(selected, allowed.marked, neverMatches).has("SOPHIA_FROM_FILES")).toBe(false);
  });
});

test.each<[string, Origin, Origin, string | undefined]>([
  ["a file's address and the caller's key", IN_FILE, CALLER, "QDRANT_URL"],
  ["a file's address and key", IN_FILE, IN_FILE, "QDRANT_URL,QDRANT_API_KEY"],
  ["the address of one file and the key of another", IN_FILE, IN_OTHER_FILE, "QDRANT_URL"],
  ["a file's address and the key of an outer file", IN_FILE, FROM_OUTER_FILE, "QDRANT_URL"],
  ["an outer file's address and key", FROM_OUTER_FILE, FROM_OUTER_FILE, "QDRANT_URL,QDRANT_API_KEY"],
  ["an outer file's address", FROM_OUTER_FILE, CALLER, "QDRANT_URL"],
  [
    "the address and the key of an ESC that a file has opened",
    OPENED_BY_FILE,
    OPENED_BY_FILE,
    "QDRANT_URL,QDRANT_API_KEY",
  ],
  ["the caller's address and a file's key", CALLER, IN_FILE, undefined],
  ["the address and the key of the caller's ESC", ESC, ESC, undefined],
])(
  "of a service without a fixed address, %s are marked for a nested sophia-run as they must be",
  (_, address, key, expected) => {
    const layers = [layerOf(variableOf("QDRANT_URL", address)), layerOf(variableOf("QDRANT_API_KEY", key))];
    const marked = addMarkOfFiles(resolveLayers(layers, neverMatches), [], neverMatches);
    expect(marked.get("SOPHIA_FROM_FILES")?.value).toBe(expected);
  },
);

test.each(["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PULUMI_BACKEND_URL"])(
  "%s is marked if an ESC that a file has opened sets it, and not if the caller's ESC sets it",
  (name) => {
    const mark = (origin: Origin): string | undefined =>
      addMarkOfFiles(resolveLayers([layerOf(variableOf(name, origin))], neverMatches), [], neverMatches).get(
        "SOPHIA_FROM_FILES",
      )?.value;
    expect([mark(OPENED_BY_FILE), mark(ESC)]).toEqual([name, undefined]);
  },
);
