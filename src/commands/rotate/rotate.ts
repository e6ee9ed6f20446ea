import { settle, type Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/load.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { didYouMean } from "../../core/suggest.ts";
import { printable } from "../../core/text.ts";
import { type Changed, changeEnvironment, type Current, formatRevision, readCurrent } from "../../esc/api/change.ts";
import { rotateByEsc } from "../../esc/api/rotation.ts";
import type { Change } from "../../esc/definition/change.ts";
import { rotatedBy } from "../../esc/definition/follow.ts";
import { parseDefinition } from "../../esc/definition/parse.ts";
import { setVariables } from "../../esc/definition/edit.ts";
import { namesIn, nodeOf } from "../../esc/definition/verify.ts";
import { statusOf } from "../../esc/faults/fault.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { formatName } from "../../esc/settings/names.ts";
import { tell } from "../../output/colour.ts";
import type { Command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { usageError } from "../mistakes.ts";
import { askEach, askOne, requireOne, settingsFor, writeAccess } from "../writing/access.ts";
import { changedMeanwhile, effectiveChange, valueIn } from "../writing/change.ts";
import { type Defining, findDefining, isAbsent, refuse } from "./place.ts";
import { doneText } from "./text.ts";
import { newValue } from "./value.ts";

/** A change to one variable, the value that it has afterwards, and the words for it. */
interface Wanted {
  readonly change: Change;
  readonly value: string;
  readonly words: string;
}

/** `sophia-run rotate NAME`: 0; 1 if the user says no; 3 if the change is a draft. */
export const rotate: Command = async ({ options, positionals: [name = ""] }, context) => {
  const settings = settle(options, context.environment);
  const { to } = options;
  const inEnvironment = typeof options["in"] === "string" ? options["in"] : undefined;
  const [generated, isDry] = [options["generate"] === true, options["dry-run"] === true];
  if (generated && to !== undefined) throw usageError("--generate and --to give two values", "give one of them");
  const contract = await loadContract({ ...settings, cwd: context.cwd });
  const declaration = contract.variables.get(contract.aliases.get(name) ?? name);
  const access = await writeAccess(inEnvironment, settings, context);
  if (inEnvironment !== undefined) requireOne(access);

  const all = await askEach(access, settings, context, readCurrent);
  // Of several environments it is not known to which one the revision belongs.
  const [only, ...others] = all;
  const isRemoved = typeof to === "string" && others.length === 0 && isAbsent(name, all);
  const place = isRemoved ? undefined : findDefining(name, all);
  const current = place?.current ?? only;
  if (current === undefined) throw new TypeError("no environment was asked");
  const target = settingsFor(current.name, onlyOf(current, access));
  const where = `${printable(name)} in ${printable(formatRevision(current))}`;
  const tellChange = (words: string): void => tell(context, `${where}:\n  ${isRemoved ? "+" : "~"} ${words}\n`);
  const isWanted = async (): Promise<boolean> => {
    if (isDry) tell(context, "Nothing was written: --dry-run.\n");
    else if (await confirm("Change it?", options["yes"] === true, context)) return true;
    else tell(context, "Nothing was written.\n");
    return false;
  };
  const refused = isDry ? ExitStatus.ok : ExitStatus.unmet;

  const rotation = place === undefined ? undefined : rotationOf(place);
  if (place !== undefined && rotation !== undefined) {
    if (to !== undefined || generated) {
      throw refuse(`ESC rotates ${printable(name)} itself and makes its values`, "leave out --generate and --to");
    }
    const what = place.defined.kind === "rotated" ? "it" : printable(rotation);
    tellChange(`ESC rotates ${what} (fn::rotate)${what === "it" ? "" : ", to which it refers"}`);
    if (!(await isWanted())) return refused;
    const changed = await rotated(place, rotation, target, settings, context);
    return finish(name, changed, { inEnvironment, canGoBack: false }, context);
  }
  if (place !== undefined) refuseComputed(name, place);
  const wanted =
    typeof to === "string" || place === undefined
      ? await fromRevision(name, String(to), target, settings, context)
      : fresh(
          name,
          await newValue(name, declaration, generated, place.variable.value, context),
          generated,
          (declaration?.secret ?? true) || place.defined.kind === "secret",
        );
  if (wanted.value === place?.variable.value) {
    tell(context, `✅ ${where} has this value already.\n`);
    return ExitStatus.ok;
  }
  tellChange(wanted.words);
  if (!(await isWanted())) return refused;
  const edit = (now: Current): string | undefined => {
    const value = valueIn(now, name);
    if (value === wanted.value) return undefined;
    if (value !== place?.variable.value) throw changedMeanwhile(name, now);
    if (typeof to !== "string" || !isAbsent(name, [now])) refuseComputed(name, findDefining(name, [now]));
    return setVariables(now.definition.yaml, [wanted.change]);
  };
  const changed = await askOne(target, settings, context, (full, connection) =>
    changeEnvironment(full, connection, edit, [wanted.value]),
  );
  return finish(name, changed, { inEnvironment, canGoBack: !isRemoved }, context);
};

function finish(
  name: string,
  changed: Changed,
  back: { readonly inEnvironment: string | undefined; readonly canGoBack: boolean },
  context: Context,
): number {
  const done = effectiveChange(changed, context);
  if (typeof done === "number") return done;
  tell(context, doneText(name, done, back));
  return ExitStatus.ok;
}

/** Settings for one of several environments, by the name that was asked for. */
function onlyOf(current: Current, settings: EscSettings): EscSettings {
  const { environments } = settings;
  const asked = environments.filter(({ name, project }) => {
    const { name: own, project: ownProject, organization } = current.name;
    return name === own && (project === undefined || project === ownProject || project === organization);
  });
  return requireOne({ ...settings, environments: asked.slice(-1) });
}

/** @throws SophiaError (rotate-place, 125) if the value follows from others */
function refuseComputed(name: string, { defined, current }: Defining): void {
  if (defined.kind === "secret" || defined.kind === "value") return;
  const own = formatName(current.name);
  const what = defined.kind === "function" ? "is given by a function" : "refers to other values";
  throw refuse(`${printable(name)} ${what} in ${own}`, `change what it follows from: pulumi env edit ${own}`);
}

function fresh(name: string, value: string, generated: boolean, secret: boolean): Wanted {
  const words = `a new value${generated ? ", generated" : ""}, ${secret ? "secret" : "in plain text"}`;
  return { change: { kind: "value", name, value, secret }, value, words };
}

/** Reads the definition and the value that the variable had in another revision. */
async function fromRevision(
  name: string,
  version: string,
  target: EscSettings,
  settings: Settings,
  context: Context,
): Promise<Wanted> {
  if (!/^[\w.-]{1,100}$/.test(version) || /^\.+$/.test(version)) {
    throw usageError("--to needs the number of a revision, or a tag", "pulumi env version history shows them");
  }
  const then = await askOne(target, settings, context, async (full, connection) => {
    try {
      return await readCurrent({ ...full, version }, connection);
    } catch (error) {
      // The environment itself has just been read.
      if (statusOf(error) !== 404) throw error;
      const own = printable(formatName(full));
      throw refuse(
        `${own} has no revision or tag ${printable(version)}`,
        `pulumi env version history ${own} shows the revisions`,
      );
    }
  });
  const { yaml } = then.definition;
  const old = valueIn(then, name);
  const defined = nodeOf(yaml, name);
  const isPlain = defined?.kind === "secret" || defined?.kind === "value";
  if (defined === undefined || old === undefined || !isPlain) {
    const guess = defined === undefined ? didYouMean(name, [...namesIn(yaml)]) : "";
    throw refuse(
      `revision ${version} has no value of its own for ${printable(name)}${guess}`,
      `pulumi env version history ${target.environments[0]?.text ?? ""} shows the revisions`,
    );
  }
  const change = { kind: "node", name, text: defined.text } as const;
  return { change, value: old, words: `the value that it had in revision ${version}; all else stays` };
}

/** The property that ESC rotates itself, if the variable is one or refers to one. */
function rotationOf({ defined, variable, current }: Defining): string | undefined {
  if (defined.kind === "secret" || defined.kind === "value") return undefined;
  return rotatedBy(parseDefinition(current.definition.yaml), ["environmentVariables", variable.name]);
}

/** Has ESC rotate it, and makes sure that it gives another value. */
function rotated(
  { variable }: Defining,
  property: string,
  target: EscSettings,
  settings: Settings,
  context: Context,
): Promise<Changed> {
  return askOne(target, settings, context, async (full, connection): Promise<Changed> => {
    const before = await readCurrent(full, connection);
    await rotateByEsc(full, [property], connection);
    const after = await readCurrent(full, connection);
    const isNew = valueIn(after, variable.name) !== variable.value;
    return isNew ? { kind: "done", wrote: true, before, after } : { kind: "without-effect", before, after };
  });
}
