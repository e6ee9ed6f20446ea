/** Decides by name and value whether a variable makes other programs run code; pure. */
import { mayRunCode } from "./code-variables.ts";

export function runsCode(name: string, value: string): boolean {
  if (!mayRunCode(name) || value.trim() === "") return false;
  // The same setting of npm and pnpm ends so, too. Bun's options do not: it splits them into words in another way.
  if (/node[_-]options$/i.test(name)) return optionsLoadCode(nodeWords(value));
  switch (name.toUpperCase()) {
    case "RUBYOPT":
      // `-r` loads a file and `-I` adds a folder for it; warnings and the choice of a compiler are harmless.
      return !value.split(/\s+/).every((word) => word === "" || HARMLESS_IN_RUBY.test(word));
    case "ENV":
      // A shell runs it as a file; many applications use it for the name of their deployment.
      return !DEPLOYMENT.test(value);
    default:
      return true;
  }
}

const HARMLESS_IN_RUBY = /^-(?:[wvd]|W(?:\d|:(?:no-)?\w+)?|-(?:enable|disable)(?:-|=)[\w-]+|-[yz]?jit|U|E[\w:-]+)$/;

const DEPLOYMENT =
  /^(?:dev|develop|development|test|testing|ci|local|demo|sandbox|preview|qa|uat|stage|staging|preprod|live|prod|production)$/i;

/** Options of Node.js that load code, or a file that can name code. */
const LOADING: ReadonlySet<string> = new Set(
  [
    ["-r", "--require", "--import", "--loader", "--experimental-loader", "--snapshot-blob", "--openssl-config"],
    ["--experimental-config-file", "--experimental-default-config-file", "--config-file"],
    ["--env-file", "--env-file-if-exists", "--test-reporter", "--test-global-setup"],
  ].flat(),
);

const INSPECTOR = /^--(?:inspect(?:-brk|-port|-wait|-brk-node)?|debug-port)$/;
const OF_THIS_MACHINE = /^(?:localhost|127(?:\.\d+){1,3}|\[?::1\]?)$/;

/** An inspector runs any code that it receives, so its address matters: other machines must not reach it. */
function optionsLoadCode(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    // Node.js takes `_` for `-` in the names of options.
    const name = (equals === -1 ? word : word.slice(0, equals)).replaceAll("_", "-");
    if (LOADING.has(name)) return true;
    if (!INSPECTOR.test(name)) return false;
    const value = equals === -1 ? (words[index + 1] ?? "") : word.slice(equals + 1);
    return isElsewhere(value.startsWith("-") ? "" : value);
  });
}

function isElsewhere(address: string): boolean {
  const host = address.replace(/:\d+$/, "");
  return !/^\d*$/.test(host) && !OF_THIS_MACHINE.test(host);
}

/** Splits `NODE_OPTIONS` into words as Node.js does: within double quotes a backslash escapes the next character. */
function nodeWords(text: string): readonly string[] {
  const words: string[] = [];
  let isQuoted = false;
  let isNew = true;
  for (let at = 0; at < text.length; at += 1) {
    let character = text.charAt(at);
    if (character === "\\" && isQuoted) {
      at += 1;
      character = text.charAt(at);
    } else if (character === " " && !isQuoted) {
      isNew = true;
      continue;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    words.push(isNew ? character : `${words.pop() ?? ""}${character}`);
    isNew = false;
  }
  return words;
}
