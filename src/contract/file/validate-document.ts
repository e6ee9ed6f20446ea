/**
 * Checks the rules of a contract that its JSON Schema cannot express: that names which the contract refers to are
 * declared, that the members of an entry fit each other, and that patterns are valid. load-file.ts calls this for each
 * contract that has the form of the schema. This contract has two issues:
 *
 *     { "variables": { "PORT": { "format": "port", "default": "http" } }, "scopes": { "web": ["PROT"] } }
 *
 * The time is linear in the size of the document if its profiles form one chain, in which each extends the next.
 */
import { didYouMean } from "../../core/suggest.ts";
import { createPatternWork } from "../format.ts";
import type { ContractDocument, GroupEntry, ProfileEntry } from "../generated/document.ts";
import { joinAlternatives } from "../contract-words.ts";
import { collectLineage, mergeEntries, mergeInto, profilesOf, toList } from "./compile.ts";
import type { ContractIssue, DocumentPath } from "./positions.ts";
import {
  type ImportedChecks,
  type ReportIssue,
  validateGroupMembers,
  validateVariable,
  type ValidationContext,
} from "./validate-variable.ts";

type Profiles = ReadonlyMap<string, ProfileEntry>;
type MergedEntries = ReturnType<typeof mergeEntries>;

/** The limit of issues with a suggestion (`did you mean …?`): each search takes time linear in the number of names. */
const MAX_SUGGESTIONS = 100;

/**
 * Returns the issues of a document that has the form of the schema.
 *
 * @param mergedDocument the document, merged with those that it extends
 * @param unmergedDocument the document as the file has it. Only its own sections and scopes are checked, since those of
 *   an extended file were checked when that file was read
 */
export function validateDocument(
  mergedDocument: ContractDocument,
  importedChecks: ImportedChecks,
  unmergedDocument: ContractDocument = mergedDocument,
): readonly ContractIssue[] {
  const issues: ContractIssue[] = [];
  const report: ReportIssue = (path, message, allowed, position = "value") => {
    issues.push({ path, isAtKey: position === "key", message, allowed });
  };
  const suggestName: typeof didYouMean = (wanted, among) =>
    issues.length < MAX_SUGGESTIONS ? didYouMean(wanted, among) : "";
  if (mergedDocument.variables === undefined) {
    report([], '"variables" is missing', '"variables": the declared variables by name; or "extends"');
  }
  const entriesOutsideProfiles = mergeEntries(mergedDocument, []);
  const { variables } = entriesOutsideProfiles;
  const context = { ...importedChecks, variables, report, suggestName, work: createPatternWork() };
  validateEntriesOutsideProfiles(mergedDocument, entriesOutsideProfiles, context);
  const profiles = profilesOf(mergedDocument);
  validateLineages(profiles, report);
  if (profiles.size > 0) validateProfiles(profiles, mergedDocument, context);
  const entriesOfAnyProfile =
    profiles.size === 0 ? entriesOutsideProfiles : mergeEntries(mergedDocument, [...profiles.values()]);
  validateAliases(mergedDocument, entriesOfAnyProfile.variables, report);
  validateGroupNames(entriesOfAnyProfile, report);
  if (unmergedDocument.sections !== undefined || unmergedDocument.scopes !== undefined) {
    validateSectionsAndScopes(unmergedDocument, entriesOfAnyProfile, context);
  }
  return issues;
}

function validateEntriesOutsideProfiles(
  document: ContractDocument,
  { variables, groups }: MergedEntries,
  context: ValidationContext,
): void {
  variables.forEach((entry, name) => validateVariable(() => ["variables", name], name, entry, entry, context));
  validateBrokerMembers(variables, ["variables"], document.variables, context);
  groups.forEach(({ variables: members = [] }, group) => {
    validateGroupMembers(() => ["groups", group, "variables"], members, context);
  });
}

/** Checks that no group has the name of a variable. Sections and scopes list both by name. */
function validateGroupNames({ variables, groups }: MergedEntries, report: ReportIssue): void {
  groups.forEach((_, group) => {
    if (!variables.has(group)) return;
    report(["groups", group], `"${group}" is also a variable`, "a name that no variable has", "key");
  });
}

