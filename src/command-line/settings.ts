/**
 * Turns the options of the command line, and the variables `SOPHIA_…` that stand for options, into the settings of a start. Each command
 * that reads sources calls `resolveSettings` first.
 */
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import type { EnvFile } from "../sources/dotenv/index.ts";
import { OPTIONS, REFUSED_VARIABLE, variableOf, type OptionName, type Values } from "./options.ts";
import { printable } from "../core/text.ts";

export type Settings = Readonly<ReturnType<typeof resolveSettings>>;

/** The default of `--timeout`. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** The default of `--cache-max-age`: one day. */
const DEFAULT_CACHE_AGE_MS = 86_400_000;
const EMPTY_HINT = "set a value, or leave it out";
/** The longest time that setTimeout can wait: its number of milliseconds overflows beyond 2^31 - 1. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Resolves all options. The command line wins over the variables `SOPHIA_…`, and those over the defaults. A variable that is
 * empty is unset.
 *
 * @param flags the options of the command line
 * @throws SophiaError (settings, 125) that names the option or variable with an invalid value
 */
export function resolveSettings(flags: Values, environment: Environment) {
  const read = <T>(name: OptionName, convert: (option: SetOption) => T): T | undefined => {
    const flag = flags[name];
    if (flag !== undefined) return convert({ value: flag, label: `--${name}` });
    const variable = variableOf(name);
    const text = environment.get(variable);
    return text === undefined || text === "" ? undefined : convert({ value: text, label: variable });
  };
  const isOn = (name: OptionName): boolean => read(name, toBoolean) ?? false;
  const text = (name: OptionName): string | undefined => read(name, toText);
  const list = (name: OptionName): readonly string[] => read(name, toList) ?? [];
  const choice = <const Choice extends string>(name: OptionName, choices: readonly Choice[]): Choice | undefined =>
    read(name, (option) => toChoice(option, choices));
  const durationMs = (name: OptionName, minMs?: 1 | 1000): number | undefined =>
    read(name, (option) => parseDuration(toText(option), option.label, minMs));
  if ((environment.get(REFUSED_VARIABLE) ?? "") !== "") {
    throw new SophiaError({ code: "settings", message: `${REFUSED_VARIABLE} is not read: use SOPHIA_DOTENV` });
  }
  return {
    envFiles: envFilesOf(list("dotenv")),
    override: !isOn("no-override"),
    /** Each item may name several folders with `:` between them, as in `PATH`. */
    secretsDirs: list("secrets-dir"),
    prefer: choice("prefer", OPTIONS.prefer.choices) ?? "environment",
    requireEsc: isOn("require-esc"),
    timeoutMs: durationMs("timeout") ?? DEFAULT_TIMEOUT_MS,
    /** If undefined, the service has a default. */
    sessionMs: read("session", toWholeSeconds),
    insecureHttp: isOn("insecure-http"),
    /** Implied by `offline` and `cacheFreshMs`. */
    cache: isOn("cache"),
    offline: isOn("offline"),
    /** The maximum age of a cache that is used without contacting ESC, and the maximum age of one that is used at all. */
    cacheFreshMs: durationMs("cache-fresh"),
    cacheMaxAgeMs: durationMs("cache-max-age") ?? DEFAULT_CACHE_AGE_MS,
    /**
     * `secrets`: dummies replace all secrets. `missing`: dummies fill only what no source sets. If undefined, there are
     * none.
     */
    fake: read("fake", toFake),
    contractFile: text("contract"),
    profile: text("profile"),
    scope: text("scope"),
    enforceContract: !isOn("no-contract"),
    keepEsc: isOn("keep-esc"),
    allow: list("allow"),
    onlyDeclared: isOn("only-declared"),
    pristine: isOn("pristine"),
    include: list("include"),
    exclude: list("exclude"),
    mode: choice("mode", OPTIONS.mode.choices) ?? "auto",
    killAfterMs: durationMs("kill-after"),
    dieWithLauncher: isOn("die-with-launcher"),
    restoreNofile: isOn("restore-nofile"),
    watch: isOn("watch"),
    watchEveryMs: durationMs("watch-every", 1000),
    watchSignal: choice("watch-signal", OPTIONS["watch-signal"].choices) ?? "SIGTERM",
    watchGraceMs: durationMs("watch-grace"),
    broker: isOn("broker"),
    brokerTo: list("broker-to"),
    brokerExcept: list("broker-except"),
    brokerListen: text("broker-listen"),
    brokerName: text("broker-name"),
    /** If undefined, the contract decides. `refresh` includes AWS, unless `awsRefresh` is false. */
    refresh: read("refresh", toBoolean),
    /** If undefined, the contract decides. */
    awsRefresh: read("aws-refresh", toBoolean),
    auditLog: text("audit-log"),
    reason: text("reason"),
    redact: choice("redact", OPTIONS.redact.choices) ?? "auto",
    quiet: isOn("quiet"),
    verbose: isOn("verbose"),
  };
}

