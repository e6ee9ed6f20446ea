/** Thrown if the machine lacks something, so that nothing can be measured. The message is one line. */
export class NotRun extends Error {
  override readonly name = "NotRun";
}
