/**
 * Parses a file such as .env.example that `sophia-run docs` wrote, so that `init` can restore the contract from it. Such a
 * file has a block for each variable:
 *
 *     # Database (required)
 *     # Where the orders are stored.
 *     # Example: postgres://localhost/orders
 *     DATABASE_URL=
 */
import { groupBy } from "../../core/group-by.ts";
import { isAddressNote } from "../docs/broker-addresses.ts";
import { GROUP_WORDS } from "../docs/outline.ts";
import type { Candidate, CandidateGroup } from "./variable-candidates.ts";

/** The rules of groups that the file may state, by their words in GROUP_WORDS. */
const RULES = ["exactly-one", "at-least-one", "all-or-none", "one-of"] as const;

/**
 * Matches a line with a fact, such as `Format: a port`. The facts come after the description. `See` begins a fact only in
 * front of an address, since a description may have a sentence such as `See the wiki.`
 */
const FACT_LINE = /^(?:Deprecated: use |Format: |Example: |Default: |See https?:\/\/[^\s<>"]+$)/;

/** An assignment with the comment lines directly above it. */
interface VariableBlock {
  readonly name: string;
  readonly label: string | undefined;
  /** The rules for the variable, such as `required`; empty if the user added the variable to the file. */
  readonly rules: readonly string[];
  /** The lines between the label and the assignment, without `#`. */
  readonly comments: readonly string[];
}

/**
 * Returns the variables and groups of the file. Formats, aliases and conditions are not restored, so that a variable with a
 * condition becomes optional.
 */
export function parseGeneratedFile(text: string): {
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
} {
  const lines = text.split(/\r\n|\n|\r/);
  const blocks = parseBlocks(lines).filter(({ name, comments }) => {
    // These variables are not of the contract: the access to ESC, and the addresses that --broker sets.
    return name !== "ESC_ENV" && name !== "ESC_TOKEN" && !comments.some(isAddressNote);
  });
  const rulesOfVariables = blocks.flatMap(({ name, rules }) => rules.map((rule) => ({ name, rule })));
  const groups = Array.from(groupBy(rulesOfVariables, ({ rule }) => rule)).flatMap(([ruleText, members]) => {
    const rule = RULES.find((kind) => ruleText.startsWith(`${GROUP_WORDS[kind][0]} `));
    if (rule === undefined) return [];
    const label = ruleText.slice(GROUP_WORDS[rule][0].length + 1);
    const names = members.map(({ name }) => name);
    return [{ label, rule, variables: sortByPreference(names, label, lines) }];
  });
  return { candidates: blocks.map(toCandidate), groups };
}

function parseBlocks(lines: readonly string[]): readonly VariableBlock[] {
  const blocks: VariableBlock[] = [];
  let comments: string[] = [];
  for (const line of lines) {
    const name = /^(?:export )?([A-Za-z_][\w.-]*)=/.exec(line)?.[1];
    if (name !== undefined) {
      // The first line has the label and, in brackets, the rules: `Database (required; exactly one of Storage)`.
      const [heading, label, rules] = /^(?:(.*) )?\(([^()]*)\)$/.exec(comments[0] ?? "") ?? [];
      const furtherComments = heading === undefined ? comments : comments.slice(1);
      blocks.push({ name, label, rules: rules?.split("; ") ?? [], comments: furtherComments });
    }
    const comment = /^# ?(.*)$/.exec(line)?.[1];
    if (comment === undefined) comments = [];
    else comments.push(comment);
  }
  return blocks;
}

function toCandidate({ name, label, rules, comments }: VariableBlock): Candidate {
  // A variable that the user added has no facts: its whole comment is the description.
  const firstFact = rules.length > 0 ? comments.findIndex((line) => FACT_LINE.test(line)) : -1;
  const descriptionEnd = firstFact === -1 ? comments.length : firstFact;
  const factLines = comments.slice(descriptionEnd).filter((line) => FACT_LINE.test(line));
  const findFact = (prefix: string): string | undefined =>
    factLines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
  return {
    name,
    required: rules.length === 0 || rules.includes("required"),
    // The file does not say which variables are public.
    secret: true,
    label,
    description: comments.slice(0, descriptionEnd).join("\n") || undefined,
    example: findFact("Example: "),
    default: findFact("Default: "),
    docs: findFact("See "),
  };
}

/**
 * Sorts the variables of a group by preference: the order of their names in the group's sentence at the head of the file.
 */
function sortByPreference(names: readonly string[], label: string, lines: readonly string[]): readonly string[] {
  const sentence = lines.find((line) => line.startsWith(`# ${label}: `)) ?? "";
  const words = sentence.slice(label.length).split(/[\s,.]+/);
  const rank = (name: string): number => (words.includes(name) ? words.indexOf(name) : words.length);
  return names.toSorted((a, b) => rank(a) - rank(b));
}
