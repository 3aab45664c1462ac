/* Counts what a callback must never do: preloaded into a process, armed on one thread for the length
   of a call. Built by the test that uses it: cc -shared -fPIC -O1 -o interpose.so interpose.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

static __thread int armed __attribute__((tls_model("initial-exec"))) = 0;
static long allocations = 0, frees = 0, locks = 0, waits = 0;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

void *malloc(size_t n) { if (armed) allocations++; return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { if (armed) allocations++; return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { if (armed) allocations++; return __libc_realloc(p, n); }
void free(void *p) { if (armed && p) frees++; __libc_free(p); }

int pthread_mutex_lock(pthread_mutex_t *m) {
    static int (*next)(pthread_mutex_t *) = NULL;
    if (!next) next = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    if (armed) locks++;
    return next(m);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t) {
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) = NULL;
    if (!next) next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    if (armed) waits++;
    return next(c, m, t);
}

typedef int (*callback)(const void *, void *, unsigned long, const void *, unsigned long, void *);

/* Calls `f` `times` times, armed; fills counts[4] with allocations, frees, locks and waits. */
void run_armed(callback f, const void *in, void *out, unsigned long frames, void *userdata, int times,
               long counts[4]) {
    allocations = frees = locks = waits = 0;
    armed = 1;
    for (int i = 0; i < times; i++) f(in, out, frames, NULL, 0, userdata);
    armed = 0;
    counts[0] = allocations; counts[1] = frees; counts[2] = locks; counts[3] = waits;
}

/* What the counters see when somebody does allocate and lock: proof that they count. */
int misbehave(const void *in, void *out, unsigned long frames, const void *time, unsigned long flags,
              void *userdata) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    void *volatile p = malloc(16);
    free(p);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return 0;
}
