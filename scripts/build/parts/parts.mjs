// The libraries that are part of the executables for Linux.
import { basename } from "node:path";
import { ada } from "./ada.mjs";
import { awsLc } from "./aws-lc.mjs";
import { llhttpPart } from "./llhttp.mjs";
import { mozillaRoots } from "./roots.mjs";

/**
 * Fetches and compiles the libraries.
 *
 * @param root the repository
 * @param processor Node's name
 * @param target zig's name
 * @param compiler the path of zig
 * @param other another compiler for all but AWS-LC
 * @returns for each its compiler flags (where its headers are) and its object files or archives
 */
export async function partsFor(root, processor, target, compiler, other) {
  const { archive, include } = await awsLc(root, processor, compiler);
  return [
    ada(root, other ?? compiler, target, other === undefined ? [] : [`-DCOMPILER=${basename(other)}`]),
    { flags: [`-I${include}`], objects: [mozillaRoots(root, compiler, target), archive] },
    llhttpPart(root, other ?? compiler, target),
  ];
}
