/** Passwords with special characters must be masked in the forms in which real programs write them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMasking } from "../../src/masking/masking.ts";
import { useCompiledSearch } from "./compiled-search.ts";
import { caseCount, SEED } from "../helpers/seed.ts";
import { notInstalled, notNightly } from "../helpers/skip.ts";

const COUNT = caseCount(200, 1000);
const SPECIALS = Array.from("\"'\\/+=&<> $%#;:!?*~`@,()[]{}|^-_.");
const WIDE = ["é", "ß", "€", "😀", "日"];

/** Passwords of 20 characters, of which five are special. Sometimes two equal special characters follow each other. */
const PASSWORDS = makePasswords(false);
const WIDE_PASSWORDS = makePasswords(true);

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
const pythonCommand = (expression: string): readonly string[] => [
  "python3",
  "-c",
  `import sys,json,shlex,html,urllib.parse\nfor s in sys.stdin.read().split("\\n")[:-1]: print("<" + ${expression} + ">")`,
];
const nodeCommand = (expression: string): readonly string[] => [
  process.execPath,
  "-e",
  `for (const s of require("fs").readFileSync(0, "utf8").split("\\n").slice(0, -1)) console.log("<" + (${expression}) + ">")`,
];

const ENCODERS: readonly (readonly [name: string, words: readonly string[]])[] = [
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
  ["repr of Python", pythonCommand("repr(s)")],
  ["ascii of Python", pythonCommand("ascii(s)")],
  ["json of Python", pythonCommand("json.dumps(s)")],
  ["shlex of Python", pythonCommand("shlex.quote(s)")],
  ["html of Python", pythonCommand("html.escape(s)")],
  ["urllib of Python", pythonCommand("urllib.parse.quote(s)")],
  ["urllib of Python, for forms", pythonCommand("urllib.parse.quote_plus(s)")],
  ["JSON.stringify", nodeCommand("JSON.stringify(s)")],
  ["JSON in JSON", nodeCommand("JSON.stringify(JSON.stringify(s))")],
  ["console.log of JavaScript", nodeCommand(`require("util").inspect([s])`)],
  ["the hash of new URL", nodeCommand(`new URL("http://h/#" + s).hash`)],
  ["the query of new URL", nodeCommand(`new URL("http://h/?q=" + s.replaceAll("#", "%23")).search`)],
  ["the password of new URL", nodeCommand(`Object.assign(new URL("http://h/"), { password: s }).href`)],
  ["URLSearchParams", nodeCommand(`new URLSearchParams({ s })`)],
  ...["userinfo", "path", "query", "js", "html", "ascii", "quoted"].map(
    (kind) => [`${kind} of Go`, ["go", kind]] as const,
  ),
];

let goProgram = "";
function resolveCommand([word = "", ...rest]: readonly string[]): readonly string[] {
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
] as const)("passwords of %s are masked in the output of", (_, file, values) => {
  test.for(ENCODERS)("%s", { timeout: 120_000 }, ([name, words], { skip }) => {
    const reason = notInstalled("sh", "-c", `command -v ${words[0] ?? ""}`);
    skip(reason !== undefined, reason);
    // Go compiles its standard library for this program, which takes 22 seconds.
    skip(words[0] === "go" && notNightly !== undefined, notNightly);
    const [program = "", ...args] = resolveCommand(words);
    const output = execFileSync("sh", ["-c", 'exec "$@" <"$0"', join(folder, file), program, ...args], {
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", HOME: folder },
      maxBuffer: 1 << 26,
      encoding: "utf8",
    });
    const lines = output.split("\n").slice(0, -1);
    expect(lines.length).toBe(COUNT);
    const leaks = lines.filter((line, index) => {
      const masker = useCompiledSearch(createMasking([{ name: "PASSWORD", value: values[index] ?? "" }])).stream();
      const out = Buffer.concat([Buffer.from(masker.push(Buffer.from(`${line}\n`))), masker.flush()]).toString();
      return !/^[^*]{0,40}\*\*\*[^*]{0,8}\n$/.test(out);
    });
    expect(leaks.length, `${name}: ${leaks.slice(0, 3).join(" ")}`).toBe(0);
  });
});

function makePasswords(isWide: boolean): readonly string[] {
  let state = SEED;
  const choose = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const letters = Array.from("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789");
  return Array.from({ length: COUNT }, () => {
    const characters = Array.from({ length: 20 }, () => letters[choose(letters.length)] ?? "");
    for (let special = 0; special < 5; special++) {
      // Both ends are letters, because special characters there could be white space or quotes around the word.
      const index = 1 + choose(18);
      characters[index] = SPECIALS[choose(SPECIALS.length)] ?? "";
      if (choose(4) === 0 && index < 18) characters[index + 1] = characters[index];
    }
    if (isWide) characters[1 + choose(18)] = WIDE[choose(WIDE.length)] ?? "";
    return characters.join("");
  });
}
