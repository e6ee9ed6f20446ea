import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import type { EnvFile } from "../sources/dotenv/index.ts";
import { OPTIONS, REFUSED_VARIABLE, variableOf, type OptionName, type Values } from "./options.ts";
import { printable } from "../core/text.ts";

export type Settings = Readonly<ReturnType<typeof resolveSettings>>;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_CACHE_AGE_MS = 86_400_000;
const EMPTY_HINT = "set a value, or leave it out";
/** setTimeout overflows beyond 2^31 - 1 ms. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Resolves all options, in the order command line, `SOPHIA_…` variables, defaults. An empty variable is unset.
 * @throws SophiaError (settings, 125) that names the option or variable with an invalid value
 */
export function resolveSettings(flags: Values, environment: Environment) {
  const read = <T>(name: OptionName, convert: (given: GivenOption) => T): T | undefined => {
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
    read(name, (given) => toChoice(given, choices));
  const durationMs = (name: OptionName, leastMs?: 1 | 1000): number | undefined =>
    read(name, (given) => parseDuration(toText(given), given.label, leastMs));
  if ((environment.get(REFUSED_VARIABLE) ?? "") !== "") {
    throw new SophiaError({ code: "settings", message: `${REFUSED_VARIABLE} is not read: use SOPHIA_DOTENV` });
  }
  return {
    envFiles: envFilesOf(list("dotenv")),
    override: !isOn("no-override"),
    /** Each may be several, as in `PATH`. */
    secretsDirs: list("secrets-dir"),
    prefer: choice("prefer", OPTIONS.prefer.choices) ?? "environment",
    requireEsc: isOn("require-esc"),
    timeoutMs: durationMs("timeout") ?? DEFAULT_TIMEOUT_MS,
    /** The service has a default. */
    sessionMs: read("session", toWholeSeconds),
    insecureHttp: isOn("insecure-http"),
    /** Implied by `offline` and `cacheFreshMs`. */
    cache: isOn("cache"),
    offline: isOn("offline"),
    /** The greatest age of a cache that is used without contacting ESC, and of one that is used at all. */
    cacheFreshMs: durationMs("cache-fresh"),
    cacheMaxAgeMs: durationMs("cache-max-age") ?? DEFAULT_CACHE_AGE_MS,
    /** `secrets`: dummies in place of all secrets; `missing`: only of what no source sets. Undefined: none. */
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
    /** Undefined: as the contract says. `refresh` includes AWS, unless `awsRefresh` is false. */
    refresh: read("refresh", toBoolean),
    awsRefresh: read("aws-refresh", toBoolean),
    auditLog: text("audit-log"),
    reason: text("reason"),
    redact: choice("redact", OPTIONS.redact.choices) ?? "auto",
    quiet: isOn("quiet"),
    verbose: isOn("verbose"),
  };
}

function envFilesOf(named: readonly string[]): readonly EnvFile[] {
  return named.length > 0 ? named.map((path) => ({ path, required: true })) : [{ path: ".env", required: false }];
}

/** An option as the user set it. A variable always has a string. */
interface GivenOption {
  readonly value: boolean | string | readonly string[];
  readonly label: string;
}

const YES: readonly string[] = ["1", "true", "yes", "on"];
const NO: readonly string[] = ["0", "false", "no", "off"];

function toBoolean({ value, label }: GivenOption): boolean {
  const word = String(value).trim().toLowerCase();
  if (YES.includes(word)) return true;
  if (NO.includes(word)) return false;
  throw invalid(label, String(value), "allowed: 1, true, yes, on and 0, false, no, off");
}

function toFake(given: GivenOption): (typeof OPTIONS.fake.choices)[number] | undefined {
  const word = String(given.value).trim().toLowerCase();
  const found = OPTIONS.fake.choices.find((choice) => choice === word);
  if (found !== undefined) return found;
  if (YES.includes(word)) return "secrets";
  if (NO.includes(word)) return undefined;
  throw invalid(
    given.label,
    String(given.value),
    `allowed: ${[...OPTIONS.fake.choices, ...YES].join(", ")} and ${NO.join(", ")}`,
  );
}

function toText({ value, label }: GivenOption): string {
  if (value === "") throw invalid(label, "", EMPTY_HINT);
  return String(value);
}

function toChoice<Choice extends string>({ value, label }: GivenOption, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw invalid(label, String(value), `allowed: ${choices.join(", ")}`);
  return found;
}

function toList({ value, label }: GivenOption): readonly string[] {
  const items = [value].flat().flatMap(parts);
  if (items.length === 0) throw invalid(label, "", EMPTY_HINT);
  return items;
}

/** Returns the parts between commas; `\,` is a comma in a part, such as the name of a file. */
function parts(text: boolean | string): readonly string[] {
  return String(text)
    .split(/(?<!\\),/)
    .map((part) => part.trim().replaceAll("\\,", ","))
    .filter((part) => part !== "");
}

/** Returns the milliseconds of `30`, `30s`, `500ms`, `2m` or `1h`. @throws SophiaError (settings, 125) */
export function parseDuration(text: string, label: string, leastMs: 1 | 1000 = 1): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"] ?? Number.NaN;
  const ms = Math.round(Number(match?.[1]) * unit);
  if (!(ms >= leastMs && ms <= LONGEST_TIMER_MS)) {
    throw invalid(label, text, `allowed: a time from ${leastMs === 1 ? "1ms" : "1s"} to 24 days, such as 30s or 2m`);
  }
  return ms;
}

function toWholeSeconds(given: GivenOption): number {
  const ms = parseDuration(toText(given), given.label);
  if (ms % 1000 === 0) return ms;
  throw invalid(given.label, String(given.value), "allowed: a time in whole seconds, such as 30m or 2h");
}

function invalid(label: string, text: string, hint: string): SophiaError {
  return new SophiaError({ code: "settings", message: `${label} has an invalid value: '${printable(text)}'`, hint });
}
