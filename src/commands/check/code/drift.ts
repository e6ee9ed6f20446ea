/** Compares the variables that code reads with those that the contract declares; pure. The differences are called drift. */
import { baseOf, brokerEntryOf } from "../../../contract/broker/entry.ts";
import { namesOfDeclaration } from "../../../contract/check-contract.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { nameFinder } from "../../../core/suggest.ts";
import type { CodePlace } from "../../parts/code/code-place.ts";
import { exclusionReason } from "../../parts/code/exclusions.ts";

/** All reads of one variable. */
export interface VariableReads {
  /** The code fails without the variable. */
  readonly required: boolean;
  readonly places: readonly CodePlace[];
}

export interface DeclarationPlace extends CodePlace {
  /** True for `"unread": true`: no code needs to read it. A compiled contract does not have this member, since no start needs it. */
  readonly isUnread: boolean;
}

/** A variable that the code reads and the contract does not declare. */
export interface UndeclaredVariable extends VariableReads {
  readonly name: string;
  /** A declared name that it resembles. */
  readonly similar: string | undefined;
  /** The contract declares it, but not in the scope. */
  readonly isOutside: boolean;
}

/** A variable that the contract declares and no code reads. */
export interface UnreadVariable {
  readonly name: string;
  /** A name that it resembles, which the code reads and the contract does not declare. */
  readonly similar: string | undefined;
  /** Undefined for the built-in contract. */
  readonly place: CodePlace | undefined;
}

export interface CodeDrift {
  readonly undeclared: readonly UndeclaredVariable[];
  readonly unread: readonly UnreadVariable[];
}

/**
 * Compares the reads with the contract.
 *
 * @param declarations the places of all declarations, also of those in other profiles
 * @param unmentioned the declared names that appear in no file
 */
export function compareCode(
  contract: Contract,
  reads: ReadonlyMap<string, VariableReads>,
  declarations: ReadonlyMap<string, DeclarationPlace>,
  unmentioned: ReadonlySet<string>,
): CodeDrift {
  const outside = contract.scope?.outside ?? new Set<string>();
  const declared = new Set([...contract.variables.keys(), ...contract.aliases.keys()]);
  const known = new Set([...declared, ...brokerAddresses(contract)]);
  const isKnown = (name: string): boolean => known.has(name) || (declarations.has(name) && !outside.has(name));
  const isRead = (name: string): boolean => reads.has(name) || !unmentioned.has(name);
  const undeclared = Array.from(reads).filter(([name]) => !isKnown(name) && exclusionReason(name) === undefined);
  const findSimilarDeclared = nameFinder(declared);
  const findSimilarRead = nameFinder(undeclared.map(([name]) => name));
  return {
    undeclared: undeclared
      .map(([name, read]) => ({ name, ...read, similar: findSimilarDeclared(name), isOutside: outside.has(name) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    unread: Array.from(contract.variables.values())
      .filter(({ name }) => declarations.get(name)?.isUnread !== true)
      .filter((declaration) => !namesOfDeclaration(declaration).some(isRead))
      .map(({ name }) => ({ name, similar: findSimilarRead(name), place: declarations.get(name) })),
  };
}

/** Returns the variables with the broker's address, which a program gets in addition to its keys with --broker. */
function brokerAddresses({ variables }: Contract): readonly string[] {
  return Array.from(variables.values()).flatMap((declaration) => {
    const entry = brokerEntryOf(declaration);
    return entry === undefined ? [] : Object.keys(baseOf(declaration.name, entry));
  });
}
