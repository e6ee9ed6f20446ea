import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findTypedName } from "../../src/output/typed-name.ts";
import { folder, sophia } from "../helpers/sophia.ts";

/** Makes a project with the command in node_modules/.bin, and a folder like that of a global installation. */
function makeInstallations(): { readonly cwd: string; readonly bin: string; readonly elsewhere: string } {
  const cwd = folder();
  const bin = join(cwd, "node_modules", ".bin");
  const elsewhere = folder();
  mkdirSync(bin, { recursive: true });
  for (const binFolder of [bin, elsewhere]) {
    writeFileSync(join(binFolder, "sophia-run"), "#!/bin/sh\n");
    chmodSync(join(binFolder, "sophia-run"), 0o755);
  }
  return { cwd, bin, elsewhere };
}

const AGENTS = [
  ["npm/12.2.1 node/v24.21.0 linux x64 workspaces/false", "npx --no-install sophia-run"],
  ["pnpm/11.28.11 npm/? node/v24.21.0 linux x64", "pnpm exec sophia-run"],
  ["yarn/1.22.22 npm/? node/v20.19.0 linux x64", "yarn sophia-run"],
  ["bun/1.4.5 npm/? node/v26.3.0 linux x64", "bunx --no-install sophia-run"],
] as const;

test.each(AGENTS)(
  "in a script of %s the user would type %s, wherever the package manager has installed the command",
  (agent, expected) => {
    const { cwd, bin, elsewhere } = makeInstallations();
    const typedNameWith = (variables: Readonly<Record<string, string>>): string =>
      findTypedName({ cwd, environment: new Map(Object.entries({ npm_config_user_agent: agent, ...variables })) });
    expect(typedNameWith({ PATH: `/nowhere::${bin}:${elsewhere}` })).toBe(expected);
    expect(typedNameWith({ PATH: "./node_modules/.bin" })).toBe(expected);
    expect(typedNameWith({ PATH: elsewhere, BERRY_BIN_FOLDER: elsewhere })).toBe(expected);
    expect(typedNameWith({ PATH: `${elsewhere}:${bin}` })).toBe("sophia-run");
    expect(typedNameWith({ PATH: "/nowhere" })).toBe(expected);
  },
);

test("in a shell the user would type the name on the search path, or npx if only a node_modules above has it", () => {
  const { cwd, bin, elsewhere } = makeInstallations();
  const inner = join(cwd, "packages");
  mkdirSync(inner);
  const typedNameIn = (at: string, PATH: string): string =>
    findTypedName({ cwd: at, environment: new Map([["PATH", PATH]]) });
  expect(typedNameIn(cwd, elsewhere)).toBe("sophia-run");
  expect(typedNameIn(cwd, bin)).toBe("sophia-run");
  expect(typedNameIn(inner, "/nowhere")).toBe("npx --no-install sophia-run");
  expect(typedNameIn(elsewhere, "/nowhere")).toBe("sophia-run");
});

test("by uv run and pdm run the user would type their command, and in an activated virtual environment the name", () => {
  const { elsewhere } = makeInstallations();
  const virtual = folder();
  mkdirSync(join(virtual, "bin"));
  writeFileSync(join(virtual, "bin", "sophia-run"), "#!/bin/sh\n");
  const typedNameWith = (path: string, variables: Readonly<Record<string, string>>): string =>
    findTypedName({
      cwd: virtual,
      environment: new Map(Object.entries({ PATH: path, VIRTUAL_ENV: virtual, ...variables })),
    });
  const path = `${join(virtual, "bin")}:${elsewhere}`;
  expect(typedNameWith(path, { UV_RUN_RECURSION_DEPTH: "1" })).toBe("uv run sophia-run");
  expect(typedNameWith(path, { PDM_RUN_CWD: virtual })).toBe("pdm run sophia-run");
  expect(typedNameWith(path, {})).toBe("sophia-run");
  expect(typedNameWith(elsewhere, { UV_RUN_RECURSION_DEPTH: "1" })).toBe("sophia-run");
});

test("the typed name contains no part of a variable's value", () => {
  const { cwd, bin } = makeInstallations();
  for (const agent of ["rm -rf /", "evil/1; rm", "npm", "constructor/1", "\u001B[31m/2"]) {
    const environment = new Map([
      ["PATH", bin],
      ["npm_config_user_agent", agent],
      ["npm_execpath", "/evil"],
    ]);
    expect(findTypedName({ cwd, environment })).toBe("sophia-run");
  }
});

test("messages and help use the typed name, and output for programs does not", async () => {
  const { cwd, bin } = makeInstallations();
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, npm_config_user_agent: AGENTS[1][0] };
  const started = await sophia(["--", "true"], { cwd, env });
  expect(started.stderr).toContain("pnpm exec sophia-run init");
  expect((await sophia(["check", "--jsno"], { cwd, env })).stderr).toContain("? pnpm exec sophia-run check --help");
  const help = await sophia(["check", "--help"], { cwd, env });
  expect(help.stdout).toContain("Usage: pnpm exec sophia-run check [options] [FOLDER]\n");
  expect(help.stdout).toContain("\n  pnpm exec sophia-run check --profile prod --json\n");
  const usage = (await sophia(["--help"], { cwd, env })).stdout.split("\n").slice(0, 2);
  expect(usage).toEqual([
    "Usage: pnpm exec sophia-run [options] -- <command>, or",
    "pnpm exec sophia-run <subcommand> [options]",
  ]);
  expect((await sophia(["check", "--json"], { cwd, env })).stdout).not.toContain("pnpm");
});
