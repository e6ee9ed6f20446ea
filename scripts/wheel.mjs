// Packs the executables of `npm run build:standalone` as Python packages: `node scripts/wheel.mjs` for this machine, `--all` or
// `linux-arm64 …` for others. pip copies a wheel's `scripts` to the folder of commands, so the command is the executable
// itself.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { executableName, targetsOf } from "./build/targets.mjs";
import { platformTag } from "./wheel/platform.mjs";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "dist-wheels");

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const version = pythonVersion(manifest.version);

/** Makes a reproducible archive: all dates are the first that the format has. */
const FIRST_DAY = new Date(1980, 0, 1);
const UNIX = 3;
const EXECUTABLE = { attrs: 0o100_755 * 0x1_0000 };
const PLAIN = { attrs: 0o100_644 * 0x1_0000 };

mkdirSync(outdir, { recursive: true });
for (const target of targetsOf(process.argv.slice(2))) process.stdout.write(`${wheel(target)}\n`);

/** @returns the path of the wheel */
function wheel(target) {
  const ending = target.startsWith("win32") ? ".exe" : "";
  const executable = join(root, "dist-standalone", executableName(target));
  if (!existsSync(executable)) {
    process.stderr.write(`no executable for ${target}: npm run build:standalone -- ${target}\n`);
    process.exit(1);
  }
  const platforms = platformTag(target, executable);
  const tag = `py3-none-${platforms}`;
  const tags = platforms.split(".").map((platform) => `Tag: py3-none-${platform}\n`);
  const name = `sophia_run-${version}`;
  const info = `${name}.dist-info`;
  const read = (file) => readFileSync(join(root, file));
  /** @type {Record<string, Uint8Array>} */
  const files = {
    [`${name}.data/scripts/sophia-run${ending}`]: readFileSync(executable),
    [`${info}/licenses/LICENSE`]: read("LICENSE"),
    [`${info}/licenses/THIRD-PARTY-NOTICES.md`]: read("THIRD-PARTY-NOTICES.md"),
    [`${info}/licenses/EXECUTABLE-NOTICES.md`]: read("EXECUTABLE-NOTICES.md"),
    [`${info}/METADATA`]: Buffer.from(metadata()),
    [`${info}/WHEEL`]: Buffer.from(
      `Wheel-Version: 1.0\nGenerator: sophia-run\nRoot-Is-Purelib: false\n${tags.join("")}`,
    ),
  };
  const record = Object.entries(files).map(([file, content]) => {
    return `${file},sha256=${createHash("sha256").update(content).digest("base64url")},${content.length}\n`;
  });
  files[`${info}/RECORD`] = Buffer.from(`${record.join("")}${info}/RECORD,,\n`);
  const path = join(outdir, `${name}-${tag}.whl`);
  const entries = Object.entries(files).map(([file, content]) => [
    file,
    [content, file.includes(".data/scripts/") ? EXECUTABLE : PLAIN],
  ]);
  writeFileSync(path, zipSync(Object.fromEntries(entries), { level: 9, os: UNIX, mtime: FIRST_DAY }));
  return path;
}

/** PEP 566 and 639. */
function metadata() {
  const repository = manifest.repository.url.replace(/^git\+|\.git$/g, "");
  return `Metadata-Version: 2.4
Name: sophia-run
Version: ${version}
Summary: ${manifest.description}
Keywords: ${manifest.keywords.join(",")}
License-Expression: ${manifest.license}
License-File: LICENSE
License-File: THIRD-PARTY-NOTICES.md
License-File: EXECUTABLE-NOTICES.md
Project-URL: Repository, ${repository}
Project-URL: Changelog, ${repository}/blob/main/CHANGELOG.md
Requires-Python: >=3.8
Description-Content-Type: text/markdown

\`sophia-run -- <command>\` starts a program with its configuration: the process environment over Pulumi ESC over \`.env\`
files, checked against the repository's contract. The command is a native executable; no Python runs in it.
`;
}

/** PEP 440 for a version of npm: `1.0.0-rc.1` is `1.0.0rc1`. */
function pythonVersion(npm) {
  const [, release, kind, number] = /^(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.(\d+))?$/.exec(npm) ?? [];
  if (release === undefined) throw new Error(`Python has no version like ${npm}`);
  return kind === undefined ? release : `${release}${{ alpha: "a", beta: "b", rc: "rc" }[kind]}${number}`;
}
