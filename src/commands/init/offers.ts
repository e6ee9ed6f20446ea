/** The end of `init`: changes of existing files, which it shows, and makes if the user agrees. */
import { SophiaError } from "../../core/error.ts";
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { questionText } from "../../output/stderr.ts";
import { ask, canAsk } from "../parts/confirm.ts";
import { readIn, refuseLinks, writeAtomically, writeText } from "../parts/project-files.ts";
import { perform, printFileLines, remarkLines } from "./init-outcome.ts";
import { targetFile, type Offer } from "./setup-step.ts";

interface Consents {
  /** The changes are made without a question: `--yes`. */
  readonly changes: boolean;
  /** The script for `link` is added without a question: `--link`. */
  readonly link: boolean;
}

/** Returns the changes that options ask for. */
export function consented(offers: readonly Offer[], { changes, link }: Consents): readonly Offer[] {
  return offers.filter(({ isLink }) => (isLink ? link : changes));
}

/** Makes the changes that options or the answer to one question ask for, and prints the others. */
export async function makeOffers(offers: readonly Offer[], consents: Consents, context: Context): Promise<void> {
  const given = consented(offers, consents);
  const open = offers.filter((offer) => !given.includes(offer));
  await apply(given, context);
  if (open.length === 0) return;
  const [able, unable] = canAsk(context) ? parted(open, context) : [[], open];
  if (able.length > 0) await askAndApply(able, context);
  for (const offer of unable) {
    const { remark } = offer;
    const how = offer.isLink ? [remark, "sophia-run init --link adds it"].filter(Boolean).join("; ") : remark;
    perform({ ...offer, kind: "advise", remark: how }, context);
  }
  const later = unable.filter(({ isLink }) => !isLink);
  if (later.length > 0) printReport(context, laterLines(later));
}

/** Separates the changes of files that init may write: it writes through no link. */
function parted(offers: readonly Offer[], context: Context): readonly [readonly Offer[], readonly Offer[]] {
  const isWritable = ({ file }: Offer): boolean => {
    try {
      refuseLinks([targetFile(file, context)]);
      return true;
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return false;
    }
  };
  const able = offers.filter(isWritable);
  return [able, offers.filter((offer) => !able.includes(offer))];
}

function laterLines(offers: readonly Offer[]): readonly Line[] {
  const files = enumerate([...new Set(offers.map(({ file }) => file))]);
  return [
    "",
    { text: `to make these changes of ${files}, run`, hang: 2 },
    { text: "  sophia-run init --yes", whole: true },
  ];
}

async function askAndApply(offers: readonly Offer[], context: Context): Promise<void> {
  printReport(context, ["", "init can change these files:"]);
  for (const { file, title, replaced, lines, remark } of offers) {
    printReport(context, ["", { text: title === undefined ? file : `${file}: ${title}`, hang: 2 }]);
    printFileLines([...replaced.map((line) => `- ${line}`), ...lines.map((line) => `+ ${line}`)], context);
    printReport(context, remarkLines(remark));
  }
  context.out("\n");
  const links = offers.filter(({ isLink }) => isLink);
  const changes = offers.filter(({ isLink }) => !isLink);
  if (links.length === 0 || changes.length === 0) {
    if (await ask("Make this change?", context)) await apply(offers, context);
    else if (changes.length > 0) printReport(context, laterLines(changes));
    return;
  }
  const question = "Make these changes? y, `link` for the last one as well, or Enter for no:";
  const answer = (await context.readLine(questionText(context, [question])))?.trim().toLowerCase();
  if (answer === undefined) context.err("\n");
  if (answer === "link") await apply(offers, context);
  else if (answer === "y" || answer === "yes") await apply(changes, context);
  else printReport(context, laterLines(changes));
}

/** Changes the files as they are now: the user may have edited them while the question was open. */
async function apply(offers: readonly Offer[], context: Context): Promise<void> {
  for (const file of new Set(offers.map((offer) => offer.file))) {
    const current = await readIn(context.project, file);
    let text = current;
    const made: Offer[] = [];
    for (const offer of offers.filter((one) => one.file === file)) {
      const edited = offer.edit(text ?? "");
      if (edited === undefined) {
        printReport(context, [{ text: `${file} is not changed: it has been edited since init read it`, hang: 2 }]);
        continue;
      }
      text = edited;
      made.push(offer);
    }
    if (text === undefined || text === current) continue;
    const target = targetFile(file, context);
    // A file that another program creates meanwhile is not replaced.
    if (current === undefined) writeText(target, text, "wx");
    else writeAtomically(target, text);
    printReport(context, [`${current === undefined ? "created" : "changed"} ${file}: it now has`]);
    printFileLines(
      made.flatMap(({ lines }) => lines),
      context,
    );
    for (const { remark } of made) printReport(context, remarkLines(remark));
  }
}
