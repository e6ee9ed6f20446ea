/*
 * A program to start: the parameters of execve(2). JavaScript passes them to the addons as one array of bytes. It contains
 * the path of the file, the arguments and the environment variables, each ended by a NUL, as in
 *   /bin/echo\0echo\0hello\0PATH=/bin\0
 */
struct program {
  char *file;
  /* Both lists end with a NULL. They are one block of memory, which the caller must free by free(argv). */
  char **argv;
  char **envp;
};

/*
 * Parses such bytes, of which `argument_count` strings are arguments. The program points into the bytes, which must stay
 * where they are. Returns 0, or an error number.
 */
static int read_program(char *strings, size_t length, size_t argument_count, struct program *program) {
  size_t count = 0;
  if (length == 0 || strings[length - 1] != '\0') return EINVAL;
  for (size_t offset = 0; offset < length; offset += strlen(strings + offset) + 1) ++count;
  if (argument_count >= count) return EINVAL;
  /* The lists need count - 1 pointers, as the file is in neither, and two NULLs. */
  program->argv = calloc(count + 1, sizeof *program->argv);
  if (program->argv == NULL) return ENOMEM;
  program->file = strings;
  program->envp = program->argv + argument_count + 1;
  char **next = program->argv;
  for (size_t offset = strlen(strings) + 1; offset < length; offset += strlen(strings + offset) + 1) {
    /* The NULL after the arguments is there already (calloc(3)). */
    const bool is_end_of_arguments = next == program->envp - 1;
    if (is_end_of_arguments) ++next;
    *next++ = strings + offset;
  }
  return 0;
}
