import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { folder } from "../helpers/sophia.ts";

const script = join(import.meta.dirname, "../../scripts/layers.mjs");

/** Files of each place whose imports are as they should be. */
const RIGHT = {
  "src/core/text.ts": "",
  "src/system/addon.ts": 'import "../core/text.ts"; import "../../native/shared.ts";',
  "src/launch/start.ts": 'import "../system/addon.ts";',
  "native/shared.ts": "",
  "native/program.h": "",
  "native/system.c": '#include <node_api.h>\n#include <stdlib.h>\n#include "program.h"\n',
  "native/masking/masking-addon.c": '#include "../program.h"\n',
  "runtime/host.ts": 'import "./loop.ts"; import type { Loader } from "../native/shared.ts";',
  "runtime/loop.ts": "",
  "runtime/native/runtime.h": '#include "quickjs.h"\n',
  "runtime/native/node_api.h": "",
  "runtime/native/node_api.c": '#include "node_api.h"\n#include "runtime.h"\n#include "../../native/program.h"\n',
};

function runLayers(files: Readonly<Record<string, string>>): {
  readonly status: number | null;
  readonly stderr: string;
} {
  const place = folder();
  for (const [name, text] of Object.entries({ ...RIGHT, ...files })) {
    mkdirSync(join(place, dirname(name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, place], { encoding: "utf8" });
  return { status, stderr };
}

it("npm run layers accepts imports and includes of lower layers", () => {
  expect(runLayers({})).toEqual({ status: 0, stderr: "" });
});

it.for([
  [
    "src/core/text.ts",
    'import type { A } from "../system/addon.ts";',
    "src/system/addon.ts, which is in a higher layer",
  ],
  ["src/launch/start.ts", 'await import("../../runtime/host.ts");', "runtime/host.ts: the runtime and the product"],
  ["runtime/host.ts", 'import "../src/core/text.ts";', "src/core/text.ts: the runtime and the product"],
  ["native/shared.ts", 'import "../src/system/addon.ts";', "src/system/addon.ts, which is in a higher layer"],
  [
    "native/system.c",
    '#include "../runtime/native/runtime.h"\n',
    "runtime/native/runtime.h: the runtime and the product",
  ],
  // The build of the executable would find it.
  [
    "native/masking/masking-addon.c",
    '  # include "runtime.h"\n',
    "runtime/native/runtime.h: the runtime and the product",
  ],
  ["native/program.h", "#include <runtime.h>\n", "runtime/native/runtime.h: the runtime and the product"],
  ["native/masking/search.inc", '#include "runtime.h"\n', "runtime/native/runtime.h: the runtime and the product"],
] as const)("npm run layers refuses %s with %s", ([file, text, problem]) => {
  expect(runLayers({ [file]: text })).toEqual({
    status: 1,
    stderr: expect.stringContaining(`${file} imports ${problem}`),
  });
});

it("npm run layers refuses circles, in C too", () => {
  const files = { "native/program.h": '#include "other.h"\n', "native/other.h": '#include "program.h"\n' };
  expect(runLayers(files)).toEqual({
    status: 1,
    stderr: "files import each other: native/program.h -> native/other.h -> native/program.h\n",
  });
});

it("npm run layers refuses a folder that is in no layer", () => {
  expect(runLayers({ "src/elsewhere/some.ts": "" })).toEqual({
    status: 1,
    stderr: expect.stringContaining("src/elsewhere/some.ts is in no layer"),
  });
});

it("npm run layers refuses a drawing of other imports, and a document without a drawing", () => {
  const drawn = (lines: string): string =>
    `<!-- modules: npm run layers -- --write -->\n\n\`\`\`text\n${lines}\n\`\`\`\n\n<!-- end of the modules -->\n`;
  const none = runLayers({ "ARCHITECTURE.md": "" });
  expect(none).toEqual({ status: 1, stderr: expect.stringContaining("does not have both marks of the modules") });
  const wrong = runLayers({ "ARCHITECTURE.md": drawn("2  system\n1  ● core") });
  expect(wrong).toEqual({ status: 1, stderr: expect.stringContaining("npm run layers -- --write") });
});
