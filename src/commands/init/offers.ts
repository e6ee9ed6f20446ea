/**
 * Makes the changes of existing files that `init` offers, such as sophia-run in front of a start script. The user agrees to
 * them by options such as `--yes`. About the others init asks one question at a terminal; without a terminal it only prints
 * them.
 */
import { SophiaError } from "../../core/error.ts";
import type { Context } from "../../core/context.ts";
import type { Line } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { printReport } from "../../output/colour.ts";
import { layOutQuestion } from "../../output/stderr.ts";
import { askYesOrNo, canAskUser } from "../parts/confirm.ts";
import { readFileIn, refuseLinks, writeAtomically, writeTextFile } from "../parts/project-files.ts";
import { performStep, printFileLines, remarkLines } from "./init-outcome.ts";
import { targetFile, type Offer } from "./setup-step.ts";

/** The changes to which the options of the command agree. */
interface Consents {
  /** True with `--yes`, for all changes but the script that calls `sophia-run link`. */
  readonly changes: boolean;
  /** True with `--link`, for the script that calls `sophia-run link`. */
  readonly link: boolean;
}

/** Returns the changes to which the options agree. */
export function agreedOffers(offers: readonly Offer[], { changes, link }: Consents): readonly Offer[] {
  return offers.filter(({ isLink }) => (isLink ? link : changes));
}

/**
 * Makes the changes to which the options or the user agree, and prints the others with the options that would make them.
 */
export async function makeOffers(offers: readonly Offer[], consents: Consents, context: Context): Promise<void> {
  const agreedChanges = agreedOffers(offers, consents);
  const undecidedChanges = offers.filter((offer) => !agreedChanges.includes(offer));
  await applyOffers(agreedChanges, context);
  if (undecidedChanges.length === 0) return;
  if (!canAskUser(context)) {
    printOffers(undecidedChanges, context);
    return;
  }
  const { writableChanges, linkedChanges } = separateLinked(undecidedChanges, context);
  if (writableChanges.length > 0) await askAndApply(writableChanges, context);
  printOffers(linkedChanges, context);
}

/** Prints changes that init does not make, and the options that would make them. */
function printOffers(offers: readonly Offer[], context: Context): void {
  for (const offer of offers) {
    const linkRemark = [offer.remark, "sophia-run init --link adds it"].filter(Boolean).join("; ");
    const remark = offer.isLink ? linkRemark : offer.remark;
    performStep({ ...offer, kind: "advise", remark }, context);
  }
  const offersOfYes = offers.filter(({ isLink }) => !isLink);
  if (offersOfYes.length > 0) printReport(context, yesLines(offersOfYes));
}

/**
 * Separates the changes of files that are symbolic links. init does not write through them, and so only prints these
 * changes.
 */
function separateLinked(
  offers: readonly Offer[],
  context: Context,
): { readonly writableChanges: readonly Offer[]; readonly linkedChanges: readonly Offer[] } {
  const isWritable = ({ file }: Offer): boolean => {
    try {
      refuseLinks([targetFile(file, context)]);
      return true;
    } catch (error) {
      if (!(error instanceof SophiaError)) throw error;
      return false;
    }
  };
  const writableChanges = offers.filter(isWritable);
  return { writableChanges, linkedChanges: offers.filter((offer) => !writableChanges.includes(offer)) };
}

/** Returns lines for the user with the command that makes the changes later. */
function yesLines(offers: readonly Offer[]): readonly Line[] {
  const files = enumerate([...new Set(offers.map(({ file }) => file))]);
  return [
    "",
    { text: `to make these changes of ${files}, run`, hangingIndent: 2 },
    { text: "  sophia-run init --yes", neverWraps: true },
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
  const changes = offers.filter(({ isLink }) => !isLink);
  const hasBothKinds = changes.length > 0 && changes.length < offers.length;
  if (!hasBothKinds) {
    if (await askYesOrNo("Make this change?", context)) await applyOffers(offers, context);
    else if (changes.length > 0) printReport(context, yesLines(changes));
    return;
  }
  const question = "Make these changes? y, `link` for the last one as well, or Enter for no:";
  const answer = (await context.readLine(layOutQuestion(context, [question])))?.trim().toLowerCase();
  // If the input has ended, the cursor is still behind the question.
  if (answer === undefined) context.err("\n");
  if (answer === "link") await applyOffers(offers, context);
  else if (answer === "y" || answer === "yes") await applyOffers(changes, context);
  else printReport(context, yesLines(changes));
}

/** Makes the changes, file by file. */
async function applyOffers(offers: readonly Offer[], context: Context): Promise<void> {
  for (const file of new Set(offers.map((offer) => offer.file))) {
    const offersOfFile = offers.filter((offer) => offer.file === file);
    await changeFile(file, offersOfFile, context);
  }
}

/**
 * Changes a file as it is now, since the user may have edited it while the question was open. Prints the lines that it
 * gets.
 */
async function changeFile(file: string, offers: readonly Offer[], context: Context): Promise<void> {
  const currentText = await readFileIn(context.project, file);
  let newText = currentText;
  const applied: Offer[] = [];
  for (const offer of offers) {
    const editedText = offer.edit(newText ?? "");
    if (editedText === undefined) {
      const message = `${file} is not changed: it has been edited since init read it`;
      printReport(context, [{ text: message, hangingIndent: 2 }]);
      continue;
    }
    newText = editedText;
    applied.push(offer);
  }
  if (newText === undefined || newText === currentText) return;
  const target = targetFile(file, context);
  // "wx" fails if another program has created the file in the meantime.
  if (currentText === undefined) writeTextFile(target, newText, "wx");
  else writeAtomically(target, newText);
  printReport(context, [`${currentText === undefined ? "created" : "changed"} ${file}: it now has`]);
  printFileLines(
    applied.flatMap(({ lines }) => lines),
    context,
  );
  for (const { remark } of applied) printReport(context, remarkLines(remark));
}
