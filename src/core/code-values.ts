/** Values of variables that can make other programs run code; pure. */
import { mayRunCode } from "./code-variables.ts";

export function runsCode(name: string, value: string): boolean {
  if (!mayRunCode(name) || value.trim() === "") return false;
  switch (name.toUpperCase()) {
    case "NODE_OPTIONS":
    case "BUN_OPTIONS":
    case "NPM_CONFIG_NODE_OPTIONS":
      return optionsLoadCode(nodeWords(value));
    case "RUBYOPT":
      // Warnings and the compiler are what honest files choose; `-r` loads a file, `-I` says where it is.
      return !value.split(/\s+/).every((word) => word === "" || HARMLESS_IN_RUBY.test(word));
    case "ENV":
      // A shell takes it for a file to run, many applications for the name of their surroundings.
      return !SURROUNDINGS.test(value);
    default:
      return true;
  }
}

const HARMLESS_IN_RUBY = /^-(?:[wvd]|W(?:\d|:(?:no-)?\w+)?|-(?:enable|disable)(?:-|=)[\w-]+|-[yz]?jit|U|E[\w:-]+)$/;

const SURROUNDINGS =
  /^(?:dev|develop|development|test|testing|ci|local|demo|sandbox|preview|qa|uat|stage|staging|preprod|live|prod|production)$/i;

/** Options of Node.js and Bun that load a file, or name one that does. A space or `=` may stand before the value. */
const LOADING: ReadonlySet<string> = new Set(
  [
    ["-r", "--require", "--import", "--loader", "--experimental-loader", "--snapshot-blob", "--openssl-config"],
    ["--experimental-config-file", "--experimental-default-config-file", "--config-file"],
    ["--env-file", "--env-file-if-exists", "--test-reporter", "--test-global-setup"],
    ["-e", "--eval", "-p", "--print", "--preload", "-c", "--config"],
  ].flat(),
);

const INSPECTOR = /^--(?:inspect(?:-brk|-port|-wait|-brk-node)?|debug-port)$/;
const OF_THIS_MACHINE = /^(?:localhost|127(?:\.\d+){1,3}|\[?::1\]?)$/;

/** An inspector runs what it is sent: it counts where other machines reach it. */
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

/** Returns true for the address of an inspector (`9229`, `host`, `host:9229`) on another machine. */
function isElsewhere(address: string): boolean {
  const host = address.replace(/:\d+$/, "");
  return !/^\d*$/.test(host) && !OF_THIS_MACHINE.test(host);
}

/** The words of `NODE_OPTIONS`: within double quotes a backslash stands for the character after it. */
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
