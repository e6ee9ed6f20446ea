/**
 * The folders whose code is mutated, and the tests that cover them: the tests of the folder that is nearest to a file. Of tests that
 * start processes, only these are run for a mutant; of all others, each one that reaches it.
 */

/** Paths of tests as the arguments of vitest: a folder ends with a slash. */
const WRITING = ["test/commands/parts/writing/", "test/esc/definition/"];

export const COVERAGE: Readonly<Record<string, readonly string[]>> = {
  "src/broker": ["test/broker/", "test/commands/run/broker/", "test/scenarios/broker-swap.slow.test.ts"],
  "src/commands/enforce": ["test/commands/enforce/", ...WRITING],
  "src/commands/import": ["test/commands/import/", ...WRITING],
  "src/commands/init": ["test/commands/init/", "test/scenarios/first-value.slow.test.ts"],
  "src/commands/link": ["test/commands/link/link.standalone.test.ts", "test/commands/link/shim.test.ts"],
  "src/commands/parts/writing": [...WRITING, "test/commands/set/", "test/commands/rotate/", "test/commands/import/"],
  "src/commands/rotate": ["test/commands/rotate/", ...WRITING],
  "src/commands/set": ["test/commands/set/", ...WRITING],
  "src/contract": ["test/contract/", "test/commands/check/", "test/commands/docs/"],
  "src/contract/broker": ["test/contract/", "test/broker/", "test/commands/run/broker/"],
  "src/contract/esc-schema": ["test/contract/esc-schema/", "test/commands/enforce/"],
  "src/esc": ["test/esc/", "test/scenarios/esc-faults.slow.test.ts", "test/scenarios/credentials.slow.test.ts"],
  "src/esc/api": [
    "test/esc/",
    "test/commands/request/",
    "test/commands/run/watch/",
    "test/commands/set/",
    "test/commands/enforce/",
    "test/commands/rotate/",
    "test/scenarios/watch.slow.test.ts",
  ],
  "src/esc/definition": [
    "test/esc/definition/",
    "test/commands/set/",
    "test/commands/rotate/",
    "test/commands/enforce/",
  ],
  "src/launch": [
    "test/launch/",
    "test/system/addon/",
    "test/scenarios/signals.process.test.ts",
    "test/scenarios/odd-places.process.test.ts",
  ],
  "src/launch/masking": ["test/launch/masking/", "test/masking/"],
  "src/launch/watch": ["test/launch/watch/", "test/scenarios/watch.slow.test.ts"],
  "src/masking": ["test/masking/", "test/launch/masking/", "test/commands/mask/", "test/commands/scan/"],
  "src/resolve": [
    "test/resolve/",
    "test/output/",
    "test/commands/check/",
    "test/commands/enforce/enforce.slow.test.ts",
    "test/commands/explain/",
    "test/scenarios/code-from-files.slow.test.ts",
    "test/scenarios/key-addresses.slow.test.ts",
    "test/scenarios/leak.slow.test.ts",
    "test/scenarios/network-from-files.slow.test.ts",
    "test/scenarios/opened-by-file.slow.test.ts",
  ],
  "src/sources": [
    "test/sources/",
    "test/resolve/",
    "test/scenarios/hostile-files.slow.test.ts",
    "test/scenarios/irregular-files.slow.test.ts",
    "test/scenarios/secret-files.slow.test.ts",
  ],
  "src/sources/cached": [
    "test/sources/cached/",
    "test/commands/check/cached.slow.test.ts",
    "test/scenarios/leak.slow.test.ts",
  ],
  "src/sources/dotenv": ["test/sources/dotenv/", "test/resolve/", "test/scenarios/coming-from-dotenv.slow.test.ts"],
};

/** Folders below those whose code is not mutated, with the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  "src/contract/generated": "it is made of the schema",
  "src/launch/windows": "most of its tests need Windows",
};

/** Returns the folder of {@link COVERAGE} that a file belongs to; undefined for a file that is not mutated. */
export function coveredFolderOf(file: string): string | undefined {
  const isBelow = (folder: string): boolean => file.startsWith(`${folder}/`);
  if (Object.keys(LEFT_OUT).some(isBelow)) return undefined;
  return Object.keys(COVERAGE)
    .filter(isBelow)
    .toSorted((a, b) => b.length - a.length)[0];
}
