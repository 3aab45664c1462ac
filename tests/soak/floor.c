/* What a machine does to a thread that nothing can interrupt: how long one fixed piece of arithmetic takes.
 *
 * floor SECONDS PERIOD_US WORK_US CORE prints {"pieces", "work_us", "max_us", "over"} as JSON; "over" counts the
 * pieces that took longer than a quarter of the period and than all of it. The thread has the highest real-time
 * priority and one core; it touches no memory and calls nothing while it works.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile double sink;

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long piece_ns(long rounds) {
    long long began = now_ns();
    double x = 0.5;
    for (long i = 0; i < rounds; i++) x = x * 0.999999 + 1e-7;
    sink = x;
    return now_ns() - began;
}

int main(int count, char **words) {
    if (count != 5) return 2;
    double seconds = atof(words[1]), period_us = atof(words[2]), work_us = atof(words[3]);
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(atoi(words[4]), &cores);
    struct sched_param priority = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
    if (sched_setaffinity(0, sizeof cores, &cores) || sched_setscheduler(0, SCHED_FIFO, &priority)) return 3;
    mlockall(MCL_CURRENT | MCL_FUTURE);
    long long least = 1LL << 60;
    for (int i = 0; i < 50; i++) {
        long long took = piece_ns(10000);
        if (took < least) least = took;
    }
    long rounds = (long)(10000.0 * work_us * 1e3 / least);
    long long next = now_ns(), end = next + (long long)(seconds * 1e9), longest = 0, pieces = 0, over[2] = {0, 0};
    while (next < end) {
        next += (long long)(period_us * 1e3);
        struct timespec until = {next / 1000000000LL, next % 1000000000LL};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        long long took = piece_ns(rounds);
        pieces++;
        if (took > longest) longest = took;
        over[0] += took > period_us * 250.0;
        over[1] += took > period_us * 1000.0;
    }
    printf("{\"pieces\": %lld, \"work_us\": %g, \"max_us\": %.1f, \"over\": [%lld, %lld]}\n", pieces, work_us,
           longest / 1e3, over[0], over[1]);
    return 0;
}
