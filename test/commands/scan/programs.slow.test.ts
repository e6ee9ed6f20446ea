/** `scan` and `check` ask git, which starts no program that the repository's configuration names. */
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ProcessResult, sophia } from "../../helpers/sophia.ts";
import { commitAll, SECRET_VARIABLES, runGit, KEY, removeObject, createRepository } from "./repository.ts";

/** A program that leaves a mark when it is started, whatever its name is. */
function createMarker(cwd: string, name: string): { readonly file: string; readonly isMarked: () => boolean } {
  const file = join(cwd, name);
  const mark = join(cwd, ".git/mark");
  writeFileSync(file, `#!/bin/sh\necho "$0" >> ${mark}\nexit 1\n`, { mode: 0o755 });
  return { file, isMarked: () => existsSync(mark) };
}

/** Returns true if git itself starts the program: otherwise the test would show nothing. */
function gitStarts(cwd: string, isMarked: () => boolean, ...args: readonly string[]): boolean {
  try {
    runGit(cwd, ...args);
  } catch {
    // It fails because the program fails.
  }
  const was = isMarked();
  rmSync(join(cwd, ".git/mark"), { force: true });
  return was;
}

async function scanAll(cwd: string, given: Readonly<Record<string, string>> = {}): Promise<readonly ProcessResult[]> {
  const all = [["scan"], ["scan", "--staged"], ["scan", "--history"], ["check"]];
  const result: ProcessResult[] = [];
  for (const args of all) result.push(await sophia(args, { cwd, env: { ...SECRET_VARIABLES, ...given } }));
  return result;
}

/** A commit that has a signature, and a `.env` that is tracked. */
function createSignedRepository(): string {
  const cwd = createRepository({ "a.txt": KEY, ".env": "" });
  chmodSync(join(cwd, ".env"), 0o600);
  commitAll(cwd, "one");
  const text = runGit(cwd, "cat-file", "commit", "HEAD");
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n eA==\n -----END PGP SIGNATURE-----\n";
  writeFileSync(join(cwd, ".git/commit"), text.replace("\n\n", `\n${signature}\n`));
  runGit(cwd, "update-ref", "HEAD", runGit(cwd, "hash-object", "-t", "commit", "-w", ".git/commit").trim());
  return cwd;
}

describe("scan starts no program that a repository names", () => {
  test("for verifying signatures", async () => {
    const cwd = createSignedRepository();
    const { file, isMarked } = createMarker(cwd, "gpg");
    runGit(cwd, "config", "log.showSignature", "true");
    runGit(cwd, "config", "gpg.program", file);
    expect(gitStarts(cwd, isMarked, "log")).toBe(true);
    const [, , history] = await scanAll(cwd);
    expect(history?.status).toBe(1);
    expect(isMarked()).toBe(false);
  });

  test("for fetching missing objects, neither of a remote nor of its transport", async () => {
    const cwd = createRepository({ "a.txt": KEY });
    commitAll(cwd, "one");
    const { file, isMarked } = createMarker(cwd, "upload-pack");
    for (const [name, value] of [
      ["core.repositoryFormatVersion", "1"],
      ["extensions.partialClone", "origin"],
      ["remote.origin.url", cwd],
      ["remote.origin.promisor", "true"],
      ["remote.origin.uploadpack", file],
    ] as const) {
      runGit(cwd, "config", name, value);
    }
    removeObject(cwd, ":a.txt");
    const show = ["cat-file", "blob", ":a.txt"];
    expect(gitStarts(cwd, isMarked, ...show)).toBe(true);
    expect((await scanAll(cwd)).map(({ status }) => status)).toEqual([1, 2, 2, 0]);
    expect(isMarked()).toBe(false);
    runGit(cwd, "config", "remote.origin.url", "ssh://host.invalid/x");
    runGit(cwd, "config", "core.sshCommand", file);
    expect(gitStarts(cwd, isMarked, ...show)).toBe(true);
    await scanAll(cwd);
    expect(isMarked()).toBe(false);
    runGit(cwd, "config", "remote.origin.url", `ext::${file}`);
    runGit(cwd, "config", "protocol.ext.allow", "always");
    expect(gitStarts(cwd, isMarked, ...show)).toBe(true);
    await scanAll(cwd);
    expect(isMarked()).toBe(false);
  });

  test("as a monitor, hook, pager, diff, filter or alias, in the repository or in an included file", async () => {
    const cwd = createSignedRepository();
    const { file, isMarked } = createMarker(cwd, "program");
    const hooks = join(cwd, "hooks");
    mkdirSync(hooks);
    for (const name of ["post-index-change", "reference-transaction", "post-checkout"])
      symlinkSync(file, join(hooks, name));
    const settings = [
      ["core.fsmonitor", file],
      ["core.hooksPath", hooks],
      ["core.pager", file],
      ["core.editor", file],
      ["core.askPass", file],
      ["core.alternateRefsCommand", file],
      ["credential.helper", file],
      ["diff.external", file],
      ["diff.marked.command", file],
      ["diff.marked.textconv", file],
      ["filter.marked.clean", file],
      ["filter.marked.smudge", file],
      ["filter.marked.process", file],
      ["merge.marked.driver", file],
      ["trailer.x.command", file],
      ...["ls-files", "cat-file", "log", "rev-list", "rev-parse"].flatMap((name) => [
        [`pager.${name}`, file],
        [`alias.${name}`, `!${file}`],
      ]),
    ] as const;
    for (const [name = "", value = ""] of settings) runGit(cwd, "config", "--file", join(cwd, "included"), name, value);
    runGit(cwd, "config", "include.path", join(cwd, "included"));
    writeFileSync(join(cwd, ".gitattributes"), "* filter=marked diff=marked merge=marked\n");
    rmSync(join(cwd, ".git/mark"), { force: true });
    expect(gitStarts(cwd, isMarked, "status")).toBe(true);
    const variables = Object.fromEntries(
      ["EXTERNAL_DIFF", "PAGER", "EDITOR", "ASKPASS", "SSH", "SSH_COMMAND", "PROXY_COMMAND"].map((one) => [
        `GIT_${one}`,
        file,
      ]),
    );
    // A trace would be among the errors of git.
    await scanAll(cwd, { ...variables, GIT_TRACE: "1" });
    expect(isMarked()).toBe(false);
  });

  test("as git itself from a relative folder of the PATH", async () => {
    const cwd = createRepository({ "a.txt": KEY });
    const { isMarked } = createMarker(cwd, "git");
    const path = `.:${process.env["PATH"]}`;
    const result = await scanAll(cwd, { PATH: path });
    expect(result[0]?.status).toBe(1);
    expect(isMarked()).toBe(false);
    expect((await sophia(["scan", "--staged"], { cwd, env: { ...SECRET_VARIABLES, PATH: "." } })).status).toBe(125);
    expect(isMarked()).toBe(false);
  });
});
