// Fetches and compiles the libraries of the executables for Linux: ada (URLs), zlib (decompression), AWS-LC with Mozilla's
// certificates (TLS), and llhttp (HTTP/1). runtime.mjs links them.
import { compileAda } from "./ada.mjs";
import { compileAwsLc } from "./aws-lc.mjs";
import { compileLlhttp } from "./llhttp.mjs";
import { compileMozillaRoots } from "./roots.mjs";
import { compileZlib } from "./zlib.mjs";

/**
 * Fetches and compiles all libraries, side by side.
 *
 * @param options.root the repository
 * @param options.processor Node's name of the processor
 * @param options.target zig's name of the target
 * @param options.zig the path of zig
 * @param options.otherCompiler the command of a compiler in place of zig, for all libraries but AWS-LC
 * @returns for each library, the compiler flags that name the folder of its headers (`flags`), and its object files or archives
 *   (`objects`)
 */
export async function compileLibraries({ root, processor, target, zig, otherCompiler }) {
  const compileTls = async () => {
    const { archive, include } = await compileAwsLc(root, processor, target, zig);
    return { flags: [`-I${include}`], objects: [compileMozillaRoots(root, zig, target), archive] };
  };
  return Promise.all([
    compileAda(root, zig, target, otherCompiler),
    compileZlib(root, otherCompiler ?? zig, target),
    compileTls(),
    compileLlhttp(root, otherCompiler ?? zig, target),
  ]);
}
