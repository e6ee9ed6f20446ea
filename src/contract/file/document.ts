/** The document of a contract file, with all that it extends laid under it. */
import { dirname, resolve } from "node:path";
import type { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import type { ContractDocument, VariableEntry } from "../generated/document.ts";
import type { PatternCompiler } from "./compile.ts";
import { examineMeaning, type ProbeExaminer } from "./meaning.ts";
import { parseContract } from "./read.ts";
import { firstOf, readContractText, shownPath, type Reason } from "./text.ts";

/** How many contracts may extend one another. */
const LONGEST_CHAIN = 8;

export interface ReadDocument {
  readonly document: ContractDocument;
  readonly compilePattern: PatternCompiler;
}

/**
 * Reads and validates a contract file and those that it extends.
 *
 * @param path absolute
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
  const document =
    own.extends === undefined ? own : await extended(own, own.extends, { path, name, text, reason, cwd, below });
  const compilePattern = await patternCompilerFor(document);
  const issues = examineMeaning(document, { compilePattern, examineProbe: await probeExaminerFor(document) }, own);
  if (issues.length > 0) throw (await import("./rejection.ts")).contradictoryContract(text, name, issues);
  return { document, compilePattern };
}

interface Extending {
  readonly path: string;
  readonly name: string;
  readonly text: string;
  readonly reason: Reason;
  readonly cwd: string;
  readonly below: readonly string[];
}

async function extended(
  own: ContractDocument,
  target: string,
  { path, name, text, reason, cwd, below }: Extending,
): Promise<ContractDocument> {
  const { mergeDocuments } = await import("./merge.ts");
  if (target === "builtin") {
    const { builtInText } = await import("../generated/built-in-text.ts");
    const builtIn = parseContract(builtInText);
    if (builtIn === undefined) throw new TypeError("the built-in contract is not one");
    return mergeDocuments(builtIn, own);
  }
  const refuse = async (message: string, allowed: string): Promise<SophiaError> => {
    const { contradictoryContract } = await import("./rejection.ts");
    return contradictoryContract(text, name, [{ path: ["extends"], atKey: false, message, allowed }]);
  };
  const allowed = '"builtin", or the path of a contract file, relative to this one';
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(target)) throw await refuse("no contract is read from an address", allowed);
  if (target.includes("\0")) throw await refuse("the path holds a null character", allowed);
  const base = resolve(dirname(path), target);
  const chain = [...below, path];
  const [first = path] = chain;
  if (firstOf(reason) === "found") {
    const { extentOf, isInside } = await import("./extent.ts");
    const { folder, isRepository } = extentOf(first);
    if (!isInside(base, folder)) {
      const message = `a contract that was found extends none outside of its ${isRepository ? "repository" : "folder"}`;
      const naming = `--contract ${shellWord(shownPath(first, cwd))} allows any file`;
      throw await refuse(message, `"builtin", or a contract in ${folder}; ${naming}`);
    }
  }
  if (chain.includes(base)) {
    const cycle = [...chain.slice(chain.indexOf(base)), base].map((one) => shownPath(one, cwd)).join(" extends ");
    throw await refuse(`the contract extends itself: ${cycle}`, "no cycle of contracts");
  }
  if (chain.length >= LONGEST_CHAIN) {
    throw await refuse("too many contracts extend one another", `a chain of at most ${LONGEST_CHAIN}`);
  }
  const { document } = await readDocument(base, { extendedBy: name, first: firstOf(reason) }, cwd, chain);
  return mergeDocuments(document, own);
}

/** Loads the matcher only where a variable has a pattern. */
async function patternCompilerFor(document: ContractDocument): Promise<PatternCompiler> {
  const hasPattern = entriesOf(document).some(({ format }) => typeof format === "object" && "pattern" in format);
  if (hasPattern) return (await import("../pattern/pattern.ts")).compilePattern;
  return (source) => {
    throw new TypeError(`the matcher is not loaded, and there is a pattern: ${source}`);
  };
}

/** Loads what examines probes only where a variable has one. */
async function probeExaminerFor(document: ContractDocument): Promise<ProbeExaminer> {
  const hasProbe = entriesOf(document).some(({ probe }) => typeof probe === "object");
  if (hasProbe) return (await import("./probe-meaning.ts")).examineProbe;
  return (name) => {
    throw new TypeError(`what examines probes is not loaded, and there is one: ${name}`);
  };
}

/** What the document declares, in itself and in its profiles. */
function entriesOf({ variables = {}, profiles = {} }: ContractDocument): readonly VariableEntry[] {
  return [variables, ...Object.values(profiles).map((profile) => profile.variables ?? {})].flatMap((entries) =>
    Object.values(entries),
  );
}
