/** The values of an ESC environment that a file's credential opens: which of them count as the file's. */
import { describe, expect, test } from "vitest";
import { BUILT_IN } from "../../src/contract/generated/built-in.ts";
import type { Layer, Origin, Variable } from "../../src/core/model.ts";
import { isTrustedOrigin } from "../../src/esc/settings/from-files.ts";
import { resolveLayers } from "../../src/resolve/precedence.ts";
import { isReserved } from "../../src/resolve/reserved-names.ts";
import { findRisks, addMarkOfFiles } from "../../src/resolve/marks-of-files.ts";

const FILE = ".env";
const ESC: Origin = { source: "esc", environment: "acme/app/dev" };
const OPENED: Origin = { ...ESC, openedBy: FILE };
const IN_FILE: Origin = { source: "dotenv", file: FILE, line: 1 };
const IN_OTHER: Origin = { source: "dotenv", file: "../.env", line: 1 };
const CALLER: Origin = { source: "environment" };
const READ: Origin = { source: "environment", read: { by: "NAME_FILE", file: "secret" } };
const OUTER: Origin = { source: "environment", fromFile: true };

const EVIL = "https://evil.example.test";
const BASE = "OPENAI_BASE_URL";

function variable(name: string, origin: Origin, value = "x", delivery: Variable["delivery"] = "value"): Variable {
  return { name, value, secret: false, origin, delivery };
}

function layer(...variables: readonly Variable[]): Layer {
  return { source: variables[0]?.origin.source ?? "esc", variables };
}

const nothing = (): boolean => false;

const TRUST = {
  isFound: () => true,
  isContractNamed: false,
  contract: BUILT_IN,
  isAllowed: nothing,
  isDeclared: nothing,
  keepEsc: false,
};

