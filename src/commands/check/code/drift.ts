/** Compares the variables that code reads with those that the contract declares; pure. */
import { baseOf, brokerEntryOf } from "../../../contract/broker/entry.ts";
import { namesOfDeclaration } from "../../../contract/check-contract.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { nameFinder } from "../../../core/suggest.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import { exclusionOf } from "../../parts/code/exclusions.ts";

/** A variable that the code reads. */
export interface ReadVariable {
  /** The code fails without it. */
  readonly required: boolean;
  readonly places: readonly CodePlace[];
}

export interface DeclarationPlace extends CodePlace {
  /** The member `unread`, which no start needs: a compiled contract does not have it. */
  readonly isUnread: boolean;
}

export interface Undeclared extends ReadVariable {
  readonly name: string;
  /** A declared name that it resembles. */
  readonly similar: string | undefined;
  /** The contract declares it, but not in the scope. */
  readonly isOutside: boolean;
}

export interface Unread {
  readonly name: string;
  /** A name that it resembles, which the code reads and the contract does not declare. */
  readonly similar: string | undefined;
  /** Undefined for the built-in contract. */
  readonly place: CodePlace | undefined;
}

export interface Drift {
  readonly undeclared: readonly Undeclared[];
  readonly unread: readonly Unread[];
}

/** @param declaredAt where each variable is declared, also those of other profiles @param isNamed whether any file names it */
export function driftOf(
  contract: Contract,
  reads: ReadonlyMap<string, ReadVariable>,
  declaredAt: ReadonlyMap<string, DeclarationPlace>,
  isNamed: (name: string) => boolean,
): Drift {
  const outside = contract.scope?.outside ?? new Set<string>();
  const declared = new Set([...contract.variables.keys(), ...contract.aliases.keys()]);
  const known = new Set([...declared, ...addressesOf(contract)]);
  const isKnown = (name: string): boolean => known.has(name) || (declaredAt.has(name) && !outside.has(name));
  const find = nameFinder(declared);
  const isRead = (name: string): boolean => reads.has(name) || isNamed(name);
  const undeclared = Array.from(reads).filter(([name]) => !isKnown(name) && exclusionOf(name) === undefined);
  const findRead = nameFinder(undeclared.map(([name]) => name));
  return {
    undeclared: undeclared
      .map(([name, read]) => ({ name, ...read, similar: find(name), isOutside: outside.has(name) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    unread: Array.from(contract.variables.values())
      .filter(({ name }) => declaredAt.get(name)?.isUnread !== true)
      .filter((declaration) => !namesOfDeclaration(declaration).some(isRead))
      .map(({ name }) => ({ name, similar: findRead(name), place: declaredAt.get(name) })),
  };
}

/** Returns the variables that a program gets beside its keys with --broker. */
function addressesOf({ variables }: Contract): readonly string[] {
  return Array.from(variables.values()).flatMap((declaration) => {
    const entry = brokerEntryOf(declaration);
    return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
  });
}
