/** The variables of a `.env.example` that `docs` wrote from a contract which is gone; pure. */
import { grouped } from "../../core/grouped.ts";
import type { Found, FoundGroup } from "./found.ts";

const GROUP_RULES = [
  ["exactly-one", /^exactly one of (.+)$/],
  ["at-least-one", /^at least one of (.+)$/],
  ["all-or-none", /^all or none of (.+)$/],
  ["one-of", /^one of (.+)$/],
] as const;

/** Lines of facts that follow the description. */
const FACT = /^(?:Deprecated: use |Format: |Example: |Default: |See )/;

/**
 * Reads of each variable but ESC's own: label, description, example, default, page, whether it is required, its groups.
 * Formats, aliases and conditions are not read: a variable with a condition is optional.
 */
export function fromGenerated(text: string): {
  readonly found: readonly Found[];
  readonly groups: readonly FoundGroup[];
} {
  const lines = text.split(/\r\n|\n|\r/);
  const blocks = blocksOf(lines).filter(({ name }) => name !== "ESC_ENV" && name !== "ESC_TOKEN");
  const members = blocks.flatMap(({ name, needs }) => needs.map((need) => ({ name, need })));
  const groups = Array.from(
    grouped(members, ({ need }) => need),
    ([need, named]) => {
      const [rule, pattern] = GROUP_RULES.find(([, one]) => one.test(need)) ?? [];
      const label = pattern?.exec(need)?.[1];
      if (rule === undefined || label === undefined) return [];
      const names = named.map(({ name }) => name);
      return [{ label, rule, variables: inOrder(names, label, lines) }];
    },
  );
  return { found: blocks.map(toFound), groups: groups.flat() };
}

interface Block {
  readonly name: string;
  readonly label: string | undefined;
  /** The rules over it in words; none if the user added it by hand. */
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

function toFound({ name, label, needs, comments }: Block): Found {
  const isOurs = needs.length > 0;
  const end = isOurs ? comments.findIndex((line) => FACT.test(line)) : -1;
  const description = end === -1 ? comments : comments.slice(0, end);
  const fact = (prefix: string): string | undefined =>
    end === -1
      ? undefined
      : comments
          .slice(end)
          .find((line) => line.startsWith(prefix))
          ?.slice(prefix.length);
  return {
    name,
    required: !isOurs || needs.includes("required"),
    // The file does not tell what is public.
    secret: true,
    label,
    description: description.length === 0 ? undefined : description.join("\n"),
    example: fact("Example: "),
    default: fact("Default: "),
    docs: fact("See "),
  };
}

/** Sorts the variables of a group in their order of preference, in which the head of the file names them. */
function inOrder(names: readonly string[], label: string, lines: readonly string[]): readonly string[] {
  const sentence = lines.find((line) => line.startsWith(`# ${label}: `)) ?? "";
  const words = sentence.slice(label.length).split(/[\s,.]+/);
  const rank = (name: string): number => (words.includes(name) ? words.indexOf(name) : words.length);
  return names.toSorted((a, b) => rank(a) - rank(b));
}
