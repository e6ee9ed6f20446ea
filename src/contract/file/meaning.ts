/**
 * Checks what the schema of a contract cannot say: that names exist, that members fit each other, that patterns are valid.
 * The time is linear in the size of the document if its profiles form one chain.
 */
import { didYouMean } from "../../core/suggest.ts";
import { noWork } from "../format.ts";
import type { ContractDocument, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { alternatives } from "../contract-words.ts";
import { lineageOf, listOf, mergeEntries, mergeInto, profilesOf } from "./compile.ts";
import type { ContractIssue, DocumentPath } from "./positions.ts";
import {
  examineMembers,
  examineVariable,
  type ExaminationContext,
  type Examiners,
  type ReportIssue,
} from "./variable-meaning.ts";

type Profiles = ReadonlyMap<string, ProfileEntry>;
type MergedEntries = ReturnType<typeof mergeEntries>;

/** The limit of issues with a suggestion: each search takes time linear in the number of names. */
const MAX_GUESSES = 100;

/**
 * Returns the issues of a document that has the form of the schema.
 *
 * @param document the document, merged with those that it extends
 * @param written the document as its own file has it. Only its sections and scopes are checked: the others were, with their
 *   files
 */
export function examineMeaning(
  document: ContractDocument,
  examiners: Examiners,
  written: ContractDocument = document,
): readonly ContractIssue[] {
  const issues: ContractIssue[] = [];
  const report: ReportIssue = (path, message, allowed, atKey = false) => {
    issues.push({ path, atKey, message, allowed });
  };
  const guess: typeof didYouMean = (wanted, among) => (issues.length < MAX_GUESSES ? didYouMean(wanted, among) : "");
  const profiles = profilesOf(document);
  if (document.variables === undefined) {
    report([], '"variables" is missing', '"variables": the declared variables by name; or "extends"');
  }
  const declared = mergeEntries(document, []);
  const { variables } = declared;
  const context = { ...examiners, variables, report, guess, work: noWork() };
  variables.forEach((entry, name) => examineVariable(() => ["variables", name], name, entry, entry, context));
  reportBrokers(variables, ["variables"], document.variables, context);
  declared.groups.forEach(({ variables: members = [] }, group) => {
    examineMembers(() => ["groups", group, "variables"], members, context);
  });
  examineLineages(profiles, report);
  if (profiles.size > 0) examineProfiles(profiles, document, context);
  const inAnyProfile = profiles.size === 0 ? declared : mergeEntries(document, [...profiles.values()]);
  examineAliases(document, inAnyProfile.variables, report);
  inAnyProfile.groups.forEach((_, group) => {
    if (!inAnyProfile.variables.has(group)) return;
    report(["groups", group], `"${group}" is also a variable`, "a name that no variable has", true);
  });
  if (written.sections !== undefined || written.scopes !== undefined) examineLists(written, inAnyProfile, context);
  return issues;
}

/** Checks that sections and scopes list only variables and groups that some profile declares. */
function examineLists(
  { sections = [], scopes = {} }: ContractDocument,
  { variables, groups }: MergedEntries,
  { report, guess }: ExaminationContext,
): void {
  let names: readonly string[] | undefined;
  const lists = [
    ...sections.map(({ lines }, index) => ({ path: ["sections", index, "lines"], ids: lines })),
    ...Object.entries(scopes).map(([name, ids]) => ({ path: ["scopes", name], ids })),
  ];
  for (const { path, ids } of lists) {
    for (const [index, id] of ids.entries()) {
      if (variables.has(id) || groups.has(id)) continue;
      names ??= [...variables.keys(), ...groups.keys()];
      const message = `this name is not declared${guess(id, names)}`;
      report([...path, index], message, "the name of a variable or of a group");
    }
  }
}

/** Checks that a name or alias means the same variable in all profiles. */
function examineAliases(
  document: ContractDocument,
  declared: ExaminationContext["variables"],
  report: ReportIssue,
): void {
  const owners = new Map<string, string>();
  const examine = (path: DocumentPath, variables: Readonly<Record<string, VariableEntry>>): void => {
    Object.keys(variables).forEach((name) => {
      variables[name]?.aliases?.forEach((alias, index) => {
        const text = typeof alias === "string" ? alias : alias.name;
        const owner = declared.has(text) ? text : (owners.get(text) ?? name);
        owners.set(text, owner);
        if (owner === name && text !== name) return;
        const conflict = owner === text ? "is a declared variable" : `is already an alias of ${owner}`;
        report([...path, name, "aliases", index], `"${text}" ${conflict}`, "a name that is not in use");
      });
    });
  };
  examine(["variables"], document.variables ?? {});
  for (const [profile, { variables = {} }] of Object.entries(document.profiles ?? {})) {
    examine(["profiles", profile, "variables"], variables);
  }
}

/** @param written the entries that the profile, or the contract without a profile, has itself */
function reportBrokers(
  variables: ExaminationContext["variables"],
  path: DocumentPath,
  written: ContractDocument["variables"] = {},
  { examineBrokers, report }: ExaminationContext,
): void {
  for (const issue of examineBrokers(variables, (name) => Object.hasOwn(written, name))) {
    report([...path, issue.variable, ...issue.path], issue.message, issue.allowed, issue.atKey);
  }
}

/**
 * Checks that profiles extend existing profiles, and none itself. This walks through each profile and those that it
 * extends, depth first, without recursion: a chain may have a hundred thousand profiles.
 */
function examineLineages(profiles: Profiles, report: ReportIssue): void {
  const visited = new Set<string>();
  /** The path of the walk: each profile extends the next one. The last one is the current profile. */
  const trail = new Set<string>();
  const pending: (string | { readonly leaves: string })[] = [...profiles.keys()].toReversed();
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (typeof step === "object") trail.delete(step.leaves);
    else if (trail.has(step)) {
      const names = [...trail];
      const cycle = [...names.slice(names.indexOf(step)), step].join(" extends ");
      report(["profiles", step, "extends"], `the profile extends itself: ${cycle}`, "no cycle of profiles");
    } else if (!visited.has(step)) {
      visited.add(step);
      trail.add(step);
      const bases = listOf(profiles.get(step)?.extends);
      for (const base of bases.filter((name) => !profiles.has(name))) {
        const message = `there is no such profile${didYouMean(base, profiles.keys())}`;
        report(["profiles", step, "extends"], message, alternatives([...profiles.keys()]));
      }
      pending.push({ leaves: step }, ...bases.filter((name) => profiles.has(name)).toReversed());
    }
  }
}

