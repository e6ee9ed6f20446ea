import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import type { EnvFile } from "../sources/dotenv/index.ts";
import { OPTIONS, variableOf, type OptionName, type SharedOption, type Values } from "./options.ts";
import { printable } from "../core/text.ts";

/** How sophia-run behaves, after command line, variables and defaults are weighed. */
export type Settings = Readonly<ReturnType<typeof settle>>;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CACHE_AGE_MS = 86_400_000;
const EMPTY_HINT = "give it a value or leave it out";
/** setTimeout overflows beyond 2^31 - 1 ms. */
const LONGEST_MS = 2_147_483_647;

/**
 * The command line wins over the `SOPHIA_…` variables, they over the defaults. An empty variable counts as unset.
 * @throws SophiaError (settings, 125) that names the option or variable with a bad value
 */
export function settle(flags: Values, environment: Environment) {
  const find = (name: OptionName): Given | undefined => {
    const flag = flags[name];
    if (flag !== undefined) return { value: flag, label: `--${name}` };
    const variable = variableOf(name);
    const text = environment.get(variable);
    return text === undefined || text === "" ? undefined : { value: text, label: variable };
  };
  const isOn = (name: OptionName): boolean => truth(find(name));
  const text = (name: OptionName): string | undefined => textOf(find(name));
  const list = (name: OptionName): readonly string[] | undefined => listOf(find(name), OPTIONS[name]);
  const choice = <const Choice extends string>(name: OptionName, choices: readonly Choice[]): Choice | undefined =>
    choiceOf(find(name), choices);
  const durationMs = (name: OptionName): number | undefined => {
    const given = find(name);
    return given === undefined ? undefined : parseDuration(textOf(given) ?? "", given.label);
  };
  // Named as the option that Node.js takes for itself. To pass over what somebody set on purpose would start the
  // program with other values.
  if ((environment.get("SOPHIA_ENV_FILE") ?? "") !== "") {
    throw new SophiaError({ code: "settings", message: "SOPHIA_ENV_FILE is now SOPHIA_DOTENV" });
  }
  return {
    envFiles: envFilesOf(list("dotenv")),
    prefer: choice("prefer", OPTIONS.prefer.choices) ?? "environment",
    requireEsc: isOn("require-esc"),
    timeoutMs: durationMs("timeout") ?? DEFAULT_TIMEOUT_MS,
    /** Else the service's default. */
    sessionMs: wholeSeconds(find("session"), durationMs("session")),
    insecureHttp: isOn("insecure-http"),
    /** Values of ESC are kept; so they are with one of the next two. */
    cache: isOn("cache"),
    offline: isOn("offline"),
    /** Up to which age what is kept serves without asking, and at all. */
    cacheFreshMs: durationMs("cache-fresh"),
    cacheMaxAgeMs: durationMs("cache-max-age") ?? DEFAULT_CACHE_AGE_MS,
    fake: isOn("fake"),
    contractFile: text("contract"),
    profile: text("profile"),
    scope: text("scope"),
    enforceContract: !isOn("no-contract"),
    keepEsc: isOn("keep-esc"),
    allow: list("allow") ?? [],
    onlyDeclared: isOn("only-declared"),
    pristine: isOn("pristine"),
    include: list("include") ?? [],
    exclude: list("exclude") ?? [],
    mode: choice("mode", OPTIONS.mode.choices) ?? "auto",
    killAfterMs: durationMs("kill-after"),
    dieWithLauncher: isOn("die-with-launcher"),
    restoreNofile: isOn("restore-nofile"),
    watch: isOn("watch"),
    watchEveryMs: durationMs("watch-every"),
    watchSignal: choice("watch-signal", OPTIONS["watch-signal"].choices) ?? "SIGTERM",
    watchGraceMs: durationMs("watch-grace"),
    auditLog: text("audit-log"),
    reason: text("reason"),
    redact: choice("redact", OPTIONS.redact.choices) ?? "auto",
    quiet: isOn("quiet"),
    verbose: isOn("verbose"),
  };
}

/** In the order given; the default one may be missing. */
function envFilesOf(named: readonly string[] | undefined): readonly EnvFile[] {
  return named?.map((path) => ({ path, required: true })) ?? [{ path: ".env", required: false }];
}

/** The source of an option. A variable's value is a string, whatever the type of the option. */
interface Given {
  readonly value: boolean | string | readonly string[];
  /** How the user named it: `--mode` or `SOPHIA_MODE`. */
  readonly label: string;
}

function truth(given: Given | undefined): boolean {
  if (given === undefined || given.value === true) return given !== undefined;
  const word = String(given.value).trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  if (["0", "false", "no", "off"].includes(word)) return false;
  throw invalid(given.label, String(given.value), "allowed: 1, true, yes, on and 0, false, no, off");
}

function textOf(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined;
  if (given.value === "") throw invalid(given.label, "", EMPTY_HINT);
  return String(given.value);
}

function choiceOf<Choice extends string>(given: Given | undefined, choices: readonly Choice[]): Choice | undefined {
  if (given === undefined) return undefined;
  const found = choices.find((choice) => choice === given.value);
  if (found === undefined) throw invalid(given.label, String(given.value), `allowed: ${choices.join(", ")}`);
  return found;
}

function listOf(given: Given | undefined, { commas }: SharedOption): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const { value, label } = given;
  const items = typeof value === "object" ? (commas === true ? value.flatMap(parts) : value) : parts(String(value));
  if (items.length === 0 || items.includes("")) throw invalid(label, "", EMPTY_HINT);
  return items;
}

function parts(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Milliseconds of `30`, `30s`, `500ms`, `2m`, `1h`; a bare number is seconds. @throws SophiaError (settings, 125) */
export function parseDuration(text: string, label: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"] ?? Number.NaN;
  const ms = Math.round(Number(match?.[1]) * unit);
  if (!(ms >= 1 && ms <= LONGEST_MS)) {
    throw invalid(label, text, "write a time from 1ms to 24 days, such as 30s, 500ms or 2m");
  }
  return ms;
}

/** @throws SophiaError (settings, 125) for a fraction of a second, in which nothing that lives so long is read */
function wholeSeconds(given: Given | undefined, ms: number | undefined): number | undefined {
  if (given === undefined || ms === undefined || ms % 1000 === 0) return ms;
  throw invalid(given.label, String(given.value), "write a time in whole seconds, such as 30m or 2h");
}

function invalid(label: string, text: string, hint: string): SophiaError {
  return new SophiaError({
    code: "settings",
    message: `${label} has no usable value: '${printable(text)}'`,
    hint,
  });
}
