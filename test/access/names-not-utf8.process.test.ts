/**
 * The names of folders are bytes. Node.js decodes a name that is not UTF-8 to U+FFFD, and the executable decodes it to
 * halves of surrogate pairs. If git is asked by the decoded name, it answers about another file than the file that
 * sophia-run reads.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { isStandalone, sophiaRun } from "../helpers/program.ts";
import { folder, unwrapLines } from "../helpers/sophia.ts";
import { startAtTerminal, type Step } from "../helpers/terminal.ts";
import { runProgram } from "../esc/run-program.ts";

const NAME = "acme/app/dev";
const FILE = "sophia.contract.json";
const NAMING = JSON.stringify({ environment: NAME, variables: { KEY: { required: true } } });
const CONTRACT = JSON.stringify({ variables: { KEY: {} } });
const PRINT = ["--", "sh", "-c", "echo got $KEY"];

const QUESTION = "for this start?";

/** Creates a folder `x\\xFF` with these files, below the home folder. */
async function createOddFolder(files: Readonly<Record<string, string>>) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { KEY: secret("sentinel-of-dev") } });
  const home = realpathSync(folder());
  const pathInOddFolder = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${home}/`), ODD, Buffer.from(`/${path}`)]);
  mkdirSync(pathInOddFolder(""));
  for (const [path, text] of Object.entries(files)) writeFileSync(pathInOddFolder(path), text, { mode: 0o600 });
  const env = { HOME: home, PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token };
  const command = (args: readonly string[]) => ["sh", "-c", IN_ODD, "sh", ...sophiaRun, ...args] as const;
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runProgram(command(args), { ...env, ...more }, home);
  const type = (args: readonly string[], steps: readonly Step[]) =>
    startAtTerminal(command(args), { cwd: home, env: { PATH: process.env["PATH"] ?? "", ...env } }, steps).finished;
  return { server, home, pathInOddFolder, run, type };
}

/** The name `x\\xFF`, and the name to which Node.js decodes it, which a link may have. */
const ODD = Buffer.from("x\xFF", "latin1");
const DECODED = "x\uFFFD";
const IN_ODD = 'cd "$(printf "x\\377")" && exec "$@"';

function trackAllFiles(cwd: string): void {
  execFileSync("git", ["init", "-q"], { cwd });
  execFileSync("git", ["add", "-f", "."], { cwd });
}

describe("in a folder whose name is not UTF-8", () => {
  test("a .env.override is refused inside a repository, and used outside of one", async () => {
    const { home, run } = await createOddFolder({ [FILE]: CONTRACT, ".env.override": "KEY=of-file\n" });
    expect((await run(PRINT)).stdout).toBe("got of-file\n");
    trackAllFiles(home);
    const ended = await run(PRINT);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(ended.stderr)).toContain("the path of its folder is not UTF-8");
    expect(await run(["--no-override", ...PRINT])).toMatchObject({ status: 0, stdout: "got\n" });
  });

  test("ESC_ENV of a .env needs consent if git tracks the file, and none outside of a repository", async () => {
    const { server, home, run } = await createOddFolder({ [FILE]: CONTRACT, ".env": `ESC_ENV=${NAME}\n` });
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    trackAllFiles(home);
    server.reset();
    const ended = await run(PRINT);
    expect(ended.stdout).toBe("got\n");
    expect(unwrapLines(ended.stderr)).toContain("no consent can be remembered for a folder whose path is not UTF-8");
    // Node.js reaches the folder by this link, which has the name that Node.js decodes.
    symlinkSync(ODD, join(home, DECODED));
    trackAllFiles(home);
    expect((await run(PRINT)).stdout).toBe("got\n");
    expect(server.count("any")).toBe(0);
    expect((await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: NAME })).stdout).toBe("got sentinel-of-dev\n");
    expect((await run(PRINT, { ESC_ENV: NAME })).stdout).toBe("got sentinel-of-dev\n");
  });

  test("sophia-run asks for consent each time and remembers none, because it would apply to all such folders", async () => {
    const { server, home, run, type } = await createOddFolder({ [FILE]: NAMING });
    trackAllFiles(home);
    const allowed = await run(["allow"]);
    expect(allowed).toMatchObject({ status: 125, stdout: "" });
    expect((await run(PRINT)).status).toBe(78);
    expect((await type(PRINT, [[QUESTION, "n\n"]])).status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await type(PRINT, [[QUESTION, "y\n"]])).stdout).toContain("got sentinel-of-dev");
    expect((await type(PRINT, [[QUESTION, "y\n"]])).stdout).toContain("got sentinel-of-dev");
    expect(existsSync(join(home, ".config/sophia-run/allowed.json"))).toBe(false);
  });

  test("a consent that an earlier version stored for the working directory opens nothing", async () => {
    const { server, home, run } = await createOddFolder({ [FILE]: NAMING });
    mkdirSync(join(home, ".config/sophia-run"), { recursive: true, mode: 0o700 });
    for (const version of [1, 2]) {
      const places = ["/proc/self/cwd", join(home, DECODED), join(home, "x\uDCFF")];
      const consents = places.map((place) => ({ file: `${place}/${FILE}`, environment: NAME }));
      const text = JSON.stringify({ version, allowed: consents });
      writeFileSync(join(home, ".config/sophia-run/allowed.json"), text, { mode: 0o600 });
      expect((await run(PRINT)).status).toBe(78);
    }
    expect(server.count("any")).toBe(0);
  });

  test("sophia-run follows links within the repository, and refuses others", async () => {
    const { home, pathInOddFolder, run } = await createOddFolder({ [FILE]: CONTRACT });
    writeFileSync(join(home, "values"), "KEY=within\n", { mode: 0o600 });
    symlinkSync("../values", pathInOddFolder(".env"));
    expect((await run(PRINT)).status).toBe(125);
    trackAllFiles(home);
    expect((await run(PRINT)).stdout).toBe("got within\n");
    const outside = folder({ values: "KEY=outside\n" });
    rmSync(pathInOddFolder(".env"));
    symlinkSync(join(outside, "values"), pathInOddFolder(".env"));
    const ended = await run(PRINT);
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain("is a link to");
  });

  test("a contract may extend a file of the repository, and not a file outside that the name of a link hides", async () => {
    const { home, pathInOddFolder, run } = await createOddFolder({ [FILE]: JSON.stringify({ extends: "base.json" }) });
    trackAllFiles(home);
    writeFileSync(pathInOddFolder("base.json"), JSON.stringify({ variables: { KEY: { default: "within" } } }));
    expect((await run(PRINT)).stdout).toBe("got within\n");
    rmSync(pathInOddFolder("base.json"));
    const outside = folder({ "base.json": JSON.stringify({ variables: { KEY: { default: "outside" } } }) });
    symlinkSync(join(outside, "base.json"), pathInOddFolder("base.json"));
    expect(await run(PRINT)).toMatchObject({ status: 125, stdout: "" });
  });

  test("--project . means the working directory, and not a folder whose decoded name is the same", async () => {
    const { home, run } = await createOddFolder({ [FILE]: CONTRACT, ".env": "KEY=of-odd\n" });
    mkdirSync(join(home, DECODED));
    writeFileSync(join(home, DECODED, ".env"), "KEY=of-other\n", { mode: 0o600 });
    expect((await run(["--project", ".", ...PRINT])).stdout).toBe("got of-odd\n");
    symlinkSync(ODD, join(home, "link"));
    // The executable can open this folder by its name; Node.js cannot.
    const ended = await runProgram([...sophiaRun, "--project", "link", ...PRINT], { HOME: home }, home);
    if (isStandalone) expect(ended.stdout).toBe("got of-odd\n");
    else expect(ended).toMatchObject({ status: 125, stdout: "" });
  });
});

test("sophia-run ends its search for links if Node.js decodes a link's target to the link's own name", async () => {
  const { home } = await createOddFolder({ "base.json": CONTRACT });
  symlinkSync(ODD, join(home, DECODED));
  writeFileSync(join(home, FILE), JSON.stringify({ extends: `${DECODED}/base.json` }));
  const ended = await runProgram([...sophiaRun, ...PRINT], { HOME: home, KEY: "own" }, home);
  expect(ended).toMatchObject({ status: 0, stdout: "got own\n" });
});