/** Checks that sections and scopes list only variables and groups that some profile declares. */
function validateSectionsAndScopes(
  { sections = [], scopes = {} }: ContractDocument,
  { variables, groups }: MergedEntries,
  { report, suggestName }: ValidationContext,
): void {
  const nameLists = [
    ...sections.map(({ lines }, index) => ({ path: ["sections", index, "lines"], names: lines })),
    ...Object.entries(scopes).map(([scope, names]) => ({ path: ["scopes", scope], names })),
  ];
  // Most contracts have no issue here, and need no list of all names.
  let declaredNames: readonly string[] | undefined;
  for (const { path, names } of nameLists) {
    for (const [index, name] of names.entries()) {
      if (variables.has(name) || groups.has(name)) continue;
      declaredNames ??= [...variables.keys(), ...groups.keys()];
      const message = `this name is not declared${suggestName(name, declaredNames)}`;
      report([...path, index], message, "the name of a variable or of a group");
    }
  }
}

/**
 * Checks that each name and alias stands for the same variable in all profiles.
 *
 * @param declaredVariables the variables of the contract and of all profiles
 */
function validateAliases(
  { variables = {}, profiles = {} }: ContractDocument,
  declaredVariables: ValidationContext["variables"],
  report: ReportIssue,
): void {
  const declarations = [
    { path: ["variables"], entries: variables },
    ...Object.entries(profiles).map(([profile, { variables: entries = {} }]) => ({
      path: ["profiles", profile, "variables"],
      entries,
    })),
  ];
  const variablesByAlias = new Map<string, string>();
  for (const { path, entries } of declarations) {
    Object.keys(entries).forEach((name) => {
      entries[name]?.aliases?.forEach((entry, index) => {
        const alias = typeof entry === "string" ? entry : entry.name;
        const owner = declaredVariables.has(alias) ? alias : (variablesByAlias.get(alias) ?? name);
        variablesByAlias.set(alias, owner);
        if (owner === name && alias !== name) return;
        const conflict = owner === alias ? "is a declared variable" : `is already an alias of ${owner}`;
        report([...path, name, "aliases", index], `"${alias}" ${conflict}`, "a name that is not in use");
      });
    });
  }
}

/**
 * Checks the `broker` members of variables.
 *
 * @param writtenVariables the variables at the path, without those that a profile inherits
 */
function validateBrokerMembers(
  variables: ValidationContext["variables"],
  path: DocumentPath,
  writtenVariables: ContractDocument["variables"] = {},
  { findBrokerIssues, report }: ValidationContext,
): void {
  for (const issue of findBrokerIssues(variables, (name) => Object.hasOwn(writtenVariables, name))) {
    report([...path, issue.variable, ...issue.path], issue.message, issue.allowed, issue.position);
  }
}

/** A step of the walk through profiles: to enter a profile, or to leave it after all profiles that it extends. */
interface LineageStep {
  readonly action: "enter" | "leave";
  readonly profile: string;
}

/**
 * Checks that profiles extend existing profiles, and none itself. This walks through each profile and those that it
 * extends, depth first. It is a loop, since recursion would overflow the stack on a long chain of profiles.
 */
function validateLineages(profiles: Profiles, report: ReportIssue): void {
  const visitedProfiles = new Set<string>();
  /** The way to the current profile, in which each profile extends the next one. */
  const trail = new Set<string>();
  /** A stack, whose top is the next step. The steps of a profile's bases lie above the step that leaves the profile. */
  const steps = [...profiles.keys()].toReversed().map((profile): LineageStep => ({ action: "enter", profile }));
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { action, profile } = step;
    if (action === "leave") trail.delete(profile);
    else if (trail.has(profile)) {
      const cycle = describeCycle(trail, profile);
      report(["profiles", profile, "extends"], `the profile extends itself: ${cycle}`, "no cycle of profiles");
    } else if (!visitedProfiles.has(profile)) {
      visitedProfiles.add(profile);
      trail.add(profile);
      reportMissingBases(profile, profiles, report);
      steps.push({ action: "leave", profile });
      const bases = toList(profiles.get(profile)?.extends).filter((base) => profiles.has(base));
      for (const base of bases.toReversed()) steps.push({ action: "enter", profile: base });
    }
  }
}

/** Describes a cycle of profiles: `a extends b extends a`. @param repeatedProfile the first and last of the cycle */
function describeCycle(trail: ReadonlySet<string>, repeatedProfile: string): string {
  const profiles = [...trail];
  return [...profiles.slice(profiles.indexOf(repeatedProfile)), repeatedProfile].join(" extends ");
}

