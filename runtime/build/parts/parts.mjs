// The libraries that are part of the executables for Linux.
import { ada } from "./ada.mjs";
import { awsLc } from "./aws-lc.mjs";
import { llhttpPart } from "./llhttp.mjs";
import { mozillaRoots } from "./roots.mjs";
import { zlib } from "./zlib.mjs";

/**
 * Fetches and compiles the libraries, side by side.
 *
 * @param root the repository
 * @param processor Node's name
 * @param target zig's name
 * @param compiler the path of zig
 * @param other another compiler for all but AWS-LC
 * @returns for each its compiler flags (where its headers are) and its object files or archives
 */
export async function partsFor(root, processor, target, compiler, other) {
  const tls = async () => {
    const { archive, include } = await awsLc(root, processor, target, compiler);
    return { flags: [`-I${include}`], objects: [mozillaRoots(root, compiler, target), archive] };
  };
  return Promise.all([
    ada(root, compiler, target, other),
    zlib(root, other ?? compiler, target),
    tls(),
    llhttpPart(root, other ?? compiler, target),
  ]);
}
