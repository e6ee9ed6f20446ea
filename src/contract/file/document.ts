/** The document of a contract file, with all that it extends laid under it. */
import { dirname, resolve } from "node:path";
import type { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import type { PatternCompiler } from "./compile.ts";
import type { Issue } from "./fault.ts";
import { examineMeaning } from "./meaning.ts";
import { parseContract } from "./read.ts";
import { firstOf, readContractText, shownPath, type Reason } from "./text.ts";
import type { ProbeExaminer } from "./variable-meaning.ts";

const LONGEST_CHAIN = 8;

export interface ReadDocument {
  readonly document: ContractDocument;
  readonly compilePattern: PatternCompiler;
}

/**
 * Reads and validates a contract file and those that it extends.
 * @param cwd messages name files relative to it
 * @param below the files that extend this one, the nearest last
 * @throws SophiaError (125): `contract-unreadable` or `contract-invalid`
 */
export async function readDocument(
  path: string,
  reason: Reason,
  cwd: string,
  below: readonly string[] = [],
): Promise<ReadDocument> {
  const name = shownPath(path, cwd);
  const text = await readContractText(path, reason, cwd);
  const own = parseContract(text);
  if (own === undefined) throw (await import("./rejection.ts")).malformedContract(text, name);
  const refuse = async (issues: readonly Issue[]): Promise<SophiaError> =>
    (await import("./rejection.ts")).contradictoryContract(text, name, issues);
  let document = own;
  if (own.extends !== undefined) {
    const { mergeDocuments } = await import("./merge.ts");
    const base = await baseOf(own.extends, [...below, path], reason, cwd);
    if ("message" in base) throw await refuse([{ path: ["extends"], atKey: false, ...base }]);
    document = mergeDocuments(base, own);
  }
  const compilePattern = await patternCompilerFor(document);
  const issues = examineMeaning(document, { compilePattern, examineProbe: await probeExaminerFor(document) }, own);
  if (issues.length > 0) throw await refuse(issues);
  return { document, compilePattern };
}

/** The document that another extends, or why it cannot; the chain ends with that other one. */
async function baseOf(
  target: string,
  chain: readonly string[],
  reason: Reason,
  cwd: string,
): Promise<ContractDocument | Pick<Issue, "message" | "allowed">> {
  if (target === "builtin") {
    const builtIn = parseContract((await import("../generated/built-in-text.ts")).builtInText);
    if (builtIn === undefined) throw new TypeError("the built-in contract is not one");
    return builtIn;
  }
  const allowed = '"builtin", or the path of a contract file, relative to this one';
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(target)) return { message: "no contract is read from an address", allowed };
  if (target.includes("\0")) return { message: "the path holds a null character", allowed };
  const path = chain.at(-1) ?? "";
  const base = resolve(dirname(path), target);
  const [first = path] = chain;
  if (firstOf(reason) === "found") {
    const { extentOf, isInside } = await import("./extent.ts");
    const { folder, isRepository } = extentOf(first);
    if (!isInside(base, folder)) {
      const message = `a contract that was found extends none outside of its ${isRepository ? "repository" : "folder"}`;
      const naming = `--contract ${shellWord(shownPath(first, cwd))} allows any file`;
      return { message, allowed: `"builtin", or a contract in ${folder}; ${naming}` };
    }
  }
  if (chain.includes(base)) {
    const cycle = [...chain.slice(chain.indexOf(base)), base].map((one) => shownPath(one, cwd)).join(" extends ");
    return { message: `the contract extends itself: ${cycle}`, allowed: "no cycle of contracts" };
  }
  if (chain.length >= LONGEST_CHAIN) {
    return { message: "too many contracts extend one another", allowed: `a chain of at most ${LONGEST_CHAIN}` };
  }
  const extending = { extendedBy: shownPath(path, cwd), first: firstOf(reason) };
  return (await readDocument(base, extending, cwd, chain)).document;
}

async function patternCompilerFor(document: ContractDocument): Promise<PatternCompiler> {
  const hasPattern = entriesOf(document).some(({ format }) => typeof format === "object" && "pattern" in format);
  if (hasPattern) return (await import("../pattern/pattern.ts")).compilePattern;
  return (source) => {
    throw new TypeError(`the matcher is not loaded, and there is a pattern: ${source}`);
  };
}

async function probeExaminerFor(document: ContractDocument): Promise<ProbeExaminer> {
  const hasProbe = entriesOf(document).some(({ probe }) => typeof probe === "object");
  if (hasProbe) return (await import("./probe-meaning.ts")).examineProbe;
  return (name) => {
    throw new TypeError(`what examines probes is not loaded, and there is one: ${name}`);
  };
}

function entriesOf({ variables = {}, profiles = {} }: ContractDocument): readonly VariableEntry[] {
  return [variables, ...Object.values(profiles).map((profile) => profile.variables ?? {})].flatMap((entries) =>
    Object.values(entries),
  );
}
