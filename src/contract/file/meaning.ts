/**
 * What the schema cannot say: that names which a contract mentions exist, that its parts do not contradict one
 * another, that its patterns can be matched. Pure; linear in the contract's size for each profile.
 */
import { formatFault } from "../format.ts";
import type { ContractDocument, FormatEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { buildAutomaton } from "../pattern/match.ts";
import { parsePattern, PatternError } from "../pattern/syntax.ts";
import { didYouMean } from "../../core/suggest.ts";
import { faultWords } from "../words.ts";
import { formatOf, isSecret, lineage, listOf } from "./compile.ts";
import type { Issue, Path } from "./fault.ts";

type Names = ReadonlyMap<string, VariableEntry>;
type Profiles = ReadonlyMap<string, ProfileEntry>;
type Report = (path: Path, message: string, allowed: string, atKey?: boolean) => void;

/** Everything that is wrong with a document of the right shape. */
export function examineMeaning(document: ContractDocument): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (path, message, allowed, atKey = false) => {
    issues.push({ path, atKey, message, allowed });
  };
  const variables: Names = new Map(Object.entries(document.variables));
  for (const [name, entry] of variables) examineVariable(["variables", name], name, entry, entry, variables, report);
  const groups = new Set(Object.keys(document.groups ?? {}));
  for (const [group, entry] of Object.entries(document.groups ?? {})) {
    examineMembers(["groups", group, "variables"], entry.variables, variables, report);
  }
  const profiles: Profiles = new Map(Object.entries(document.profiles ?? {}));
  examineLineages(profiles, report);
  for (const profile of profiles.keys()) examineProfile(profile, document, profiles, report);
  const everywhere = new Set(variables.keys());
  for (const entry of profiles.values()) {
    for (const name of Object.keys(entry.variables ?? {})) everywhere.add(name);
    for (const group of Object.keys(entry.groups ?? {})) groups.add(group);
  }
  examineOwners(document, everywhere, report);
  for (const group of groups) {
    if (everywhere.has(group)) report(["groups", group], `"${group}" is also a variable`, "a name of its own", true);
  }
  examineSections(document, everywhere, groups, report);
  return issues;
}

/**
 * @param given what stands under the path
 * @param entry what counts: the same, or a profile's details laid over the variable
 */
function examineVariable(
  path: Path,
  name: string,
  given: VariableEntry,
  entry: VariableEntry,
  variables: Names,
  report: Report,
): void {
  const { required, deprecated, default: fallback, format } = entry;
  const at = (key: keyof VariableEntry): Path => (Object.hasOwn(given, key) ? [...path, key] : path);
  if (fallback !== undefined && isSecret(entry)) {
    report(at("default"), "a secret has a default", `no default, or "secret": false`);
  }
  if (format !== undefined && examineFormat(at("format"), format, report) && fallback !== undefined) {
    const fault = formatFault(formatOf(format), fallback);
    if (fault !== undefined) report(at("default"), "the default does not have the format", `it ${faultWords(fault)}`);
  }
  if (typeof required === "object") {
    const where = [...at("required"), "when"];
    if (required.when === name) report(where, "a variable cannot be its own condition", "another variable");
    else examineReference(where, required.when, variables, report);
    examineCondition([...at("required"), "equals"], required.when, listOf(required.equals), variables, report);
  }
  if (deprecated === undefined) return;
  if (deprecated === name) report(at("deprecated"), "a variable cannot replace itself", "another variable");
  else if (examineReference(at("deprecated"), deprecated, variables, report)) {
    if (variables.get(deprecated)?.deprecated !== undefined) {
      report(at("deprecated"), `${deprecated} is deprecated itself`, "a variable that is not deprecated");
    }
  }
}

/** A condition that can be met, on a value that may stand in a file. */
function examineCondition(path: Path, name: string, values: readonly string[], variables: Names, report: Report): void {
  const other = variables.get(name);
  if (other === undefined || values.length === 0) return;
  if (isSecret(other)) {
    report(path, `${name} is a secret, whose value has no place in a contract`, `"secret": false for ${name}`);
  }
  const known = enumValues(other.format) ?? values;
  if (values.some((value) => !known.includes(value))) report(path, `${name} never has this value`, known.join(", "));
}

/** Whether the format makes sense; what does not is reported. */
function examineFormat(path: Path, entry: FormatEntry, report: Report): boolean {
  if (typeof entry === "string") return true;
  if (entry.type === "integer" || entry.type === "number") return examineRange(path, entry, report);
  if (!("pattern" in entry) || entry.pattern === undefined) return true;
  try {
    buildAutomaton(parsePattern(entry.pattern));
    return true;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    report(
      [...path, "pattern"],
      `the pattern ${error.message}`,
      "characters, escapes, classes, groups, alternatives and repetitions; no look-around and no back-references",
    );
    return false;
  }
}

