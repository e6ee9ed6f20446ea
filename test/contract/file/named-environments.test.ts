import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { loadContract } from "../../../src/contract/find-contract.ts";
import type { ContractEnvironment } from "../../../src/contract/contract-model.ts";
import { foldersOf } from "../../helpers/folders.ts";
import { folder } from "../../helpers/sophia.ts";
import { catchFailure } from "../contracts.ts";

/**
 * Writes contracts, loads one of them, and returns the environments that it names, with the path of the naming file
 * relative to the folder.
 */
async function environmentOf(
  files: Readonly<Record<string, object>>,
  part: { readonly contractFile?: string; readonly profile?: string } = {},
): Promise<ContractEnvironment | undefined> {
  const top = folder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), JSON.stringify({ variables: {}, ...content }));
  }
  const { environment } = await loadContract(part, foldersOf(top));
  return environment && { ...environment, file: environment.file.slice(top.length + 1) };
}

const FILE = "sophia.contract.json";

describe("the environment of a contract", () => {
  it("is one or several names, with the file that names them", async () => {
    const one = await environmentOf({ [FILE]: { environment: "acme/sophia/dev" } });
    expect(one).toStrictEqual({ names: ["acme/sophia/dev"], file: FILE, isFound: true });
    const several = await environmentOf({ [FILE]: { environment: ["acme/sophia/base", "acme/sophia/dev@stable"] } });
    expect(several?.names).toStrictEqual(["acme/sophia/base", "acme/sophia/dev@stable"]);
    expect(await environmentOf({ [FILE]: {} })).toBeUndefined();
  });

  it("is the profile's, otherwise that of the nearest profile that it extends, otherwise the contract's", async () => {
    const files = {
      [FILE]: {
        environment: "acme/sophia/dev",
        profiles: {
          production: { environment: "acme/sophia/production" },
          staging: { extends: "production" },
          test: {},
          both: { extends: ["production", "other"] },
          other: { environment: "acme/sophia/other" },
        },
      },
    };
    const named = async (profile: string) => (await environmentOf(files, { profile }))?.names;
    expect(await named("production")).toStrictEqual(["acme/sophia/production"]);
    expect(await named("staging")).toStrictEqual(["acme/sophia/production"]);
    expect(await named("both")).toStrictEqual(["acme/sophia/other"]);
    expect(await named("test")).toStrictEqual(["acme/sophia/dev"]);
  });

  it("belongs to the file that names it, even if another contract extends that file", async () => {
    const base = { environment: "acme/a/base", profiles: { production: { environment: "acme/a/production" } } };
    const files = { "base.json": base, [FILE]: { extends: "base.json", profiles: { production: {}, test: {} } } };
    expect(await environmentOf(files)).toMatchObject({ names: ["acme/a/base"], file: "base.json" });
    const production = await environmentOf(files, { profile: "production" });
    expect(production).toMatchObject({ names: ["acme/a/production"], file: "base.json" });
    const own = { ...files, [FILE]: { extends: "base.json", environment: "acme/a/own" } };
    expect(await environmentOf(own)).toMatchObject({ names: ["acme/a/own"], file: FILE });
  });

  it("needs consent unless the user names the contract and the naming file is in its folder or below", async () => {
    const files = {
      "app/named.json": { extends: "below/base.json", profiles: { own: { environment: "acme/a/own" } } },
      "app/below/base.json": { environment: "acme/a/below", profiles: { far: {} } },
      "app/above.json": { extends: "../outside.json" },
      "outside.json": { environment: "acme/a/outside" },
    };
    const isFound = async (contractFile: string, profile?: string) =>
      (await environmentOf(files, { contractFile, ...(profile === undefined ? {} : { profile }) }))?.isFound;
    expect(await isFound("app/named.json")).toBe(false);
    expect(await isFound("app/named.json", "own")).toBe(false);
    expect(await isFound("app/above.json")).toBe(true);
  });

  it("needs consent if a link in the named contract's folder leads to the file that names it", async () => {
    const top = folder();
    mkdirSync(join(top, "app"));
    writeFileSync(join(top, "outside.json"), JSON.stringify({ variables: {}, environment: "acme/a/outside" }));
    symlinkSync("../outside.json", join(top, "app/base.json"));
    writeFileSync(join(top, "app/named.json"), JSON.stringify({ extends: "base.json" }));
    const { environment } = await loadContract({ contractFile: "app/named.json" }, foldersOf(top));
    expect(environment?.isFound).toBe(true);
  });

  test.each([
    ["sophia/dev", "wrong form"],
    ["acme/sophia/dev/more", "wrong form"],
    ["acme/../dev", "wrong form"],
    ["acme/sophia/.", "wrong form"],
    ["acme/sophia/dev@", "wrong form"],
    ["acme/sophia/dev,acme/sophia/other", "wrong form"],
    ["", "wrong form"],
    [[], "the list is empty"],
    [["acme/a/dev", "acme/a/dev"], "duplicate entry"],
    [["acme/a/dev", "dev"], "wrong form"],
  ])("must be a full name: %j is an error", async (environment, words) => {
    const failure = await catchFailure(() => environmentOf({ [FILE]: { environment } }));
    expect(failure.message).toContain(words);
    expect(failure.message).toContain(`${FILE}:1:`);
  });
});
