// Checks the surface of the runtime, all that modules and C code offer: `node runtime/build/surface.mjs [--check] [--with FILE]`.
// Each function must be used by the package's bundle, by readable-stream or by the runtime itself. Writes the list of what
// modules of Node.js export into runtime/README.md; `--check` only compares. FILE is one more source of the runtime, for tests.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { bundle } from "../../scripts/build/bundle.mjs";
import { renderedHelp } from "../../scripts/build/help.mjs";
import { bundleRuntime } from "./runtime.mjs";

const root = join(import.meta.dirname, "../..");
const runtime = join(root, "runtime");
const README = join(runtime, "README.md");
const [BEGIN, END] = ["<!-- surface: node runtime/build/surface.mjs -->\n\n", "\n<!-- end of the surface -->"];
const LINE = 120;
/** The functions that return a module of Node.js: those of Node.js, and those of host.ts. */
const LOADS = new Set(["require", "getBuiltinModule", "builtin", "lazy"]);

const added = process.argv.indexOf("--with");
const trees = new Map(sources().map(([name, file]) => [name, parseAst(readFileSync(file, "utf8"), { lang: "ts" })]));
const { names: used, exported: taken } = await uses();
const problems = unused();
const former = readFileSync(README, "utf8");
const text = await withSurface(former);
if (text !== former) {
  if (process.argv.includes("--check")) problems.push("runtime/README.md is not what npm run docs writes");
  else writeFileSync(README, text);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;

/** @returns names and paths of the runtime's sources in TypeScript */
function sources() {
  const files = readdirSync(runtime, { recursive: true }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !/^(?:test|build)\//.test(file),
  );
  const named = files.map((file) => [`runtime/${file}`, join(runtime, file)]);
  return added === -1 ? named : [...named, ["runtime/modules/added.ts", process.argv[added + 1]]];
}

/** @returns a sentence for each function that nothing uses */
function unused() {
  const sentence = (file, name) =>
    `${file}: ${name} is used by neither the bundle nor readable-stream nor the runtime: remove it`;
  const members = Array.from(trees, ([file, tree]) => [file, Array.from(nodesIn(tree)).flatMap(membersIn)]);
  return [
    ...[...members, ...nativeFunctions()].flatMap(([file, names]) =>
      names.filter((name) => !used.has(name)).map((name) => sentence(file, name)),
    ),
    ...Array.from(trees).flatMap(([file, tree]) => {
      const module = /^runtime\/modules\/([^/]+)\.ts$/.exec(file)?.[1];
      if (module === undefined || taken.has(`${module} *`)) return [];
      const names = Array.from(nodesIn(tree)).flatMap(exportsIn);
      return names.filter((name) => !taken.has(`${module} ${name}`)).map((name) => sentence(file, name));
    }),
  ];
}

/** Returns the members of a class, and the functions of an object. */
function membersIn({ type, body, properties }) {
  if (type === "ClassBody") return body.filter(isOffered).map(nameOf);
  if (type !== "ObjectExpression") return [];
  return properties.filter(({ value, method }) => method || /Function/.test(value?.type)).map(nameOf);
}

function isOffered({ type, accessibility, declare, kind, key }) {
  const isMember = type === "MethodDefinition" || type === "PropertyDefinition";
  return isMember && accessibility !== "private" && !declare && kind !== "constructor" && key.type === "Identifier";
}

/** Returns the names of values, not of types, that a node exports. */
function exportsIn({ type, exportKind, declaration, specifiers = [] }) {
  if (type !== "ExportNamedDeclaration" || exportKind === "type") return [];
  if (declaration?.type === "VariableDeclaration")
    return declaration.declarations.flatMap(({ id }) =>
      id.type === "ObjectPattern" ? id.properties.map(nameOf) : id.name,
    );
  if (declaration !== null) return declaration.type.startsWith("TS") ? [] : [declaration.id.name];
  return specifiers.filter((one) => one.exportKind !== "type").map(({ exported }) => exported.name);
}

/** @returns for each file of C the names of the functions that it adds to NATIVE and to its objects */
function nativeFunctions() {
  return readdirSync(join(runtime, "native"))
    .filter((file) => file.endsWith(".c"))
    .map((file) => {
      const code = readFileSync(join(runtime, "native", file), "utf8");
      const found = code.matchAll(/JS_(?:CFUNC|CGETSET)\w*_DEF\("(\w+)"|JS_NewCFunction\w*\(context, \w+, "(\w+)"/g);
      return [`runtime/native/${file}`, Array.from(found, ([, listed, single]) => listed ?? single)];
    });
}

/** @returns all names that the bundle, readable-stream or the runtime use, and exports as "module name" */
async function uses() {
  const chunks = await bundle({ SOPHIA_RUN_STANDALONE: "false" }, [await renderedHelp()]);
  const modules = (await bundleRuntime()).flatMap(({ moduleIds }) => moduleIds);
  const streams = modules.filter((id) => /\/node_modules\/.*\.js$/.test(id)).map((id) => readFileSync(id, "utf8"));
  const others = [...chunks.map(({ code }) => code), ...streams].map((code) => parseAst(code, { lang: "js" }));
  const names = new Set();
  const exported = new Set();
  for (const tree of [...others, ...trees.values()]) {
    const nodes = Array.from(nodesIn(tree));
    for (const node of nodes) for (const name of namesUsedBy(node)) names.add(name);
    for (const use of exportsUsedIn(nodes)) exported.add(use);
  }
  // Globals are names without an object; host.ts takes some from modules.
  for (const tree of others) for (const { name } of nodesIn(tree)) names.add(name);
  for (const { type, key, value } of nodesIn(trees.get("runtime/host.ts"))) {
    if (type === "Property" && value.type === "Literal" && names.has(key.name))
      exported.add(`${value.value} ${key.name}`);
  }
  return { names, exported };
}

/** Returns the exports that a file takes from modules, as "module name"; "module *" for all of them. */
function exportsUsedIn(nodes) {
  const modules = new Map();
  const found = [];
  for (const { type, source, specifiers, id, init } of nodes) {
    if (type === "ImportDeclaration") {
      const module = moduleName(source.value);
      for (const { imported, local } of specifiers) {
        if (imported === undefined) modules.set(local.name, module);
        else found.push(`${module} ${imported.name}`);
      }
    }
    if (type === "VariableDeclarator" && id.type === "Identifier") {
      const module = moduleOf(init, modules);
      // A minified file may give a name to several modules.
      if (module !== undefined) modules.set(id.name, [modules.get(id.name) ?? [], module].flat());
    }
  }
  const take = (expression, names) => {
    for (const module of [moduleOf(expression, modules) ?? []].flat())
      for (const name of names) found.push(`${module} ${name}`);
  };
  for (const node of nodes) {
    if (node.type === "MemberExpression") take(node.object, namesUsedBy(node));
    if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern") take(node.init, namesUsedBy(node.id));
    if (node.type === "SpreadElement") take(node.argument, ["*"]);
  }
  return found;
}

/** Returns the name of the module, or the names, that an expression may be: a variable, `require("node:fs")`, or either in a call. */
function moduleOf(expression, modules) {
  switch (expression?.type) {
    case "Identifier":
      return modules.get(expression.name);
    case "MemberExpression":
      return expression.property.name === "default" ? moduleOf(expression.object, modules) : undefined;
    case "ParenthesizedExpression":
      return moduleOf(expression.expression, modules);
    case "CallExpression": {
      const [first] = expression.arguments;
      const { name, property } = expression.callee;
      return LOADS.has(name ?? property?.name) ? moduleName(literal(first)) : moduleOf(first, modules);
    }
    default:
      return undefined;
  }
}

/** Returns the name of a module's file, of the specifiers that Node.js, readable-stream and the runtime have for it. */
function moduleName(specifier) {
  if (specifier?.endsWith(".ts")) return basename(specifier, ".ts");
  return specifier?.replace(/^node:|\/$/g, "").replaceAll(/[/_]/g, "-");
}

/** Returns the names that a node takes from an object or a module. */
function namesUsedBy({ type, computed, property, properties, imported, operator, left }) {
  if (type === "MemberExpression") return [computed ? literal(property) : property.name];
  if (type === "ObjectPattern") return properties.map(nameOf);
  if (type === "ImportSpecifier") return [imported.name];
  return type === "BinaryExpression" && operator === "in" ? [left.value] : [];
}

/** Returns the text of a string; a minifier writes templates. */
function literal(node) {
  const value =
    node?.type === "TemplateLiteral" && node.quasis.length === 1 ? node.quasis[0].value.cooked : node?.value;
  return typeof value === "string" ? value : undefined;
}

function nameOf({ key }) {
  return key?.name ?? key?.value;
}

/** Returns a node and all below it, but for types. */
function* nodesIn(top) {
  // A list in place of recursion, in which each node would pass through all generators above it.
  const remaining = [top];
  while (remaining.length > 0) {
    const value = remaining.pop();
    if (typeof value !== "object" || value === null) continue;
    if (typeof value.type === "string") yield value;
    if (!/^TS(?:Interface|Type)/.test(value.type)) remaining.push(...Object.values(value).toReversed());
  }
}

/** Returns the README with the list between its marks. */
async function withSurface(readme) {
  const [before, rest, ...more] = readme.split(BEGIN);
  const [, behind] = rest?.split(END) ?? [];
  if (behind === undefined || more.length > 0) throw new Error(`${README} has not both marks of the surface`);
  const items = await Promise.all(
    builtinModules.map(async (name) => {
      const tree = trees.get(`runtime/modules/${name.replaceAll(/[/_]/g, "-")}.ts`);
      if (tree === undefined) return [];
      const real = await import(`node:${name}`);
      const nodes = Array.from(nodesIn(tree));
      const names = nodes.flatMap(name === "process" ? membersIn : exportsIn);
      const had = sorted(new Set(names.filter((one) => one !== "default" && one in real)));
      return had.length === 0 ? [] : [wrapped(`- \`node:${name}\`: ${had.join(", ")}`)];
    }),
  );
  return `${before}${BEGIN}${sorted(items.flat()).join("\n")}\n${END}${behind}`;
}

/** Breaks an item of a list as the formatter does. */
function wrapped(item) {
  const lines = [];
  for (const word of item.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && `${line} ${word}`.length <= LINE) lines.push(`${lines.pop()} ${word}`);
    else lines.push(line === undefined ? word : `  ${word}`);
  }
  return lines.join("\n");
}

function sorted(names) {
  return [...names].toSorted((one, other) => one.localeCompare(other));
}
