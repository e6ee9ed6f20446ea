/**
 * Makes the changes of existing files that `init` offers. Options such as `--yes` agree to a change. For the others init asks
 * one question at a terminal; without a terminal it prints them.
 */
import { SophiaError } from "../../core/error.ts";
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { questionText } from "../../output/stderr.ts";
import { ask, canAsk } from "../parts/confirm.ts";
import { readIn, refuseLinks, writeAtomically, writeText } from "../parts/project-files.ts";
import { performStep, printFileLines, remarkLines } from "./init-outcome.ts";
import { targetFile, type Offer } from "./setup-step.ts";

/** The changes to which the options of the command agree. */
interface Consents {
  /** All changes but the script for `link`: `--yes`. */
  readonly changes: boolean;
  /** The script for `link`: `--link`. */
  readonly link: boolean;
}

/** Returns the changes to which the options agree. */
export function agreedOffers(offers: readonly Offer[], { changes, link }: Consents): readonly Offer[] {
  return offers.filter(({ isLink }) => (isLink ? link : changes));
}

/** Makes the changes to which the options or the user agree, and prints the others with the options that would make them. */
export async function makeOffers(offers: readonly Offer[], consents: Consents, context: Context): Promise<void> {
  const agreed = agreedOffers(offers, consents);
  const open = offers.filter((offer) => !agreed.includes(offer));
  await applyOffers(agreed, context);
  if (open.length === 0) return;
  const { askable, printed } = canAsk(context) ? separateLinked(open, context) : { askable: [], printed: open };
  if (askable.length > 0) await askAndApply(askable, context);
  for (const offer of printed) {
    const linkRemark = [offer.remark, "sophia-run init --link adds it"].filter(Boolean).join("; ");
    const remark = offer.isLink ? linkRemark : offer.remark;
    performStep({ ...offer, kind: "advise", remark }, context);
  }
  const printedChanges = printed.filter(({ isLink }) => !isLink);
  if (printedChanges.length > 0) printReport(context, yesLines(printedChanges));
}

/** Separates the changes of symbolic links, through which init does not write. It prints them without a question. */
function separateLinked(
  offers: readonly Offer[],
  context: Context,
): { readonly askable: readonly Offer[]; readonly printed: readonly Offer[] } {
  const isWritable = ({ file }: Offer): boolean => {
    try {
      refuseLinks([targetFile(file, context)]);
      return true;
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return false;
    }
  };
  const askable = offers.filter(isWritable);
  return { askable, printed: offers.filter((offer) => !askable.includes(offer)) };
}

/** Returns the command that makes the changes later. */
function yesLines(offers: readonly Offer[]): readonly Line[] {
  const files = enumerate([...new Set(offers.map(({ file }) => file))]);
  return [
    "",
    { text: `to make these changes of ${files}, run`, hangingIndent: 2 },
    { text: "  sophia-run init --yes", noWrap: true },
  ];
}

/** Shows the changes as lines with `-` and `+`, asks one question, and makes those to which the user agrees. */
async function askAndApply(offers: readonly Offer[], context: Context): Promise<void> {
  printReport(context, ["", "init can change these files:"]);
  for (const { file, title, replaced, lines, remark } of offers) {
    printReport(context, ["", { text: title === undefined ? file : `${file}: ${title}`, hangingIndent: 2 }]);
    printFileLines([...replaced.map((line) => `- ${line}`), ...lines.map((line) => `+ ${line}`)], context);
    printReport(context, remarkLines(remark));
  }
  context.out("\n");
  const links = offers.filter(({ isLink }) => isLink);
  const changes = offers.filter(({ isLink }) => !isLink);
  if (links.length === 0 || changes.length === 0) {
    if (await ask("Make this change?", context)) await applyOffers(offers, context);
    else if (changes.length > 0) printReport(context, yesLines(changes));
    return;
  }
  const question = "Make these changes? y, `link` for the last one as well, or Enter for no:";
  const answer = (await context.readLine(questionText(context, [question])))?.trim().toLowerCase();
  // The input has ended, so that the cursor is still behind the question.
  if (answer === undefined) context.err("\n");
  if (answer === "link") await applyOffers(offers, context);
  else if (answer === "y" || answer === "yes") await applyOffers(changes, context);
  else printReport(context, yesLines(changes));
}

/** Changes the files as they are now, since the user may have edited them while the question was open. */
async function applyOffers(offers: readonly Offer[], context: Context): Promise<void> {
  for (const file of new Set(offers.map((offer) => offer.file))) {
    const currentText = await readIn(context.project, file);
    let newText = currentText;
    const applied: Offer[] = [];
    for (const offer of offers.filter((candidate) => candidate.file === file)) {
      const editedText = offer.edit(newText ?? "");
      if (editedText === undefined) {
        printReport(context, [
          { text: `${file} is not changed: it has been edited since init read it`, hangingIndent: 2 },
        ]);
        continue;
      }
      newText = editedText;
      applied.push(offer);
    }
    if (newText === undefined || newText === currentText) continue;
    const target = targetFile(file, context);
    // "wx" fails if another program has created the file in the meantime.
    if (currentText === undefined) writeText(target, newText, "wx");
    else writeAtomically(target, newText);
    printReport(context, [`${currentText === undefined ? "created" : "changed"} ${file}: it now has`]);
    const addedLines = applied.flatMap(({ lines }) => lines);
    printFileLines(addedLines, context);
    for (const { remark } of applied) printReport(context, remarkLines(remark));
  }
}
