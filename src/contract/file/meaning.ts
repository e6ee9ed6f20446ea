/** Checks beyond the schema: existing names, consistent parts, valid patterns. Linear if profiles form one chain. */
import { didYouMean } from "../../core/suggest.ts";
import { noWork } from "../format.ts";
import type { ContractDocument, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { alternatives } from "../contract-words.ts";
import { lineage, listOf, mergeEntries, mergeInto, profilesOf } from "./compile.ts";
import type { Issue, Path } from "./positions.ts";
import { examineMembers, examineVariable, type Report, type Scope, type Tools } from "./variable-meaning.ts";

type Profiles = ReadonlyMap<string, ProfileEntry>;

const MOST_GUESSES = 100;

/** Returns the issues of a document of the right shape, into which `own` was merged. */
export function examineMeaning(
  document: ContractDocument,
  tools: Tools,
  own: ContractDocument = document,
): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (path, message, allowed, atKey = false) => {
    issues.push({ path, atKey, message, allowed });
  };
  const profiles = profilesOf(document);
  if (document.variables === undefined) {
    report([], '"variables" is missing', '"variables": the declared variables by name; or "extends"');
  }
  const declared = mergeEntries(document, []);
  const { variables } = declared;
  // Each search takes time linear in the names.
  const guess: typeof didYouMean = (wanted, among) => (issues.length < MOST_GUESSES ? didYouMean(wanted, among) : "");
  const scope = { ...tools, variables, report, guess, work: noWork() };
  variables.forEach((entry, name) => examineVariable(() => ["variables", name], name, entry, entry, scope));
  reportBrokers(variables, ["variables"], document.variables, scope);
  declared.groups.forEach(({ variables: members = [] }, group) => {
    examineMembers(() => ["groups", group, "variables"], members, scope);
  });
  examineLineages(profiles, report);
  if (profiles.size > 0) examineProfiles(profiles, document, scope);
  const everywhere = profiles.size === 0 ? declared : mergeEntries(document, [...profiles.values()]);
  examineAliases(document, everywhere.variables, report);
  everywhere.groups.forEach((_, group) => {
    if (!everywhere.variables.has(group)) return;
    report(["groups", group], `"${group}" is also a variable`, "a name that no variable has", true);
  });
  let names: readonly string[] | undefined;
  const lists = [
    ...(own.sections ?? []).map(({ lines }, index) => ({ path: ["sections", index, "lines"], ids: lines })),
    ...Object.entries(own.scopes ?? {}).map(([name, ids]) => ({ path: ["scopes", name], ids })),
  ];
  for (const { path, ids } of lists) {
    for (const [index, id] of ids.entries()) {
      if (everywhere.variables.has(id) || everywhere.groups.has(id)) continue;
      names ??= [...everywhere.variables.keys(), ...everywhere.groups.keys()];
      const message = `this name is not declared${guess(id, names)}`;
      report([...path, index], message, "the name of a variable or of a group");
    }
  }
  return issues;
}

/** Checks that a name or alias means the same variable in all profiles. */
function examineAliases(document: ContractDocument, declared: Scope["variables"], report: Report): void {
  const owners = new Map<string, string>();
  const examine = (path: Path, variables: Readonly<Record<string, VariableEntry>>): void => {
    Object.keys(variables).forEach((name) => {
      variables[name]?.aliases?.forEach((alias, index) => {
        const text = typeof alias === "string" ? alias : alias.name;
        const owner = declared.has(text) ? text : (owners.get(text) ?? name);
        owners.set(text, owner);
        if (owner === name && text !== name) return;
        const what = owner === text ? "is a declared variable" : `is already an alias of ${owner}`;
        report([...path, name, "aliases", index], `"${text}" ${what}`, "a name that is not in use");
      });
    });
  };
  examine(["variables"], document.variables ?? {});
  for (const [profile, { variables = {} }] of Object.entries(document.profiles ?? {})) {
    examine(["profiles", profile, "variables"], variables);
  }
}

