/** .github/renovate.json: the dependency bot finds the versions that are pinned outside of lock files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { memberAt } from "../helpers/json-members.ts";

const root = join(import.meta.dirname, "../..");
const readRepositoryFile = (path: string): string => readFileSync(join(root, path), "utf8");

/** The versions that the bot finds in a file, by the name of the package. */
function findVersions(path: string): Record<string, string> {
  const managers = memberAt(JSON.parse(readRepositoryFile(".github/renovate.json")), "customManagers");
  if (!Array.isArray(managers)) throw new TypeError("there are no managers");
  return Object.fromEntries(
    managers.flatMap((manager: unknown) => {
      // The pattern of a file is a regular expression between slashes.
      const file = new RegExp(String(memberAt(manager, "managerFilePatterns", 0)).slice(1, -1));
      if (!file.test(path)) return [];
      const expression = new RegExp(String(memberAt(manager, "matchStrings", 0)), "g");
      return [...readRepositoryFile(path).matchAll(expression)].map(({ groups }) => [
        groups?.["depName"] ?? String(memberAt(manager, "depNameTemplate")),
        groups?.["currentValue"] ?? "",
      ]);
    }),
  );
}

test("Renovate's configuration finds each part of the executables", async () => {
  const path = "runtime/build/parts/versions.mjs";
  const parts: unknown = await import(pathToFileURL(join(root, path)).href);
  const pinned = [...Object.values(memberAt(parts, "PACKAGES") ?? {}), memberAt(parts, "ZIG"), memberAt(parts, "BUN")];
  expect(findVersions(path)).toEqual(
    Object.fromEntries(pinned.map((part: unknown) => [memberAt(part, "name"), memberAt(part, "version")])),
  );
});

test("Renovate's configuration finds the analysers of workflows", () => {
  const version = expect.stringMatching(/^v?\d+\.\d+\.\d+$/) as unknown;
  expect(findVersions("scripts/platforms/workflows.sh")).toEqual({
    zizmor: version,
    "github.com/rhysd/actionlint": version,
  });
});
