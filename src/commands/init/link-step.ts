/**
 * Returns the step of `init` that adds `sophia-run link` to the scripts of package.json, as `postinstall` or `prepare`. The
 * package manager runs this script after each installation. From then on npm scripts start the executable for Linux, which
 * needs no Node.js and so starts faster.
 */
import { replaceScripts } from "./manifest-edits.ts";
import { dependenciesIn, hasDependency, type Manifest, objectOf, scriptOf } from "./package-json.ts";
import { type Project, usesRootsDependency } from "./project-survey.ts";
import type { SetupStep } from "./setup-step.ts";

const LINK_COMMAND = "sophia-run link";

/**
 * Returns an offer to add the script, or advice if sophia-run is not a dependency yet. Returns no step if the script exists
 * already, or would be of no use.
 *
 * @param yarnSettings the text of .yarnrc.yml. By default Yarn 2 and later create no node_modules, whose files `link`
 *   replaces.
 */
export function createLinkSteps(project: Project, yarnSettings: string | undefined): readonly SetupStep[] {
  const { manifest, node } = project;
  if (process.platform !== "linux" || manifest === undefined || manifest["name"] === "sophia-run") return [];
  if (node.name === "yarn" && !/^nodeLinker:\s*["']?node-modules\b/m.test(yarnSettings ?? "")) return [];
  // The script belongs in the workspace's root, whose command the scripts of its packages start.
  if (usesRootsDependency(project)) return [];
  const isAdded = ["postinstall", "prepare"].some((name) => scriptOf(manifest, name)?.includes(LINK_COMMAND) === true);
  if (isAdded) return [];
  const scriptName = isPublished(manifest) ? "prepare" : "postinstall";
  // Yarn 2 and later never run the script `prepare`.
  if (scriptName === "prepare" && node.name === "yarn") return [];
  const currentCommand = scriptOf(manifest, scriptName);
  const newCommand = withLinkCommand(currentCommand, isOnlyDevDependency(manifest));
  const scriptLine = `"${scriptName}": ${JSON.stringify(newCommand)}`;
  const benefit = "a start takes 2 ms in place of 25; docs/native.md of the package has the details";
  const step = {
    file: "package.json",
    title: "add, if npm scripts should start sophia-run without Node.js on Linux",
    lines: [objectOf(manifest["scripts"]) === undefined ? `"scripts": { ${scriptLine} }` : scriptLine],
    remark: scriptName === "prepare" ? `${benefit}; not postinstall, which users of the package would run` : benefit,
  };
  // The script would make each installation fail as long as sophia-run is not a dependency.
  if (!hasDependency(manifest)) return [{ kind: "advise", ...step }];
  const change = { name: scriptName, currentCommand, newCommand };
  const replaced = currentCommand === undefined ? [] : [`"${scriptName}": ${JSON.stringify(currentCommand)}`];
  return [{ kind: "offer", ...step, replaced, edit: (text) => replaceScripts(text, [change]), isLink: true }];
}

/** Appends the command to a script. An installation without devDependencies lacks the command, and must not fail for it. */
function withLinkCommand(currentCommand: string | undefined, mayBeMissing: boolean): string {
  const linkCommand = mayBeMissing ? `${LINK_COMMAND} || exit 0` : LINK_COMMAND;
  if (currentCommand === undefined) return linkCommand;
  return `${currentCommand} && ${mayBeMissing ? `(${linkCommand})` : linkCommand}`;
}

function isOnlyDevDependency(manifest: Manifest): boolean {
  const isListedIn = (group: string): boolean => dependenciesIn(manifest, group).has("sophia-run");
  return isListedIn("devDependencies") && !isListedIn("dependencies");
}

/** Returns true if npm would publish the package. Its users would then run a `postinstall` script, but not `prepare`. */
function isPublished(manifest: Manifest): boolean {
  return manifest["private"] !== true && ["name", "version"].every((key) => typeof manifest[key] === "string");
}
