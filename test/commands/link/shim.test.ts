import { describe, expect, it } from "vitest";
import { parseShimTarget } from "../../../src/commands/link/shim.ts";

const FILE = "../sophia-run/bin/sophia-run.cjs";
const STORED = "../.pnpm/sophia-run@0.1.0/node_modules/sophia-run/bin/sophia-run.cjs";

/** The lines of a script that differ by version, as each package manager writes them, around those that start the program. */
const HEAD = `#!/bin/sh\nbasedir=$(dirname "$(echo "$0" | sed -e 's,\\\\,/,g')")\n`;

/** pnpm 9 to 11, and cmd-shim of Yarn. */
const quotedShim = (target: string): string => `${HEAD}
if [ -z "$NODE_PATH" ]; then
  export NODE_PATH="/a:/b"
else
  export NODE_PATH="/a:/b:$NODE_PATH"
fi
if [ -x "$basedir/node" ]; then
  exec "$basedir/node"  "$basedir/${target}" "$@"
else
  exec node  "$basedir/${target}" "$@"
fi
`;

/** pnpm 12. */
const singleShim = (target: string): string => `#!/bin/sh
run_helper() {
  if [ -x "/usr/bin/$1" ] || ! command -v "$1" >/dev/null 2>&1; then command -p "$@"; else command "$@"; fi
}
basedir="\${link%/*}"
basedir_abs=$(CDPATH= cd -P -- "$basedir" && pwd -P) || exit $?
if [ -n "$exe" ] && [ -x "$basedir/node.exe" ]; then
  exec "$basedir/node.exe"  "$basedir_win"/'${target}' "$@"
elif [ -x "$basedir/node" ]; then
  exec "$basedir/node"  "$basedir_abs"/'${target}' "$@"
elif [ -n "$exe" ] && command -v node.exe >/dev/null 2>&1; then
  exec node.exe  "$basedir_win"/'${target}' "$@"
else
  exec node  "$basedir_abs"/'${target}' "$@"
fi
# cmd-shim-target=${target}
`;

describe("a script that pnpm or Yarn has generated starts one file", () => {
  it.each([
    ["pnpm 9, which does not exec", quotedShim(FILE).replaceAll("  exec ", "  "), FILE],
    ["pnpm 10 and 11", quotedShim(STORED), STORED],
    ["pnpm 12", singleShim(STORED), STORED],
  ])("as %s", (_, text, target) => {
    expect(parseShimTarget(text)).toBe(target);
  });
});

describe("any other script starts no file:", () => {
  it.each([
    ["an empty file", ""],
    ["no script of sh", quotedShim(FILE).replace("/bin/sh", "/bin/bash")],
    ["a script of the user's", `#!/bin/sh\nexec node ../sophia-run/bin/sophia-run.cjs "$@"\n`],
    ["one that a user has written after the generated form", `${HEAD}exec nice node  "$basedir/${FILE}" "$@"\n`],
    ["one that sets a variable for the program", quotedShim(FILE).replace("exec node", "exec env A=1 node")],
    ["one that starts another program first", quotedShim(FILE).replace("else", `else\n  notify "$@"`)],
    ["one that starts another program beside a helper", `${singleShim(FILE)}exec other "$@" || command "$@"\n`],
    ["one that starts another program in its helper", singleShim(FILE).replace("if [", `if other "$@" && [`)],
    ["one with options for Node.js", quotedShim(FILE).replace("exec node ", "exec node --inspect")],
    ["one that passes other arguments on", quotedShim(FILE).replaceAll(`"$@"`, `-q "$@"`)],
    [
      "one that starts two files",
      quotedShim(FILE).replace(`exec node  "$basedir/${FILE}"`, `exec node  "$basedir/x.cjs"`),
    ],
    ["one that starts nothing", HEAD],
    ["one without its folder", quotedShim(FILE).replace(/^basedir=.*$/m, "")],
  ])("%s", (_, text) => {
    expect(parseShimTarget(text)).toBeUndefined();
  });
});
