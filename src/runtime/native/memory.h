#ifndef SOPHIA_RUN_MEMORY_H
#define SOPHIA_RUN_MEMORY_H

#include "quickjs.h"

extern const JSMallocFunctions MEMORY;

#endif