test.each<[Origin, boolean]>([
  [ESC, true],
  [CALLER, true],
  [OPENED, false],
  [OUTER, false],
  [IN_FILE, false],
  [{ ...ESC, alias: "OTHER" }, false],
])("%o is the caller's word: %s", (origin, expected) => {
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
  "%s of such an environment is reserved: %s, if the caller allows it: %s, in the caller's own one: %s",
  (name, isOne, isAllowed, isOfCallers) => {
    expect(isReserved({ name, origin: OPENED }, nothing, nothing)).toBe(isOne);
    expect(isReserved({ name, origin: OPENED }, () => true, nothing)).toBe(isAllowed);
    expect(
      isReserved(
        { name, origin: ESC },
        () => true,
        () => true,
      ),
    ).toBe(isOfCallers);
    expect(
      isReserved(
        { name, origin: READ },
        () => true,
        () => true,
      ),
    ).toBe(isOfCallers);
    expect(isReserved({ name, origin: CALLER }, nothing, nothing)).toBe(false);
  },
);

test.each<[string, Origin, string, Variable["delivery"], boolean]>([
  ["LD_AUDIT", OPENED, "./x.so", "value", true],
  ["BASH_ENV", OPENED, "./x.sh", "value", true],
  ["BASH_ENV", { ...OPENED, alias: "OTHER" }, "./x.sh", "value", true],
  ["NODE_OPTIONS", OPENED, "--require ./x.js", "value", true],
  ["NODE_OPTIONS", OPENED, "--max-old-space-size=64", "value", false],
  ["ENV", OPENED, "dev", "value", false],
  ["ENV", OPENED, "dev", "file", true],
  ["PYTHONPATH", OPENED, "src", "value", false],
  ["LD_AUDIT", ESC, "./x.so", "value", false],
  ["ENV", ESC, "dev", "file", false],
])("%s of %o as %s (%s) runs code of a file's authors: %s", async (name, origin, value, delivery, expected) => {
  const { byName } = await findRisks([layer(variable(name, origin, value, delivery))], TRUST);
  expect(byName.get(name)?.get(origin)).toBe(expected ? "runs-code" : undefined);
});

describe("an address", () => {
  test.each<[string, Origin, Origin, boolean]>([
    ["of it for the caller's key", OPENED, CALLER, true],
    ["of it for a key of the same environment", OPENED, { ...OPENED }, false],
    ["of it for a key of the file", OPENED, IN_FILE, false],
    ["of it for a key of another file", OPENED, IN_OTHER, true],
    ["of it for a key that an outer sophia-run read from a file", OPENED, OUTER, true],
    ["of it by a contract's alias", { ...OPENED, alias: "DOCS" }, { ...OPENED }, true],
    ["of it by another name of the address", { ...OPENED, alias: "OPENAI_API_BASE" }, { ...OPENED }, false],
    // The file may only name the user's token, so that its authors do not know the keys.
    ["of the file for a key in ESC", IN_FILE, OPENED, true],
    ["of the caller's ESC for the caller's key", ESC, CALLER, false],
    ["of the caller's ESC, by a contract's alias", { ...ESC, alias: "DOCS" }, ESC, true],
  ])("%s is a redirection: %4$s", async (_, address, key, expected) => {
    const layers = [layer(variable("OPENAI_API_KEY", key)), layer(variable(BASE, address, EVIL))];
    const { byName } = await findRisks(layers, TRUST);
    expect(byName.get(BASE)?.get(address)).toBe(expected ? "redirects-key" : undefined);
  });

  test("of it is marked for a nested sophia-run with its key, unless the caller allows it", async () => {
    const layers = [layer(variable(BASE, OPENED, EVIL), variable("OPENAI_API_KEY", OPENED))];
    const selected = resolveLayers(layers, nothing);
    const { marked } = await findRisks(layers, TRUST);
    expect(addMarkOfFiles(selected, marked, nothing).get("SOPHIA_FROM_FILES")?.value).toBe(`${BASE},OPENAI_API_KEY`);
    const allowed = await findRisks(layers, { ...TRUST, isAllowed: () => true });
    expect(addMarkOfFiles(selected, allowed.marked, nothing).has("SOPHIA_FROM_FILES")).toBe(false);
  });
});

test.each<[string, Origin, Origin, string | undefined]>([
  ["a file's address and the caller's key", IN_FILE, CALLER, "QDRANT_URL"],
  ["a file's address and key", IN_FILE, IN_FILE, "QDRANT_URL,QDRANT_API_KEY"],
  ["the address of one file and the key of another", IN_FILE, IN_OTHER, "QDRANT_URL"],
  ["a file's address and the key of an outer file", IN_FILE, OUTER, "QDRANT_URL"],
  ["both of an outer file", OUTER, OUTER, "QDRANT_URL,QDRANT_API_KEY"],
  ["an outer file's address", OUTER, CALLER, "QDRANT_URL"],
  ["both of an ESC that a file has opened", OPENED, OPENED, "QDRANT_URL,QDRANT_API_KEY"],
  ["the caller's address and a file's key", CALLER, IN_FILE, undefined],
  ["both of the caller's ESC", ESC, ESC, undefined],
])("%s, of a service without an address of its own: the mark", (_, address, key, expected) => {
  const layers = [layer(variable("QDRANT_URL", address)), layer(variable("QDRANT_API_KEY", key))];
  const marked = addMarkOfFiles(resolveLayers(layers, nothing), [], nothing);
  expect(marked.get("SOPHIA_FROM_FILES")?.value).toBe(expected);
});

test.each(["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PULUMI_BACKEND_URL"])(
  "%s of it is marked, and that of the caller's ESC is not",
  (name) => {
    const mark = (origin: Origin): string | undefined =>
      addMarkOfFiles(resolveLayers([layer(variable(name, origin))], nothing), [], nothing).get("SOPHIA_FROM_FILES")
        ?.value;
    expect([mark(OPENED), mark(ESC)]).toEqual([name, undefined]);
  },
);
