/* Stands around an audio callback and notes what it did with its time.
 *
 * The wall clock says how long a callback took. The thread's own clock says how long it was at work: it stands
 * while the host of a virtual machine, or a thread above this one, has the core. A callback that waits for
 * somebody lets its core go of its own accord, which the kernel counts; then all of its time is its own.
 */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <time.h>

#define ROWS 4096

typedef int (*callback)(const void *, void *, unsigned long, const void *, unsigned long, void *);

static callback inner;
static long long late_ns;
/* how many were late, the longest own time of all (ns); then a row for each late one: wall time, time at work
 * (ns), how often it let the core go, how often somebody took it */
long long witness_table[2 + 4 * ROWS];

void witness_begin(callback real, long long late_above_ns) {
    inner = real;
    late_ns = late_above_ns;
    for (int i = 0; i < 2 + 4 * ROWS; i++) witness_table[i] = 0;
}

static long long clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int witness_callback(const void *in, void *out, unsigned long frames, const void *when, unsigned long flags,
                     void *data) {
    struct rusage before, after;
    getrusage(RUSAGE_THREAD, &before);
    /* The thread's clock is the outer one: to read it, the kernel takes a lock that whoever holds it may keep
     * for milliseconds while the host has that core. It must not make the callback look late. */
    long long work = clock_ns(CLOCK_THREAD_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);
    int result = inner(in, out, frames, when, flags, data);
    wall = clock_ns(CLOCK_MONOTONIC) - wall;
    work = clock_ns(CLOCK_THREAD_CPUTIME_ID) - work;
    getrusage(RUSAGE_THREAD, &after);
    long long waited = after.ru_nvcsw - before.ru_nvcsw;
    if (work > wall) work = wall;
    long long own = waited ? wall : work;
    if (own > witness_table[1]) witness_table[1] = own;
    if (wall > late_ns) {
        long long at = witness_table[0]++;
        if (at < ROWS) {
            long long *row = witness_table + 2 + 4 * at;
            row[0] = wall;
            row[1] = work;
            row[2] = waited;
            row[3] = after.ru_nivcsw - before.ru_nivcsw;
        }
    }
    return result;
}
