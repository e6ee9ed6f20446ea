/** Precedence and selection where names that differ only in case are one variable, as on Windows; loaded there alone. */
import type { Contract } from "../contract/model.ts";
import { mayRunCode } from "../core/code-variables.ts";
import { isSentKey, keysSentTo } from "../core/key-addresses.ts";
import type { Layer, Notice, Resolution, Variable } from "../core/model.ts";
import { FoldedMap, foldedName } from "../core/names.ts";
import { printable } from "../core/text.ts";
import { ID_TOKEN_VARIABLES } from "../esc/settings/own-variables.ts";
import { MARKED_VARIABLES } from "../esc/settings/from-files.ts";
import { isReserved } from "./from-files.ts";
import type { Folding } from "./select.ts";
import { originWords } from "./sources.ts";

/** Without these programs of Windows do not start, or do not find their files. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "TEMP", "TMP"],
    ["USERPROFILE", "USERNAME", "USERDOMAIN", "COMPUTERNAME", "HOMEDRIVE", "HOMEPATH", "PUBLIC"],
    ["APPDATA", "LOCALAPPDATA", "ALLUSERSPROFILE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432"],
    ["COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432"],
    ["PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"],
  ].flat(),
);

export const FOLDING: Folding = { fold: foldedName, isBaseline: (folded) => BASELINE.has(folded) };

/** A name as sophia-run's own rules spell it: in capitals where they know it so. Whatever they do not know stays. */
export function spelledByRules(name: string): string {
  const folded = foldedName(name);
  return folded === name || isExactly(name) || !isOfRules(folded) ? name : folded;
}

/** Layers whose names sophia-run's own rules find, as they find those of the environment. */
export function withRulesSpelling(layers: readonly Layer[]): readonly Layer[] {
  return layers.map((layer) => inSpelling(layer, spelledByRules, () => {}));
}

export function byAnySpelling(resolution: Resolution): Resolution {
  return new FoldedMap(resolution);
}

export function foldedContract(contract: Contract): Contract {
  const { variables, aliases, deprecated } = contract;
  return {
    ...contract,
    variables: new FoldedMap(variables),
    aliases: new FoldedMap(aliases),
    deprecated: new FoldedMap(deprecated),
  };
}

/**
 * The layers with one spelling of each name: that of sophia-run's own rules, else the contract's, else that of the
 * first layer that has the name. A name is in a layer once: of several lines of a file the last counts, elsewhere the
 * first.
 * @param layers that of the process environment first, whose spelling programs are used to
 */
export function inOneSpelling(
  layers: readonly Layer[],
  { variables, aliases }: Contract,
): { readonly layers: readonly Layer[]; readonly notices: readonly Notice[] } {
  const spellings = new Map<string, string>();
  for (const name of [...variables.keys(), ...aliases.keys()]) spellings.set(foldedName(name), spelledByRules(name));
  const spell = (name: string): string => {
    const folded = foldedName(name);
    const spelled = spellings.get(folded) ?? spelledByRules(name);
    spellings.set(folded, spelled);
    return spelled;
  };
  const notices: Notice[] = [];
  return {
    layers: layers.map((layer) =>
      inSpelling(layer, spell, (counts, other) => {
        const [one, another] = [counts, other].map(
          ({ name, origin }) => `${printable(name)} of ${originWords(origin)}`,
        );
        notices.push({ kind: "remark", text: `${one} and ${another} are one variable on Windows; the former counts` });
      }),
    ),
    notices,
  };
}

function inSpelling(
  layer: Layer,
  spell: (name: string) => string,
  tell: (counts: Variable, other: Variable) => void,
): Layer {
  const found = new Map<string, Variable>();
  for (const variable of layer.variables) {
    const name = spell(variable.name);
    const before = found.get(name);
    const isLater = before === undefined || lineOf(variable) > lineOf(before);
    if (before !== undefined) tell(isLater ? variable : before, isLater ? before : variable);
    if (isLater) found.set(name, name === variable.name ? variable : { ...variable, name });
  }
  return { ...layer, variables: [...found.values()] };
}

function lineOf({ origin }: Variable): number {
  return origin.source === "dotenv" ? origin.line : 0;
}

/** Some are known in small letters, too, and tools of other systems read only those. */
function isExactly(name: string): boolean {
  return MARKED_VARIABLES.includes(name) || mayRunCode(name);
}

function isOfRules(folded: string): boolean {
  return (
    isReserved({ name: folded, origin: { source: "fake" } }, never, never) ||
    MARKED_VARIABLES.includes(folded) ||
    ID_TOKEN_VARIABLES.some((name) => name === folded) ||
    mayRunCode(folded) ||
    isSentKey(folded) ||
    keysSentTo(folded).length > 0
  );
}

function never(): boolean {
  return false;
}
