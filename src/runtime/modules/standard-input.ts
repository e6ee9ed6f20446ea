/** process.stdin, which is opened at its first use. */
import { DescriptorStream } from "./descriptor-stream.ts";

export function openStandardInput(): DescriptorStream {
  return new DescriptorStream(0, { readable: true, isSocket: false });
}
