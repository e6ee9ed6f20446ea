/** The script of package.json by which npm scripts start the executable for Linux; pure but for the system's name. */
import { withScripts } from "./manifest-edits.ts";
import { dependenciesIn, hasDependency, type Manifest, objectOf, scriptOf } from "./package-json.ts";
import { type Project, usesRootsDependency } from "./project-survey.ts";
import type { SetupStep } from "./setup-step.ts";

const COMMAND = "sophia-run link";

/** @param yarnSettings the text of .yarnrc.yml: without node_modules there is nothing to link */
export function linkSteps(project: Project, yarnSettings: string | undefined): readonly SetupStep[] {
  const { manifest, node } = project;
  if (process.platform !== "linux" || manifest === undefined || manifest["name"] === "sophia-run") return [];
  if (node.name === "yarn" && !/^nodeLinker:\s*["']?node-modules\b/m.test(yarnSettings ?? "")) return [];
  // The root's script covers its command, which the package's scripts start.
  if (usesRootsDependency(project)) return [];
  if (["postinstall", "prepare"].some((name) => scriptOf(manifest, name)?.includes(COMMAND) === true)) return [];
  const script = isPublished(manifest) ? "prepare" : "postinstall";
  // Yarn 2 and later never run it.
  if (script === "prepare" && node.name === "yarn") return [];
  const former = scriptOf(manifest, script);
  const isLeftOut =
    dependenciesIn(manifest, "devDependencies").has("sophia-run") &&
    !dependenciesIn(manifest, "dependencies").has("sophia-run");
  const command = isLeftOut ? `${COMMAND} || exit 0` : COMMAND;
  const whole = former === undefined ? command : `${former} && ${isLeftOut ? `(${command})` : command}`;
  const line = `"${script}": ${JSON.stringify(whole)}`;
  const about = "a start takes 2 ms in place of 25; docs/native.md of the package has the details";
  const step = {
    file: "package.json",
    title: "add, if npm scripts should start sophia-run without Node.js on Linux",
    lines: [objectOf(manifest["scripts"]) === undefined ? `"scripts": { ${line} }` : line],
    remark: script === "prepare" ? `${about}; not postinstall, which users of the package would run` : about,
  };
  // Without the package the script would make each installation fail.
  if (!hasDependency(manifest)) return [{ kind: "advise", ...step }];
  const change = { name: script, from: former, to: whole };
  const replaced = former === undefined ? [] : [`"${script}": ${JSON.stringify(former)}`];
  return [{ kind: "offer", ...step, replaced, edit: (text) => withScripts(text, [change]), isLink: true }];
}

/** Returns true if npm would publish the package. */
function isPublished(manifest: Manifest): boolean {
  return manifest["private"] !== true && ["name", "version"].every((key) => typeof manifest[key] === "string");
}
