/**
 * Checks the rules of a contract that its JSON Schema cannot express: that names which the contract refers to are
 * declared, that the members of an entry fit each other, and that patterns are valid. load-file.ts calls this for each
 * contract that has the form of the schema.
 *
 * The time is linear in the size of the document if its profiles form one chain, in which each extends the next.
 */
import { didYouMean } from "../../core/suggest.ts";
import { createPatternWork } from "../format.ts";
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

/** The limit of issues with a suggestion (`did you mean …?`): each search takes time linear in the number of names. */
const MAX_SUGGESTIONS = 100;

/**
 * Returns the issues of a document that has the form of the schema.
 *
 * @param document the document, merged with those that it extends
 * @param ownDocument the document before it was merged. Of sections and scopes only its own are checked, since those of
 *   the extended files were checked with these files
 */
export function examineMeaning(
  document: ContractDocument,
  examiners: Examiners,
  ownDocument: ContractDocument = document,
): readonly ContractIssue[] {
  const issues: ContractIssue[] = [];
  const report: ReportIssue = (path, message, allowed, position = "value") => {
    issues.push({ path, atKey: position === "key", message, allowed });
  };
  const suggestName: typeof didYouMean = (wanted, among) =>
    issues.length < MAX_SUGGESTIONS ? didYouMean(wanted, among) : "";
  const profiles = profilesOf(document);
  if (document.variables === undefined) {
    report([], '"variables" is missing', '"variables": the declared variables by name; or "extends"');
  }
  const withoutProfile = mergeEntries(document, []);
  const { variables } = withoutProfile;
  const context = { ...examiners, variables, report, suggestName, work: createPatternWork() };
  variables.forEach((entry, name) => examineVariable(() => ["variables", name], name, entry, entry, context));
  examineBrokerMembers(variables, ["variables"], document.variables, context);
  withoutProfile.groups.forEach(({ variables: members = [] }, group) => {
    examineMembers(() => ["groups", group, "variables"], members, context);
  });
  examineLineages(profiles, report);
  if (profiles.size > 0) examineProfiles(profiles, document, context);
  const inAnyProfile = profiles.size === 0 ? withoutProfile : mergeEntries(document, [...profiles.values()]);
  examineAliases(document, inAnyProfile.variables, report);
  inAnyProfile.groups.forEach((_, group) => {
    if (!inAnyProfile.variables.has(group)) return;
    report(["groups", group], `"${group}" is also a variable`, "a name that no variable has", "key");
  });
  if (ownDocument.sections !== undefined || ownDocument.scopes !== undefined) {
    examineLists(ownDocument, inAnyProfile, context);
  }
  return issues;
}

/** Checks that sections and scopes list only variables and groups that some profile declares. */
function examineLists(
  { sections = [], scopes = {} }: ContractDocument,
  { variables, groups }: MergedEntries,
  { report, suggestName }: ExaminationContext,
): void {
  /** All names for suggestions, once there is an issue. */
  let names: readonly string[] | undefined;
  const lists = [
    ...sections.map(({ lines }, index) => ({ path: ["sections", index, "lines"], ids: lines })),
    ...Object.entries(scopes).map(([name, ids]) => ({ path: ["scopes", name], ids })),
  ];
  for (const { path, ids } of lists) {
    for (const [index, id] of ids.entries()) {
      if (variables.has(id) || groups.has(id)) continue;
      names ??= [...variables.keys(), ...groups.keys()];
      const message = `this name is not declared${suggestName(id, names)}`;
      report([...path, index], message, "the name of a variable or of a group");
    }
  }
}

/**
 * Checks that each name and alias stands for the same variable in all profiles.
 *
 * @param declared the variables of the contract and of all profiles
 */
function examineAliases(
  document: ContractDocument,
  declared: ExaminationContext["variables"],
  report: ReportIssue,
): void {
  /** By name or alias, the variable for which it stands. */
  const owners = new Map<string, string>();
  const examine = (path: DocumentPath, variables: Readonly<Record<string, VariableEntry>>): void => {
    Object.keys(variables).forEach((name) => {
      variables[name]?.aliases?.forEach((entry, index) => {
        const alias = typeof entry === "string" ? entry : entry.name;
        const owner = declared.has(alias) ? alias : (owners.get(alias) ?? name);
        owners.set(alias, owner);
        if (owner === name && alias !== name) return;
        const conflict = owner === alias ? "is a declared variable" : `is already an alias of ${owner}`;
        report([...path, name, "aliases", index], `"${alias}" ${conflict}`, "a name that is not in use");
      });
    });
  };
  examine(["variables"], document.variables ?? {});
  for (const [profile, { variables = {} }] of Object.entries(document.profiles ?? {})) {
    examine(["profiles", profile, "variables"], variables);
  }
}

/**
 * Checks the `broker` members of variables.
 *
 * @param ownVariables the variables at the path, without those that a profile inherits
 */