function examineRange(
  path: Path,
  range: Extract<FormatEntry, { type: "integer" | "number" }>,
  report: Report,
): boolean {
  const { type, minimum = -Infinity, maximum = Infinity } = range;
  if (minimum === Infinity || maximum === -Infinity) {
    report(path, "the range is beyond all numbers", "numbers of a double's size");
  } else if (minimum > maximum) {
    report([...path, "minimum"], "the minimum is greater than the maximum", `at most ${maximum}`);
  } else if (type === "integer" && Math.ceil(minimum) > Math.floor(maximum)) {
    report(path, "no whole number lies in the range", "a wider range");
  } else {
    return true;
  }
  return false;
}

function enumValues(format: FormatEntry | undefined): readonly string[] | undefined {
  return typeof format === "object" && format.type === "enum" ? format.values : undefined;
}

function examineReference(path: Path, name: string, variables: Names, report: Report): boolean {
  if (variables.has(name)) return true;
  report(
    path,
    `"${name}" is not declared${didYouMean(name, variables.keys())}`,
    `a name that stands under "variables"`,
  );
  return false;
}

function examineMembers(path: Path, names: readonly string[], variables: Names, report: Report): void {
  for (const [index, name] of names.entries()) examineReference([...path, index], name, variables, report);
}

/** A name, be it a variable's own or an alias, stands for one variable, in all profiles the same. */
function examineOwners(document: ContractDocument, declared: ReadonlySet<string>, report: Report): void {
  const owners = new Map<string, string>();
  const examine = (path: Path, name: string, entry: VariableEntry): void => {
    for (const [index, alias] of (entry.aliases ?? []).entries()) {
      const text = typeof alias === "string" ? alias : alias.name;
      const owner = declared.has(text) ? text : owners.get(text);
      if (owner === undefined) owners.set(text, name);
      else if (owner !== name || text === name) {
        const what = owner === text ? "is a declared variable" : `is already an alias of ${owner}`;
        report([...path, name, "aliases", index], `"${text}" ${what}`, "a name that nothing else has");
      }
    }
  };
  for (const [name, entry] of Object.entries(document.variables)) examine(["variables"], name, entry);
  for (const [profile, { variables = {} }] of Object.entries(document.profiles ?? {})) {
    for (const [name, entry] of Object.entries(variables)) examine(["profiles", profile, "variables"], name, entry);
  }
}

function examineSections(
  document: ContractDocument,
  variables: ReadonlySet<string>,
  groups: ReadonlySet<string>,
  report: Report,
): void {
  for (const [index, { lines }] of (document.sections ?? []).entries()) {
    for (const [line, id] of lines.entries()) {
      if (variables.has(id) || groups.has(id)) continue;
      const message = `"${id}" is not declared${didYouMean(id, [...variables, ...groups])}`;
      report(["sections", index, "lines", line], message, "the name of a variable or of a group");
    }
  }
}

/** Profiles that others extend exist, and none extends itself. */
function examineLineages(profiles: Profiles, report: Report): void {
  for (const [profile, { extends: bases }] of profiles) {
    for (const base of listOf(bases)) {
      if (profiles.has(base)) continue;
      const message = `there is no profile "${base}"${didYouMean(base, profiles.keys())}`;
      report(["profiles", profile, "extends"], message, Array.from(profiles.keys()).join(", "));
    }
  }
  const state = new Map<string, "open" | "done">();
  const visit = (profile: string, trail: readonly string[]): void => {
    if (state.get(profile) === "done") return;
    if (state.get(profile) === "open") {
      const circle = [...trail.slice(trail.indexOf(profile)), profile].join(" extends ");
      report(["profiles", profile, "extends"], `the profile extends itself: ${circle}`, "profiles in no circle");
      return;
    }
    state.set(profile, "open");
    for (const base of listOf(profiles.get(profile)?.extends)) {
      if (profiles.has(base)) visit(base, [...trail, profile]);
    }
    state.set(profile, "done");
  };
  for (const profile of profiles.keys()) visit(profile, []);
}

/** What a profile says must hold together with all that it inherits. */
function examineProfile(profile: string, document: ContractDocument, profiles: Profiles, report: Report): void {
  const variables = new Map(Object.entries(document.variables));
  const groups = new Set(Object.keys(document.groups ?? {}));
  const ancestry = lineage(profiles, profile);
  for (const ancestor of ancestry) {
    for (const [name, overlay] of Object.entries(ancestor.variables ?? {})) {
      variables.set(name, { ...variables.get(name), ...overlay });
    }
  }
  for (const ancestor of ancestry.slice(0, -1)) {
    for (const group of Object.keys(ancestor.groups ?? {})) groups.add(group);
  }
  const entry = profiles.get(profile) ?? {};
  for (const [name, overlay] of Object.entries(entry.variables ?? {})) {
    const merged = variables.get(name) ?? overlay;
    examineVariable(["profiles", profile, "variables", name], name, overlay, merged, variables, report);
  }
  for (const [group, overlay] of Object.entries(entry.groups ?? {})) {
    const path = ["profiles", profile, "groups", group];
    if (!groups.has(group) && (overlay.rule === undefined || overlay.variables === undefined)) {
      report(path, `the group "${group}" is new here and not complete`, `"rule" and "variables"`, true);
    }
    examineMembers([...path, "variables"], overlay.variables ?? [], variables, report);
  }
}
