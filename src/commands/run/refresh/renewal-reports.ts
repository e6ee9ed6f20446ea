/** Words the reports of renewals that fail. */
import type { Failure } from "../../../core/model.ts";
import { enumerate } from "../../../core/text.ts";
import { detailsAndHint } from "../../../output/stderr.ts";

/** Something that is renewed: the credentials of a cloud, or the files of ESC. */
export interface Renewed {
  readonly noun: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly hasExpired: boolean;
  /** Once they have expired, the program gets none from us, rather than those that have expired. */
  readonly isServed: boolean;
}

type Lines = readonly [string, ...string[]];

/** Returns the report of one failure for all that it concerns. */
export function failureReport(renewed: readonly Renewed[], failure: Failure): Lines {
  const nouns = enumerate(renewed.map(({ noun }) => noun));
  return [
    `warning: ${nouns} cannot be renewed: ${failure.message}; ${consequence(renewed)}`,
    ...detailsAndHint(failure),
  ];
}

function consequence(renewed: readonly Renewed[]): string {
  const expired = renewed.filter(({ hasExpired }) => hasExpired);
  if (expired.length === 0) {
    const first = Math.min(...renewed.map(({ expiresAt }) => expiresAt));
    const which = renewed.length === 1 ? "which expire" : "of which the first expire";
    return `the program gets the present ones, ${which} at ${new Date(first).toISOString().slice(11, 19)} UTC`;
  }
  const them = expired.length === renewed.length ? "they" : enumerate(expired.map(({ noun }) => noun));
  const none = expired.every(({ isServed }) => isServed) ? ", and the program gets none" : "";
  return `${them} have expired${none}`;
}
