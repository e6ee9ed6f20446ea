import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const src = join(import.meta.dirname, "../../../../src");

/** Returns the files that are loaded with a file: its imports and theirs, without types and without `import()`. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const text = readFileSync(join(src, file), "utf8");
  for (const [, path = ""] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)"/gm)) {
    loadedWith(normalize(join(dirname(file), path)), loaded);
  }
  return loaded;
}

const SERVER = "broker/broker-server.ts";

test("a start with --broker loads the server", () => {
  expect(loadedWith("commands/run/broker/run-broker.ts")).toContain(SERVER);
});

test.each(["commands/check/check-broker.ts", "commands/explain/explain.ts", "commands/export/export.ts"])(
  "%s does not load the broker's server, although it plans the same keys",
  (file) => {
    const loaded = [...loadedWith(file)];
    const parts = new Set(["listen", "service", "forward", "upgrade", "exchange"].map((part) => `broker/${part}.ts`));
    expect(loaded.filter((one) => parts.has(one))).toEqual([]);
  },
);

test("a start without --broker does not load the code that plans keys", () => {
  expect([...loadedWith("main.ts")].filter((one) => one.includes("broker/"))).toEqual([]);
});