/** Returns the files that the user names, which must exist; otherwise the default file, which need not exist. */
function envFilesOf(userNamedFiles: readonly string[]): readonly EnvFile[] {
  if (userNamedFiles.length === 0) return [{ path: ".env", required: false }];
  return userNamedFiles.map((path) => ({ path, required: true }));
}

/** An option that the user set. */
interface SetOption {
  /** The value of a variable is a string. */
  readonly value: boolean | string | readonly string[];
  /** The option or the variable, for messages: `--timeout` or `SOPHIA_TIMEOUT`. */
  readonly label: string;
}

const YES: readonly string[] = ["1", "true", "yes", "on"];
const NO: readonly string[] = ["0", "false", "no", "off"];

function toBoolean({ value, label }: SetOption): boolean {
  const word = String(value).trim().toLowerCase();
  if (YES.includes(word)) return true;
  if (NO.includes(word)) return false;
  throw invalid(label, String(value), "allowed: 1, true, yes, on and 0, false, no, off");
}

function toFake(option: SetOption): (typeof OPTIONS.fake.choices)[number] | undefined {
  const word = String(option.value).trim().toLowerCase();
  const choice = OPTIONS.fake.choices.find((name) => name === word);
  if (choice !== undefined) return choice;
  if (YES.includes(word)) return "secrets";
  if (NO.includes(word)) return undefined;
  throw invalid(
    option.label,
    String(option.value),
    `allowed: ${[...OPTIONS.fake.choices, ...YES].join(", ")} and ${NO.join(", ")}`,
  );
}

function toText({ value, label }: SetOption): string {
  if (value === "") throw invalid(label, "", EMPTY_HINT);
  return String(value);
}

function toChoice<Choice extends string>({ value, label }: SetOption, choices: readonly Choice[]): Choice {
  const choice = choices.find((name) => name === value);
  if (choice === undefined) throw invalid(label, String(value), `allowed: ${choices.join(", ")}`);
  return choice;
}

function toList({ value, label }: SetOption): readonly string[] {
  const items = [value].flat().flatMap(splitAtCommas);
  if (items.length === 0) throw invalid(label, "", EMPTY_HINT);
  return items;
}

/** Splits a text at commas. The user writes `\,` for a comma within a part, such as in the name of a file. */
function splitAtCommas(text: boolean | string): readonly string[] {
  return String(text)
    .split(/(?<!\\),/)
    .map((part) => part.trim().replaceAll("\\,", ","))
    .filter((part) => part !== "");
}

/** Parses a time: `30` (seconds), `30s`, `500ms`, `2m`, `1h`. @returns milliseconds @throws SophiaError (settings, 125) */
export function parseDuration(text: string, label: string, minMs: 1 | 1000 = 1): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"] ?? Number.NaN;
  // NaN, for a text of another form, is not within the limits either.
  const ms = Math.round(Number(match?.[1]) * unit);
  if (!(ms >= minMs && ms <= LONGEST_TIMER_MS)) {
    throw invalid(label, text, `allowed: a time from ${minMs === 1 ? "1ms" : "1s"} to 24 days, such as 30s or 2m`);
  }
  return ms;
}

function toWholeSeconds(option: SetOption): number {
  const ms = parseDuration(toText(option), option.label);
  if (ms % 1000 === 0) return ms;
  throw invalid(option.label, String(option.value), "allowed: a time in whole seconds, such as 30m or 2h");
}

function invalid(label: string, text: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message: `${label} has an invalid value: '${printable(text)}'`, hint });
}