/** @param given the entries of the profile, or of the contract itself */
function reportBrokers(
  variables: Scope["variables"],
  path: Path,
  given: ContractDocument["variables"] = {},
  { examineBrokers, report }: Scope,
): void {
  for (const problem of examineBrokers(variables, (name) => Object.hasOwn(given, name))) {
    report([...path, problem.variable, ...problem.path], problem.message, problem.allowed, problem.atKey);
  }
}

function examineLineages(profiles: Profiles, report: Report): void {
  const done = new Set<string>();
  /** The current profile, after those that extend it. */
  const trail = new Set<string>();
  const pending: (string | { readonly end: string })[] = [...profiles.keys()].toReversed();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "object") trail.delete(next.end);
    else if (trail.has(next)) {
      const names = [...trail];
      const cycle = [...names.slice(names.indexOf(next)), next].join(" extends ");
      report(["profiles", next, "extends"], `the profile extends itself: ${cycle}`, "no cycle of profiles");
    } else if (!done.has(next)) {
      done.add(next);
      trail.add(next);
      const bases = listOf(profiles.get(next)?.extends);
      for (const base of bases.filter((one) => !profiles.has(one))) {
        const message = `there is no such profile${didYouMean(base, profiles.keys())}`;
        report(["profiles", next, "extends"], message, alternatives([...profiles.keys()]));
      }
      pending.push({ end: next }, ...bases.filter((one) => profiles.has(one)).toReversed());
    }
  }
}

function examineProfiles(profiles: Profiles, document: ContractDocument, scope: Scope): void {
  const { variables, groups } = mergeEntries(document, []);
  // The profiles that are merged at present: the next profile needs only the difference.
  const merged: { readonly profile: ProfileEntry; readonly undo: () => void }[] = [];
  const merge = (profile: ProfileEntry): void => {
    const undoAll = [undoable(variables, profile.variables), undoable<Partial<GroupEntry>>(groups, profile.groups)];
    merged.push({ profile, undo: () => undoAll.forEach((undo) => undo()) });
  };
  const inherit = (profile: string, bases: readonly string[]): void => {
    const [base = ""] = bases;
    if (bases.length === 1 && merged.length > 0 && merged.at(-1)?.profile === profiles.get(base)) return;
    const inherited = lineage(profiles, profile).slice(0, -1);
    const other = merged.findIndex(({ profile: one }, index) => one !== inherited[index]);
    const shared = other === -1 ? merged.length : other;
    for (const { undo } of merged.splice(shared).toReversed()) undo();
    inherited.slice(shared).forEach(merge);
  };
  profiles.forEach((entry, profile) => {
    inherit(profile, listOf(entry.extends));
    const ownGroups = Object.entries(entry.groups ?? {});
    const isIncomplete = ownGroups.map(([group, { rule, variables: members }]) => {
      return !groups.has(group) && (rule === undefined || members === undefined);
    });
    merge(entry);
    for (const [name, given] of Object.entries(entry.variables ?? {})) {
      const path = (): Path => ["profiles", profile, "variables", name];
      examineVariable(path, name, given, variables.get(name) ?? given, { ...scope, variables });
    }
    reportBrokers(variables, ["profiles", profile, "variables"], entry.variables, scope);
    ownGroups.forEach(([group, { variables: members = [] }], index) => {
      const path = ["profiles", profile, "groups", group];
      if (isIncomplete[index] === true) {
        scope.report(path, `the new group "${group}" is incomplete`, `"rule" and "variables"`, true);
      }
      examineMembers(() => [...path, "variables"], members, { ...scope, variables });
    });
  });
}

/** Merges members into a map. @returns the function that restores the map */
function undoable<Member extends object>(
  map: Map<string, Member>,
  members: Readonly<Record<string, Member>> = {},
): () => void {
  const former = Object.keys(members).map((name) => [name, map.get(name)] as const);
  mergeInto(map, members);
  return () => {
    for (const [name, member] of former) {
      if (member === undefined) map.delete(name);
      else map.set(name, member);
    }
  };
}
