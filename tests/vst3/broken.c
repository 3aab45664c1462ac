/* Libraries that are no plugin: one without a factory, one that crashes, one that never comes back. */
#include <stdlib.h>
#include <unistd.h>

#if defined(CRASHES)
__attribute__((constructor)) static void start(void) { abort(); }
#elif defined(HANGS)
__attribute__((constructor)) static void start(void) { for (;;) sleep(1000); }
#else
int semeq_is_not_here(void) { return 0; }
#endif