function examineBrokerMembers(
  variables: ExaminationContext["variables"],
  path: DocumentPath,
  ownVariables: ContractDocument["variables"] = {},
  { examineBrokers, report }: ExaminationContext,
): void {
  for (const issue of examineBrokers(variables, (name) => Object.hasOwn(ownVariables, name))) {
    report([...path, issue.variable, ...issue.path], issue.message, issue.allowed, issue.position);
  }
}

/**
 * Checks that profiles extend existing profiles, and none itself. This walks through each profile and those that it
 * extends, depth first. It is a loop, since recursion would overflow the stack on a long chain of profiles.
 */
function examineLineages(profiles: Profiles, report: ReportIssue): void {
  const visited = new Set<string>();
  /** The way to the current profile, in which each profile extends the next one. */
  const trail = new Set<string>();
  /** A stack of steps: `enter` a profile, or `leave` it, for which its bases lie above it on the stack. */
  const steps: { readonly action: "enter" | "leave"; readonly name: string }[] = [];
  const pushVisits = (names: readonly string[]): void => {
    for (const name of names.toReversed()) steps.push({ action: "enter", name });
  };
  pushVisits([...profiles.keys()]);
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { action, name } = step;
    if (action === "leave") trail.delete(name);
    else if (trail.has(name)) {
      const trailNames = [...trail];
      const cycle = [...trailNames.slice(trailNames.indexOf(name)), name].join(" extends ");
      report(["profiles", name, "extends"], `the profile extends itself: ${cycle}`, "no cycle of profiles");
    } else if (!visited.has(name)) {
      visited.add(name);
      trail.add(name);
      const bases = listOf(profiles.get(name)?.extends);
      for (const base of bases.filter((baseName) => !profiles.has(baseName))) {
        const message = `there is no such profile${didYouMean(base, profiles.keys())}`;
        report(["profiles", name, "extends"], message, alternatives([...profiles.keys()]));
      }
      steps.push({ action: "leave", name });
      pushVisits(bases.filter((base) => profiles.has(base)));
    }
  }
}

/** Checks the entries of each profile, merged with those that the profile inherits. */
function examineProfiles(profiles: Profiles, document: ContractDocument, context: ExaminationContext): void {
  const merged = new ProfileStack(document);
  const { variables, groups } = merged.entries;
  profiles.forEach((profile, name) => {
    merged.inherit(profiles, name);
    const ownGroups = Object.entries(profile.groups ?? {});
    // Before the profile itself is merged, `groups` has only the inherited groups.
    const incompleteGroups = new Set(
      ownGroups.flatMap(([group, { rule, variables: members }]) =>
        !groups.has(group) && (rule === undefined || members === undefined) ? [group] : [],
      ),
    );
    merged.push(profile);
    for (const [variable, ownEntry] of Object.entries(profile.variables ?? {})) {
      const path = (): DocumentPath => ["profiles", name, "variables", variable];
      examineVariable(path, variable, ownEntry, variables.get(variable) ?? ownEntry, { ...context, variables });
    }
    examineBrokerMembers(variables, ["profiles", name, "variables"], profile.variables, context);
    ownGroups.forEach(([group, { variables: members = [] }]) => {
      const path = ["profiles", name, "groups", group];
      if (incompleteGroups.has(group)) {
        context.report(path, `the new group "${group}" is incomplete`, `"rule" and "variables"`, "key");
      }
      examineMembers(() => [...path, "variables"], members, { ...context, variables });
    });
  });
}

/**
 * The entries of a contract, merged with those of a stack of profiles. To go from one profile to the next, only the
 * profiles in which their lineages differ are merged or undone. Merging each lineage from the beginning would take
 * quadratic time.
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

  /** Makes the stack the lineage of a profile, without the profile itself. */
  inherit(profiles: Profiles, name: string): void {
    const bases = listOf(profiles.get(name)?.extends);
    const [base = ""] = bases;
    const top = this.#stack.at(-1)?.profile;
    // Fast path: the stack ends with the only base of the profile. This keeps the time linear for a long chain of
    // profiles.
    if (bases.length === 1 && top !== undefined && top === profiles.get(base)) return;
    const inherited = lineageOf(profiles, name).slice(0, -1);
    const firstDifference = this.#stack.findIndex(({ profile }, index) => profile !== inherited[index]);
    const sharedLength = firstDifference === -1 ? this.#stack.length : firstDifference;
    for (const { undo } of this.#stack.splice(sharedLength).toReversed()) undo();
    for (const profile of inherited.slice(sharedLength)) this.push(profile);
  }
}

/** Merges entries into a map. @returns the function that restores the map */
function mergeUndoably<Entry extends object>(
  entries: Map<string, Entry>,
  added: Readonly<Record<string, Entry>> = {},
): () => void {
  const formerEntries = Object.keys(added).map((name) => [name, entries.get(name)] as const);
  mergeInto(entries, added);
  return () => {
    for (const [name, entry] of formerEntries) {
      if (entry === undefined) entries.delete(name);
      else entries.set(name, entry);
    }
  };
}