/** Checks the entries of each profile, merged with those that the profile inherits. */
function examineProfiles(profiles: Profiles, document: ContractDocument, context: ExaminationContext): void {
  const merged = new ProfileStack(document);
  const { variables, groups } = merged.entries;
  profiles.forEach((profile, name) => {
    merged.inherit(profiles, name);
    const writtenGroups = Object.entries(profile.groups ?? {});
    // This must be known before the profile itself is merged.
    const isIncomplete = writtenGroups.map(([group, { rule, variables: members }]) => {
      return !groups.has(group) && (rule === undefined || members === undefined);
    });
    merged.push(profile);
    for (const [variable, written] of Object.entries(profile.variables ?? {})) {
      const path = (): DocumentPath => ["profiles", name, "variables", variable];
      examineVariable(path, variable, written, variables.get(variable) ?? written, { ...context, variables });
    }
    reportBrokers(variables, ["profiles", name, "variables"], profile.variables, context);
    writtenGroups.forEach(([group, { variables: members = [] }], index) => {
      const path = ["profiles", name, "groups", group];
      if (isIncomplete[index] === true) {
        context.report(path, `the new group "${group}" is incomplete`, `"rule" and "variables"`, true);
      }
      examineMembers(() => [...path, "variables"], members, { ...context, variables });
    });
  });
}

/**
 * The entries of a contract, merged with those of a stack of profiles. For the next profile only the difference is merged
 * or undone: merging each profile from the beginning would take quadratic time.
 */
class ProfileStack {
  readonly entries: MergedEntries;
  readonly #stack: { readonly profile: ProfileEntry; readonly undo: () => void }[] = [];

  constructor(document: ContractDocument) {
    this.entries = mergeEntries(document, []);
  }

  push(profile: ProfileEntry): void {
    const { variables, groups } = this.entries;
    const undoVariables = mergeUndoably(variables, profile.variables);
    const undoGroups = mergeUndoably<Partial<GroupEntry>>(groups, profile.groups);
    this.#stack.push({
      profile,
      undo: () => {
        undoVariables();
        undoGroups();
      },
    });
  }

  /** Makes the stack have exactly the profiles that this profile inherits. */
  inherit(profiles: Profiles, name: string): void {
    const bases = listOf(profiles.get(name)?.extends);
    const [base = ""] = bases;
    const top = this.#stack.at(-1)?.profile;
    // Fast path, which keeps one long chain of profiles linear: the stack ends with the only base.
    if (bases.length === 1 && top !== undefined && top === profiles.get(base)) return;
    const inherited = lineageOf(profiles, name).slice(0, -1);
    const firstDifference = this.#stack.findIndex(({ profile }, index) => profile !== inherited[index]);
    const sharedLength = firstDifference === -1 ? this.#stack.length : firstDifference;
    for (const { undo } of this.#stack.splice(sharedLength).toReversed()) undo();
    for (const profile of inherited.slice(sharedLength)) this.push(profile);
  }
}

/** Merges members into a map. @returns the function that restores the map */
function mergeUndoably<Member extends object>(
  map: Map<string, Member>,
  members: Readonly<Record<string, Member>> = {},
): () => void {
  const formerMembers = Object.keys(members).map((name) => [name, map.get(name)] as const);
  mergeInto(map, members);
  return () => {
    for (const [name, member] of formerMembers) {
      if (member === undefined) map.delete(name);
      else map.set(name, member);
    }
  };
}
