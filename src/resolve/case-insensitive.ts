/** Precedence and selection for case-insensitive names. Loaded only on Windows. */
import type { Contract } from "../contract/contract-model.ts";
import { mayRunCode } from "../trust/code-variables.ts";
import { isKeyAddress, isSentKey } from "../trust/key-addresses.ts";
import { isOfLine, type Layer, type Notice, type Resolution, type Variable } from "../core/model.ts";
import { FoldedMap, foldedName } from "../core/names.ts";
import { mayDecideNetwork } from "../trust/network-variables.ts";
import { printable } from "../core/text.ts";
import { ID_TOKEN_VARIABLES } from "../esc/settings/own-variables.ts";
import { MARKED_VARIABLES } from "../esc/settings/from-files.ts";
import { isReserved } from "./reserved-names.ts";
import type { WindowsNameRules } from "./select.ts";
import { originWords } from "./source-words.ts";

/** Programs of Windows need these to start or to find their files. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "TEMP", "TMP"],
    ["USERPROFILE", "USERNAME", "USERDOMAIN", "COMPUTERNAME", "HOMEDRIVE", "HOMEPATH", "PUBLIC"],
    ["APPDATA", "LOCALAPPDATA", "ALLUSERSPROFILE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432"],
    ["COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432"],
    ["PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"],
  ].flat(),
);

export const WINDOWS_NAME_RULES: WindowsNameRules = { fold: foldedName, isBaseline: (folded) => BASELINE.has(folded) };

/** Returns a name in the spelling of sophia-run's own rules; unchanged if they do not know it. */
export function spellByRules(name: string): string {
  const folded = foldedName(name);
  return folded === name || isExactly(name) || !isOfRules(folded) ? name : folded;
}

export function spellLayersByRules(layers: readonly Layer[]): readonly Layer[] {
  return layers.map((layer) => inSpelling(layer, spellByRules, () => {}));
}

export function foldResolution(resolution: Resolution): Resolution {
  return new FoldedMap(resolution);
}

export function foldContract(contract: Contract): Contract {
  const { variables, aliases, deprecated } = contract;
  return {
    ...contract,
    variables: new FoldedMap(variables),
    aliases: new FoldedMap(aliases),
    deprecated: new FoldedMap(deprecated),
  };
}

/**
 * Gives each name one spelling: that of sophia-run's own rules, else the contract's, else the first layer's, the process
 * environment: programs expect its spelling. Each layer has a name once: the last line of a file wins, elsewhere the first.
 */
export function unifySpellings(
  layers: readonly Layer[],
  { variables, aliases }: Contract,
): { readonly layers: readonly Layer[]; readonly notices: readonly Notice[] } {
  const spellings = new Map<string, string>();
  for (const name of [...variables.keys(), ...aliases.keys()]) spellings.set(foldedName(name), spellByRules(name));
  const spell = (name: string): string => {
    const folded = foldedName(name);
    const spelled = spellings.get(folded) ?? spellByRules(name);
    spellings.set(folded, spelled);
    return spelled;
  };
  const notices: Notice[] = [];
  return {
    layers: layers.map((layer) =>
      inSpelling(layer, spell, (counts, other) => {
        const [used, ignored] = [counts, other].map(
          ({ name, origin }) => `${printable(name)} of ${originWords(origin)}`,
        );
        notices.push({
          kind: "remark",
          text: `${used} and ${ignored} are one variable on Windows; the former is used`,
        });
      }),
    ),
    notices,
  };
}

function inSpelling(
  layer: Layer,
  spell: (name: string) => string,
  report: (counts: Variable, other: Variable) => void,
): Layer {
  const variables = new Map<string, Variable>();
  for (const variable of layer.variables) {
    const name = spell(variable.name);
    const before = variables.get(name);
    const isLater = before === undefined || lineOf(variable) > lineOf(before);
    if (before !== undefined) report(isLater ? variable : before, isLater ? before : variable);
    if (isLater) variables.set(name, name === variable.name ? variable : { ...variable, name });
  }
  return { ...layer, variables: [...variables.values()] };
}

function lineOf({ origin }: Variable): number {
  return isOfLine(origin) ? origin.line : 0;
}

/** Returns true for names of which tools of other systems read only this spelling. */
function isExactly(name: string): boolean {
  return MARKED_VARIABLES.includes(name) || mayRunCode(name) || mayDecideNetwork(name);
}

function isOfRules(folded: string): boolean {
  return (
    isReserved({ name: folded, origin: { source: "fake" } }, never, never) ||
    MARKED_VARIABLES.includes(folded) ||
    ID_TOKEN_VARIABLES.some((name) => name === folded) ||
    mayRunCode(folded) ||
    isSentKey(folded) ||
    isKeyAddress(folded) ||
    mayDecideNetwork(folded)
  );
}

function never(): boolean {
  return false;
}
