import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLinkSteps } from "../../../src/commands/init/link-step.ts";
import type { NodeInstaller } from "../../../src/commands/init/node-tools.ts";
import type { Manifest } from "../../../src/commands/init/package-json.ts";
import type { Project } from "../../../src/commands/init/project-survey.ts";

const PRIVATE = { name: "app", version: "1.0.0", private: true };
const OURS = { "sophia-run": "0.1.0" };
const MODULES = "nodeLinker: node-modules\n";

function createProject(manifest: Manifest | undefined, name: NodeInstaller["name"] = "npm", root?: Manifest): Project {
  const member = root === undefined ? "" : "packages/a";
  const workspace = { root: "/project", member, manifest: root ?? manifest ?? {}, hasMembers: root !== undefined };
  return { name: "app", title: "app", manifest, node: { name, isLocked: true }, workspace, python: undefined };
}

/** The line to add. */
function lineFor(manifest: Manifest | undefined, name?: NodeInstaller["name"], settings?: string, root?: Manifest) {
  const [step, ...others] = createLinkSteps(createProject(manifest, name, root), settings);
  expect(others).toEqual([]);
  return step?.kind === "advise" || step?.kind === "offer" ? step.lines.join("\n") : undefined;
}

let platform: string;
beforeEach(() => void (platform = "linux"));
afterEach(() => void vi.unstubAllGlobals());

describe("the script that starts the executable", () => {
  beforeEach(
    () =>
      void vi.stubGlobal(
        "process",
        new Proxy(process, { get: (of, key) => (key === "platform" ? platform : Reflect.get(of, key)) }),
      ),
  );

  it.each(["npm", "pnpm", "yarn 1", "bun"] as const)("is offered to a project of %s", (name) => {
    const line = `"postinstall": "sophia-run link"`;
    expect(lineFor({ ...PRIVATE, dependencies: OURS }, name)).toBe(`"scripts": { ${line} }`);
    expect(lineFor({ ...PRIVATE, dependencies: OURS, scripts: {} }, name)).toBe(line);
    // The dependency is yet to be added, among the dependencies.
    expect(lineFor({ ...PRIVATE, scripts: {} }, name)).toBe(line);
  });

  it("is offered with Yarn 2 and later only if there is a node_modules", () => {
    expect(lineFor({ ...PRIVATE, scripts: {} }, "yarn", MODULES)).toBe(`"postinstall": "sophia-run link"`);
    expect(lineFor(PRIVATE, "yarn", "nodeLinker: pnp\n")).toBeUndefined();
    expect(lineFor(PRIVATE, "yarn")).toBeUndefined();
  });

  it("succeeds if devDependencies are left out", () => {
    const development = { ...PRIVATE, devDependencies: OURS };
    expect(lineFor({ ...development, scripts: {} })).toBe(`"postinstall": "sophia-run link || exit 0"`);
    expect(lineFor({ ...development, scripts: { postinstall: "make" } })).toBe(
      `"postinstall": "make && (sophia-run link || exit 0)"`,
    );
    expect(lineFor({ ...development, dependencies: OURS, scripts: {} })).toBe(`"postinstall": "sophia-run link"`);
  });

  it("does not replace an existing script", () => {
    expect(lineFor({ ...PRIVATE, scripts: { postinstall: "make" } })).toBe(`"postinstall": "make && sophia-run link"`);
    expect(lineFor({ ...PRIVATE, scripts: { postinstall: "sophia-run link" } })).toBeUndefined();
    expect(lineFor({ ...PRIVATE, scripts: { prepare: "husky && sophia-run link" } })).toBeUndefined();
  });

  it("is `prepare` in a package that is published, which Yarn 4 never runs", () => {
    const published = { name: "library", version: "1.0.0", scripts: { prepare: "husky" } };
    expect(lineFor(published)).toBe(`"prepare": "husky && sophia-run link"`);
    expect(lineFor(published, "yarn", MODULES)).toBeUndefined();
    expect(lineFor({ name: "app", scripts: {} })).toBe(`"postinstall": "sophia-run link"`);
  });

  it("is not offered to a package of a workspace whose root has it", () => {
    const root = { private: true, dependencies: OURS };
    expect(lineFor(PRIVATE, "npm", undefined, root)).toBeUndefined();
    expect(lineFor({ ...PRIVATE, scripts: {} }, "npm", undefined, { private: true })).toBe(
      `"postinstall": "sophia-run link"`,
    );
    expect(lineFor({ ...PRIVATE, scripts: {} }, "yarn", MODULES, root)).toBe(`"postinstall": "sophia-run link"`);
  });

  it("is not offered on other systems, nor without a package.json, nor to sophia-run itself", () => {
    expect(lineFor(undefined)).toBeUndefined();
    expect(lineFor({ name: "sophia-run", private: true })).toBeUndefined();
    platform = "darwin";
    expect(lineFor(PRIVATE)).toBeUndefined();
  });
});
