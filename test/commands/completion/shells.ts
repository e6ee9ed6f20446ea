/** Real shells at a terminal, at which keys are typed as a user does. */
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, sophiaRun } from "../../helpers/sophia.ts";
import { startAtTerminal, type Step } from "../../helpers/terminal.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const PROMPT = "READY> ";
const TAB = "\t";
/** Ctrl-A and Ctrl-E go to the ends of the line; what is printed stands nowhere in what is typed. */
const PRINT_LINE = "\u0001echo LI''NE=\u0005\r";

const CONTRACT = JSON.stringify({
  variables: { QDRANT_URL: {}, QDRANT_API_KEY: {}, OTHER: {} },
  profiles: { dev: {}, prod: {} },
});

/** What each shell reads when it begins: a prompt, the script, and a completion of the program's own. */
const SETTINGS: Readonly<Record<Shell, readonly string[]>> = {
  bash: [
    `PS1='${PROMPT}'`,
    "bind 'set enable-bracketed-paste off'",
    "source ./script",
    "complete -W alphabet zqprogram",
  ],
  zsh: [
    `PS1='${PROMPT}'; unsetopt PROMPT_CR PROMPT_SP; bindkey -e`,
    "autoload -Uz compinit; compinit -D -u",
    "source ./script",
    "_zq() { compadd alphabet }; compdef _zq zqprogram",
  ],
  fish: [
    `function fish_prompt; echo -n '${PROMPT}'; end`,
    "function fish_greeting; end",
    "set -g fish_autosuggestion_enabled 0",
    "source ./script",
    "complete -c zqprogram -f -a alphabet",
  ],
};

/** For zsh: the script is a file in a folder of fpath, which the shell loads at its first use. */
export const AUTOLOADED = ["mv script _sophia-run; fpath=($PWD $fpath)", ...SETTINGS.zsh].filter(
  (line) => line !== "source ./script",
);

const STARTS: Readonly<Record<Shell, readonly [string, ...string[]]>> = {
  bash: ["bash", "--noprofile", "--rcfile", "settings", "-i"],
  zsh: ["zsh", "-d", "-i"],
  fish: ["fish", "--interactive", "--init-command", "source ./settings"],
};

/** Where a shell finds its settings. */
const PLACES: Readonly<Record<Shell, string>> = { bash: "settings", zsh: ".zshrc", fish: "settings" };

export interface Typed {
  /** The command lines after their completion, word for word. */
  readonly lines: readonly string[];
  /** All that the terminal has shown. */
  readonly screen: string;
}

/** Types words and the Tab key in a shell, one command line after the other; what they say stands on the screen first. */
export async function complete(
  shell: Shell,
  script: string,
  typed: readonly (string | readonly [words: string, shows: string])[],
  settings: readonly string[] = SETTINGS[shell],
): Promise<Typed> {
  const home = folder({ "sophia.contract.json": CONTRACT, "some.env": "", zqprogram: "#!/bin/sh\n", script });
  chmodSync(join(home, "zqprogram"), 0o755);
  symlinkSync(sophiaRun.at(-1) ?? "", join(home, "sophia-run"));
  writeFileSync(join(home, PLACES[shell]), `${settings.join("\n")}\n`);
  const env = {
    PATH: `${home}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    ZDOTDIR: home,
    TERM: "xterm",
    LC_ALL: "C.UTF-8",
  };
  const steps = typed.flatMap((one): readonly Step[] => [
    ...(typeof one === "string"
      ? [[PROMPT, `${one}${TAB}${PRINT_LINE}`] as const]
      : [[PROMPT, one[0] + TAB + TAB] as const, [one[1], PRINT_LINE] as const]),
    ["LINE=", ""],
  ]);
  const { stdout } = await startAtTerminal(STARTS[shell], { cwd: home, env }, [...steps, [PROMPT, "exit\r"]], 80)
    .finished;
  // A shell may show nothing of keys that it reads all at once: then the line stands behind the prompt.
  return { lines: Array.from(stdout.matchAll(/LINE=(.*?) *\r*$/gm), ([, line = ""]) => line), screen: stdout };
}
