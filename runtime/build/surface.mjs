// Checks the surface of the runtime, which is all that its modules and its C code offer:
//
//   node runtime/build/surface.mjs [--check] [--with FILE]
//
// The package's bundle, readable-stream or the runtime itself must use each function. The check goes by names. It also writes the list
// of what the modules of Node.js export into runtime/README.md; with `--check` it only compares that list. FILE is one more source of
// the runtime, for tests.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, join } from "node:path";
import { parseAst } from "rolldown/parseAst";
import { bundle } from "../../scripts/build/bundle.mjs";
import { renderedHelp } from "../../scripts/build/help.mjs";
import { bundleRuntime } from "./runtime.mjs";

const root = join(import.meta.dirname, "../..");
const runtimeFolder = join(root, "runtime");
const README = join(runtimeFolder, "README.md");
const LIST_BEGIN = "<!-- surface: node runtime/build/surface.mjs -->\n\n";
const LIST_END = "\n<!-- end of the surface -->";
const MAX_LINE_LENGTH = 120;
/** The functions that return a module of Node.js: those of Node.js, and those of host.ts. */
const LOADING_FUNCTIONS = new Set(["require", "getBuiltinModule", "builtin", "lazy"]);

const addedFileOption = process.argv.indexOf("--with");
/** The syntax tree of each source of the runtime, by the source's name. */
const trees = new Map(
  listSources().map(([name, path]) => [name, parseAst(readFileSync(path, "utf8"), { lang: "ts" })]),
);
const { usedNames, usedExports } = await findUses();
const problems = describeUnusedFunctions();
const formerReadme = readFileSync(README, "utf8");
const readme = await replaceList(formerReadme);
if (readme !== formerReadme) {
  if (process.argv.includes("--check")) problems.push("runtime/README.md is not what npm run docs writes");
  else writeFileSync(README, readme);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;

/** Lists the runtime's sources in TypeScript, as pairs of name and path. */
function listSources() {
  const files = readdirSync(runtimeFolder, { recursive: true }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !/^(?:test|build)\//.test(file),
  );
  const sources = files.map((file) => [`runtime/${file}`, join(runtimeFolder, file)]);
  if (addedFileOption === -1) return sources;
  return [...sources, ["runtime/modules/added.ts", process.argv[addedFileOption + 1]]];
}

/** Returns a sentence for each function that nothing uses. */
function describeUnusedFunctions() {
  const describe = (file, name) =>
    `${file}: ${name} is used by neither the bundle nor readable-stream nor the runtime: remove it`;
  const members = Array.from(trees, ([file, tree]) => [file, listNodes(tree).flatMap(membersOf)]);
  const unusedMembers = [...members, ...listNativeFunctions()].flatMap(([file, names]) =>
    names.filter((name) => !usedNames.has(name)).map((name) => describe(file, name)),
  );
  const unusedExports = Array.from(trees).flatMap(([file, tree]) => {
    const module = /^runtime\/modules\/([^/]+)\.ts$/.exec(file)?.[1];
    if (module === undefined || usedExports.has(`${module} *`)) return [];
    const names = listNodes(tree).flatMap(exportsOf);
    return names.filter((name) => !usedExports.has(`${module} ${name}`)).map((name) => describe(file, name));
  });
  return [...unusedMembers, ...unusedExports];
}

/** Returns the names of the members that the body of a class offers, or of the functions in an object. */
function membersOf({ type, body, properties }) {
  if (type === "ClassBody") return body.filter(isOfferedMember).map(keyNameOf);
  if (type !== "ObjectExpression") return [];
  return properties.filter(({ value, method }) => method || /Function/.test(value?.type)).map(keyNameOf);
}

function isOfferedMember({ type, accessibility, declare, kind, key }) {
  const isMember = type === "MethodDefinition" || type === "PropertyDefinition";
  return isMember && accessibility !== "private" && !declare && kind !== "constructor" && key.type === "Identifier";
}

/** Returns the names of the values that a node exports, without the names of types. */
function exportsOf({ type, exportKind, declaration, specifiers = [] }) {
  if (type !== "ExportNamedDeclaration" || exportKind === "type") return [];
  if (declaration?.type === "VariableDeclaration")
    return declaration.declarations.flatMap(({ id }) =>
      id.type === "ObjectPattern" ? id.properties.map(keyNameOf) : id.name,
    );
  if (declaration !== null) return declaration.type.startsWith("TS") ? [] : [declaration.id.name];
  return specifiers.filter((specifier) => specifier.exportKind !== "type").map(({ exported }) => exported.name);
}

/**
 * Lists, for each file of C, the names of the functions that it adds to NATIVE and to the objects of its classes. Examples of such lines:
 *
 *     JS_CFUNC_DEF("readSync", 3, read_sync),
 *     JS_NewCFunction(context, start, "start", 0)
 */
function listNativeFunctions() {
  const definition = /JS_(?:CFUNC|CGETSET)\w*_DEF\("(\w+)"|JS_NewCFunction\w*\(context, \w+, "(\w+)"/g;
  const files = readdirSync(join(runtimeFolder, "native")).filter((file) => file.endsWith(".c"));
  return files.map((file) => {
    const code = readFileSync(join(runtimeFolder, "native", file), "utf8");
    const names = Array.from(code.matchAll(definition), ([, nameInList, singleName]) => nameInList ?? singleName);
    return [`runtime/native/${file}`, names];
  });
}

/**
 * Finds what the bundle, readable-stream and the runtime use.
 *
 * @returns the names of all used members (`usedNames`), and the used exports of modules in the form "module name", such as
 *   "fs readFileSync" (`usedExports`)
 */
async function findUses() {
  const bundleChunks = await bundle({ SOPHIA_RUN_STANDALONE: "false" }, [await renderedHelp()]);
  const moduleIds = (await bundleRuntime()).flatMap((chunk) => chunk.moduleIds);
  const streamFiles = moduleIds.filter((id) => /\/node_modules\/.*\.js$/.test(id));
  const codes = [...bundleChunks.map(({ code }) => code), ...streamFiles.map((path) => readFileSync(path, "utf8"))];
  const otherTrees = codes.map((code) => parseAst(code, { lang: "js" }));
  const names = new Set();
  const exports = new Set();
  for (const tree of [...otherTrees, ...trees.values()]) {
    const nodes = listNodes(tree);
    for (const node of nodes) for (const name of namesUsedBy(node)) names.add(name);
    for (const use of findUsedExports(nodes)) exports.add(use);
  }
  // A global is used as a name without an object.
  for (const tree of otherTrees) for (const { name } of nodesIn(tree)) names.add(name);
  // host.ts defines some globals by the module that exports them, as in `URL: "url"`.
  for (const { type, key, value } of nodesIn(trees.get("runtime/host.ts"))) {
    if (type === "Property" && value.type === "Literal" && names.has(key.name))
      exports.add(`${value.value} ${key.name}`);
  }
  return { usedNames: names, usedExports: exports };
}

/** Finds the exports that a file uses, in the form "module name"; "module *" stands for all exports of a module. */
function findUsedExports(nodes) {
  const modulesByVariable = findModuleVariables(nodes);
  const formatUses = (expression, names) => {
    const modules = [moduleOf(expression, modulesByVariable) ?? []].flat();
    return modules.flatMap((module) => names.map((name) => `${module} ${name}`));
  };
  return nodes.flatMap((node) => {
    if (node.type === "ImportDeclaration") {
      const namedImports = node.specifiers.filter(({ imported }) => imported !== undefined);
      return namedImports.map(({ imported }) => `${moduleName(node.source.value)} ${imported.name}`);
    }
    if (node.type === "MemberExpression") return formatUses(node.object, namesUsedBy(node));
    if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern")
      return formatUses(node.init, namesUsedBy(node.id));
    return node.type === "SpreadElement" ? formatUses(node.argument, ["*"]) : [];
  });
}

/** Returns a Map from the name of each variable that is a module, to the name of that module or a list of names. */
function findModuleVariables(nodes) {
  const modulesByVariable = new Map();
  for (const { type, source, specifiers, id, init } of nodes) {
    if (type === "ImportDeclaration") {
      const wholeImports = specifiers.filter(({ imported }) => imported === undefined);
      for (const { local } of wholeImports) modulesByVariable.set(local.name, moduleName(source.value));
    }
    if (type === "VariableDeclarator" && id.type === "Identifier") {
      const module = moduleOf(init, modulesByVariable);
      // A minified file may use the same variable name for several modules.
      if (module !== undefined) modulesByVariable.set(id.name, [modulesByVariable.get(id.name) ?? [], module].flat());
    }
  }
  return modulesByVariable;
}

/**
 * Returns the name of the module that is the value of an expression, or a list of names if several modules may be; undefined if no
 * module is. The expression is a variable, a call such as `require("node:fs")`, or either of them in another call.
 */
function moduleOf(expression, modulesByVariable) {
  switch (expression?.type) {
    case "Identifier":
      return modulesByVariable.get(expression.name);
    case "MemberExpression":
      return expression.property.name === "default" ? moduleOf(expression.object, modulesByVariable) : undefined;
    case "ParenthesizedExpression":
      return moduleOf(expression.expression, modulesByVariable);
    case "CallExpression": {
      const [firstArgument] = expression.arguments;
      const { name, property } = expression.callee;
      return LOADING_FUNCTIONS.has(name ?? property?.name)
        ? moduleName(stringValueOf(firstArgument))
        : moduleOf(firstArgument, modulesByVariable);
    }
    default:
      return undefined;
  }
}

/**
 * Returns the name of a module's file without its extension: `timers-promises` for the specifier "node:timers/promises" of Node.js,
 * `events` for "./modules/events.ts" of the runtime, `process` for "process/" of readable-stream.
 */
function moduleName(specifier) {
  if (specifier?.endsWith(".ts")) return basename(specifier, ".ts");
  return specifier?.replace(/^node:|\/$/g, "").replaceAll(/[/_]/g, "-");
}

/** Returns the names that a node uses of an object or a module. */
function namesUsedBy({ type, computed, property, properties, imported, operator, left }) {
  if (type === "MemberExpression") return [computed ? stringValueOf(property) : property.name];
  if (type === "ObjectPattern") return properties.map(keyNameOf);
  if (type === "ImportSpecifier") return [imported.name];
  return type === "BinaryExpression" && operator === "in" ? [left.value] : [];
}

/** Returns the value of a string literal, which a minifier may have written as a template; undefined for any other node. */
function stringValueOf(node) {
  const value =
    node?.type === "TemplateLiteral" && node.quasis.length === 1 ? node.quasis[0].value.cooked : node?.value;
  return typeof value === "string" ? value : undefined;
}

/** Returns the name of a property or a member. */
function keyNameOf({ key }) {
  return key?.name ?? key?.value;
}

function listNodes(tree) {
  return Array.from(nodesIn(tree));
}

/** Yields a node and all nodes below it, except those of types. */
function* nodesIn(top) {
  // A list of the remaining values replaces recursion, with which each node would pass through the generators of all nodes above it.
  const remaining = [top];
  while (remaining.length > 0) {
    const value = remaining.pop();
    if (typeof value !== "object" || value === null) continue;
    if (typeof value.type === "string") yield value;
    if (!/^TS(?:Interface|Type)/.test(value.type)) remaining.push(...Object.values(value).toReversed());
  }
}

/** Returns the text of runtime/README.md with a new list between the two comments that enclose it. */
async function replaceList(text) {
  const [before, rest, ...furtherLists] = text.split(LIST_BEGIN);
  const [, after] = rest?.split(LIST_END) ?? [];
  if (after === undefined || furtherLists.length > 0) throw new Error(`${README} has not both marks of the surface`);
  const items = await Promise.all(builtinModules.map(formatModule));
  return `${before}${LIST_BEGIN}${sortNames(items.flat()).join("\n")}\n${LIST_END}${after}`;
}

/** Returns the list's item for a module of Node.js, such as "- `node:url`: fileURLToPath, URL"; an empty list if the runtime lacks it. */
async function formatModule(name) {
  const tree = trees.get(`runtime/modules/${name.replaceAll(/[/_]/g, "-")}.ts`);
  if (tree === undefined) return [];
  const nodeModule = await import(`node:${name}`);
  const names = listNodes(tree).flatMap(name === "process" ? membersOf : exportsOf);
  const namesOfNode = names.filter((each) => each !== "default" && each in nodeModule);
  const sortedNames = sortNames(new Set(namesOfNode));
  return sortedNames.length === 0 ? [] : [wrapItem(`- \`node:${name}\`: ${sortedNames.join(", ")}`)];
}

/** Breaks an item of a list into lines, as the formatter does. */
function wrapItem(item) {
  const lines = [];
  for (const word of item.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && `${line} ${word}`.length <= MAX_LINE_LENGTH) lines.push(`${lines.pop()} ${word}`);
    else lines.push(line === undefined ? word : `  ${word}`);
  }
  return lines.join("\n");
}

function sortNames(names) {
  return [...names].toSorted((one, other) => one.localeCompare(other));
}