function reportMissingBases(profile: string, profiles: Profiles, report: ReportIssue): void {
  const missingBases = toList(profiles.get(profile)?.extends).filter((base) => !profiles.has(base));
  for (const base of missingBases) {
    const message = `there is no such profile${didYouMean(base, profiles.keys())}`;
    report(["profiles", profile, "extends"], message, joinAlternatives([...profiles.keys()]));
  }
}

/** Checks the entries of each profile, merged with those that the profile inherits. */
function validateProfiles(profiles: Profiles, document: ContractDocument, context: ValidationContext): void {
  const profileStack = new ProfileStack(document);
  const { variables, groups } = profileStack.mergedEntries;
  const profileContext = { ...context, variables };
  profiles.forEach((profile, name) => {
    const path = ["profiles", name];
    profileStack.moveToBasesOf(profile, name, profiles);
    // Before the profile itself is merged, `groups` has only the inherited groups.
    const incompleteGroups = findIncompleteGroups(profile, groups);
    profileStack.push(profile);
    for (const [variable, writtenEntry] of Object.entries(profile.variables ?? {})) {
      const variablePath = (): DocumentPath => [...path, "variables", variable];
      const mergedEntry = variables.get(variable) ?? writtenEntry;
      validateVariable(variablePath, variable, writtenEntry, mergedEntry, profileContext);
    }
    validateBrokerMembers(variables, [...path, "variables"], profile.variables, context);
    Object.entries(profile.groups ?? {}).forEach(([group, { variables: members = [] }]) => {
      const groupPath = [...path, "groups", group];
      if (incompleteGroups.has(group)) {
        context.report(groupPath, `the new group "${group}" is incomplete`, `"rule" and "variables"`, "key");
      }
      validateGroupMembers(() => [...groupPath, "variables"], members, profileContext);
    });
  });
}

/** Returns the groups of a profile that lack a member which they do not inherit. */
function findIncompleteGroups(profile: ProfileEntry, inheritedGroups: MergedEntries["groups"]): ReadonlySet<string> {
  const incompleteGroups = Object.entries(profile.groups ?? {}).filter(
    ([group, { rule, variables }]) => !inheritedGroups.has(group) && (rule === undefined || variables === undefined),
  );
  return new Set(incompleteGroups.map(([group]) => group));
}

/**
 * The entries of a contract, merged with those of a stack of profiles. To go from one profile to the next, only the
 * profiles in which their lineages differ are merged or undone. Merging each lineage from the beginning would take
 * quadratic time.
 */
class ProfileStack {
  /** These maps stay the same objects, and change with the stack. */
  readonly mergedEntries: MergedEntries;
  readonly #stack: { readonly profile: ProfileEntry; readonly undo: () => void }[] = [];

  constructor(document: ContractDocument) {
    this.mergedEntries = mergeEntries(document, []);
  }

  /** Merges a profile into the entries. */
  push(profile: ProfileEntry): void {
    const { variables, groups } = this.mergedEntries;
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
  moveToBasesOf(profile: ProfileEntry, name: string, profiles: Profiles): void {
    const bases = toList(profile.extends);
    const [firstBase = ""] = bases;
    const topProfile = this.#stack.at(-1)?.profile;
    // Fast path: the stack ends with the only base of the profile. This keeps the time linear for a long chain of
    // profiles.
    if (bases.length === 1 && topProfile !== undefined && topProfile === profiles.get(firstBase)) return;
    const inheritedProfiles = collectLineage(profiles, name).slice(0, -1);
    const firstDifference = this.#stack.findIndex((level, index) => level.profile !== inheritedProfiles[index]);
    const sharedLength = firstDifference === -1 ? this.#stack.length : firstDifference;
    for (const { undo } of this.#stack.splice(sharedLength).toReversed()) undo();
    for (const inheritedProfile of inheritedProfiles.slice(sharedLength)) this.push(inheritedProfile);
  }
}

/** Merges entries into a map. @returns the function that restores the map */
function mergeUndoably<Entry extends object>(
  entries: Map<string, Entry>,
  addedEntries: Readonly<Record<string, Entry>> = {},
): () => void {
  const formerEntries = Object.keys(addedEntries).map((name) => [name, entries.get(name)] as const);
  mergeInto(entries, addedEntries);
  return () => {
    for (const [name, entry] of formerEntries) {
      if (entry === undefined) entries.delete(name);
      else entries.set(name, entry);
    }
  };
}
