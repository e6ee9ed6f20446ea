import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES } from "../../../src/command-line/command-line.ts";
import { OPTION_NAMES } from "../../../src/command-line/options.ts";
import { namesFor } from "../../../src/command-line/takers.ts";
import { COMMANDS } from "../../../src/commands/registry.ts";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";
import { AUTOLOADED, complete, SHELLS } from "./shells.ts";

describe.each(SHELLS)("completion in %s, at a terminal,", (shell) => {
  skipBecause(notInstalled(shell, "-c", "true"));

  test("completes subcommands, options, values, variables, files and the command to launch", async () => {
    const [command, ...prefix] = sophiaRun;
    const script = spawnSync(command, [...prefix, "completion", shell], { encoding: "utf8" }).stdout;
    const expected: Readonly<Record<string, string>> = {
      che: "check",
      "help che": "help check",
      "help brok": "help broker",
      "--requ": "--require-esc",
      "check --js": "check --json",
      "--mode s": "--mode spawn",
      "--mode=sp": "--mode=spawn",
      "explain QDRANT_U": "explain QDRANT_URL",
      "explain QDRANT_URL QDRANT_": "explain QDRANT_URL QDRANT_API_KEY",
      "check --profile p": "check --profile prod",
      "completion z": "completion zsh",
      "--dotenv som": "--dotenv some.env",
      "--contract=som": "--contract=some.env",
      "--quiet -- zqpro": "--quiet -- zqprogram",
      "--mode spawn -q zqpro": "--mode spawn -q zqprogram",
      // Options that these cannot use, and one of another command's.
      "rotate --fak": "rotate --fak",
      "check --mod": "check --mod",
      "--mode spawn zqprogram --mo": "--mode spawn zqprogram --mo",
      // Without the package bash-completion, bash completes files there.
      ...(shell === "bash" ? {} : { "-- zqprogram alph": "-- zqprogram alphabet" }),
    };
    const words = Object.keys(expected).map((one) => `sophia-run ${one}`);
    const { lines } = await complete(shell, script, words);
    const completed = lines.map((line) => line.replace("sophia-run ", ""));
    expect(Object.fromEntries(words.map((one, index) => [one, completed[index]]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([one, line]) => [`sophia-run ${one}`, line])),
    );
  }, 120_000);

  test("lists the candidates for an ambiguous word", async () => {
    const [command, ...prefix] = sophiaRun;
    const script = spawnSync(command, [...prefix, "completion", shell], { encoding: "utf8" }).stdout;
    const shows = shell === "bash" ? "explain" : COMMANDS.export.describe;
    const { screen } = await complete(shell, script, [["sophia-run exp", shows]]);
    expect(stripVTControlCharacters(screen)).toContain("export");
  });
});

describe("zsh, with the script in a folder of fpath", () => {
  skipBecause(notInstalled("zsh", "-c", "true"));

  test("completes each command line, not only the first", async () => {
    const { stdout: script } = await sophia(["completion", "zsh"]);
    const words = ["che", "expl", "completion z", "che"].map((one) => `sophia-run ${one}`);
    const { lines } = await complete("zsh", script, words, AUTOLOADED);
    expect(lines).toEqual(["check", "explain", "completion zsh", "check"].map((one) => `sophia-run ${one}`));
  }, 120_000);
});

describe("the hidden command of a completion script", () => {
  test.each(COMMAND_NAMES)("offers the options of %s, and no others", async (name) => {
    const { stdout } = await sophia(["--get-yargs-completions", "sophia-run", name, "--"]);
    const offered = Array.from(stdout.matchAll(/^--(\S+)\t/gm), ([, option = ""]) => option);
    const commandOptions = Object.keys(COMMANDS[name].options ?? {});
    const shared = namesFor(name).filter((option) => !commandOptions.includes(option));
    expect(offered.toSorted()).toEqual([...shared, ...commandOptions, "help", "version"].toSorted());
    expect(OPTION_NAMES.filter((option) => offered.includes(option) && !commandOptions.includes(option))).toEqual(
      shared,
    );
  });

  test.each([
    [["sophia-run", "node"], 1],
    [["sophia-run", "-q", "--mode", "spawn", "node", "check", ""], 4],
    [["sophia-run", "--", ""], 2],
    [["sophia-run", "-q", "--", "check", "--js"], 3],
  ])("returns the index of the command: %j", async (words, index) => {
    for (const call of [["--get-yargs-completions"], ["--get-yargs-completions", "--"]]) {
      expect((await sophia([...call, ...words])).stdout).toBe(`:command ${index}\n`);
    }
  });

  test("returns descriptions with its candidates", async () => {
    const { stdout } = await sophia(["--get-yargs-completions", "sophia-run", "--mo"]);
    expect(stdout).toMatch(/^--mode\t\w.*exec/);
  });

  test("never calls ESC and ignores an invalid contract", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "sophia.contract.json"), "{");
    const env = { ESC_ENV: "a/b", ESC_TOKEN: "pul-x", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };
    const result = await sophia(["--get-yargs-completions", "sophia-run", "explain", ""], { cwd, env });
    expect(result).toEqual({ status: 0, signal: null, stdout: "", stderr: "" });
  });

  test.each([[["--contract=other.json"]], [["--contract", "other.json"]]])(
    "uses the contract that the command line names: %j",
    async (named) => {
      const cwd = folder({
        "sophia.contract.json": '{"variables":{"FOUND":{}}}',
        "other.json": '{"variables":{"NAMED":{}},"profiles":{"ci":{}},"scopes":{"web":["NAMED"]}}',
      });
      const call = ["--get-yargs-completions", "sophia-run", ...named];
      expect((await sophia([...call, "explain", ""], { cwd })).stdout).toBe("NAMED\tNAMED\n");
      expect((await sophia([...call, "--profile", ""], { cwd })).stdout).toBe("ci\n");
      expect((await sophia([...call, "--scope=w"], { cwd })).stdout).toBe("--scope=web\n");
    },
  );

  test("fails for an unknown shell", async () => {
    const result = await sophia(["completion", "fissh"]);
    expect(result.status).toBe(125);
    expect(result.stderr).toContain("did you mean fish?");
  });
});
