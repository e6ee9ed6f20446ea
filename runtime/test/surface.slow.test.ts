/** The runtime must not have functions that no code uses. `npm run docs:check` also compares the list in runtime/README.md. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folder } from "../../test/helpers/sophia.ts";

const script = join(import.meta.dirname, "../build/surface.mjs");

it("surface.mjs reports exactly the functions of the runtime that no code uses", { timeout: 120_000 }, () => {
  const source = `
    export function unusedFunction(): void {}
    export const { unusedValue } = { unusedValue: 1 };
    export const unusedObject = { unusedMethod() {}, property: 1 };
    export type UnusedType = string;
    interface Shape { readonly unusedField: string }
    class Members implements Shape {
      readonly unusedField = "";
      declare declared: string;
      #own = 1;
      private hidden = 2;
      static unusedStatic(): number { return new Members().#own + new Members().hidden; }
      get unusedGetter(): number { return 1; }
      toString(): string { return ""; }
    }`;
  const file = join(folder({ "added.ts": source }), "added.ts");
  const { status, stderr } = spawnSync(process.execPath, [script, "--check", "--with", file], { encoding: "utf8" });
  const names = ["Field", "Function", "Getter", "Method", "Object", "Static", "Value"].map((kind) => `unused${kind}`);
  expect({ status, lines: stderr.trimEnd().split("\n").toSorted() }).toEqual({
    status: 1,
    lines: names.map(
      (name) =>
        `runtime/modules/added.ts: ${name} is used by neither the bundle nor readable-stream nor the runtime: remove it`,
    ),
  });
});
