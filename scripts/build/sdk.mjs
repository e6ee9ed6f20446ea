// A plugin for the bundler: leaves out the requests of the ESC SDK that this program never makes, some thirty of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "rolldown/utils";

/**
 * @param root the repository
 * @returns the plugin. It throws if the SDK lacks a request that src/esc/api/sdk.ts makes.
 */
export function withUsedRequests(root) {
  const source = readFileSync(join(root, "src/esc/api/sdk.ts"), "utf8");
  const used = new Set(Array.from(source.matchAll(/\bapi\.(\w+)\(/g), ([, name]) => name));
  return {
    name: "used-requests",
    transform: {
      filter: { id: /[\\/]esc-sdk[\\/]esc[\\/]raw[\\/]api\.js$/ },
      handler: (code) => without(code, used),
    },
  };
}

/** Removes all requests but the used ones from the SDK's client, and from the objects of functions behind it. */
function without(code, used) {
  const { program } = parseSync("api.js", code);
  const requests = new Set();
  const functions = [];
  new Visitor({
    MethodDefinition(node) {
      if (node.kind !== "method") return;
      requests.add(node.key.name);
      functions.push(node);
    },
    Property(node) {
      if (node.value.type.endsWith("FunctionExpression") || node.value.type === "CallExpression") functions.push(node);
    },
  }).visit(program);
  const missing = Array.from(used).find((name) => !requests.has(name));
  if (used.size === 0 || missing !== undefined) throw new Error(`the ESC SDK has no request ${missing}`);
  const unused = functions.filter(({ key: { name } }) => requests.has(name) && !used.has(name));
  let rest = code;
  for (const { start, end } of unused.toSorted((one, other) => other.start - one.start)) {
    rest = rest.slice(0, start) + rest.slice(end).replace(/^,/, "");
  }
  return { code: rest, map: null };
}
