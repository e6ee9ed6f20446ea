/** The variables of a `.env.example` that `docs` wrote from a contract that no longer exists; pure. */
import { grouped } from "../../core/grouped.ts";
import { GROUP_WORDS } from "../docs/outline.ts";
import type { Candidate, CandidateGroup } from "./candidates.ts";

const RULES = ["exactly-one", "at-least-one", "all-or-none", "one-of"] as const;

/** Lines of facts behind the description. */
const FACT = /^(?:Deprecated: use |Format: |Example: |Default: |See )/;

/**
 * Reads label, description, example, default, page, `required` and groups of each variable but ESC's own. Formats, aliases
 * and conditions are not read: a variable with a condition is optional.
 */
export function fromGenerated(text: string): {
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
} {
  const lines = text.split(/\r\n|\n|\r/);
  const blocks = blocksOf(lines).filter(({ name }) => name !== "ESC_ENV" && name !== "ESC_TOKEN");
  const members = blocks.flatMap(({ name, needs }) => needs.map((need) => ({ name, need })));
  const groups = Array.from(grouped(members, ({ need }) => need)).flatMap(([need, named]) => {
    const rule = RULES.find((kind) => need.startsWith(`${GROUP_WORDS[kind][0]} `));
    if (rule === undefined) return [];
    const label = need.slice(GROUP_WORDS[rule][0].length + 1);
    return [
      {
        label,
        rule,
        variables: inOrder(
          named.map(({ name }) => name),
          label,
          lines,
        ),
      },
    ];
  });
  return { candidates: blocks.map(toCandidate), groups };
}

interface Block {
  readonly name: string;
  readonly label: string | undefined;
  /** The rules over the variable in words; none if the user added it by hand. */
  readonly needs: readonly string[];
  readonly comments: readonly string[];
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  let comments: string[] = [];
  for (const line of lines) {
    const name = /^(?:export )?([A-Za-z_][\w.-]*)=/.exec(line)?.[1];
    if (name !== undefined) {
      const [title, label, needs] = /^(?:(.*) )?\(([^()]*)\)$/.exec(comments[0] ?? "") ?? [];
      const rest = title === undefined ? comments : comments.slice(1);
      blocks.push({ name, label, needs: needs?.split("; ") ?? [], comments: rest });
    }
    const comment = /^# ?(.*)$/.exec(line)?.[1];
    comments = comment === undefined ? [] : [...comments, comment];
  }
  return blocks;
}

function toCandidate({ name, label, needs, comments }: Block): Candidate {
  const at = needs.length > 0 ? comments.findIndex((line) => FACT.test(line)) : -1;
  const end = at === -1 ? comments.length : at;
  const fact = (prefix: string): string | undefined =>
    comments.find((line, index) => index >= end && line.startsWith(prefix))?.slice(prefix.length);
  return {
    name,
    required: needs.length === 0 || needs.includes("required"),
    // The file does not say which variables are public.
    secret: true,
    label,
    description: comments.slice(0, end).join("\n") || undefined,
    example: fact("Example: "),
    default: fact("Default: "),
    docs: fact("See "),
  };
}

/** Sorts the variables of a group by preference, which is the order in the sentence at the head of the file. */
function inOrder(names: readonly string[], label: string, lines: readonly string[]): readonly string[] {
  const sentence = lines.find((line) => line.startsWith(`# ${label}: `)) ?? "";
  const words = sentence.slice(label.length).split(/[\s,.]+/);
  const rank = (name: string): number => (words.includes(name) ? words.indexOf(name) : words.length);
  return names.toSorted((a, b) => rank(a) - rank(b));
}
