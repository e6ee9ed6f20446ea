/*
 * The image: a copy of the engine's memory after all modules of JavaScript were loaded. It is part of the executable, so
 * that a start need not load them.
 *
 * The build runs the executable once as `sophia-run --make-image`. That process loads the modules, and writes the section
 * `image` to its standard output: the variables that are marked IMAGED (runtime.h), and image_room, from which the engine's
 * memory is allocated. The build links the executable again with this output as its section `image`. When that executable
 * starts, its modules are loaded already: it neither reads bytecode nor runs the code that defines classes and functions.
 *
 * So the code that runs while modules load runs on the machine of the build. It must not open files, read the clock or make
 * objects that point to memory outside of the image. The functions below make such code fail in the build.
 */
#ifndef SOPHIA_RUN_IMAGE_H
#define SOPHIA_RUN_IMAGE_H

#include <stdbool.h>

#include "files.h"
#include "quickjs.h"

/* The engine's memory in the image. Start and end are equal in an executable without an image. */
extern char image_room[], image_room_end[];

/* The modules to load for the image. Only the process that makes the image has any. */
extern const struct file *image_files;
extern size_t image_file_count;

/* Returns true if the command line is `sophia-run --make-image`, and this executable has no image yet. */
bool makes_image(int count, char **arguments);
/*
 * Must be called before a function does something that has no place in an image. `action` describes it, as in "reads the
 * clock". Returns true if that is allowed. In the process that makes the image it throws an error with the description, and
 * returns false.
 */
bool allow_outside_image(JSContext *context, const char *action);
/*
 * Returns an object of a class whose objects own memory of C code, which is outside of the image. So in the process that
 * makes the image it throws an error.
 */
JSValue new_native_object(JSContext *context, JSClassID class);
/*
 * Makes the image: reads image_files from standard input, calls `load_modules`, and writes the image to standard output.
 * Then ends this process, with a message if anything has failed. `load_modules` must return the end of the memory in use,
 * or NULL if it fails.
 */
_Noreturn void make_image(const char *(*load_modules)(void));

#endif
