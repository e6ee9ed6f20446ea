/** Passwords with special characters, as real programs write them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maskingOf } from "../../src/masking/masking.ts";
import { withAddon } from "./compiled.ts";
import { cases, SEED } from "../helpers/seed.ts";
import { notInstalled, notNightly } from "../helpers/skip.ts";

const COUNT = cases(200, 1000);
const SPECIALS = Array.from("\"'\\/+=&<> $%#;:!?*~`@,()[]{}|^-_.");
const WIDE = ["é", "ß", "€", "😀", "日"];

/** Passwords of 20 characters, five of them special, sometimes two equal ones in a row. */
const PASSWORDS = passwords(false);
const WIDE_PASSWORDS = passwords(true);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sophia-run-tools-"));
  writeFileSync(join(folder, "passwords"), `${PASSWORDS.join("\n")}\n`);
  writeFileSync(join(folder, "wide"), `${WIDE_PASSWORDS.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const GO = `package main
import ("bufio"; "fmt"; "html/template"; "net/url"; "os"; "strconv")
func main() {
  scanner := bufio.NewScanner(os.Stdin)
  for scanner.Scan() {
    s := scanner.Text()
    switch os.Args[1] {
    case "userinfo": fmt.Println("<" + url.UserPassword("user", s).String() + ">")
    case "path": fmt.Println("<" + (&url.URL{Path: "/a/" + s}).String() + ">")
    case "query": fmt.Println("<" + url.QueryEscape(s) + ">")
    case "js": fmt.Println("<" + template.JSEscapeString(s) + ">")
    case "html": fmt.Println("<" + template.HTMLEscapeString(s) + ">")
    case "ascii": fmt.Println("<" + strconv.QuoteToASCII(s) + ">")
    case "quoted": fmt.Printf("<%q>\\n", s)
    }
  }
}`;

const shellLoop = (print: string): string => `while IFS= read -r s; do ${print}; done`;
const python = (expression: string): readonly string[] => [
  "python3",
  "-c",
  `import sys,json,shlex,html,urllib.parse\nfor s in sys.stdin.read().split("\\n")[:-1]: print("<" + ${expression} + ">")`,
];
const node = (expression: string): readonly string[] => [
  process.execPath,
  "-e",
  `for (const s of require("fs").readFileSync(0, "utf8").split("\\n").slice(0, -1)) console.log("<" + (${expression}) + ">")`,
];

const ROWS: readonly (readonly [name: string, words: readonly string[]])[] = [
  ["printf %q of bash", ["bash", "-c", shellLoop(`printf '<%q>\\n' "$s"`)]],
  ["${s@Q} of bash", ["bash", "-c", shellLoop(`printf '<%s>\\n' "\${s@Q}"`)]],
  ["declare -p of bash", ["bash", "-c", shellLoop(`declare -p s`)]],
  ["set of dash", ["dash", "-c", shellLoop(`set | grep '^s='`)]],
  ...["q", "qq", "qqq", "qqqq", "q-", "q+"].map(
    (flag) => [`\${(${flag})s} of zsh`, ["zsh", "-f", "-c", shellLoop(`print -r -- "<\${(${flag})s}>"`)]] as const,
  ),
  ["typeset of zsh", ["zsh", "-f", "-c", shellLoop(`typeset -p s`)]],
  ["string escape of fish", ["fish", "--no-config", "-c", `while read -l s; echo "<"(string escape -- $s)">"; end`]],
  [
    "string escape -n of fish",
    ["fish", "--no-config", "-c", `while read -l s; echo "<"(string escape -n -- $s)">"; end`],
  ],
  [
    "string escape --style=url of fish",
    ["fish", "--no-config", "-c", `while read -l s; echo "<"(string escape --style=url -- $s)">"; end`],
  ],
  ["repr of Python", python("repr(s)")],
  ["ascii of Python", python("ascii(s)")],
  ["json of Python", python("json.dumps(s)")],
  ["shlex of Python", python("shlex.quote(s)")],
  ["html of Python", python("html.escape(s)")],
  ["urllib of Python", python("urllib.parse.quote(s)")],
  ["urllib of Python, for forms", python("urllib.parse.quote_plus(s)")],
  ["JSON.stringify", node("JSON.stringify(s)")],
  ["JSON in JSON", node("JSON.stringify(JSON.stringify(s))")],
  ["console.log of JavaScript", node(`require("util").inspect([s])`)],
  ["the hash of new URL", node(`new URL("http://h/#" + s).hash`)],
  ["the query of new URL", node(`new URL("http://h/?q=" + s.replaceAll("#", "%23")).search`)],
  ["the password of new URL", node(`Object.assign(new URL("http://h/"), { password: s }).href`)],
  ["URLSearchParams", node(`new URLSearchParams({ s })`)],
  ...["userinfo", "path", "query", "js", "html", "ascii", "quoted"].map(
    (kind) => [`${kind} of Go`, ["go", kind]] as const,
  ),
];

let goProgram = "";
function command([word = "", ...rest]: readonly string[]): readonly string[] {
  if (word !== "go") return [word, ...rest];
  if (goProgram === "") {
    writeFileSync(join(folder, "main.go"), GO);
    goProgram = join(folder, "encode");
    execFileSync("go", ["build", "-o", goProgram, "main.go"], {
      cwd: folder,
      env: { ...process.env, GO111MODULE: "off", GOCACHE: join(folder, "cache"), GOFLAGS: "" },
    });
  }
  return [goProgram, ...rest];
}

describe.each([
  ["ASCII", "passwords", PASSWORDS],
  ["any characters", "wide", WIDE_PASSWORDS],
] as const)("passwords of %s", (_, file, values) => {
  test.for(ROWS)("%s", { timeout: 120_000 }, ([name, words], { skip }) => {
    const reason = notInstalled("sh", "-c", `command -v ${words[0] ?? ""}`);
    skip(reason !== undefined, reason);
    // Go compiles its own library for this, in 22 seconds.
    skip(words[0] === "go" && notNightly !== undefined, notNightly);
    const [program = "", ...args] = command(words);
    const output = execFileSync("sh", ["-c", 'exec "$@" <"$0"', join(folder, file), program, ...args], {
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", HOME: folder },
      maxBuffer: 1 << 26,
      encoding: "utf8",
    });
    const lines = output.split("\n").slice(0, -1);
    expect(lines.length).toBe(COUNT);
    const leaks = lines.filter((line, index) => {
      const masker = withAddon(maskingOf([{ name: "PASSWORD", value: values[index] ?? "" }])).stream();
      const out = Buffer.concat([Buffer.from(masker.push(Buffer.from(`${line}\n`))), masker.flush()]).toString();
      return !/^[^*]{0,40}\*\*\*[^*]{0,8}\n$/.test(out);
    });
    expect(leaks.length, `${name}: ${leaks.slice(0, 3).join(" ")}`).toBe(0);
  });
});

function passwords(isWide: boolean): readonly string[] {
  let state = SEED;
  const choose = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const letters = Array.from("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789");
  return Array.from({ length: COUNT }, () => {
    const characters = Array.from({ length: 20 }, () => letters[choose(letters.length)] ?? "");
    for (let special = 0; special < 5; special++) {
      // Letters at both ends, so that they are not taken for white space or quotes around the word.
      const at = 1 + choose(18);
      characters[at] = SPECIALS[choose(SPECIALS.length)] ?? "";
      if (choose(4) === 0 && at < 18) characters[at + 1] = characters[at];
    }
    if (isWide) characters[1 + choose(18)] = WIDE[choose(WIDE.length)] ?? "";
    return characters.join("");
  });
}
