/**
 * Finds the lines at which the files of a contract declare variables, for the report of `check --code`. The contract that a
 * start loads has no positions, so this file reads the contract's files again. One of them may look like this:
 *
 *     {"extends": "../base.json", "variables": {"PORT": {}}, "profiles": {"prod": {"variables": {"HOST": {"unread": true}}}}}
 */
import { dirname, resolve } from "node:path";
import { membersOf, parseWithPositions } from "../../../contract/file/positions.ts";
import { MAX_CONTRACT_BYTES, shortenPath } from "../../../contract/file/contract-text.ts";
import type { ContractSource } from "../../../contract/contract-model.ts";
import { withoutMark } from "../../../core/text.ts";
import { readFoundFile } from "../../../system/bounded-read.ts";
import { createLineNumberFinder } from "../../parts/code/line-numbers.ts";
import type { DeclarationPlace } from "./drift.ts";

/** A member of a JSON object, with its position. */
type Member = ReturnType<typeof membersOf>[number];

/**
 * Finds where a contract, and the files that it extends, declare each variable. The nearest file has precedence, and within
 * a file the variables of all profiles have precedence over those of one. The result is empty for the built-in contract.
 *
 * @param cwd the folder at which shown paths begin
 */
export async function findDeclarations(
  source: ContractSource,
  cwd: string,
): Promise<ReadonlyMap<string, DeclarationPlace>> {
  const declarations = new Map<string, DeclarationPlace>();
  // The chain of `extends` has an end, since loading the contract would have failed otherwise.
  for (let path = source.kind === "file" ? source.path : undefined; path !== undefined;) {
    const text = readText(path);
    // The file may be a pipe, as in `--contract <(command)`, which can be read only once.
    if (text === undefined) break;
    const lineOf = createLineNumberFinder(text);
    const file = shortenPath(path, cwd);
    const members = membersOf(parseWithPositions(text));
    for (const variable of variableMembers(members)) {
      const isUnread = membersOf(variable.value).some(({ key, value }) => key === "unread" && value.value === true);
      const nearest = declarations.get(variable.key) ?? { file, line: lineOf(variable.offset), isUnread };
      declarations.set(variable.key, isUnread ? { ...nearest, isUnread } : nearest);
    }
    const extended: unknown = members.find(({ key }) => key === "extends")?.value.value;
    path = typeof extended === "string" && extended !== "builtin" ? resolve(dirname(path), extended) : undefined;
  }
  return declarations;
}

/** Returns the members of `variables`, first those of all profiles, then those of each profile. */
function variableMembers(members: readonly Member[]): readonly Member[] {
  const profiles = members.filter(({ key }) => key === "profiles").flatMap(({ value }) => membersOf(value));
  const membersOfProfiles = profiles.flatMap(({ value }) => membersOf(value));
  return [...members, ...membersOfProfiles]
    .filter(({ key }) => key === "variables")
    .flatMap(({ value }) => membersOf(value));
}

/** Reads a file of the contract; undefined if it can no longer be read. */
function readText(path: string): string | undefined {
  try {
    const bytes = readFoundFile(path, { maxBytes: MAX_CONTRACT_BYTES });
    return withoutMark(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
