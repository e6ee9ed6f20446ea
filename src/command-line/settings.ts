import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import type { EnvFile } from "../sources/dotenv/index.ts";
import { definition, OPTION_NAMES, type Flags, type OptionName, type OptionValues } from "./options.ts";
import { printable } from "../core/text.ts";

/** How sophia-run is to behave, after command line, variables and defaults are weighed. */
export interface Settings {
  /** The `.env` files, in the order given; the default one may be missing. */
  readonly envFiles: readonly EnvFile[];
  readonly prefer: "environment" | "esc";
  readonly requireEsc: boolean;
  readonly timeoutMs: number;
  readonly insecureHttp: boolean;
  readonly fake: boolean;
  readonly contractFile: string | undefined;
  readonly profile: string | undefined;
  /** Whether an unmet contract stops the launch. */
  readonly enforceContract: boolean;
  readonly keepEsc: boolean;
  readonly onlyDeclared: boolean;
  readonly pristine: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly mode: "auto" | "spawn" | "exec";
  readonly killAfterMs: number | undefined;
  readonly dieWithLauncher: boolean;
  readonly restoreNofile: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** setTimeout overflows beyond 2^31 - 1 ms. */
const LONGEST_MS = 2_147_483_647;

/**
 * Settles every option: the command line wins over the `SOPHIA_…` variables, they over the defaults. An empty
 * variable counts as unset.
 *
 * @throws SophiaError (settings, 125) that names the option or variable with a bad value
 */
export function settle(flags: Flags, environment: Environment): Settings {
  const { values, labels } = merge(flags, environment);
  const duration = (name: OptionName & ("timeout" | "kill-after")): number | undefined => {
    const text = values[name];
    return text === undefined ? undefined : parseDuration(text, labels.get(name) ?? name);
  };
  return {
    envFiles: values["env-file"]?.map((path) => ({
      path,
      required: true,
      ...(flags["env-file"] === undefined ? {} : { onCommandLine: true }),
    })) ?? [{ path: ".env", required: false }],
    prefer: values.prefer ?? "environment",
    requireEsc: values["require-esc"] ?? false,
    timeoutMs: duration("timeout") ?? DEFAULT_TIMEOUT_MS,
    insecureHttp: values["insecure-http"] ?? false,
    fake: values.fake ?? false,
    contractFile: values.contract,
    profile: values.profile,
    enforceContract: !(values["no-contract"] ?? false),
    keepEsc: values["keep-esc"] ?? false,
    onlyDeclared: values["only-declared"] ?? false,
    pristine: values.pristine ?? false,
    include: values.include ?? [],
    exclude: values.exclude ?? [],
    mode: values.mode ?? "auto",
    killAfterMs: duration("kill-after"),
    dieWithLauncher: values["die-with-launcher"] ?? false,
    restoreNofile: values["restore-nofile"] ?? false,
    quiet: values.quiet ?? false,
    verbose: values.verbose ?? false,
  };
}

/** The raw values of all options that are set, and how the user named each (`--mode` or `SOPHIA_MODE`). */
function merge(flags: Flags, environment: Environment): { values: OptionValues; labels: Map<OptionName, string> } {
  const values: Record<string, boolean | string | readonly string[]> = {};
  const labels = new Map<OptionName, string>();
  // Few options are set, and V8 would begin to compile a loop this long over all of them.
  const mentioned = OPTION_NAMES.filter(
    (name) => flags[name] !== undefined || environment.has(definition(name).variable),
  );
  for (const name of mentioned) {
    const { variable } = definition(name);
    const flag = flags[name];
    const text = environment.get(variable);
    if (flag !== undefined) {
      labels.set(name, `--${name}`);
      values[name] = checked(name, fromFlag(name, flag), `--${name}`);
    } else if (text !== undefined && text !== "") {
      labels.set(name, variable);
      values[name] = checked(name, fromText(name, text, variable), variable);
    }
  }
  // Each value was checked against its definition just now.
  return { values, labels };
}

function fromFlag(name: OptionName, flag: boolean | string | readonly string[]): boolean | string | readonly string[] {
  return definition(name).commas === true && typeof flag === "object" ? flag.flatMap(parts) : flag;
}

/** The parts of a comma-separated list. */
function parts(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function fromText(name: OptionName, text: string, variable: string): boolean | string | readonly string[] {
  const { type } = definition(name);
  if (type === "string") return text;
  if (type === "list") return parts(text);
  const word = text.trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  if (["0", "false", "no", "off"].includes(word)) return false;
  throw invalid(variable, text, "allowed: 1, true, yes, on and 0, false, no, off");
}

function checked(name: OptionName, value: boolean | string | readonly string[], label: string) {
  const { choices } = definition(name);
  if (choices !== undefined && typeof value === "string" && !choices.includes(value)) {
    throw invalid(label, value, `allowed: ${choices.join(", ")}`);
  }
  if (value === "" || (Array.isArray(value) && (value.length === 0 || value.includes("")))) {
    throw invalid(label, "", "give it a value or leave it out");
  }
  return value;
}

/**
 * Milliseconds of `30`, `30s`, `500ms`, `2m`, `1h`; a bare number is seconds.
 *
 * @throws SophiaError (settings, 125)
 */
export function parseDuration(text: string, label: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"] ?? Number.NaN;
  const ms = Math.round(Number(match?.[1]) * unit);
  if (!(ms >= 1 && ms <= LONGEST_MS)) {
    throw invalid(label, text, "write a time from 1ms to 24 days, such as 30s, 500ms or 2m");
  }
  return ms;
}

function invalid(label: string, text: string, hint: string): SophiaError {
  return new SophiaError({
    code: "settings",
    message: `${label} has no usable value: '${printable(text)}'`,
    hint,
  });
}
